"""Families of encoders, each with a tiny random model, and what is expected of it."""

from dataclasses import dataclass, replace
from pathlib import Path

from tiny_models import BEHIND_PADDING, KINDS, SMALL, save_model


@dataclass(frozen=True)
class Family:
    tokenizer: str  # see tiny_models.TOKENIZERS
    model_type: str
    settings: dict
    refused: str | None = None  # a part of the error at initialize
    causal: bool = False
    openvino: bool = True  # whether it converts
    openvino_4: bool | None = None  # where that is otherwise with transformers 4
    longest: int | None = 64  # most pieces; None for any number

    @property
    def is_there(self) -> bool:
        """Whether this version of transformers has it."""
        from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

        return self.model_type in CONFIG_MAPPING_NAMES

    @property
    def converts(self) -> bool:
        """Whether it converts to OpenVINO with this version of transformers."""
        import transformers

        is_4 = transformers.__version__ < "5"
        return self.openvino if self.openvino_4 is None or not is_4 else self.openvino_4

    def save(self, folder: Path) -> Path:
        return save_model(self.tokenizer, self.model_type, self.settings, folder)


def known(kind: str, **settings) -> Family:
    """One of the models that many tests use."""
    return Family(*KINDS[kind], **settings)


def refused(reason: str, family: Family) -> Family:
    return replace(family, refused=reason)


def like_bert(model_type: str, **settings) -> Family:
    return Family("wordpiece", model_type, SMALL | settings)


def causal(model_type: str, **settings) -> Family:
    """A decoder such as Llama's. What makes its mask cannot be traced in transformers 4."""
    settings = LLAMA | settings
    return Family("gpt2", model_type, settings, causal=True, openvino_4=False)


def like_roberta(model_type: str, **settings) -> Family:
    return Family("byte_bpe", model_type, SMALL | BEHIND_PADDING | settings)


SEQ2SEQ = {
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 48,
    "decoder_ffn_dim": 48,
    "max_position_embeddings": 64,
    "decoder_start_token_id": 1,
    "init_std": 0.2,
}
BART = SEQ2SEQ | {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}
T5 = {"d_model": 32, "d_ff": 48, "num_layers": 2, "num_heads": 4, "d_kv": 8, "eos_token_id": 1}
GPT = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64}
LLAMA = SMALL | {"num_key_value_heads": 2}
XLM = {
    "emb_dim": 32,
    "n_layers": 2,
    "n_heads": 4,
    "max_position_embeddings": 64,
    "embed_init_std": 0.2,
}
XLM |= {
    "pad_index": 1,
    "pad_token_id": 1,
    "eos_index": 2,
    "bos_index": 0,
    "unk_index": 3,
    "mask_index": 4,
}
DEBERTA = {
    "relative_attention": True,
    "pos_att_type": ["p2c", "c2p"],
    "position_biased_input": False,
    "type_vocab_size": 0,
}
FUNNEL = {"d_model": 32, "block_sizes": [1, 1], "n_head": 4, "d_head": 8, "d_inner": 48}
FUNNEL |= {"num_decoder_layers": 1, "block_repeats": [1, 1]}

FAMILIES = {
    "BERT": known("bert"),
    "DistilBERT": known("distilbert"),
    "ELECTRA": known("electra"),
    "MobileBERT": known("mobilebert"),
    "MPNet": known("mpnet"),
    "RoBERTa": known("roberta"),
    "Longformer": known("longformer", openvino=False),
    "ModernBERT": known("modernbert"),
    "XLM-RoBERTa": known("xlm-r"),
    "CamemBERT": known("camembert"),
    "ALBERT": known("albert"),
    "DeBERTa-v2": known("deberta-v2"),
    "XLNet": known("xlnet", longest=None),
    "DeBERTa": Family("byte_bpe", "deberta", SMALL | DEBERTA | {"pad_token_id": 1}),
    "SqueezeBERT": like_bert("squeezebert", embedding_size=32),
    "LayoutLM": like_bert("layoutlm"),
    "BigBird": Family(
        "unigram",
        "big_bird",
        SMALL
        | {
            "attention_type": "block_sparse",
            "block_size": 4,
            "num_random_blocks": 1,
            "pad_token_id": 1,
        },
    ),
    "ConvBERT": refused("ignores the attention mask", like_bert("convbert", embedding_size=32)),
    "FNet": refused("ignores the attention mask", like_bert("fnet")),
    "ERNIE": like_bert("ernie"),
    "I-BERT": like_roberta("ibert"),
    "data2vec": like_roberta("data2vec-text"),
    "RoBERTa-PreLayerNorm": like_roberta("roberta-prelayernorm"),
    "XLM-RoBERTa-XL": Family("unigram", "xlm-roberta-xl", SMALL | BEHIND_PADDING),
    "X-MOD": Family(
        "unigram",
        "xmod",
        SMALL | BEHIND_PADDING | {"languages": ["en_XX", "de_DE"], "default_language": "en_XX"},
        openvino_4=False,  # it splits batches by the numbers that it was traced with
    ),
    "X-MOD without a language": refused(
        "Set default_language",
        Family("unigram", "xmod", SMALL | BEHIND_PADDING | {"languages": ["en_XX", "de_DE"]}),
    ),
    "Megatron-BERT": like_bert("megatron-bert"),
    "RemBERT": Family("albert", "rembert", SMALL | {"input_embedding_size": 16}),
    "RoFormer": like_bert("roformer", embedding_size=32),
    "Nyströmformer": refused(
        "ignores the attention mask",
        like_bert("nystromformer", num_landmarks=64, segment_means_seq_len=64),
    ),
    "YOSO": refused("ignores the attention mask", like_bert("yoso")),
    "MRA": refused("does not depend on the text around", like_bert("mra")),
    "RoCBert": like_bert("roc_bert", enable_pronunciation=False, enable_shape=False),
    "Splinter": like_bert("splinter"),
    "LUKE": like_roberta("luke", entity_vocab_size=10, entity_emb_size=16),
    "LiLT": like_roberta("lilt", hidden_size=48),
    "MarkupLM": like_roberta("markuplm"),
    "ESM": replace(like_bert("esm", mask_token_id=4), longest=63),
    "BertGeneration": Family("t5", "bert-generation", SMALL),
    "EuroBERT": Family("plain_byte_bpe", "eurobert", LLAMA | {"pad_token_id": 1}),
    "NomicBERT": like_bert("nomic_bert"),
    "GTE": like_bert("gte"),
    "Jina v3": Family("unigram", "jina_embeddings_v3", SMALL | {"pad_token_id": 1}),
    "XLM": Family("unigram", "xlm", XLM, openvino=False, openvino_4=True),
    "FlauBERT": Family("unigram", "flaubert", XLM, openvino=False, openvino_4=True),
    "Funnel": refused(
        "ignores the attention mask",
        Family("wordpiece", "funnel", FUNNEL | {"architectures": ["FunnelModel"]}),
    ),
    "Funnel base": Family(
        "wordpiece",
        "funnel",
        FUNNEL | {"architectures": ["FunnelBaseModel"]},
        refused="one vector for each wordpiece",
    ),
    "Reformer": refused(
        "one vector for each wordpiece",
        Family(
            "t5",
            "reformer",
            {
                "hidden_size": 32,
                "num_attention_heads": 4,
                "attention_head_size": 8,
                "feed_forward_size": 48,
                "num_hidden_layers": 2,
                "attn_layers": ["local", "lsh"],
                "axial_pos_shape": [8, 8],
                "axial_pos_embds_dim": [16, 16],
                "max_position_embeddings": 64,
                "is_decoder": False,
                "num_hashes": 1,
                "local_attn_chunk_length": 8,
                "lsh_attn_chunk_length": 8,
                "num_buckets": 4,
            },
        ),
    ),
    "DPR": refused("no vector for each wordpiece", like_bert("dpr", projection_dim=0)),
    "CANINE": refused("no vectors of wordpieces", like_bert("canine")),
    "BROS": refused("place of each word on a page", like_bert("bros")),
    "LayoutLMv3": like_roberta("layoutlmv3", coordinate_size=5, shape_size=6, visual_embed=False),
    "BERT as a decoder": Family("wordpiece", "bert", SMALL | {"is_decoder": True}, causal=True),
    "GPT-2": Family("gpt2", "gpt2", GPT, causal=True),
    "OPT": Family(
        "gpt2",
        "opt",
        {
            "hidden_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "ffn_dim": 48,
            "max_position_embeddings": 64,
            "word_embed_proj_dim": 32,
            "init_std": 0.2,
        },
        causal=True,
    ),
    "CTRL": Family("gpt2", "ctrl", GPT | {"dff": 48}, causal=True),
    "Llama": causal("llama"),
    "Mistral": causal("mistral"),
    "Qwen2": causal("qwen2"),
    "Qwen3": causal("qwen3", head_dim=8),
    "Gemma": causal("gemma", head_dim=8),
    "T5": Family("t5", "t5", T5, longest=None),
    "mT5": Family("t5", "mt5", T5, longest=None),
    "UMT5": Family("t5", "umt5", T5, longest=None),
    "LongT5": Family(
        "t5",
        "longt5",
        T5 | {"local_radius": 7, "global_block_size": 4},
        longest=None,
        openvino=False,
    ),
    "BART": Family("byte_bpe", "bart", BART),
    "mBART": Family("mbart", "mbart", BART),
    "Pegasus": Family("t5", "pegasus", SEQ2SEQ | {"eos_token_id": 1}),
    "Marian": Family("t5", "marian", SEQ2SEQ | {"eos_token_id": 1}),
    "M2M-100 and NLLB": Family("mbart", "m2m_100", BART),
    "BlenderbotSmall": Family("byte_bpe", "blenderbot-small", BART),
    "LED": Family(
        "byte_bpe",
        "led",
        {k: v for k, v in BART.items() if k != "max_position_embeddings"}
        | {"attention_window": 8, "max_encoder_position_embeddings": 64},
        openvino=False,
    ),
    "BigBird-Pegasus": Family(
        "t5",
        "bigbird_pegasus",
        SEQ2SEQ | {"block_size": 4, "num_random_blocks": 1, "attention_type": "block_sparse"},
    ),
    "ProphetNet": Family(
        "wordpiece",
        "prophetnet",
        {
            "hidden_size": 32,
            "num_encoder_layers": 2,
            "num_decoder_layers": 2,
            "num_encoder_attention_heads": 4,
            "num_decoder_attention_heads": 4,
            "encoder_ffn_dim": 48,
            "decoder_ffn_dim": 48,
            "max_position_embeddings": 64,
            "init_std": 0.2,
        },
    ),
}

# Those that CI tries, and those that are tried in INT8: the widespread ones, of every kind.
CI = ("BERT", "RoBERTa", "DeBERTa-v2", "ModernBERT", "XLM-RoBERTa", "MPNet", "XLNet", "Longformer",
      "BigBird", "GPT-2", "T5", "Funnel base")  # fmt: skip
IN_INT8 = ("BERT", "DistilBERT", "ELECTRA", "MPNet", "RoBERTa", "ModernBERT", "XLM-RoBERTa",
           "ALBERT", "DeBERTa-v2", "XLNet", "T5", "Qwen2")  # fmt: skip
