"""The one object that quantizes a pipeline: it makes copies and lets a judge choose among them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc

from ..stock.adopt import adopt
from ..stock.proof import prove
from ..stock.reader import Stock, read_stock
from .errors import Errors
from .gate import Refused
from .judge import Judge, Trial
from .openvino_copy import copy_to_openvino, needs_torch, without_torch
from .quantizable import TorchBackbone, find_backbones
from .recipes import FP32, PRECISIONS, TORCH, candidates
from .rounding import round_heads

MIN_TEXTS = 20
CALIBRATION_BATCHES = 300
WINDOWS = ("kept", "sentences")


@dataclass(frozen=True)
class Quantized:
    """A copy of a pipeline, and what is known of it."""

    nlp: Language
    figures: dict[str, Any]  # the precision, the recipe, and what the judge measured
    trials: list[Trial] = field(default_factory=list)  # the last one is of the copy
    performance: dict[str, Any] = field(default_factory=dict)  # spaCy's scores, from 0 to 1

    def write_meta(self, **measured: Any) -> dict[str, Any]:
        """Write all that the copy's meta says of itself: requirements, performance, and under
        "quantization" the figures, followed by others that were measured.

        RETURNS: All figures.
        """
        meta = self.nlp.meta
        on_torch = self.figures["precision"] == TORCH
        if not on_torch and not needs_torch(self.nlp):
            meta["requirements"] = without_torch(meta.get("requirements", []))
        # The scores of the original are not those of the copy, unless this computes the same.
        if self.performance or not on_torch:
            meta["performance"] = self.performance
        meta["quantization"] = self.figures | measured
        return meta["quantization"]


class Quantizer:
    """Makes copies of a trained pipeline that run on OpenVINO. The pipeline is not changed. One
    with a stock transformer, of spacy-transformers or spacy-curated-transformers, becomes one of
    ours first: see `stock.adopt`.

    precision: "int8", "int8-weights" or "fp32"; of a stock pipeline "torch", too, which only makes
        it one of ours.
    windows: Of a stock pipeline: "kept", or "sentences" for those of our own encoders.
    report: Called with a line of text as each step begins.
    RAISES: ValueError if the precision is unknown or the pipeline cannot be quantized.
    """

    def __init__(
        self,
        nlp: Language,
        *,
        precision: str = "int8",
        windows: str = "kept",
        report: Callable[[str], None] = lambda step: None,
    ):
        check_settings(precision, windows)
        self.nlp = self.original = nlp
        self.precision = precision
        self.windows = windows
        self._report = report
        self.stock: Stock | None = read_stock(nlp)
        if self.stock is not None:
            report(f"Making a pipeline of ours of the stock transformer '{self.stock.pipe.name}'")
            self.nlp = adopt(nlp, self.stock)
        elif precision == TORCH or windows != "kept":
            raise ValueError(Errors.NOT_STOCK.format(precision=precision, windows=windows))
        self.backbones = find_backbones(self.nlp)

    def quantize(
        self,
        texts: Iterable[str | Doc],
        judge: Judge | None = None,
        *,
        others: Iterable[str | Doc] = (),
    ) -> Quantized:
        """Make a copy by the first recipe that the judge accepts; without a judge, by the first.

        texts: To calibrate INT8 on.
        others: On which, too, a stock pipeline is compared with the one of ours, where those are
            fewer than 50.
        RAISES: Refused, with all trials, if no recipe is accepted. ValueError if a stock pipeline
            gives other vectors than the one of ours.
        """
        texts = list(texts)
        if self.stock is not None:
            prove(self.original, self.nlp, self.stock, [*texts, *others], report=self._report)
            if self.windows != "kept":
                self.nlp = adopt(self.original, self.stock, self.stock.own_windows)
                self.backbones = find_backbones(self.nlp)
        trials: list[Trial] = []
        falls_back = judge is not None and judge.falls_back
        for recipe, nlp in self.copies(texts, falls_back=falls_back):
            figures = {"precision": self.precision, "recipe": recipe}
            if judge is None:
                return Quantized(nlp, figures)
            trial = judge.try_out(nlp, recipe)
            trials.append(trial)
            if judge.accepts(trial):
                figures["refused"] = [trial.recipe for trial in trials[:-1]]
                return Quantized(nlp, figures | trial.figures(), trials, trial.performance)
            self._report(f"{recipe}: {trial.explain()}")
        raise Refused(trials, precision=self.precision, windows=self.windows)

    def copies(
        self, texts: Iterable[str | Doc], *, falls_back: bool = False
    ) -> Iterator[tuple[str, Language]]:
        """Names of recipes and copies made by them, each more careful than the one before.

        falls_back: End with fp32, whatever the precision.
        """
        if self.precision == TORCH:
            yield TORCH, self.nlp
            return
        from .torch_export import to_openvino

        docs = read_docs(self.nlp, texts) if self.precision == "int8" else []
        made = []
        for backbone in self.backbones:
            batches = record_batches(self.nlp, backbone, docs) if docs else []
            self._report(f"Converting {' and '.join(backbone.names)} from torch to OpenVINO")
            model = to_openvino(backbone.shim)
            recipes = candidates(model, batches, self.precision, self._report)
            last = [(FP32, model)] if falls_back and self.precision != FP32 else []
            made.append(chain(recipes, last))
        for recipes in zip(*made):
            names = dict.fromkeys(recipe for recipe, _ in recipes)
            models = [model for _, model in recipes]
            copy = copy_to_openvino(self.nlp, self.backbones, models)
            if set(names) != {FP32}:
                round_heads(copy)
            yield "; ".join(names), copy


def check_settings(precision: str, windows: str) -> None:
    known = (*PRECISIONS, TORCH)
    if precision not in known:
        raise ValueError(Errors.PRECISION.format(precision=precision, known=", ".join(known)))
    if windows not in WINDOWS:
        known = ", ".join(WINDOWS)
        raise ValueError(Errors.WINDOWS.format(windows=windows, known=known))


def read_docs(nlp: Language, texts: Iterable[str | Doc]) -> list[Doc]:
    """The texts as Docs, without those that are only white space. RAISES: ValueError if there are
    too few."""
    docs = [nlp.make_doc(text) if isinstance(text, str) else text for text in texts]
    docs = [doc for doc in docs if doc.text.strip()]
    if len(docs) < MIN_TEXTS:
        raise ValueError(Errors.TOO_FEW_TEXTS.format(n=len(docs), least=MIN_TEXTS))
    return docs


def record_batches(nlp: Language, backbone: TorchBackbone, docs: list[Doc]) -> list[Any]:
    """The batches that a backbone would run for the tokens of the Docs, some of every length."""
    batches = [
        batch
        for i in range(0, len(docs), nlp.batch_size)
        for batch in backbone.plan_as_it_runs(nlp, docs[i : i + nlp.batch_size])
    ]
    batches.sort(key=lambda batch: batch.ids.shape[1])
    chosen = np.linspace(0, len(batches) - 1, min(CALIBRATION_BATCHES, len(batches)))
    return [batches[int(i)] for i in chosen]
