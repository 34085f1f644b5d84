"""Make what is to be measured, in a process of its own: `python -m spacy_pretrained.benchmarking.
prepare`, with a JSON object in and one out (see `child`).

An encoder becomes a pipeline with a tagger; a pipeline on torch is copied to OpenVINO, in fp32 and
in INT8. INT8 is calibrated on generated texts: good enough to measure speed, for nothing else.
"""

from pathlib import Path
from typing import Any

from .cases import FP32, INT8, TORCH
from .child import answer

CALIBRATION_LENGTHS = (8, 16, 32, 64)  # words a text
TEXTS_A_LENGTH = 6


def prepare(folder: str, output: str, *, is_encoder: bool) -> dict[str, Any]:
    """Write pipelines to folders in output.

    RETURNS: "made", the names of the folders, and "notes", why others could not be made.
    """
    import spacy

    from ..quantization.quantizer import Quantizer
    from .pipelines import make_examples, make_pipeline
    from .texts import make_texts

    texts = [t for n in CALIBRATION_LENGTHS for t in make_texts(n, TEXTS_A_LENGTH)]
    made, notes = [], []
    if is_encoder:
        nlp = make_pipeline(Path(folder))
        examples = make_examples(nlp, texts)
        nlp.initialize(lambda: examples)
        nlp.to_disk(Path(output) / TORCH)
        made.append(TORCH)
    else:
        nlp = spacy.load(folder)
    for precision in (FP32, INT8):
        try:
            quantized = Quantizer(nlp, precision=precision).quantize(texts)
            quantized.nlp.to_disk(Path(output) / precision)
            made.append(precision)
        except (ValueError, ImportError, RuntimeError) as error:
            notes.append(f"{precision} on OpenVINO is left out: {error}")
    return {"made": made, "notes": notes}


if __name__ == "__main__":
    answer(prepare)
