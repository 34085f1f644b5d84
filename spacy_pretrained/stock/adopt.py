"""Makes of a pipeline with a stock transformer one with ours: the same components, the same
vectors, and none of the stock packages."""

import tempfile
from pathlib import Path

import spacy
from spacy.language import Language

from ..backends.backbone import make_torch_shim
from ..backends.torch_settings import TorchSettings
from ..checkpoints.checkpoint import Files, write_folder
from ..saving.checked_pipe import write_checksums
from ..saving.whole_folder import forget_whole_folder
from ..windows.stock_windows import StockWindows
from .config import convert_config, convert_requirements
from .listeners import replaced
from .reader import Stock


def adopt(nlp: Language, stock: Stock, windows: StockWindows | None = None) -> Language:
    """A pipeline with `pretrained_encoder`, on torch, under the name of the stock transformer. What
    listened to that listens to it, by spaCy's own listeners; all else is as it was.

    nlp: The pipeline with the stock transformer; it is not changed.
    windows: Others than those that it was trained with.
    RAISES: ValueError for what is not supported, and for a model that our encoder does not take.
    """
    windows = windows or stock.windows
    name = stock.pipe.name
    config = convert_config(nlp.config, stock, windows.to_config())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        with replaced(nlp, stock.listeners, name, stock.width):
            nlp.to_disk(path, exclude=[name])
        forget_whole_folder(path)  # whose files the original's meta may promise
        config.to_disk(path / "config.cfg")
        write_folder(path / name / "backbone", _read_files(stock))
        write_checksums(path / name)
        new = spacy.load(path)
    new.meta["requirements"] = convert_requirements(new.meta.get("requirements", []))
    return new


def _read_files(stock: Stock) -> Files:
    """The files of our backbone, after all that is asked of any other model."""
    with tempfile.TemporaryDirectory() as folder:
        stock.save(Path(folder))
        shim = make_torch_shim(TorchSettings(learn_rate_factor=None, device="cpu"))
        shim.load_source(Path(folder))
    return shim.to_files()
