"""Whether entities, or the spans of a group, can be learnt by a component of one label a token."""

from dataclasses import asdict

import numpy as np
from spacy.tokens import Doc
from spacy.training import Example

from ...annotation.gold import sentence_starts
from ...ner.errors import Errors as NerErrors
from ...ner.gold import FitReport
from .errors import Errors
from .finding import Finding, quote


class EntityCheck:
    """Looks at all entities of a corpus for one component.

    name: The component's. spans_key: The group of spans that it learns; None for entities.
    """

    def __init__(self, name: str, spans_key: str | None = None):
        self.name = name
        self.spans_key = spans_key
        self._fit = FitReport()
        self._raw_fit = FitReport()  # how they fit the tokenizer's tokens
        self._raw_example = ""
        self._refused, self._message = 0, ""
        self._nested = self._crossing = 0
        self._over_sentences, self._example = 0, ""

    def add(self, example: Example, raw: Example | None) -> None:
        """raw: The same document with the tokens of the pipeline's tokenizer, if it is known."""
        doc = example.reference
        self._look_at_sentences(doc)
        try:
            self._fit.add(example, self.spans_key)
        except ValueError as error:  # overlapping spans
            self._message = self._message or str(error)
            self._refused += 1
            self._count_overlaps(doc)
            return
        if raw is not None:
            lost = self._raw_fit.lost
            self._raw_fit.add(raw, self.spans_key)
            if self._raw_fit.lost > lost and not self._raw_example:
                self._raw_example = quote(doc)

    def findings(self, lang: str) -> list[Finding]:
        """lang: That of the pipeline's tokenizer."""
        findings = []
        fit, raw = self._fit, self._raw_fit
        if self._refused:
            text = Errors.SPANS_OVERLAP.format(
                message=self._message,
                documents=self._refused,
                nested=self._nested,
                crossing=self._crossing,
            )
            findings.append(Finding("error", text))
        if fit.entities and fit.lost == fit.entities:
            text = Errors.ENTITIES_ALL_LOST.format(name=self.name, entities=fit.entities)
            findings.append(Finding("error", text))
        elif fit.lost or fit.trimmed:
            text = NerErrors.ENTITIES_DO_NOT_FIT.format(name=self.name, **asdict(fit))
            findings.append(Finding("warning", text))
        if raw.lost > fit.lost:
            text = Errors.ENTITIES_NOT_TOKENS.format(
                name=self.name,
                lost=raw.lost,
                entities=raw.entities,
                lang=lang,
                example=self._raw_example,
            )
            findings.append(Finding("warning", text))
        if self._over_sentences:
            text = Errors.ENTITIES_CROSS_SENTENCES.format(
                n=self._over_sentences, example=self._example
            )
            findings.append(Finding("warning", text))
        return findings

    def _look_at_sentences(self, doc: Doc) -> None:
        starts = np.flatnonzero(sentence_starts(doc) == 1)
        for span in find_spans(doc, self.spans_key):
            if ((starts > span.start) & (starts < span.end)).any():
                self._over_sentences += 1
                self._example = self._example or quote(doc, span.start, span.end)

    def _count_overlaps(self, doc: Doc) -> None:
        spans = sorted((s.start, s.end) for s in find_spans(doc, self.spans_key) if len(s))
        for number, (start, end) in enumerate(spans):
            for other_start, other_end in spans[number + 1 :]:
                if other_start >= end:
                    break
                if other_end <= end or other_start == start:
                    self._nested += 1
                else:
                    self._crossing += 1


def find_spans(doc: Doc, spans_key: str | None) -> list:
    return list(doc.ents if spans_key is None else doc.spans.get(spans_key, []))
