"""Reads the `transformer` of spacy-transformers 1.x."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from ..windows.stock_windows import DOCS, SENTENCES, TOKENS, StockWindows
from .errors import Errors
from .find import StockPipe, package_of

SPAN_GETTERS = {"get_strided_spans": TOKENS, "get_sent_spans": SENTENCES, "get_doc_spans": DOCS}
NULL_SETTER = "null_annotation_setter"


def read_windows(stock: StockPipe, pooling: str) -> StockWindows:
    """RAISES: ValueError for span getters and annotation setters that are not the package's own."""
    setter = stock.pipe.set_extra_annotations
    if getattr(setter, "__name__", None) != NULL_SETTER:
        supported = "spacy-transformers.null_annotation_setter.v1"
        stock.refuse("set_extra_annotations", _name_of(setter), supported)
    getter = stock.pipe.model.attrs["get_spans"]
    function, settings = getter, {}
    if isinstance(getter, partial):
        function, settings = getter.func, getter.keywords
    spans = SPAN_GETTERS.get(getattr(function, "__name__", ""))
    if spans is None or package_of(function) is None:
        supported = "the strided_spans, sent_spans and doc_spans of spacy-transformers"
        stock.refuse("model.get_spans", _name_of(getter), supported)
    if settings and not 0 < settings["stride"] <= settings["window"]:
        stock.refuse("model.get_spans.stride", settings["stride"], "from 1 to window")
    return StockWindows(spans, pooling=pooling, **settings)


def make_saver(stock: StockPipe) -> Callable[[Path], None]:
    """A function that saves weights and tokenizer to a folder.

    RAISES: ValueError if the tokenizer is a slow one.
    """
    (shim,) = stock.pipe.model.layers[0].shims
    transformer, tokenizer = shim._hfmodel.transformer, shim._hfmodel.tokenizer
    if transformer is None:
        raise ValueError(Errors.NOT_INITIALIZED)
    if not tokenizer.is_fast:
        kind = type(tokenizer).__name__
        raise ValueError(Errors.TOKENIZER_SLOW.format(name=stock.name, kind=kind))
    return partial(_save, transformer, tokenizer)


def _save(transformer: Any, tokenizer: Any, folder: Path) -> None:
    transformer.save_pretrained(folder)
    (folder / "tokenizer.json").write_text(tokenizer.backend_tokenizer.to_str(), "utf8")
    # Beyond it the stock component cuts what a span has.
    settings = {"model_max_length": tokenizer.model_max_length}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), "utf8")


def _name_of(function: Any) -> str:
    function = getattr(function, "func", function)
    return f"'{getattr(function, '__name__', type(function).__name__)}'"
