"""What is measured, and what comes out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

TRAINING, INFERENCE = "training", "inference"
FP32, BFLOAT16, INT8 = "fp32", "bfloat16", "int8"
TORCH, OPENVINO, STOCK = "PyTorch", "OpenVINO", "spaCy"


@dataclass(frozen=True)
class Case:
    """One measurement, in a process of its own.

    folder: Of a pipeline, or, for a training from the start, of an encoder.
    engine: One of the above. With OpenVINO, torch is not imported, as if it were not installed.
    """

    source: str  # as it was named
    folder: Path
    task: str
    engine: str
    precision: str
    words_a_text: int
    words_a_batch: int

    def describe(self) -> str:
        return (
            f"{self.source}: {self.task}, {self.precision} on {self.engine}, texts of "
            f"{self.words_a_text} words in batches of {self.words_a_batch:,}"
        )

    def to_json(self) -> dict[str, Any]:
        return vars(self) | {"folder": str(self.folder)}


@dataclass(frozen=True)
class Measurement:
    """Of one case. Bytes are peaks of the whole process's resident memory."""

    source: str
    task: str
    engine: str
    precision: str
    words_a_text: int
    words_a_batch: int
    pieces_a_batch: int | None  # with padding; None without an encoder of ours
    words_per_second: float
    import_bytes: int  # before a model was loaded: Python, spaCy and the engine
    working_bytes: int  # of annotating, or of updates
    peak_bytes: int  # of a training with the pipeline saved, as `spacy train` does
