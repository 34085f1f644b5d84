"""A copy of a pipeline whose backbones run on OpenVINO; all else in it is the same."""

import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import spacy
from packaging.requirements import InvalidRequirement, Requirement
from spacy.language import Language
from thinc.api import PyTorchShim

from ..backends.openvino_backend import MODEL, WEIGHTS, is_packed
from ..checkpoints.checkpoint import Checkpoint, Files, write_folder
from ..runtime.no_telemetry import import_openvino
from ..saving.checked_pipe import write_checksums
from .quantizable import TorchBackbone, find_shims, to_openvino_block

TRAINING_PACKAGES = {"torch", "transformers", "safetensors"}


def copy_to_openvino(
    nlp: Language, backbones: list[TorchBackbone], models: Iterable[Any]
) -> Language:
    """Copy a pipeline, by way of its saved form, with an `openvino.Model` in place of each of its
    backbones. The copy has the meta of the original."""
    with tempfile.TemporaryDirectory() as folder:
        nlp.to_disk(folder)
        for backbone, model in zip(backbones, models, strict=True):
            files = to_files(backbone.shim.checkpoint, model)
            for path in (Path(folder) / name / "backbone" for name in backbone.names):
                if path.is_dir():  # some components only share what another one saves
                    write_folder(path, files)
                    write_checksums(path.parent)
        config = nlp.config.copy()
        config["components"] = to_openvino_block(config["components"])
        config.to_disk(Path(folder) / "config.cfg")
        return spacy.load(folder)


def to_files(checkpoint: Checkpoint, model: Any) -> Files:
    """The files of a backbone that is an `openvino.Model`, and has all else of the checkpoint."""
    openvino = import_openvino()
    layout = replace(checkpoint.layout, packed=is_packed(model))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / MODEL
        openvino.save_model(model, path, compress_to_fp16=False)
        weights = {MODEL: path.read_bytes(), WEIGHTS: path.with_suffix(".bin").read_bytes()}
    return replace(checkpoint, layout=layout).to_files() | weights


def needs_torch(nlp: Language) -> bool:
    """Whether any component, ours or not, has a layer on torch."""
    return any(isinstance(shim, PyTorchShim) for _, p in nlp.components for shim in find_shims(p))


def without_torch(requirements: Iterable[str]) -> list[str]:
    """The requirements of a packaged pipeline without those that only training needs."""
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
