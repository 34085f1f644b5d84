"""Two pipelines agree wholly, in part, or not at all, measure by measure."""

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc
from tiny_pipelines import make_reference

from spacy_pretrained.scoring.agreement import measure_agreement


class Labels:
    """Stands for a text classifier; Docs come annotated."""

    def __init__(self, labels, multi_label: bool, threshold: float):
        self.labels, self.multi_label, self.threshold = labels, multi_label, threshold

    def __call__(self, doc: Doc) -> Doc:
        return doc


@Language.factory("labels_for_tests", assigns=["doc.cats"])
def make_labels(nlp, name, labels: list[str], multi_label: bool, threshold: float):
    return Labels(labels, multi_label, threshold)


def make_nlp(*classifiers: tuple[list[str], bool, float]) -> Language:
    nlp = spacy.blank("xx")
    for number, (labels, multi_label, threshold) in enumerate(classifiers):
        config = {"labels": labels, "multi_label": multi_label, "threshold": threshold}
        nlp.add_pipe("labels_for_tests", name=f"labels_{number}", config=config)
    return nlp


def make_doc(cats: dict[str, float] | None = None) -> Doc:
    doc = make_reference(spacy.blank("xx").vocab, [1, 3])
    doc.cats = cats or {}
    return doc


def test_a_copy_agrees_with_itself():
    found = measure_agreement(make_nlp(), [make_doc()], [make_doc()])
    names = {"tag", "pos", "morph", "lemma", "heads", "sentences", "entities", "spans_sc"}
    assert found == dict.fromkeys(names, 100.0)


def test_tagged_spaces_agree_too():
    words, tags = ["Yes", "\n\n", "!"], ["UH", "_SP", "."]
    doc = Doc(spacy.blank("xx").vocab, words=words, tags=tags, lemmas=words)
    assert measure_agreement(make_nlp(), [doc], [doc.copy()]) == {"tag": 100.0, "lemma": 100.0}


def test_each_measure_sees_its_own_kind_of_annotation():
    changed = make_doc()
    changed[0].tag_ = "XX"
    found = measure_agreement(make_nlp(), [make_doc()], [changed])
    assert found.pop("tag") == pytest.approx(100 * 11 / 12)
    assert set(found.values()) == {100.0}
    changed = make_doc()
    changed.ents = changed.ents[:1]
    found = measure_agreement(make_nlp(), [make_doc()], [changed])
    assert found["entities"] == pytest.approx(100 * 2 / 3)  # F of one of two
    assert found["spans_sc"] == 100
    changed = make_doc()
    changed[0].dep_ = "obj"
    found = measure_agreement(make_nlp(), [make_doc()], [changed])
    assert found["heads"] == pytest.approx(90)  # of ten, without punctuation
    assert found["tag"] == 100


def test_what_the_original_does_not_annotate_is_not_measured():
    bare = make_doc()
    bare = Doc(bare.vocab, words=[token.text for token in bare])
    assert measure_agreement(make_nlp(), [bare], [bare]) == {}


def test_of_one_label_the_best_counts():
    nlp = make_nlp((["a", "b", "c"], False, 0.5))
    one = [make_doc({"a": 0.4, "b": 0.3, "c": 0.3}), make_doc({"a": 0.2, "b": 0.3, "c": 0.5})]
    two = [make_doc({"a": 0.9, "b": 0.1, "c": 0.0}), make_doc({"a": 0.2, "b": 0.5, "c": 0.3})]
    assert measure_agreement(nlp, one, one)["categories"] == 100
    assert measure_agreement(nlp, one, two)["categories"] == 50


def test_of_any_number_of_labels_those_above_the_threshold_count():
    nlp = make_nlp((["a", "b", "c"], True, 0.7))
    one = [make_doc({"a": 0.8, "b": 0.75, "c": 0.6})]
    assert (
        measure_agreement(nlp, one, [make_doc({"a": 1.0, "b": 0.7, "c": 0.0})])["categories"] == 100
    )
    two = [make_doc({"a": 0.8, "b": 0.6, "c": 0.6})]
    assert measure_agreement(nlp, one, two)["categories"] == pytest.approx(100 * 2 / 3)


def test_classifiers_beside_each_other_are_told_apart():
    nlp = make_nlp((["a", "b"], False, 0.5), (["x", "y"], False, 0.5))
    one = [make_doc({"a": 0.9, "b": 0.1, "x": 0.6, "y": 0.4})]
    two = [make_doc({"a": 0.8, "b": 0.2, "x": 0.4, "y": 0.6})]
    assert measure_agreement(nlp, one, two)["categories"] == 50
