"""Arrays of NumPy and CuPy to tensors, and back.

Thinc's own `xp2torch` and `torch2xp` hand over DLPack capsules, which CuPy 13.4 and later do not
take, and of which CuPy 14 makes a version that torch does not take. Here they are given the arrays
themselves, which all of them have taken since CuPy 10.
"""

import torch
from thinc.api import CupyOps, get_current_ops
from thinc.types import FloatsXd
from thinc.util import to_numpy


def to_array(tensor: torch.Tensor) -> FloatsXd:
    """A numpy array, or a cupy one on the same memory when that is where spaCy works and the tensor
    is on a GPU."""
    ops = get_current_ops()
    if tensor.is_cuda and isinstance(ops, CupyOps):
        return ops.xp.from_dlpack(tensor)
    return tensor.cpu().numpy()


def to_tensor(array: FloatsXd, device: torch.device) -> torch.Tensor:
    """The tensor of an array of either kind, on a device; on the same memory if it is there."""
    if device.type != "cuda":  # a torch without CUDA would not take what is on a GPU
        array = to_numpy(array)
    return torch.from_dlpack(array).to(device)
