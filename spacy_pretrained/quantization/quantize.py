"""From a trained pipeline to one that runs on OpenVINO, in INT8 or fp32, without torch."""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import spacy
from packaging.requirements import InvalidRequirement, Requirement
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import PyTorchShim

from ..backends.openvino_backend import MODEL, WEIGHTS, is_packed
from ..checkpoints.checkpoint import Checkpoint, Files, with_checksums, write_folder
from ..runtime.no_telemetry import import_openvino
from .errors import Errors
from .gate import Gate, Refused, Trial, check_max_drop
from .quantizable import TorchBackbone, find_backbones, find_shims, to_openvino_block
from .recipes import PRECISIONS, candidates

MIN_TEXTS = 20
CALIBRATION_BATCHES = 300
TRAINING_PACKAGES = {"torch", "transformers", "safetensors"}


def quantize_pipeline(
    nlp: Language,
    texts: Iterable[str | Doc] = (),
    *,
    precision: str = "int8",
    report: Callable[[str], None] = lambda step: None,
) -> Language:
    """Make a copy of a trained pipeline whose encoder, or encoders, run on OpenVINO.

    texts: Texts, or Docs with tokens, of the kind the pipeline is for, never those it is
        evaluated on: INT8 ranges come from the batches that encoders make of them. Only
        "int8" needs some.
    precision: "int8" quantizes weights and activations (static, NNCF's recipe for transformers);
        "int8-weights" only the weights, which is as small, and slower; "fp32" only leaves torch
        behind.
    report: Gets to hear each step as it begins.
    RETURNS: A new pipeline; the old one is not changed. Only encoders' blocks of the config differ,
        all else is the same. Nothing says what it lost: that does
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


def check_pipeline(nlp: Language, precision: str) -> None:
    """Refuse what cannot be quantized before anything is begun."""
    if precision not in PRECISIONS:
        raise ValueError(Errors.PRECISION.format(precision=precision, known=", ".join(PRECISIONS)))
    find_backbones(nlp)


def _quantized(
    nlp: Language, texts: Iterable[str | Doc], precision: str, report: Callable[[str], None]
) -> Iterator[tuple[str, Language]]:
    """Names of recipes and pipelines made by them, each more careful than the last."""
    from .torch_export import to_openvino

    backbones = find_backbones(nlp)
    docs = read_docs(nlp, texts) if precision == "int8" else []
    made = []
    for backbone in backbones:
        batches = record_batches(nlp, backbone, docs) if docs else []
        report(f"Converting {' and '.join(backbone.names)} from torch to OpenVINO")
        made.append(candidates(to_openvino(backbone.shim), batches, precision, report))
    for recipes in zip(*made):
        names = dict.fromkeys(recipe for recipe, _ in recipes)
        yield "; ".join(names), with_backbones(nlp, [model for _, model in recipes])


def read_docs(nlp: Language, texts: Iterable[str | Doc]) -> list[Doc]:
    """The texts as Docs, but for white space. RAISES: ValueError if there are too few."""
    docs = [nlp.make_doc(text) if isinstance(text, str) else text for text in texts]
    docs = [doc for doc in docs if doc.text.strip()]
    if len(docs) < MIN_TEXTS:
        raise ValueError(Errors.TOO_FEW_TEXTS.format(n=len(docs), least=MIN_TEXTS))
    return docs


def record_batches(nlp: Language, backbone: TorchBackbone, docs: list[Doc]) -> list[Any]:
    """The batches that a backbone would run for the Docs, some of every length."""
    batches = [
        batch
        for i in range(0, len(docs), nlp.batch_size)
        for batch in backbone.plan_batches(nlp, docs[i : i + nlp.batch_size])
    ]
    batches.sort(key=lambda batch: batch.ids.shape[1])
    chosen = np.linspace(0, len(batches) - 1, min(CALIBRATION_BATCHES, len(batches)))
    return [batches[int(i)] for i in chosen]


def to_files(checkpoint: Checkpoint, model: Any) -> Files:
    """The files of a backbone that is an `openvino.Model`, and has all else of the checkpoint."""
    openvino = import_openvino()
    layout = replace(checkpoint.layout, packed=is_packed(model))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / MODEL
        openvino.save_model(model, path, compress_to_fp16=False)
        weights = {MODEL: path.read_bytes(), WEIGHTS: path.with_suffix(".bin").read_bytes()}
    return replace(checkpoint, layout=layout).to_files() | weights


def with_backbones(nlp: Language, models: list[Any]) -> Language:
    """The pipeline, by way of its saved form, with an `openvino.Model` in place of each of its
    backbones, in the order of `find_backbones`."""
    with tempfile.TemporaryDirectory() as folder:
        nlp.to_disk(folder)
        for backbone, model in zip(find_backbones(nlp), models, strict=True):
            files = with_checksums(to_files(backbone.shim.checkpoint, model))
            for path in (Path(folder) / name / "backbone" for name in backbone.names):
                if path.is_dir():  # some only share what is saved by another
                    write_folder(path, files)
        config = nlp.config.copy()
        config["components"] = to_openvino_block(config["components"])
        config.to_disk(Path(folder) / "config.cfg")
        quantized = spacy.load(folder)
    if not any(
        isinstance(shim, PyTorchShim) for _, p in quantized.components for shim in find_shims(p)
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
