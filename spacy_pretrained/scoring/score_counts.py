"""What spaCy's scores are made of, document by document.

Each score is 2 |G ∩ P| / (|G| + |P|) of what is gold and what is predicted (of as many of each, an
accuracy). Its counts in a document, 2 |G ∩ P| and |G| + |P|, add up; scores do not.
"""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from spacy.language import Language
from spacy.pipeline import TextCategorizer
from spacy.scorer import PRFScore, Scorer
from spacy.tokens import Token
from spacy.training import Example

from ..parser.scorer import IGNORED, read_arcs, score_sentences
from ..textcat.scorer import find_positive
from ..textcat.scorer import score as score_cats

Counter = Callable[[Example], PRFScore]
UNIT = 2  # what counts change by if one thing is annotated otherwise

TOKEN_SCORES: dict[str, Callable[[Token], int]] = {
    "tag_acc": lambda token: token.tag,
    "pos_acc": lambda token: token.pos,
    "morph_acc": lambda token: token.morph.key,
    "lemma_acc": lambda token: token.lemma,
}


def score_examples(nlp: Language, examples: Iterable[Example]) -> dict[str, Any]:
    """What the pipeline's components have to say of annotated examples, by spaCy's names."""
    return Scorer(nlp).score(list(examples))


def find_counters(nlp: Language, scores: dict[str, Any]) -> dict[str, Counter]:
    """Of those scores that spaCy has given (None where there is no annotation) the ones that are
    made of counts."""
    counters = {name: token_counter(read) for name, read in TOKEN_SCORES.items()}
    counters |= {"dep_uas": count_uas, "dep_las": count_las, "sents_f": count_sentences}
    counters["ents_f"] = count_entities
    for name in scores:
        if name.startswith("spans_") and name.endswith("_f"):
            counters[name] = span_counter(name.removeprefix("spans_").removesuffix("_f"))
    if scores.get("cats_score_desc"):
        counters["cats_micro_f"] = _category_counter(nlp, scores)
    return {name: count for name, count in counters.items() if scores.get(name) is not None}


def count(counters: dict[str, Counter], examples: Iterable[Example]) -> np.ndarray:
    """Shape (documents, scores, 2): of each score its hits and what they are of."""
    found = [[counter(example) for counter in counters.values()] for example in examples]
    rows = [[(2 * prf.tp, 2 * prf.tp + prf.fp + prf.fn) for prf in row] for row in found]
    return np.array(rows, dtype="int64").reshape(len(rows), len(counters), 2)


def token_counter(read: Callable[[Token], int]) -> Counter:
    def count_tokens(example: Example) -> PRFScore:
        gold = {token.i: read(token) for token in example.reference if read(token)}
        lengths, x2y = example.alignment.x2y.lengths, example.alignment.x2y
        predicted = set()
        for token in example.predicted:
            if not token.orth_.isspace() and lengths[token.i] == 1:
                partner = int(x2y[token.i][0])
                if partner in gold:
                    predicted.add((partner, read(token)))
        return compare(predicted, set(gold.items()))

    return count_tokens


def count_las(example: Example) -> PRFScore:
    gold, predicted, unaligned = read_arcs(example, frozenset(IGNORED))
    prf = compare(predicted, gold)
    prf.fp += unaligned
    return prf


def count_uas(example: Example) -> PRFScore:
    gold, predicted, unaligned = read_arcs(example, frozenset(IGNORED))
    prf = compare({arc[:2] for arc in predicted}, {arc[:2] for arc in gold})
    prf.fp += unaligned
    return prf


def count_sentences(example: Example) -> PRFScore:
    prf = PRFScore()
    score_sentences(example, prf)
    return prf


def count_entities(example: Example) -> PRFScore:
    """As spaCy's `get_ner_prf`: where the gold annotation is missing nothing is right or wrong."""
    if not example.reference.has_annotation("ENT_IOB"):
        return PRFScore()
    gold = {(ent.label_, ent.start, ent.end) for ent in example.reference.ents}
    predicted = set()
    for ent in example.predicted.ents:
        partners = example.alignment.x2y[ent.start : ent.end]
        if len(partners):
            start, end = int(partners[0]), int(partners[-1]) + 1
            if all(token.ent_iob for token in example.reference[start:end]):
                predicted.add((ent.label_, start, end))
    return compare(predicted, gold)


def span_counter(key: str) -> Counter:
    def count_spans(example: Example) -> PRFScore:
        if key not in example.reference.spans:
            return PRFScore()
        spans = example.predicted.spans.get(key, [])
        aligned = example.get_aligned_spans_x2y(spans, True)
        return compare(_places(aligned), _places(example.reference.spans[key]))

    return count_spans


def _places(spans: Iterable) -> set[tuple[str, int, int]]:
    return {(span.label_, span.start, span.end) for span in spans}


def _category_counter(nlp: Language, scores: dict[str, Any]) -> Counter:
    labels = set(scores["cats_f_per_type"])
    several = scores["cats_score_desc"] == "macro AUC"  # spaCy's, where labels exclude nothing
    classifiers = [
        pipe for name, pipe in nlp.pipeline if "doc.cats" in nlp.get_pipe_meta(name).assigns
    ]
    thresholds = [read_threshold(pipe) for pipe in classifiers]
    threshold = next((x for x in reversed(thresholds) if x is not None), 0.5)
    # Of several classifiers the scores of the last stand. spaCy's count denied labels as gold.
    scorers = [scorer for pipe in classifiers if (scorer := getattr(pipe, "scorer", None))]
    leaves_out_denied = scorers[-1:] == [score_cats]

    def count_several(example: Example) -> PRFScore:
        gold = {k: v for k, v in example.reference.cats.items() if k in labels}
        predicted = example.predicted.cats
        sure = {k for k, v in predicted.items() if v >= threshold and k in gold}
        return compare(sure, {k for k, v in gold.items() if v > 0})

    def count_best(example: Example) -> PRFScore:
        gold = example.reference.cats
        if leaves_out_denied:
            gold = find_positive(gold)
            if not gold:
                return PRFScore()
        return compare(find_best(example.predicted.cats), find_best(gold))

    def find_best(cats: dict[str, float]) -> set[str]:
        known = {label: value for label, value in cats.items() if label in labels}
        return {max(known, key=known.get)} if known else set()

    return count_several if several else count_best


def read_threshold(pipe: Callable) -> float | None:
    """That of a text classifier: spaCy's keep it in cfg, ours are plain."""
    if isinstance(pipe, TextCategorizer):
        return pipe.cfg["threshold"]
    return getattr(pipe, "threshold", None)


def compare(predicted: set, gold: set) -> PRFScore:
    prf = PRFScore()
    prf.score_set(predicted, gold)
    return prf
