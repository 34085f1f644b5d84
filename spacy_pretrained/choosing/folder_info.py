"""What there is to know of an encoder's folder, from its files."""

import json
from pathlib import Path
from typing import Any

from ..sources.licence import read_licence
from ..sources.tensor_names import read_tensors
from .errors import Errors

# Names of sizes in a config.json: most models have the first.
LAYERS = ("num_hidden_layers", "n_layers", "n_layer", "num_layers", "encoder_layers")
WIDTH = ("hidden_size", "d_model", "dim", "n_embd", "emb_dim")
VOCABULARY = ("vocab_size", "n_words")
PRECISIONS = {"F32": "float32", "F16": "float16", "BF16": "bfloat16"}
WEIGHTS = (".safetensors", ".bin", ".pt")


def describe_folder(folder: Path) -> dict[str, Any]:
    """An encoder in Hugging Face layout, also one that a pipeline has saved. Numbers that its
    config does not state are None.

    RAISES: ValueError if its config or its weights are damaged.
    """
    config = read_object(folder / "config.json", Errors.CONFIG_BROKEN)
    found = {"path": str(folder), "family": config.get("model_type")}
    for name, keys in (("layers", LAYERS), ("width", WIDTH), ("vocabulary", VOCABULARY)):
        found[name] = next((config[key] for key in keys if config.get(key) is not None), None)
    found["tokenizer.json"] = (folder / "tokenizer.json").is_file()
    weights = [path for path in folder.iterdir() if path.suffix in WEIGHTS and path.is_file()]
    found["weights"] = sorted(path.name for path in weights)
    found["bytes"] = sum(path.stat().st_size for path in weights)
    tensors = [
        tensor
        for path in weights
        if path.suffix == ".safetensors"
        for tensor in read_tensors(path).values()
    ]
    if tensors:
        found["parameters"] = sum(tensor.n_values for tensor in tensors)
        kinds = {PRECISIONS.get(tensor.dtype, tensor.dtype) for tensor in tensors}
        found["precision"] = ", ".join(sorted(kinds))
    found["licence"] = read_licence(folder)
    return found


def read_object(path: Path, message: str) -> dict[str, Any]:
    """RAISES: ValueError with that message if a file is no JSON, or no object."""
    try:
        value = json.loads(path.read_text("utf8"))
    except ValueError as error:
        raise ValueError(message.format(path=path, error=error)) from error
    if not isinstance(value, dict):
        raise ValueError(message.format(path=path, error="it is no object"))
    return value
