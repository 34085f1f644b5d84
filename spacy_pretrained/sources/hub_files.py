"""Which files of a model on the hub are needed."""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatch

TRANSFORMER = "0_Transformer/"  # of older sentence-transformers models, which have no files above
SAFETENSORS = "model.safetensors"
BIN = "pytorch_model.bin"
INDEX = ".index.json"
DESCRIPTIONS = (
    "config.json",
    "tokenizer*",
    "vocab*",
    "merges.txt",
    "special_tokens_map.json",
    "added_tokens.json",
    "*.model",
    "modules.json",
    "adapter_config.json",
    "quantize_config.json",
    "quant_config.json",
)
OF_THE_WHOLE = ("modules.json", "README.md", "LICEN[CS]E*")


@dataclass(frozen=True)
class HubFiles:
    """Names of files, with their folders."""

    descriptions: list[str]  # small ones: the config, the tokenizer, the licence
    weights: list[str]
    is_bin: bool  # whether the weights are pickles, which are converted


def choose_files(names: Iterable[str]) -> HubFiles:
    """
    names: All files of a model on the hub. Only safetensors are taken if there are some.
    """
    names = sorted(names)
    has_folder = "config.json" not in names and TRANSFORMER + "config.json" in names
    folder = TRANSFORMER if has_folder else ""
    here = [name.removeprefix(folder) for name in names if name.startswith(folder)]
    here = [name for name in here if "/" not in name]
    descriptions = [folder + name for name in here if _matches(name, DESCRIPTIONS)]
    descriptions += [n for n in names if _matches(n, OF_THE_WHOLE) and n not in descriptions]
    safetensors = _choose_weights(here, SAFETENSORS) or _matching(here, "*.safetensors")
    bins = [] if safetensors else _choose_weights(here, BIN)
    return HubFiles(descriptions, [folder + name for name in safetensors or bins], bool(bins))


def _choose_weights(names: list[str], whole: str) -> list[str]:
    """One file with all weights, or an index and its parts."""
    if whole in names:
        return [whole]
    stem, _, ending = whole.rpartition(".")
    parts = _matching(names, f"{stem}-*-of-*.{ending}")
    return [whole + INDEX, *parts] if whole + INDEX in names else []


def _matching(names: list[str], pattern: str) -> list[str]:
    return [name for name in names if fnmatch(name, pattern)]


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return "/" not in name and any(fnmatch(name, pattern) for pattern in patterns)
