"""What is read of a stock transformer, whichever package it is of."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from spacy.language import Language

from ..windows.stock_windows import SEEMING, StockWindows
from . import curated, spacy_transformers
from .find import SPACY_TRANSFORMERS, StockPipe, find_stock
from .listeners import POOLINGS, Listener, find_listeners


@dataclass(frozen=True)
class Stock:
    """A stock transformer, all that it takes to run it without its package."""

    pipe: StockPipe
    windows: StockWindows
    width: int
    listeners: list[Listener]
    save: Callable[[Path], None]  # weights and tokenizer to a folder in Hugging Face layout

    @property
    def own_windows(self) -> StockWindows:
        """The same tokenization and pooling, in windows of this package's own."""
        return replace(self.windows, spans=SEEMING, window=None, stride=None)


def read_stock(nlp: Language) -> Stock | None:
    """The pipeline's stock transformer; None if it has none. The packages are not imported: all is
    read off the loaded models.

    RAISES: ValueError, with component and setting, for what is not supported.
    """
    pipe = find_stock(nlp)
    if pipe is None:
        return None
    listeners = find_listeners(nlp, pipe)
    package = spacy_transformers if pipe.package == SPACY_TRANSFORMERS else curated
    windows = package.read_windows(pipe, POOLINGS[listeners[0].pooling])
    save = package.make_saver(pipe)
    return Stock(pipe, windows, pipe.pipe.model.get_dim("nO"), listeners, save)
