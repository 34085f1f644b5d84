"""What stands in for the backend on torch where there is no PyTorch, so that components, their
training and their saving are tested there, too: the backend of `numpy_backend.py`, under the
registered names of torch. A test that wants more of it than that is skipped, as it needs torch."""

import json
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

import pytest
from numpy_backend import TABLE, NumpyShim
from tiny_models import KINDS, TOKENIZERS, write_json

from spacy_pretrained.backends.torch_settings import TorchSettings
from spacy_pretrained.checkpoints.checkpoint import Files
from spacy_pretrained.encoder import text_encoder, token_encoder

# Settings that the stand-in heeds, or that mean nothing to it.
KNOWN = ("frozen", "dropout", "learn_rate_factor")


@contextmanager
def stand_in() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for module in (token_encoder, text_encoder):
            patch.setattr(module, "make_torch_shim", StandIn)
        yield


def ask_for_torch() -> None:
    """Raises what makes `optional_packages` skip the test."""
    import torch  # noqa: F401


class StandIn(NumpyShim):
    def __init__(self, settings: TorchSettings):
        super().__init__(settings.frozen)
        self.settings = settings
        others = [field for field in fields(settings) if field.name not in KNOWN]
        if any(getattr(settings, field.name) != field.default for field in others):
            ask_for_torch()

    @property
    def module(self):
        ask_for_torch()

    @property
    def quantizable(self):
        ask_for_torch()

    def from_files(self, files: Files) -> "StandIn":
        if files and TABLE not in files:  # they were saved by torch
            ask_for_torch()
        return super().from_files(files)

    def copy(self) -> "StandIn":
        return rebuild(self.settings, self.to_files())

    def __reduce__(self):
        return rebuild, (self.settings, self.to_files())


def rebuild(settings: TorchSettings, files: Files) -> StandIn:
    return StandIn(settings).from_files(files)


def save_source(kind: str, folder: Path) -> Path:
    """The folder that `tiny_models.save_tiny_model` saves, with weights that mean nothing: the
    stand-in draws its own."""
    family, model_type, settings = KINDS[kind]
    tokenizer = TOKENIZERS[family]()
    folder.mkdir(parents=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    known = {"model_type": model_type, "vocab_size": tokenizer.get_vocab_size()}
    write_json(folder / "config.json", known | settings)
    write_json(folder / "tokenizer_config.json", {"model_max_length": int(1e30)})
    weights = bytes(104_600)  # as many as a tiny one has, which nobody reads
    tensor = {"dtype": "F32", "shape": [len(weights) // 4], "data_offsets": [0, len(weights)]}
    header = json.dumps({"embeddings": tensor}).encode()
    written = struct.pack("<Q", len(header)) + header + weights
    (folder / "model.safetensors").write_bytes(written)
    return folder
