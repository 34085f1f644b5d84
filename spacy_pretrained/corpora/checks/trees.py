"""Whether heads and labels make up trees, one a sentence."""

from collections import Counter
from itertools import pairwise

import numpy as np
from spacy.tokens import Doc
from spacy.training import Example

from ...annotation.gold import NO_GOLD, arcs, collect_labels, sentence_starts
from ...parser.gold import find_cycles, read_parser_gold
from .errors import Errors
from .finding import Finding, list_some, quote

MAX_SENTENCE = 512  # the parser's own default


class TreeCheck:
    """Looks at all trees of a corpus for one parser.

    name, max_sentence: The parser's.
    """

    def __init__(self, name: str, max_sentence: int = MAX_SENTENCE):
        self.name = name
        self.max_sentence = max_sentence
        self._cycles, self._cycle = 0, ""
        self._roots, self._root = 0, ""
        self._refused, self._message = 0, ""
        self._long = 0
        self._root_labels: Counter[str] = Counter()

    def add(self, example: Example) -> None:
        doc = example.reference
        heads = arcs(doc)
        if (heads == NO_GOLD).all():
            return
        in_cycle = find_cycles(heads)
        bounds = [*np.flatnonzero(_firsts(doc)).tolist(), len(doc)]
        is_root = heads == np.arange(len(doc))
        for start, end in pairwise(bounds):
            self._long += end - start > self.max_sentence
            if in_cycle[start:end].any():
                self._cycles += 1
                self._cycle = self._cycle or quote(doc, start, end)
            elif is_root[start:end].sum() != 1 and (heads[start:end] != NO_GOLD).all():
                self._roots += 1
                self._root = self._root or quote(doc, start, end)
        self._root_labels.update(doc[i].dep_ for i in np.flatnonzero(is_root).tolist())
        if in_cycle.any():  # which reading refuses, too
            return
        try:
            labels = collect_labels([example], ["dep"])["dep"]
            read_parser_gold([example], labels, self.max_sentence, self.name)
        except ValueError as error:
            self._message = self._message or str(error)
            self._refused += 1

    def findings(self) -> list[Finding]:
        findings = []
        if self._cycles:
            text = Errors.TREE_CYCLES.format(n=self._cycles, example=self._cycle)
            findings.append(Finding("error", text))
        if self._roots:
            text = Errors.TREE_ROOTS.format(n=self._roots, example=self._root)
            findings.append(Finding("error", text))
        if self._refused:
            text = Errors.TREE_CROSSES.format(message=self._message, n=self._refused)
            findings.append(Finding("error", text))
        if len(self._root_labels) > 1:
            labels = list_some(f"{label} ({n})" for label, n in self._root_labels.most_common())
            findings.append(Finding("warning", Errors.TREE_ROOT_LABELS.format(labels=labels)))
        if self._long:
            text = Errors.TREE_LONG.format(
                n=self._long, max_sentence=self.max_sentence, name=self.name
            )
            findings.append(Finding("warning", text))
        return findings


def _firsts(doc: Doc) -> np.ndarray:
    firsts = sentence_starts(doc) == 1
    firsts[:1] = True
    return firsts
