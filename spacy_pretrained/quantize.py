"""From a trained pipeline to one that runs on OpenVINO, in INT8 or fp32, without torch."""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import spacy
from packaging.requirements import InvalidRequirement, Requirement
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import PyTorchShim

from .backbone import get_shim
from .checkpoint import Files, with_checksums, write_folder
from .encoder import plan_batches
from .errors import Errors
from .openvino_backend import MODEL, WEIGHTS
from .pipes.encoder import PretrainedEncoder
from .quantization_gate import Gate, Refused, Trial, check_max_drop
from .quantization_recipes import PRECISIONS, candidates
from .windows import WindowBatch

MIN_TEXTS = 20
CALIBRATION_BATCHES = 300
ARCHITECTURE = "spacy-pretrained.OpenVinoEncoder.v1"
SHARED_SETTINGS = ("window", "stride", "max_pieces", "orth_width")
TRAINING_PACKAGES = {"torch", "transformers", "safetensors"}


def quantize_pipeline(
    nlp: Language,
    texts: Iterable[str | Doc] = (),
    *,
    precision: str = "int8",
    report: Callable[[str], None] = lambda step: None,
) -> Language:
    """Make a copy of a trained pipeline whose encoder runs on OpenVINO.

    texts: Texts, or Docs with tokens, of the kind the pipeline is for, never those it is
        evaluated on: INT8 ranges come from the batches that the encoder makes of them. Only
        "int8" needs some.
    precision: "int8" quantizes weights and activations (static, NNCF's recipe for transformers);
        "int8-weights" only the weights, which is as small, and slower; "fp32" only leaves torch
        behind.
    report: Gets to hear each step as it begins.
    RETURNS: A new pipeline; the old one is not changed. Only the encoder's block of the config
        differs, all other components are the same. Nothing says what it lost: that does
        `quantize_within`.
    """
    check_pipeline(nlp, precision)
    recipe, quantized = next(_quantized(nlp, texts, precision, report))
    quantized.meta["quantization"] = {"precision": precision, "recipe": recipe}
    return quantized


def quantize_within(
    nlp: Language,
    texts: Iterable[str | Doc],
    examples: Iterable[Example],
    *,
    max_drop: float,
    precision: str = "int8",
    seed: int = 0,
    report: Callable[[str], None] = lambda step: None,
) -> tuple[Language, list[Trial]]:
    """Make a copy as `quantize_pipeline` does, that scores as the pipeline did, or none.

    A recipe is refused if any score's loss is above max_drop beyond chance: by a paired bootstrap
    over the documents, with 95 % confidence. Then the next more careful one is tried.

    examples: Gold annotation that the pipeline was not trained on, and that is not among the
        texts.
    max_drop: What a score may lose, in percent points.
    seed: Of the bootstrap.
    RETURNS: The pipeline, its scores in `meta["performance"]` and `meta["quantization"]`; and
        what was tried, the last of which it is.
    Raises `Refused`, which has what was tried, when no recipe holds.
    """
    check_max_drop(max_drop)
    check_pipeline(nlp, precision)
    gate = Gate(nlp, examples, seed=seed, report=report)
    trials = []
    for recipe, quantized in _quantized(nlp, texts, precision, report):
        trial = gate.try_out(quantized, recipe)
        trials.append(trial)
        too_high = trial.too_high(max_drop)
        if not too_high:
            quantized.meta["performance"] = trial.performance
            quantized.meta["quantization"] = _describe(trials, precision, max_drop)
            return quantized, trials
        names = ", ".join(f"{loss.score} -{loss.loss:.2f}" for loss in too_high)
        report(f"{recipe}: loses too much ({names})")
    raise Refused(trials, max_drop)


def find_encoder(nlp: Language) -> PretrainedEncoder:
    for _, pipe in nlp.components:
        if isinstance(pipe, PretrainedEncoder):
            return pipe
    raise ValueError(Errors.NO_ENCODER.format(pipes=", ".join(nlp.pipe_names)))


def check_pipeline(nlp: Language, precision: str) -> None:
    """Refuse what cannot be quantized before anything is begun."""
    if precision not in PRECISIONS:
        raise ValueError(Errors.PRECISION.format(precision=precision, known=", ".join(PRECISIONS)))
    for name, pipe in nlp.components:
        if not isinstance(pipe, PretrainedEncoder) and any(map(_is_trainable, _shims(pipe))):
            raise ValueError(Errors.ENCODER_OF_ITS_OWN.format(name=name))
    encoder = find_encoder(nlp)
    if not _is_trainable(get_shim(encoder.model)):
        raise ValueError(Errors.QUANTIZED_ALREADY.format(name=encoder.name))


def _shims(pipe: Any) -> Iterator[Any]:
    model = getattr(pipe, "model", None)
    layers = model.walk() if hasattr(model, "walk") else ()
    return chain.from_iterable(layer.shims for layer in layers)


def _is_trainable(shim: Any) -> bool:
    return hasattr(shim, "load_source")  # ours, on torch


def _quantized(
    nlp: Language, texts: Iterable[str | Doc], precision: str, report: Callable[[str], None]
) -> Iterator[tuple[str, Language]]:
    """Names of recipes and pipelines made by them, each more careful than the last."""
    from .torch_export import to_openvino

    encoder = find_encoder(nlp)
    shim = get_shim(encoder.model)
    batches = record_batches(nlp, encoder, texts) if precision == "int8" else []
    report("Converting the encoder from torch to OpenVINO")
    for recipe, model in candidates(to_openvino(shim), batches, precision, report):
        yield recipe, with_backbone(nlp, model)


def record_batches(
    nlp: Language, encoder: PretrainedEncoder, texts: Iterable[str | Doc]
) -> list[WindowBatch]:
    """The batches that the encoder would run for the texts, some of every length."""
    docs = [nlp.make_doc(t) if isinstance(t, str) else t for t in texts]
    docs = [doc for doc in docs if len(doc)]
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


def _serialize(model: Any) -> Files:
    import openvino

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / MODEL
        openvino.save_model(model, path, compress_to_fp16=False)
        return {MODEL: path.read_bytes(), WEIGHTS: path.with_suffix(".bin").read_bytes()}


def with_backbone(nlp: Language, model: Any) -> Language:
    """A copy of the pipeline, by way of its saved form, whose encoder runs an `openvino.Model`."""
    encoder = find_encoder(nlp)
    name = encoder.name
    files = with_checksums(get_shim(encoder.model).checkpoint.to_files() | _serialize(model))
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
        quantized = spacy.load(folder)
    if not any(
        isinstance(shim, PyTorchShim) for _, p in quantized.components for shim in _shims(p)
    ):
        quantized.meta["requirements"] = _without_torch(nlp.meta.get("requirements", []))
    # What was measured of the other pipeline is not true of this one.
    quantized.meta["performance"] = {}
    return quantized


def _without_torch(requirements: Iterable[str]) -> list[str]:
    """What a package of the pipeline asks for, without what only training needs."""
    kept = []
    for text in requirements:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:  # spaCy takes what pip does not
            kept.append(text)
            continue
        if requirement.name.lower() not in TRAINING_PACKAGES:
            requirement.extras.discard("train")
            kept.append(str(requirement))
    return kept


def _describe(trials: list[Trial], precision: str, max_drop: float) -> dict[str, Any]:
    """What is kept in `meta.json` of how a pipeline was made; scores in percent."""
    return {
        "precision": precision,
        "recipe": trials[-1].recipe,
        "refused": [trial.recipe for trial in trials[:-1]],
        "max_drop": max_drop,
        "scores": {
            loss.score: {
                "before": round(loss.before, 4),
                "after": round(loss.after, 4),
                "loss": round(loss.loss, 4),
                "least_loss": round(loss.least, 4),
            }
            for loss in trials[-1].losses
        },
    }
