"""Tensors to a safetensors file in memory, with no copy of them but the file.

The library's own `save` holds two or three copies at its peak, beside what training holds.
"""

import ctypes
import json

import torch

NAMES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
METADATA = {"format": "pt"}  # what transformers asks for
ALIGNMENT = 8


def dump(tensors: dict[str, torch.Tensor]) -> bytes:
    """The file that `safetensors.torch.save` makes: the length of a header, the header as JSON, and
    the tensors, those with the largest numbers first, so that all are aligned."""
    own = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    order = sorted(own, key=lambda name: (-own[name].element_size(), name))
    header: dict[str, dict] = {"__metadata__": METADATA}
    views, end = [], 0
    for name in order:
        tensor = own[name]
        start, end = end, end + tensor.numel() * tensor.element_size()
        kind, shape = NAMES[tensor.dtype], list(tensor.shape)
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [start, end]}
        views.append(_view(tensor))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode("utf8")
    text += b" " * (-len(text) % ALIGNMENT)
    return b"".join([len(text).to_bytes(8, "little"), text, *views])


def _view(tensor: torch.Tensor) -> memoryview:
    """The tensor's own memory; numpy has no bfloat16."""
    n_bytes = tensor.numel() * tensor.element_size()
    if not n_bytes:
        return memoryview(b"")
    return memoryview((ctypes.c_char * n_bytes).from_address(tensor.data_ptr())).cast("B")
