"""pipes/textcat.py: it learns what it is told of categories and nothing from what it is not, writes
all labels of every Doc, and works with spaCy's commands and our quantization."""

import math

import numpy as np
import pytest
import spacy
from hard_texts import HARD_TEXTS
from numpy.testing import assert_allclose
from spacy.cli.find_threshold import find_threshold
from spacy.tokens import DocBin
from spacy.training import Example
from tiny_pipelines import (
    CNN,
    are_equal,
    as_blank,
    backbone_weights,
    fast_optimizer,
    make_nlp,
    train,
)

TEXTCAT, TAGGER = "pretrained_textcat", "pretrained_tagger"
TEXTS = [
    ("The quick brown fox jumps.", "animals"),
    ("The cat sits on the mat.", "animals"),
    ("A lazy dog sleeps.", "animals"),
    ("She paid 12 dollars for shells.", "money"),
    ("He sold the shells for 5 dollars.", "money"),
    ("Encoders are trained in batches.", "science"),  # one example is enough
]
LABELS = ("animals", "money", "science")


def make_example(nlp, text: str, cats: dict[str, float]) -> Example:
    return Example.from_dict(nlp.make_doc(text), {"cats": cats})


def make_examples(nlp) -> list[Example]:
    return [
        make_example(nlp, text, {name: float(name == label) for name in LABELS})
        for text, label in TEXTS
    ]


def several_examples(nlp) -> list[Example]:
    """Of labels that exclude nothing; "long" is not known of all."""
    examples = []
    for text, label in TEXTS:
        cats = {"animals": float(label == "animals"), "she": float("She" in text)}
        if label != "money":
            cats["long"] = float(len(text) > 26)
        examples.append(make_example(nlp, text, cats))
    return examples


def make_cnn_textcat(**config):
    """With an encoder of its own, and no transformer."""
    nlp = spacy.blank("xx")
    nlp.add_pipe(TEXTCAT, config={"model": {"tok2vec": CNN}} | config)
    return nlp


def copy_of(nlp):
    copy = spacy.util.load_model_from_config(nlp.config, auto_fill=True)
    return copy.from_bytes(nlp.to_bytes())


def read_cats(nlp, examples: list[Example]) -> np.ndarray:
    labels = nlp.get_pipe(TEXTCAT).labels
    docs = nlp.pipe(as_blank(example.reference) for example in examples)
    return np.array([[doc.cats[label] for label in labels] for doc in docs])


def best(nlp, text: str) -> str:
    cats = nlp(text).cats
    return max(cats, key=cats.get)


@pytest.fixture(scope="module")
def trained(tiny_bert):
    nlp = make_nlp(tiny_bert, TEXTCAT, dropout=0.0)
    train(nlp, make_examples(nlp), 25)
    return nlp


@pytest.fixture(scope="module")
def several():
    nlp = make_cnn_textcat(multi_label=True)
    train(nlp, several_examples(nlp), 60)
    return nlp


# Learning


def test_learns_one_label_a_doc(trained):
    assert trained.get_pipe(TEXTCAT).labels == LABELS
    assert [best(trained, text) for text, _ in TEXTS] == [label for _, label in TEXTS]
    assert_allclose(read_cats(trained, make_examples(trained)).sum(axis=1), 1, atol=1e-5)
    scores = trained.evaluate(make_examples(trained))
    assert scores["cats_score"] == scores["cats_micro_f"] == 1
    assert scores["cats_score_desc"] == "macro F"


def test_trains_the_encoder(tiny_bert):
    nlp = make_nlp(tiny_bert, TEXTCAT)
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    before = backbone_weights(nlp)
    optimizer = fast_optimizer()
    losses = [nlp.update(examples, sgd=optimizer) for _ in range(4)]
    assert losses[0][TEXTCAT] == pytest.approx(6 * math.log(3), rel=1e-5)  # nothing is known yet
    assert losses[-1][TEXTCAT] < losses[0][TEXTCAT]
    assert not are_equal(before, backbone_weights(nlp))


def test_learns_labels_that_exclude_nothing(several):
    examples = several_examples(several)
    found = read_cats(several, examples) > 0.5
    labels = several.get_pipe(TEXTCAT).labels
    for row, example in zip(found, examples):
        for label, value in example.reference.cats.items():
            assert row[labels.index(label)] == value, (example.text, label)
    scores = several.evaluate(examples)
    assert scores["cats_score"] == 1 and scores["cats_score_desc"] == "macro AUC"


@pytest.mark.parametrize("multi_label", [False, True])
def test_gradient_is_the_numeric_one(multi_label):
    nlp = make_cnn_textcat(multi_label=multi_label)
    examples = several_examples(nlp) if multi_label else make_examples(nlp)
    examples.append(make_example(nlp, "Nothing is known.", {}))
    nlp.initialize(lambda: examples)
    pipe = nlp.get_pipe(TEXTCAT)
    scores = np.random.default_rng(0).normal(size=(len(examples), 3))
    loss, gradient = pipe.get_loss(examples, scores)
    assert loss > 0 and not gradient[-1].any()
    for place in np.ndindex(scores.shape):
        step = np.zeros_like(scores)
        step[place] = 1e-5
        ends = (pipe.get_loss(examples, scores + sign * step)[0] for sign in (1, -1))
        assert gradient[place] == pytest.approx(np.subtract(*ends) / 2e-5, abs=1e-4)


def test_what_is_not_known_is_not_learnt(several):
    """Of "money" texts, it is not known whether they are long."""
    pipe = several.get_pipe(TEXTCAT)
    examples = several_examples(several)
    scores = pipe.model.predict([example.predicted for example in examples])
    _, gradient = pipe.get_loss(examples, scores)
    assert (gradient[:, pipe.labels.index("long")] != 0).tolist() == [True] * 3 + [False] * 2 + [
        True
    ]


@pytest.mark.slow
def test_beside_a_tagger(tiny_bert):
    """Each learns from the documents that are annotated for it."""
    nlp = make_nlp(tiny_bert, TAGGER, TEXTCAT, dropout=0.0)
    examples = make_examples(nlp)
    for text in ("Dogs sleep.", "Cats sit."):
        annotation = {"tags": ["NNS", "VBP", "."], "pos": ["NOUN", "VERB", "PUNCT"]}
        examples.append(Example.from_dict(nlp.make_doc(text), annotation))
    train(nlp, examples, 25)
    doc = nlp("Dogs sleep.")
    assert [token.pos_ for token in doc] == ["NOUN", "VERB", "PUNCT"] and set(doc.cats) == {*LABELS}
    assert best(nlp, TEXTS[3][0]) == "money"


# Mixup


def test_mixup_learns_too(tiny_bert):
    nlp = make_nlp(tiny_bert, (TEXTCAT, {"mixing_alpha": 0.2}), frozen=True)
    losses = train(nlp, make_examples(nlp), 60)
    assert losses[-1][TEXTCAT] < losses[0][TEXTCAT]
    assert [best(nlp, text) for text, _ in TEXTS] == [label for _, label in TEXTS]
    assert copy_of(nlp).get_pipe(TEXTCAT).mixing_alpha == 0.2


@pytest.mark.parametrize("multi_label", [False, True])
def test_mixup_is_mixup_of_vectors_and_labels(multi_label, monkeypatch):
    """The loss is that of mixed vectors against mixed labels, and the gradient of the weights is
    the numeric one of that loss."""
    nlp = make_cnn_textcat(multi_label=multi_label, mixing_alpha=0.4)
    examples = several_examples(nlp) if multi_label else make_examples(nlp)
    nlp.initialize(lambda: examples)
    pipe = nlp.get_pipe(TEXTCAT)
    share, partners = 0.3, np.array([3, 0, 1, 5, 4, 2])
    mixup = type("Fixed", (), {"share": share, "partners": partners})()
    monkeypatch.setattr("spacy_pretrained.textcat.pipe.draw_mixup", lambda n, alpha: mixup)
    output = pipe.model.get_ref("output")
    output.set_param("W", np.random.default_rng(0).normal(size=(3, 16)).astype("f"))

    vectors = pipe.model.get_ref("vectors").predict([example.predicted for example in examples])
    scores = output.predict(share * vectors + (1 - share) * vectors[partners])
    expected = share * pipe.get_loss(examples, scores)[0]
    expected += (1 - share) * pipe.get_loss([examples[i] for i in partners], scores)[0]
    assert pipe.update(examples)[TEXTCAT] == pytest.approx(expected, rel=1e-5)

    # By a step along the gradient of all parameters, the encoder's among them.
    norm = 0.0
    parameters = []
    for node in pipe.model.walk():
        for name in node.param_names:
            if node.has_grad(name):
                gradient = node.get_grad(name).copy()
                norm += float((gradient.astype("float64") ** 2).sum())
                parameters.append((node, name, node.get_param(name).copy(), gradient))
    assert len(parameters) > 4
    losses = []
    for sign in (1, -1):
        for node, name, value, gradient in parameters:
            node.set_param(name, value + sign * 1e-3 / math.sqrt(norm) * gradient)
        losses.append(pipe.update(examples)[TEXTCAT])
    assert np.subtract(*losses) / 2e-3 == pytest.approx(math.sqrt(norm), rel=0.02)


def test_mixup_of_one_document_is_none():
    nlp = make_cnn_textcat(mixing_alpha=0.4)
    nlp.initialize(lambda: make_examples(nlp))
    one = make_examples(nlp)[:1]
    assert nlp.update(one)[TEXTCAT] == pytest.approx(math.log(3))


# Results


def test_docs_without_words(trained):
    """What the biases say."""
    biases = trained.get_pipe(TEXTCAT).model.get_ref("output").get_param("b")
    expected = np.exp(biases) / np.exp(biases).sum()
    for text in ("", " ", "\n\t \n"):
        assert_allclose(list(trained(text).cats.values()), expected, rtol=1e-5)
    assert list(trained.pipe([])) == []


def test_alone_as_in_a_batch(trained):
    texts = [*HARD_TEXTS, *(text for text, _ in TEXTS), ""]
    for doc, text in zip(trained.pipe(texts), texts):
        alone = trained(text).cats
        assert_allclose(list(doc.cats.values()), list(alone.values()), atol=1e-4)
        assert set(doc.cats) == {*LABELS}


def test_long_texts_count_whole(trained):
    """No part of a text is left out, however long it is."""
    filler = "It is. " * 200
    ends = [trained(filler + text).cats for text in (TEXTS[0][0] * 50, TEXTS[3][0] * 50)]
    assert ends[0] != ends[1]


def test_adds_to_what_is_there(trained):
    doc = trained.make_doc(TEXTS[0][0])
    doc.cats = {"mine": 0.25, "money": 1.0}
    cats = trained(doc).cats
    assert cats["mine"] == 0.25 and cats["money"] < 0.5 and set(cats) == {"mine", *LABELS}


@pytest.mark.slow
def test_saved_and_loaded(trained, several, tmp_path):
    for nlp, examples in ((trained, make_examples), (several, several_examples)):
        expected = read_cats(nlp, examples(nlp))
        assert_allclose(read_cats(copy_of(nlp), examples(nlp)), expected)
        nlp.to_disk(tmp_path)
        assert_allclose(read_cats(spacy.load(tmp_path), examples(nlp)), expected)


def test_initialized_again_with_other_labels(tiny_bert):
    nlp = make_nlp(tiny_bert, TEXTCAT)
    train(nlp, make_examples(nlp), 1)
    examples = [make_example(nlp, "A text.", {"a": 1.0}), make_example(nlp, "More.", {"b": 1.0})]
    train(nlp, examples, 2)
    assert set(nlp("A text.").cats) == {"a", "b"}


# Labels that are added


@pytest.mark.parametrize("multi_label", [False, True])
def test_labels_are_added_after_training(multi_label):
    """Scores of the old ones stay, and the new one is learnt, with the same optimizer."""
    nlp, optimizer = make_cnn_textcat(multi_label=multi_label), fast_optimizer()
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    for _ in range(20):
        nlp.update(examples, sgd=optimizer)
    pipe, docs = nlp.get_pipe(TEXTCAT), [as_blank(example.reference) for example in examples]
    before, probable = pipe.model.predict(docs), read_cats(nlp, examples)
    assert (pipe.add_label("new"), pipe.add_label("new")) == (1, 0)
    assert pipe.labels == (*LABELS, "new")
    assert_allclose(pipe.model.predict(docs)[:, :-1], before, atol=1e-6)
    after = read_cats(nlp, examples)
    assert_allclose(after[:, :-1], probable, atol=0.01)
    assert (after[:, -1] < 0.01).all()
    assert_allclose(read_cats(copy_of(nlp), examples), after, atol=1e-6)
    for example in examples:
        example.reference.cats["new"] = 0.0
    new = make_example(nlp, "Something else.", dict.fromkeys(LABELS, 0.0) | {"new": 1.0})
    for _ in range(60):
        nlp.update([*examples, new], sgd=optimizer)
    assert best(nlp, new.text) == "new"
    assert best(nlp, TEXTS[0][0]) == "animals"


def test_initialized_again_after_a_label_was_added():
    """It begins with equal scores, as always."""
    nlp = make_cnn_textcat()
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    nlp.get_pipe(TEXTCAT).add_label("new")
    labels = [*LABELS, "new"]
    nlp.get_pipe(TEXTCAT).initialize(lambda: examples, labels=labels)
    assert nlp("A text.").cats == dict.fromkeys(labels, 0.25)


def test_labels_are_added_before_training():
    nlp = make_cnn_textcat()
    nlp.get_pipe(TEXTCAT).add_label("new")
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    assert nlp.get_pipe(TEXTCAT).labels == ("new", *LABELS)
    nlp.initialize(lambda: examples)
    assert nlp.get_pipe(TEXTCAT).labels == LABELS


@pytest.mark.parametrize("label", ["", None, 7, " "])
def test_what_is_no_label(label):
    with pytest.raises(ValueError, match=f"A label of '{TEXTCAT}' has to be a string with more"):
        make_cnn_textcat().get_pipe(TEXTCAT).add_label(label)


# Bad input


def test_not_trained_yet():
    with pytest.raises(ValueError, match=r"'pretrained_textcat' has no labels yet"):
        make_cnn_textcat()("A text.")


def test_no_labels_and_too_few():
    nlp = make_cnn_textcat()
    with pytest.raises(ValueError, match="none of the examples has cats"):
        nlp.initialize(lambda: [make_example(nlp, "A text.", {})])
    with pytest.raises(ValueError, match=r"one label, 'a', which would apply to every text"):
        nlp.initialize(lambda: [make_example(nlp, "A text.", {"a": 1.0})])
    nlp = make_cnn_textcat(multi_label=True)
    nlp.initialize(lambda: [make_example(nlp, "A text.", {"a": 1.0})])
    assert nlp("A text.").cats == {"a": 0.5}


def test_labels_from_the_config():
    nlp = make_cnn_textcat()
    nlp.config["initialize"]["components"][TEXTCAT] = {"labels": ["science", "money", "other"]}
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    assert nlp.get_pipe(TEXTCAT).labels == ("science", "money", "other")
    with pytest.raises(
        ValueError, match="'animals', which is not one of the labels: science, money, other"
    ):
        nlp.update(examples)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"mixing_alpha": -0.1}, r"mixing_alpha .* positive number, but it is -0\.1"),
        ({"threshold": 1.5}, r"threshold .* from 0 to 1, but it is 1\.5"),
    ],
)
def test_settings_that_cannot_be(config, message):
    with pytest.raises(ValueError, match=message):
        make_cnn_textcat(**config)


# Commands


@pytest.mark.slow
def test_find_threshold(several, tmp_path):
    several.to_disk(tmp_path / "model")
    references = [example.reference for example in several_examples(several)]
    DocBin(docs=references, store_user_data=True).to_disk(tmp_path / "dev.spacy")
    threshold, score, scores = find_threshold(
        tmp_path / "model", tmp_path / "dev.spacy", TEXTCAT, "threshold", "cats_micro_f", n_trials=5
    )
    assert score == 1 and 0 < threshold < 1 and scores[0.0] < 1


def test_threshold_is_for_scores_alone(several):
    examples = several_examples(several)
    strict = spacy.util.load_model_from_config(
        several.config.merge({"components": {TEXTCAT: {"threshold": 1.0}}})
    ).from_bytes(several.to_bytes())
    assert strict.evaluate(examples)["cats_micro_f"] < several.evaluate(examples)["cats_micro_f"]
    assert strict("She sold it.").cats == several("She sold it.").cats
