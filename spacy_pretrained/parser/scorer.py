"""Scores of a parse: those of spaCy's parser, by the same names, where nothing is missing.

spaCy's own scorer takes the places of missing heads over from each document to the next ones, and
counts a sentence as wrong if the white space at its end is another sentence's.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable

import numpy as np
from spacy.scorer import PRFScore
from spacy.tokens import Doc
from spacy.training import Example

from ..annotation.gold import NO_GOLD, arcs, is_space, sentence_starts

IGNORED = ("p", "punct")


def make_parser_scorer() -> Callable:
    return score


def score(
    examples: Iterable[Example], *, ignore_labels: Iterable[str] = IGNORED, **kwargs
) -> dict[str, object]:
    """`dep_uas`, `dep_las` and `dep_las_per_type`, without tokens of the labels to ignore and
    without white space; `sents_p`, `sents_r` and `sents_f`. None for what no gold data has."""
    unlabelled, labelled, sentences = PRFScore(), PRFScore(), PRFScore()
    per_type: dict[str, PRFScore] = defaultdict(PRFScore)
    for example in examples:
        score_sentences(example, sentences)
        gold, predicted, unaligned = read_arcs(example, frozenset(ignore_labels))
        labelled.score_set(predicted, gold)
        unlabelled.score_set({arc[:2] for arc in predicted}, {arc[:2] for arc in gold})
        for label in {arc[2] for arc in gold | predicted}:
            per_type[label].score_set(
                {arc for arc in predicted if arc[2] == label},
                {arc for arc in gold if arc[2] == label},
            )
        labelled.fp += unaligned
        unlabelled.fp += unaligned
    has_arcs, has_sentences = len(unlabelled) > 0, len(sentences) > 0
    return {
        "sents_p": sentences.precision if has_sentences else None,
        "sents_r": sentences.recall if has_sentences else None,
        "sents_f": sentences.fscore if has_sentences else None,
        "dep_uas": unlabelled.fscore if has_arcs else None,
        "dep_las": labelled.fscore if has_arcs else None,
        "dep_las_per_type": (
            {label: prf.to_dict() for label, prf in per_type.items()} if has_arcs else None
        ),
    }


Arc = tuple[int, int, str]  # dependent and head, gold tokens, and the label in lower case


def read_arcs(example: Example, ignored: frozenset[str]) -> tuple[set[Arc], set[Arc], int]:
    """The gold arcs; the predicted ones; the number of those between tokens that are not gold
    ones. Where the gold head is missing, the predicted arc is neither right nor wrong."""
    gold_heads, predicted_heads = arcs(example.reference), arcs(example.predicted)
    gold = _labelled(example.reference, gold_heads, ignored)
    x2y = example.alignment.x2y
    own = np.flatnonzero(x2y.lengths == 1)
    partners = np.full(len(example.predicted), NO_GOLD)
    partners[own] = x2y.data[np.cumsum(x2y.lengths)[own] - 1]
    predicted, unaligned = set(), 0
    for i, head, label in _labelled(example.predicted, predicted_heads, ignored):
        dependent, above = int(partners[i]), int(partners[head])
        if dependent != NO_GOLD and gold_heads[dependent] == NO_GOLD:
            continue
        if NO_GOLD in (dependent, above):
            unaligned += 1
        else:
            predicted.add((dependent, above, label))
    return gold, predicted, unaligned


def _labelled(doc: Doc, heads: np.ndarray, ignored: frozenset[str]) -> set[Arc]:
    rows = np.flatnonzero((heads != NO_GOLD) & ~is_space(doc)).tolist()
    found = ((i, int(heads[i]), doc[i].dep_.lower()) for i in rows)
    return {arc for arc in found if arc[2] not in ignored}


def score_sentences(example: Example, prf: PRFScore) -> None:
    """Compare sentences by the characters they begin and end with, white space not counted. One
    with a place in it where it is not known whether another starts is left out, and with it those
    predicted that share a character with it."""
    if not example.reference.has_annotation("SENT_START"):
        return
    starts = sentence_starts(example.reference)
    starts[:1] = 1
    gold = set()
    bounds = _character_bounds(example.reference)
    unknown = np.zeros(bounds[-1] + 1, dtype=bool)
    for low, high in _spans(starts):
        span = int(bounds[low]), int(bounds[high])
        if (starts[low:high] == 0).any():
            unknown[span[0] : span[1]] = True
        else:
            gold.add(span)
    predicted = set()
    if example.predicted.has_annotation("SENT_START"):
        bounds = _character_bounds(example.predicted)
        starts = example.predicted.to_array("SENT_START").astype("int64").ravel()
        starts[:1] = 1
        spans = {(int(bounds[low]), int(bounds[high])) for low, high in _spans(starts)}
        predicted = {span for span in spans if not unknown[span[0] : span[1]].any()}
    prf.score_set(_not_empty(predicted), _not_empty(gold))


def _character_bounds(doc: Doc) -> np.ndarray:
    """How many characters that are no white space stand before each token, and in all (N + 1,)."""
    return np.cumsum([0] + [len("".join(token.text.split())) for token in doc])


def _spans(starts: np.ndarray) -> Iterable[tuple[int, int]]:
    lows = np.flatnonzero(starts > 0)
    return zip(lows.tolist(), [*lows[1:].tolist(), len(starts)])


def _not_empty(spans: set[tuple[int, int]]) -> set[tuple[int, int]]:
    return {span for span in spans if span[0] < span[1]}
