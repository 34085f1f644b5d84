"""A program: weights in pickles to safetensors. `python -m … FOLDER`; see `convert.convert_bin`."""

import sys
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from ..runtime.whole_files import whole_file, write_json
from .errors import Errors
from .hub_files import BIN, INDEX, SAFETENSORS
from .model_folder import find_parts

Tensors = dict[str, torch.Tensor]
# In names of tensors that are tied to the embeddings: those of heads and decoders.
TIED_TO = ("lm_head", "decoder", "predictions", "generator", "classifier", "embed_out")


def convert(folder: Path) -> None:
    """RAISES: ValueError if a file does not hold tensors by name. Files are written under other
    names first, so that no incomplete one is taken for the weights."""
    index = folder / (BIN + INDEX)
    if (folder / BIN).is_file():
        convert_file(folder / BIN, folder / SAFETENSORS)
        return
    parts = list(find_parts(index, ".bin"))  # all are checked before the first is written
    names = {}
    n_bytes = 0
    for source in parts:
        name = source.name.replace("pytorch_model", "model").replace(".bin", ".safetensors")
        target = folder / name
        tensors = convert_file(source, target)
        names |= dict.fromkeys(tensors, target.name)
        n_bytes += sum(tensor.nbytes for tensor in tensors.values())
    new = {"metadata": {"total_size": n_bytes}, "weight_map": names}
    write_json(folder / (SAFETENSORS + INDEX), new)


def convert_file(source: Path, target: Path) -> Tensors:
    """RETURNS: The tensors that were written."""
    tensors, dropped = drop_tied(read_bin(source))
    with whole_file(target) as unfinished:
        save_file(tensors, unfinished, metadata={"format": "pt"} | dropped)
        compare(tensors, unfinished, source.name)
    return tensors


def read_bin(path: Path) -> Tensors:
    try:
        tensors = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # of pickle, zip and torch, all of them
        first = str(error).strip().split("\n")[0]
        raise ValueError(Errors.PICKLE_REFUSED.format(name=path.name, error=first)) from error
    if not isinstance(tensors, dict):
        what = f"a {type(tensors).__name__}"
        raise ValueError(Errors.NOT_TENSORS.format(name=path.name, what=what))
    others = [str(key) for key, value in tensors.items() if not isinstance(value, torch.Tensor)]
    if others or not tensors:
        what = ", ".join(others[:5]) or "nothing"
        raise ValueError(Errors.NOT_TENSORS.format(name=path.name, what=what))
    return dict(tensors)


def drop_tied(tensors: Tensors) -> tuple[Tensors, dict[str, str]]:
    """Keep one of the names of tensors that are the same memory: that of the embeddings.

    RETURNS: The tensors, contiguous, and dropped names with those that were kept for them.
    """
    kept: dict[tuple, str] = {}
    dropped = {}
    for name in sorted(tensors, key=_preference):
        tensor = tensors[name]
        memory = (tensor.data_ptr(), tuple(tensor.shape), tensor.stride(), tensor.dtype)
        if not tensor.numel() or memory not in kept:
            kept[memory if tensor.numel() else (name,)] = name
        else:
            dropped[name] = kept[memory]
    chosen = set(kept.values())
    own = {name: tensors[name].clone().contiguous() for name in tensors if name in chosen}
    return own, dropped


def compare(tensors: Tensors, path: Path, name: str) -> None:
    """RAISES: ValueError if a tensor in the file is not the same, bit by bit."""
    with safe_open(path, "pt") as file:
        for tensor in tensors:
            if not _is_same(tensors[tensor], file.get_tensor(tensor)):
                raise ValueError(Errors.NOT_THE_SAME.format(tensor=tensor, name=name))


def _is_same(one: torch.Tensor, other: torch.Tensor) -> bool:
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    return torch.equal(_as_bytes(one), _as_bytes(other))


def _as_bytes(tensor: torch.Tensor) -> torch.Tensor:
    """By which NaN is equal to itself."""
    return tensor.contiguous().reshape(-1).view(torch.uint8)


def _preference(name: str) -> tuple[bool, bool, int, str]:
    is_tied = any(part in name for part in TIED_TO)
    return is_tied, not name.endswith("shared.weight"), len(name), name


def main() -> None:
    try:
        convert(Path(sys.argv[1]))
    except (ValueError, OSError, RuntimeError, SafetensorError) as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
