"""Compute what follows from the configs of the catalogue's encoders, and write it there.

    python scripts/catalogue_sizes.py

Each encoder is built on torch's meta device, where tensors have shapes and no memory. Values that
a config has and the catalogue has not are transformers' defaults for the family: they concern
segments, relative positions and the like, and change the sizes by less than 1 %.
"""

import json
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModel, PretrainedConfig, PreTrainedModel

from spacy_pretrained.backends.torch_parameters import (
    count_outside_embeddings,
    count_outside_in_matrices,
    count_parameters,
)
from spacy_pretrained.checkpoints.catalogue import CATALOGUE

PATH = Path(__file__).parents[1] / "spacy_pretrained" / "checkpoints" / "catalogue.json"
BESIDE = "bert-base-cased"  # whose cost is 1
NEEDED = ("layers", "width", "heads", "intermediate", "vocabulary")
# Our names of these, and of two more, in the configs of most families.
USUAL = {
    "layers": "num_hidden_layers",
    "width": "hidden_size",
    "heads": "num_attention_heads",
    "intermediate": "intermediate_size",
    "vocabulary": "vocab_size",
    "positions": "max_position_embeddings",
    "embedding_width": "embedding_size",
}
OF_BART = {
    "layers": "encoder_layers",
    "width": "d_model",
    "heads": "encoder_attention_heads",
    "intermediate": "encoder_ffn_dim",
}
OF_T5 = {"layers": "num_layers", "width": "d_model", "heads": "num_heads", "intermediate": "d_ff"}
OF_GPT = {"layers": "n_layer", "width": "n_embd", "heads": "n_head", "positions": "n_positions"}
NAMES = {
    "distilbert": {
        "layers": "n_layers",
        "width": "dim",
        "heads": "n_heads",
        "intermediate": "hidden_dim",
    },
    "xlnet": {
        "layers": "n_layer",
        "width": "d_model",
        "heads": "n_head",
        "intermediate": "d_inner",
    },
    "bart": OF_BART,
    "pegasus": OF_BART,
    "marian": OF_BART,
    "t5": OF_T5,
    "mt5": OF_T5,
    "gpt2": OF_GPT | {"intermediate": "n_inner"},
    "ctrl": OF_GPT | {"intermediate": "dff"},
}


def main() -> None:
    computed = {name: compute(entry) for name, entry in CATALOGUE.items()}
    content = {name: entry | {"computed": computed[name]} for name, entry in CATALOGUE.items()}
    PATH.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf8")
    known = sum(numbers is not None for numbers in computed.values())
    print(f"{PATH}: {known} of {len(computed)} entries have a config to compute from")


def compute(entry: dict[str, Any]) -> dict[str, Any] | None:
    """Sizes and cost of an entry's encoder; None if its config is not known."""
    if any(entry[name] is None for name in NEEDED):
        return None
    module = build(make_config(entry), whole=entry["kind"] == "entailment")
    outside = count_outside_embeddings(module)
    matrices = count_outside_in_matrices(module)
    parameters = count_parameters(module)
    flops = 2 * matrices * count_uses(module)
    return {
        "parameters": parameters,
        "parameters_outside_embeddings": outside,
        "fp32_mb": round(4 * parameters / 1e6, 1),
        # Weights of layers and of embeddings in one byte, norms and biases in four.
        "int8_mb": round((parameters + 3 * (outside - matrices)) / 1e6, 1),
        "megaflops_per_piece": round(flops / 1e6, 1),
        "relative_cost": round(flops / cost_of_base(), 3),
    }


def make_config(entry: dict[str, Any]) -> PretrainedConfig:
    names = USUAL | NAMES.get(entry["family"], {})
    values = {names[ours]: entry[ours] for ours in names if entry[ours] is not None}
    return AutoConfig.for_model(entry["family"], **values)


def build(config: PretrainedConfig, *, whole: bool) -> PreTrainedModel:
    """The part of a model that gives vectors of wordpieces, or all of it, which classifies."""
    with torch.device("meta"):
        module = AutoModel.from_config(config)
    if config.is_encoder_decoder and not whole:
        module = module.get_encoder()
    if getattr(module, "pooler", None) is not None:
        module.pooler = None
    return module


def count_uses(module: PreTrainedModel) -> int:
    """How often each weight is used for a piece: ALBERT's layers share theirs."""
    config = module.config
    return config.num_hidden_layers // getattr(
        config, "num_hidden_groups", config.num_hidden_layers
    )


def cost_of_base() -> int:
    """FLOPs of BERT base for a piece, without those of attention, which grow with the window."""
    entry = CATALOGUE[BESIDE]
    width, intermediate = entry["width"], entry["intermediate"]
    return 2 * entry["layers"] * (4 * width**2 + 2 * width * intermediate)


if __name__ == "__main__":
    main()
