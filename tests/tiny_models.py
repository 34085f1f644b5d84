"""Tiny encoders with random weights and real tokenizers, saved as Hugging Face folders: all that a
pretrained model has but for the training, made in a second and without a network. Only the models
need PyTorch: it is imported where they are made."""

import json
from pathlib import Path

from tokenizers import (
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

# What the tokenizers learn from: words that tests use stay whole or fall into a few pieces.
TEXTS = [
    "The quick brown fox jumps over the lazy dog. Isn't it? Yes, it is!",
    "She sold sea shells by the sea shore; the shells she sold were sea shells for sure.",
    "Zürich, São Paulo, naïve café, façade — “quoted” words and (brackets) [too]…",
    "In 1999, Dr. Smith-Jones paid $12.50 to e.g. www.example.com on 3/4/2001.",
    "Die Katze sitzt auf der Matte. Le chat est sur le tapis. El gato está aquí.",
    "他们在北京大学学习。 東京に行きました。",
    "مرحبا بالعالم، كيف حالك؟",
    "This sentence is about training and testing encoders, taggers and parsers in batches.",
]
SIZES = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
SMALL = {**SIZES, "intermediate_size": 48, "max_position_embeddings": 64}
BEHIND_PADDING = {"max_position_embeddings": 66, "pad_token_id": 1}  # RoBERTa and its kin

# Kind of model → family of its tokenizer, model_type, settings. All take 64 pieces, but those
# that take any number.
KINDS = {
    "bert": ("wordpiece", "bert", SMALL),
    "distilbert": (
        "wordpiece",
        "distilbert",
        {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 48, "max_position_embeddings": 64},
    ),
    "electra": ("wordpiece", "electra", {**SMALL, "embedding_size": 16}),
    "mobilebert": (
        "wordpiece",
        "mobilebert",
        {**SMALL, "embedding_size": 16, "intra_bottleneck_size": 16, "true_hidden_size": 16},
    ),
    "mpnet": ("mpnet", "mpnet", {**SMALL, **BEHIND_PADDING}),
    "roberta": ("byte_bpe", "roberta", {**SMALL, **BEHIND_PADDING}),
    "longformer": (
        "byte_bpe",
        "longformer",
        {**SMALL, **BEHIND_PADDING, "attention_window": [8, 8]},
    ),
    "modernbert": (
        "plain_byte_bpe",
        "modernbert",
        {
            **SMALL,
            "global_attn_every_n_layers": 2,
            "local_attention": 8,
            "cls_token_id": 0,
            "pad_token_id": 1,
            "sep_token_id": 2,
        },
    ),
    "xlm-r": ("unigram", "xlm-roberta", {**SMALL, **BEHIND_PADDING}),
    "camembert": ("unigram", "camembert", {**SMALL, **BEHIND_PADDING}),
    "albert": ("albert", "albert", {**SMALL, "embedding_size": 16}),
    "deberta-v2": (
        "deberta",
        "deberta-v2",
        {
            **SMALL,
            "relative_attention": True,
            "position_buckets": 16,
            "pos_att_type": ["p2c", "c2p"],
            "position_biased_input": False,
            "norm_rel_ebd": "layer_norm",
            "share_att_key": True,
            "type_vocab_size": 0,
        },
    ),
    "xlnet": (
        "xlnet",
        "xlnet",
        {"d_model": 32, "n_layer": 2, "n_head": 4, "d_inner": 48, "pad_token_id": 5},
    ),
}

# Of an encoder and a decoder, which can classify texts.
WITH_DECODER = {
    "bart": (
        "byte_bpe",
        "bart",
        {
            "d_model": 32,
            "encoder_layers": 2,
            "decoder_layers": 2,
            "encoder_attention_heads": 4,
            "decoder_attention_heads": 4,
            "encoder_ffn_dim": 48,
            "decoder_ffn_dim": 48,
            "max_position_embeddings": 64,
            "pad_token_id": 1,
            "bos_token_id": 0,
            "eos_token_id": 2,
            "init_std": 0.2,
        },
    ),
}


def save_tiny_model(kind: str, folder: Path, classes: list[str] | None = None) -> Path:
    """Save a random model of one of KINDS or WITH_DECODER, the same each time, with its tokenizer.

    classes: For a model that classifies texts, the names that its config has for its classes.
    """
    return save_model(*(KINDS | WITH_DECODER)[kind], folder, classes)


def save_model(
    family: str,
    model_type: str,
    settings: dict,
    folder: Path,
    classes: list[str] | None = None,
    kind_of_model: type | None = None,
) -> Path:
    """Save a random model: see KINDS.

    kind_of_model: Of transformers, instead of the `AutoModel...` for texts or classes.
    """
    import torch
    from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification
    from transformers import logging as hf_logging

    tokenizer = (TOKENIZERS | MORE_TOKENIZERS)[family]()
    folder.mkdir(parents=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    write_json(folder / "tokenizer_config.json", {"model_max_length": int(1e30)})
    config = AutoConfig.for_model(
        model_type,
        **{
            "vocab_size": tokenizer.get_vocab_size(),
            "initializer_range": 0.2,
            "pad_token_id": 0,
            "bos_token_id": None,
            "eos_token_id": None,
        }
        | settings,
    )
    if classes is not None:
        config.id2label = dict(enumerate(classes))
        config.label2id = {name: number for number, name in enumerate(classes)}
    hf_logging.disable_progress_bar()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        if kind_of_model is None:
            kind_of_model = AutoModel if classes is None else AutoModelForSequenceClassification
            module = kind_of_model.from_config(config)
        else:
            module = kind_of_model(config)
        for parameter in module.parameters():  # nothing stays 0 or 1, where a fault would hide
            parameter.data += 0.05 * torch.randn_like(parameter)
    module.save_pretrained(folder)
    return folder


def write_json(path: Path, value: dict) -> None:
    path.write_text(json.dumps(value), "utf8")


def make_wordpiece() -> Tokenizer:
    """BERT's, lowercase."""
    return _wordpiece(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])


def make_mpnet() -> Tokenizer:
    """WordPiece with RoBERTa's special pieces."""
    return _wordpiece(["<s>", "<pad>", "</s>", "[UNK]", "<mask>"])


def _wordpiece(special: list[str]) -> Tokenizer:
    normalizer = normalizers.BertNormalizer(lowercase=True)
    pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    # The library's trainer breaks ties another way each time; this vocabulary is always the same.
    text = normalizer.normalize_str(" ".join(TEXTS))
    words = sorted({word for word, _ in pre_tokenizer.pre_tokenize_str(text)})
    pieces = [char for word in words for char in word]
    pieces += [f"##{char}" for word in words for char in word[1:]]
    pieces += [f"##{word[-2:]}" for word in words if len(word) > 3]
    pieces += [word for word in words if 2 < len(word) < 7]
    vocabulary = {piece: i for i, piece in enumerate(dict.fromkeys(special + pieces))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.add_special_tokens(special)
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, pre_tokenizer
    tokenizer.decoder = decoders.WordPiece()
    around = ("[CLS]", "[SEP]") if "[CLS]" in special else ("<s>", "</s>")
    return _surround(tokenizer, *around)


def make_byte_bpe() -> Tokenizer:
    """RoBERTa's: pieces are of bytes, and offsets leave out the space before a word."""
    tokenizer = _byte_bpe(["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    end, start = (tokenizer.token_to_id(piece) for piece in ("</s>", "<s>"))
    tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", end), ("<s>", start), trim_offsets=True, add_prefix_space=False
    )
    return tokenizer


def make_gpt2() -> Tokenizer:
    """Byte-level BPE without special pieces around a text."""
    tokenizer = _byte_bpe(["<|endoftext|>"])
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=True)
    return tokenizer


def make_plain_byte_bpe() -> Tokenizer:
    """ModernBERT's: offsets hold the space before a word."""
    tokenizer = _byte_bpe(["[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]"])
    tokenizer.normalizer = normalizers.NFC()
    return _surround(tokenizer, "[CLS]", "[SEP]")


def _byte_bpe(special: list[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    return tokenizer


def make_unigram() -> Tokenizer:
    """XLM-R's and CamemBERT's: SentencePiece's normalization, words split at white space."""
    tokenizer = _unigram(["<s>", "<pad>", "</s>", "<unk>", "<mask>"], normalizers.NFKC())
    return _surround(tokenizer, "<s>", "</s>")


def make_t5() -> Tokenizer:
    """Unigram with one special piece, behind the text; Pegasus and Marian have the like."""
    return _surround(_unigram(["<pad>", "</s>", "<unk>"], normalizers.NFKC()), "", "</s>")


def make_mbart() -> Tokenizer:
    """Unigram with a code of the language behind the text."""
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "en_XX"]
    return _surround(_unigram(special, normalizers.NFKC()), "", "</s> en_XX")


def make_albert() -> Tokenizer:
    """Unigram, lowercase, quotes replaced and accents stripped."""
    normalizer = normalizers.Sequence(
        [
            normalizers.Replace("``", '"'),
            normalizers.Replace("''", '"'),
            normalizers.NFKD(),
            normalizers.StripAccents(),
            normalizers.Lowercase(),
        ]
    )
    tokenizer = _unigram(["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"], normalizer)
    return _surround(tokenizer, "[CLS]", "[SEP]")


def make_deberta() -> Tokenizer:
    """Unigram that reads runs of spaces, with white space at the end stripped."""
    normalizer = normalizers.Sequence([normalizers.Strip(left=False), normalizers.NFKC()])
    special = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"]
    tokenizer = _unigram(special, normalizer, split_whitespace=False)
    return _surround(tokenizer, "[CLS]", "[SEP]")


def make_xlnet() -> Tokenizer:
    """Unigram with all special pieces behind the text, and spaces collapsed."""
    normalizer = normalizers.Sequence(
        [normalizers.NFKD(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    special = ["<unk>", "<s>", "</s>", "<cls>", "<sep>", "<pad>", "<mask>"]
    return _surround(_unigram(special, normalizer), "", "<sep> <cls>")


def _unigram(special: list[str], normalizer, split_whitespace: bool = True) -> Tokenizer:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizer
    metaspace = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.pre_tokenizer = (
        pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), metaspace])
        if split_whitespace
        else metaspace
    )
    tokenizer.decoder = decoders.Metaspace()
    unknown = next(piece for piece in special if "unk" in piece.lower())
    trainer = trainers.UnigramTrainer(
        vocab_size=250, special_tokens=special, unk_token=unknown, show_progress=False
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    return tokenizer


def _surround(tokenizer: Tokenizer, before: str, behind: str) -> Tokenizer:
    """Special pieces around a text, or two. RoBERTa and its kin have two between them, and no
    segments."""
    pieces = [*before.split(), *behind.split()]
    separator = behind.split()[0]
    between, segment = (f"{separator} {separator}", 0) if before == "<s>" else (separator, 1)
    second = [f"{piece}:{segment}" for piece in ("$B", *behind.split())]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{before} $A {behind}".strip(),
        pair=f"{before} $A {between} {' '.join(second)}".strip(),
        special_tokens=[(piece, tokenizer.token_to_id(piece)) for piece in pieces],
    )
    return tokenizer


TOKENIZERS = {
    "wordpiece": make_wordpiece,
    "mpnet": make_mpnet,
    "byte_bpe": make_byte_bpe,
    "plain_byte_bpe": make_plain_byte_bpe,
    "unigram": make_unigram,
    "albert": make_albert,
    "deberta": make_deberta,
    "xlnet": make_xlnet,
}
# Of families that few tests try.
MORE_TOKENIZERS = {
    "gpt2": make_gpt2,
    "t5": make_t5,
    "mbart": make_mbart,
}
