"""What .safetensors files hold, by their headers alone: without torch."""

import json
import struct
from math import prod
from pathlib import Path
from typing import NamedTuple

from .errors import Errors

LENGTH = struct.Struct("<Q")
LONGEST_HEADER = 100_000_000  # bytes; that of the format


class Tensor(NamedTuple):
    n_values: int
    dtype: str  # as the format calls it, such as F32


def read_tensor_names(path: Path) -> list[str]:
    """RAISES: as `read_tensors`."""
    return list(read_tensors(path))


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a file, by their names.

    RAISES: ValueError if the file is damaged, or shorter than its header says.
    """
    try:
        with path.open("rb") as file:
            (length,) = LENGTH.unpack(file.read(LENGTH.size))
            if length > LONGEST_HEADER:
                raise ValueError("no header")
            header = json.loads(file.read(length))
        header.pop("__metadata__", None)
        end = max((entry["data_offsets"][1] for entry in header.values()), default=0)
        if path.stat().st_size != LENGTH.size + length + end:
            raise ValueError("not of the length that its header gives")
        return {
            name: Tensor(prod(entry["shape"]), str(entry["dtype"]))
            for name, entry in header.items()
        }
    except (ValueError, struct.error, KeyError, TypeError, AttributeError) as error:
        raise ValueError(Errors.TENSORS_BROKEN.format(path=path)) from error
