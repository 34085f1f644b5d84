"""Scores of a pipeline on gold annotation: of a treebank, of entities and of categories.

    from spacy_pretrained.scoring.evaluate import evaluate

    scores = evaluate(nlp, ["test.conllu", "test.spacy"])
    scores["treebanks"][0]["protocols"]["raw_text"]["conll18"]["LAS"]["f1"]

A treebank (.conllu or .conllu.gz) has these protocols: gold tokens and gold sentences; gold tokens,
sentences predicted; raw text; and, if there are line breaks in it, raw text with spaces in their
place. Each has the measures of the CoNLL 2018 shared task (see conll18.py) and spaCy's own scores.
The shared task counts punctuation and leaves out subtypes of relations, spaCy's scorer does the
opposite. What the pipeline does not predict is None.

Entities and categories (.spacy) are predicted in Docs of the gold tokens. Of entities only exact
matches count. All figures are percent.
"""

import re
from collections.abc import Callable, Iterable
from numbers import Real
from pathlib import Path
from time import perf_counter
from typing import Any

from spacy.language import Language
from spacy.scorer import Scorer, get_ner_prf
from spacy.tokens import Doc, DocBin
from spacy.training import Example

from ..annotation.bare import bare_copy
from ..corpora.conllu import ConversionReport, read_conllu
from ..corpora.multiword import mode_of, words_of
from ..textcat.scorer import find_positive
from .conll18 import Annotation, annotation_of, read_gold, score
from .errors import Errors

PROTOCOLS = {
    "gold_tokens_gold_sentences": "gold tokens, gold sentences",
    "gold_tokens": "gold tokens",
    "raw_text": "raw text",
    "raw_text_in_one_line": "raw text in one line",
}
LINE_BREAK = re.compile(r"\s*\n\s*")
# The annotation of a Doc without which a measure says nothing.
NEEDS = {
    "Sentences": "SENT_START",
    "UPOS": "POS",
    "XPOS": "TAG",
    "UFeats": "MORPH",
    "Lemmas": "LEMMA",
    "UAS": "DEP",
    "LAS": "DEP",
}
TREEBANK, DOCS = (".conllu", ".conllu.gz"), ".spacy"

Scores = dict[str, Any]
Report = Callable[[str], None]


def in_silence(step: str) -> None:
    """Report no steps."""


def evaluate(
    nlp: Language, gold: Iterable[str | Path], *, report: Report = in_silence
) -> dict[str, list[Scores]]:
    """Score a pipeline on files of gold annotation.

    gold: .conllu and .conllu.gz files are treebanks, .spacy files have entities, categories or
        both.
    report: Is told each step.
    RETURNS: "treebanks", "entities", "categories": the scores of each file that has these; see
        `evaluate_treebank`, `evaluate_entities` and `evaluate_categories`. What the gold
        annotation or the pipeline lacks is left out. With several text classifiers, a file has
        scores of categories for each of them.
    RAISES: ValueError if a file is of another format, malformed, or has a word without head, or if
        no text classifier has a scorer; OSError if a file cannot be read.
    """
    paths = [Path(path) for path in gold]
    check_formats(paths)
    scores: dict[str, list[Scores]] = {"treebanks": [], "entities": [], "categories": []}
    for path in paths:
        if path.name.endswith(TREEBANK):
            scores["treebanks"].append(evaluate_treebank(nlp, path, report=report))
            continue
        report(f"{path}: entities and categories")
        entities = evaluate_entities(nlp, path)
        scores["entities"] += [entities] if entities else []
        scores["categories"] += evaluate_categories(nlp, path)
    return scores


def check_formats(gold: Iterable[Path]) -> None:
    """ValueError if a file is of neither format, by its name."""
    for path in gold:
        if not path.name.endswith((*TREEBANK, DOCS)):
            raise ValueError(Errors.EVALUATE_FORMAT.format(path=path))


def evaluate_treebank(nlp: Language, data: str | Path, *, report: Report = in_silence) -> Scores:
    """Scores by protocol, and what they are of. See `evaluate`."""
    gold = read_gold(data)
    read = ConversionReport()
    # Tokens as the pipeline learnt them.
    multiword = mode_of(nlp.vocab)
    gold_docs = list(read_conllu(data, nlp.vocab, multiword=multiword, report=read))
    texts = surface_texts(gold_docs, gold)
    inputs: dict[str, Callable[[], list[str] | list[Doc]]] = {
        "gold_tokens_gold_sentences": lambda: bare_copies(gold_docs, keep_sentences=True),
        "gold_tokens": lambda: bare_copies(gold_docs),
        "raw_text": lambda: texts,
    }
    if any("\n" in text for text in texts):
        inputs["raw_text_in_one_line"] = lambda: [LINE_BREAK.sub(" ", text) for text in texts]
    protocols = {}
    for name, make_inputs in inputs.items():
        report(f"{data}: {PROTOCOLS[name]}")
        protocols[name] = run_protocol(nlp, gold, gold_docs, make_inputs())
    return {
        "file": str(data),
        "documents": read.documents,
        "sentences": read.sentences,
        "words": read.words,
        "multiword_tokens": read.multiword_tokens,
        "empty_nodes": read.empty_nodes,  # left out, as the shared task does
        "protocols": protocols,
    }


def evaluate_entities(nlp: Language, data: str | Path) -> Scores:
    """Scores of exact matches; empty if the file or the pipeline has no entities."""
    gold = [doc for doc in _read_docs(nlp, data) if _has_entities(doc)]
    found = list(nlp.pipe(bare_copy(doc) for doc in gold))
    if not any(_has_entities(doc) for doc in found):
        return {}
    scores = get_ner_prf([Example(doc, gold_doc) for doc, gold_doc in zip(found, gold)])
    return {
        "file": str(data),
        "documents": len(gold),
        "words": sum(map(len, gold)),
        "entities": sum(len(doc.ents) for doc in gold),
        "all": _percents(scores, "ents_"),
        "by_label": {k: _percents(v) for k, v in sorted((scores["ents_per_type"] or {}).items())},
    }


def _has_entities(doc: Doc) -> bool:
    """Whether they are annotated. spaCy says so of every Doc without tokens."""
    return len(doc) > 0 and doc.has_annotation("ENT_IOB")


def evaluate_categories(nlp: Language, data: str | Path) -> list[Scores]:
    """Scores of spaCy's for categories, of each text classifier; empty if the file or the pipeline
    has none. Where a pipeline has several classifiers, "component" names the one. Those of which
    the file has no labels are left out, as are those without a scorer.

    "score" is the one that spaCy chooses, named by "score_of"; "micro" is of all decisions, which
    where one label excludes the others is accuracy; "macro" is the mean over labels.

    RAISES: ValueError if none of the classifiers has a scorer.
    """
    classifiers = {
        name: pipe
        for name, pipe in nlp.pipeline
        if "doc.cats" in nlp.get_pipe_meta(name).assigns and hasattr(pipe, "score")
    }
    gold = [doc for doc in _read_docs(nlp, data) if doc.cats] if classifiers else []
    found = nlp.pipe(bare_copy(doc) for doc in gold)
    examples = [Example(doc, gold_doc) for doc, gold_doc in zip(found, gold)]
    is_alone = len(classifiers) == 1
    results, without_scorer = [], []
    for name, classifier in classifiers.items():
        labelled = _find_labelled(classifier, examples, is_alone=is_alone)
        if not labelled:
            continue
        scores = classifier.score(labelled)
        if "cats_score" in scores:
            about = {"file": str(data)} | ({} if is_alone else {"component": name})
            results.append(about | {"documents": len(labelled)} | _describe_categories(scores))
        else:
            without_scorer.append(name)
    if without_scorer and not results:
        raise ValueError(Errors.EVALUATE_NO_SCORER.format(names=", ".join(without_scorer)))
    return results


def _find_labelled(classifier: Any, examples: list[Example], *, is_alone: bool) -> list[Example]:
    """Those that have labels of a classifier. If there is no other one, labels that it does not
    have are what it misses; then these examples count, too.

    Those that the scorer of our classifiers leaves out do not: where any number of labels may hold,
    those that have none of the labels; where one does, those of which none is known to hold.
    """
    labels = getattr(classifier, "labels", None)
    if labels is None:
        return examples
    own = [one for one in examples if not one.reference.cats.keys().isdisjoint(labels)]
    multi_label = getattr(classifier, "multi_label", None)  # spaCy's have no such setting
    counted = examples if is_alone and own and not multi_label else own
    if multi_label is False:
        return [one for one in counted if find_positive(one.reference.cats)]
    return counted


def _describe_categories(scores: Scores) -> Scores:
    return {
        "score_of": scores["cats_score_desc"],
        "score": rounded(100 * scores["cats_score"]),
        "micro": _percents(scores, "cats_micro_"),
        "macro": _percents(scores, "cats_macro_"),
        "by_label": {k: _percents(v) for k, v in sorted(scores["cats_f_per_type"].items())},
    }


def _read_docs(nlp: Language, data: str | Path) -> list[Doc]:
    try:
        doc_bin = DocBin().from_disk(data)
        return list(doc_bin.get_docs(nlp.vocab))
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(Errors.EVALUATE_BROKEN.format(path=data, error=error)) from error


def _percents(scores: Scores, prefix: str = "") -> dict[str, float | None]:
    """None where there is nothing to find, and nothing was found."""
    names = {"precision": "p", "recall": "r", "f1": "f"}
    found = {name: scores[prefix + short] for name, short in names.items()}
    return {name: None if value is None else round(100 * value, 4) for name, value in found.items()}


def bare_copies(docs: list[Doc], *, keep_sentences: bool = False) -> list[Doc]:
    return [bare_copy(doc, keep_sentences=keep_sentences) for doc in docs]


def run_protocol(
    nlp: Language, gold: Annotation, gold_docs: list[Doc], inputs: list[str] | list[Doc]
) -> dict[str, Any]:
    """Scores and speed on the documents' texts, or on their tokens."""
    of_texts = isinstance(inputs[0], str)
    list(nlp.pipe([inputs[0] if of_texts else inputs[0].copy()]))  # warm up
    start = perf_counter()
    docs = list(nlp.pipe(inputs))
    seconds = perf_counter() - start
    system = annotation_of(docs, tokens_of=None if of_texts else gold)
    return {
        "words_per_second": round(len(gold.words) / seconds, 1),
        "conll18": conll18_scores(gold, system, docs),
        "spacy": spacy_scores(nlp, gold_docs, docs),
    }


def surface_texts(gold_docs: list[Doc], gold: Annotation) -> list[str]:
    """The documents' texts. Where Docs are made of words, the text has multiword tokens as one."""
    if any(words_of(token) for doc in gold_docs for token in doc):
        return [doc.text for doc in gold_docs]
    texts = []
    words = iter(gold.words)
    for doc in gold_docs:
        parts: list[str] = []
        last_multiword = None
        for token in doc:
            word = None if token.is_space else next(words)
            if word is None or not word.in_multiword:
                last_multiword = None
                parts.append(token.text_with_ws)
                continue
            if word.span == last_multiword:
                parts.pop()
            last_multiword = word.span
            parts.append(gold.characters[slice(*word.span)] + token.whitespace_)
        texts.append("".join(parts))
    return texts


def conll18_scores(
    gold: Annotation, system: Annotation, docs: list[Doc]
) -> dict[str, dict[str, float | None] | None]:
    def is_annotated(attribute: str) -> bool:
        # The only token of a Doc begins a sentence without anyone's prediction.
        least = 2 if attribute == "SENT_START" else 1
        return any(doc.has_annotation(attribute) for doc in docs if len(doc) >= least)

    return {
        name: {
            "precision": round(measure.precision, 4),
            "recall": round(measure.recall, 4),
            "f1": round(measure.f1, 4),
            "aligned_accuracy": rounded(measure.aligned_accuracy),
        }
        if name not in NEEDS or is_annotated(NEEDS[name])
        else None
        for name, measure in score(gold, system).items()
    }


def spacy_scores(nlp: Language, gold_docs: list[Doc], docs: list[Doc]) -> dict[str, float | None]:
    """Percent. Empty where multiword tokens are spelt otherwise than their words: spaCy can only
    compare Docs of the same text."""
    pairs = list(zip(docs, gold_docs))
    if any("".join(doc.text.split()) != "".join(g.text.split()) for doc, g in pairs):
        return {}
    scores = Scorer(nlp).score([Example(doc, gold_doc) for doc, gold_doc in pairs])
    return {
        name: None if value is None else rounded(100 * float(value))
        for name, value in scores.items()
        if value is None or isinstance(value, Real)
    }


def rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
