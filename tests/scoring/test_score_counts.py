"""Counts of documents add up to what spaCy's scorer says of all of them."""

import numpy as np
import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example
from tiny_pipelines import CNN, DOCUMENTS, as_blank, make_examples, make_reference

from spacy_pretrained.scoring.bootstrap import score
from spacy_pretrained.scoring.score_counts import count, find_counters, score_examples

PIPES = ("tagger", "morphologizer", "parser", "ner", "trainable_lemmatizer", "spancat")


def make_nlp(textcat: str, **config):
    nlp = spacy.blank("xx")
    for name in PIPES:
        nlp.add_pipe(name)
    nlp.add_pipe(textcat, config=config)
    nlp.initialize(lambda: make_examples(nlp))
    return nlp


OURS = {"model": {"tok2vec": CNN}, "threshold": 0.7}
TEXTCATS = [
    ("textcat", {}),
    ("textcat_multilabel", {"threshold": 0.3}),
    ("pretrained_textcat", OURS),
    ("pretrained_textcat", OURS | {"multi_label": True}),
]


@pytest.fixture(scope="module", params=TEXTCATS)
def nlp(request):
    name, config = request.param
    return make_nlp(name, **config)


def garble(gold: Doc, rng: np.random.Generator) -> Doc:
    """The gold annotation with some of it wrong."""
    doc = gold.copy()
    for token in doc:
        if rng.random() < 0.3:
            token.tag_, token.pos_, token.dep_ = "XX", "X", "dep"
            token.lemma_ = "wrong"
            token.set_morph("Number=Dual")
    if rng.random() < 0.5 and len(doc) > 3:
        doc.ents = [Span(doc, 0, 2, "GPE")]
        doc.spans["sc"] = [Span(doc, 0, 2, "GPE"), Span(doc, 1, 3, "PERSON")]
    doc.cats = {name: float(rng.random()) for name in gold.cats}
    return doc


def make_pairs(nlp, *, parsed: bool = True) -> list[Example]:
    rng = np.random.default_rng(0)
    references = [make_reference(nlp.vocab, ns, parsed=parsed) for ns in DOCUMENTS * 3]
    return [Example(garble(gold, rng), gold) for gold in references]


def check(nlp, examples: list[Example]) -> dict[str, float]:
    """Compare all counts with spaCy's scores, which are returned."""
    scores = score_examples(nlp, examples)
    counters = find_counters(nlp, scores)
    counts = count(counters, examples)
    assert counts.shape == (len(examples), len(counters), 2)
    for name, found in zip(counters, score(counts.sum(axis=0))):
        assert found == pytest.approx(scores[name]), name
    return {name: scores[name] for name in counters}


def test_all_scores_are_counted(nlp):
    scores = check(nlp, make_pairs(nlp))
    assert set(scores) == {
        *("tag_acc", "pos_acc", "morph_acc", "lemma_acc", "dep_uas", "dep_las", "sents_f"),
        *("ents_f", "spans_sc_f", "cats_micro_f"),
    }
    assert all(value > 0 for value in scores.values())


def test_a_threshold_of_something_else_does_not_count():
    class Sure:
        threshold = 0.99

        def __call__(self, doc):
            return doc

    Language.factory("sure", func=lambda nlp, name: Sure())
    nlp = make_nlp("textcat_multilabel", threshold=0.3)
    nlp.add_pipe("sure")
    check(nlp, make_pairs(nlp))


def test_what_is_not_annotated_is_not_counted(nlp):
    assert set(check(nlp, make_pairs(nlp, parsed=False))) & {"dep_las", "sents_f"} == set()
    blank = [Example(as_blank(e.predicted), as_blank(e.reference)) for e in make_pairs(nlp)]
    assert "tag_acc" not in find_counters(nlp, score_examples(nlp, blank))


def test_what_the_pipeline_does_not_predict_is_not_counted():
    nlp = spacy.blank("xx")
    nlp.add_pipe("ner")
    nlp.initialize(lambda: make_examples(nlp))
    assert set(check(nlp, make_pairs(nlp))) == {"ents_f"}


def test_other_tokens_than_the_gold_ones(nlp):
    rng = np.random.default_rng(0)
    examples = []
    for gold in (make_reference(nlp.vocab, numbers) for numbers in DOCUMENTS):
        doc = garble(gold, rng)
        with doc.retokenize() as retokenizer:
            retokenizer.merge(doc[0:2])
        examples.append(Example(doc, gold))
    scores = check(nlp, examples)
    assert {"tag_acc", "ents_f", "spans_sc_f"} < set(scores)


def test_documents_without_annotation_among_others(nlp):
    examples = make_pairs(nlp)
    # At the end: spaCy takes the places of missing heads over to the documents behind.
    for missing in (-1, -2):
        blank = as_blank(examples[missing].reference)
        examples[missing] = Example(examples[missing].predicted, blank)
    check(nlp, examples)


@pytest.mark.parametrize("unknown", [0.0, 1.0])
def test_gold_labels_that_are_denied_or_unknown(nlp, unknown):
    """As corpora have them: each label of the corpus, the component's or not, has a value."""
    examples = make_pairs(nlp)
    labels = nlp.get_pipe(nlp.pipe_names[-1]).labels
    for example in examples[::2]:
        example.reference.cats = dict.fromkeys(labels, 0.0) | {"unknown": unknown}
    check(nlp, examples)
