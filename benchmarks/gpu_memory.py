"""How much of a GPU's memory a process takes."""

import shutil
import subprocess
from typing import Any, Protocol

import torch

MEBIBYTE = 2**20


class Where(Protocol):
    device: str  # of the encoder
    heads: str


class GpuMemory:
    """Peaks of torch, and what CuPy holds beside it, which it does not give back by itself."""

    def __init__(self, case: Where):
        self._on_torch, self._on_cupy = case.device == "cuda", case.heads == "gpu"

    def read(self) -> dict[str, Any]:
        """Mebibytes since it was last asked; nothing on a CPU."""
        found = {}
        if self._on_torch:
            found["torch"] = torch.cuda.max_memory_allocated() / MEBIBYTE
            torch.cuda.reset_peak_memory_stats()
        if self._on_cupy:
            import cupy

            pool = cupy.get_default_memory_pool()
            found["cupy"] = pool.total_bytes() / MEBIBYTE
            pool.free_all_blocks()
        rounded = {name: round(value) for name, value in found.items()}
        return {"gpu_mebibytes": rounded} if rounded else {}

    @staticmethod
    def describe_card() -> dict[str, Any]:
        properties = torch.cuda.get_device_properties(0)
        return {
            "name": properties.name,
            "memory_mebibytes": properties.total_memory // MEBIBYTE,
            "capability": f"{properties.major}.{properties.minor}",
            "cuda": torch.version.cuda,
            "driver": _find_driver(),
        }


def _find_driver() -> str | None:
    if shutil.which("nvidia-smi") is None:
        return None
    query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    done = subprocess.run(query, capture_output=True, text=True)
    return next(iter(done.stdout.split()), None)
