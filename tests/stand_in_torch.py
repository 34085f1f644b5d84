"""What stands in for the backend on torch where there is no PyTorch, so that components are tested
there, too, as they are trained, saved and quantized: the backend of `numpy_backend.py`, under the
registered names of torch. A test that wants more of it than that is skipped, as it needs torch."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy_backend import TABLE, NumpyShim
from stand_in_export import to_openvino
from tensor_files import dump_tensor, find_tensor
from tiny_models import KINDS, TOKENIZERS, write_json

from spacy_pretrained.backends.torch_settings import TorchSettings
from spacy_pretrained.checkpoints.checkpoint import Files, read_checkpoint
from spacy_pretrained.encoder import text_encoder, token_encoder
from spacy_pretrained.stock import adopt

SAVED = "model.safetensors"  # as torch's weights are saved, with one tensor, TABLE
# Settings that the stand-in heeds, or that mean nothing to it.
KNOWN = ("frozen", "dropout", "learn_rate_factor")
DEVICE = ("device", "cpu")  # where it runs, whatever the device
EXPORT = "spacy_pretrained.quantization.torch_export"  # which cannot be imported there


@contextmanager
def stand_in() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for module in (token_encoder, text_encoder, adopt):
            patch.setattr(module, "make_torch_shim", StandIn)
        patch.setitem(sys.modules, EXPORT, StandInExport(EXPORT))
        yield


def ask_for_torch() -> None:
    """Raises what makes `optional_packages` skip the test."""
    import torch  # noqa: F401


class StandInExport(ModuleType):
    """The module of the conversion to OpenVINO; what else it has needs torch."""

    to_openvino = staticmethod(to_openvino)

    def __getattr__(self, name: str):
        if not name.startswith("__"):
            ask_for_torch()
        raise AttributeError(name)


class StandIn(NumpyShim):
    quantizable = True

    def __init__(self, settings: TorchSettings):
        super().__init__(settings.frozen)
        self.settings = settings
        others = [field for field in fields(settings) if field.name not in KNOWN]
        others = [field for field in others if getattr(settings, field.name) != field.default]
        if any((field.name, getattr(settings, field.name)) != DEVICE for field in others):
            ask_for_torch()

    @property
    def module(self):
        ask_for_torch()

    @property
    def optimizer(self):
        ask_for_torch()

    def load_source(self, folder: Path) -> None:
        super().load_source(folder)
        path = folder / SAVED
        table = find_tensor(path.read_bytes(), TABLE) if path.is_file() else None
        if table is not None:
            self._take(self.checkpoint, table)

    def to_files(self) -> Files:
        if self.checkpoint is None:
            return {}
        return self.checkpoint.to_files() | {SAVED: dump_tensor(TABLE, self.table)}

    def from_files(self, files: Files) -> "StandIn":
        if files:
            table = find_tensor(files.get(SAVED, b""), TABLE)
            if table is None:  # torch saved them
                ask_for_torch()
            self._take(read_checkpoint(files), table)
        return self

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
    weights = np.zeros(26_150)  # as many as a tiny one has, which nobody reads
    (folder / SAVED).write_bytes(dump_tensor("embeddings", weights))
    return folder
