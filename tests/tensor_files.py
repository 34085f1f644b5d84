"""The format of .safetensors files, for tests where neither PyTorch nor the library is needed."""

import json
import struct

import numpy as np


def dump_tensor(name: str, values: np.ndarray) -> bytes:
    """The content of a file with one tensor, in float32."""
    data = values.astype("<f4").tobytes()
    tensor = {"dtype": "F32", "shape": values.shape, "data_offsets": [0, len(data)]}
    header = json.dumps({name: tensor}).encode()
    return struct.pack("<Q", len(header)) + header + data


def find_tensor(content: bytes, name: str) -> np.ndarray | None:
    """The inverse; None if there is no such tensor."""
    end = 8 + int.from_bytes(content[:8], "little")
    tensor = json.loads(content[8:end] or "{}").get(name)
    return tensor and np.frombuffer(content[end:], "<f4").reshape(tensor["shape"])
