"""From a trained pipeline to one that runs on OpenVINO, in INT8 or fp32, without torch."""

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import spacy
from spacy.language import Language
from spacy.tokens import Doc

from .checkpoint import Files, write_folder
from .encoder import get_shim, plan_batches
from .errors import Errors
from .openvino_backend import MODEL, WEIGHTS
from .pipes.encoder import PretrainedEncoder
from .windows import WindowBatch

PRECISIONS = ("int8", "fp32")
MIN_TEXTS = 20
CALIBRATION_BATCHES = 300
ARCHITECTURE = "spacy-pretrained.OpenVinoEncoder.v1"
SHARED_SETTINGS = ("window", "stride", "max_pieces", "orth_width")


def quantize_pipeline(
    nlp: Language, texts: Iterable[str | Doc], *, precision: str = "int8"
) -> Language:
    """Make a copy of a trained pipeline whose encoder runs on OpenVINO.

    texts: Texts, or Docs with tokens, of the kind the pipeline is for, never those it is
        evaluated on: INT8 ranges come from the batches that the encoder makes of them.
    precision: "int8" quantizes weights and activations (static, NNCF's recipe for transformers);
        "fp32" only leaves torch behind.
    RETURNS: A new pipeline; the old one is not changed. Only the encoder's block of the config
        differs, all other components are the same.
    """
    if precision not in PRECISIONS:
        raise ValueError(Errors.PRECISION.format(precision=precision, known=", ".join(PRECISIONS)))
    encoder = find_encoder(nlp)
    shim = get_shim(encoder.model)
    if not hasattr(shim, "load_source"):
        raise ValueError(Errors.QUANTIZED_ALREADY.format(name=encoder.name))
    from .torch_export import to_openvino

    model = to_openvino(shim)
    if precision == "int8":
        model = _quantize(model, _record(nlp, encoder, texts))
    return _with_backbone(nlp, encoder.name, shim.checkpoint.to_files() | _serialize(model))


def find_encoder(nlp: Language) -> PretrainedEncoder:
    for _, pipe in nlp.pipeline:
        if isinstance(pipe, PretrainedEncoder):
            return pipe
    raise ValueError(Errors.NO_ENCODER.format(pipes=", ".join(nlp.pipe_names)))


def _record(
    nlp: Language, encoder: PretrainedEncoder, texts: Iterable[str | Doc]
) -> list[WindowBatch]:
    """The batches that the encoder would run for the texts, some of every length."""
    docs = [nlp.make_doc(t) if isinstance(t, str) else t for t in texts]
    if len(docs) < MIN_TEXTS:
        raise ValueError(Errors.TOO_FEW_TEXTS.format(n=len(docs), least=MIN_TEXTS))
    batches = [
        batch
        for i in range(0, len(docs), nlp.batch_size)
        for batch in plan_batches(encoder.model, docs[i : i + nlp.batch_size])
    ]
    batches.sort(key=lambda batch: batch.ids.shape[1])
    chosen = np.linspace(0, len(batches) - 1, min(CALIBRATION_BATCHES, len(batches)))
    return [batches[int(i)] for i in chosen]


def _quantize(model: Any, batches: list[WindowBatch]) -> Any:
    import nncf

    data = [{"input_ids": b.ids, "attention_mask": b.mask} for b in batches]
    return nncf.quantize(
        model,
        nncf.Dataset(data),
        model_type=nncf.ModelType.TRANSFORMER,
        subset_size=len(data),
    )


def _serialize(model: Any) -> Files:
    import openvino

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / MODEL
        openvino.save_model(model, path, compress_to_fp16=False)
        return {MODEL: path.read_bytes(), WEIGHTS: path.with_suffix(".bin").read_bytes()}


def _with_backbone(nlp: Language, name: str, files: Files) -> Language:
    """The pipeline with another backbone, by way of its saved form."""
    with tempfile.TemporaryDirectory() as folder:
        nlp.to_disk(folder)
        write_folder(Path(folder) / name / "backbone", files)
        config = nlp.config.copy()
        old = config["components"][name]["model"]
        config["components"][name]["model"] = {
            "@architectures": ARCHITECTURE,
            **{key: old[key] for key in SHARED_SETTINGS if key in old},
        }
        config.to_disk(Path(folder) / "config.cfg")
        return spacy.load(folder)
