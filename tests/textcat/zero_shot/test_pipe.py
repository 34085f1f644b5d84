"""The zero-shot component: scores of every label, labels for one call, saving, sharing weights."""

import numpy as np
import pytest
import spacy
from numpy.testing import assert_allclose
from spacy.cli.find_threshold import find_threshold
from spacy.language import Language
from spacy.tokens import DocBin
from spacy.training import Example
from tiny_pipelines import ENCODER, make_examples

from spacy_pretrained.backends.backbone import get_shim

NAME = "zero_shot_textcat"
LABELS = ["the sea", "dogs", "cities"]
TEXTS = ["She sold sea shells.", "A lazy dog 😀 jumps", "", " \n", "São Paulo is a city.", "naïve"]
FROZEN = {"@architectures": "spacy-pretrained.TorchEncoder.v1", "frozen": True}


def make_nlp(source: str, **config) -> Language:
    nlp = spacy.blank("xx")
    nlp.add_pipe(NAME, config={"labels": LABELS, **config})
    nlp.config["initialize"]["components"][NAME] = {"source": source}
    nlp.initialize()
    return nlp


def make_shared(source: str, model: dict = FROZEN, **config) -> Language:
    nlp = spacy.blank("xx")
    nlp.add_pipe(ENCODER, config={"model": model})
    nlp.config["initialize"]["components"][ENCODER] = {"source": source}
    nlp.add_pipe(NAME, config={"labels": LABELS, "upstream": ENCODER, **config})
    return nlp


def scores(nlp: Language, texts: list[str] = TEXTS, **labels) -> np.ndarray:
    docs = list(nlp.pipe(texts, component_cfg={NAME: labels}))
    return np.array([list(doc.cats.values()) for doc in docs])


@pytest.fixture(scope="module")
def nlp(tiny_bert) -> Language:
    return make_nlp(tiny_bert)


# Scores


@pytest.mark.parametrize("multi_label", [False, True])
def test_every_label_has_a_score(tiny_bert, multi_label):
    nlp = make_nlp(tiny_bert, multi_label=multi_label)
    for doc in nlp.pipe(TEXTS):
        assert list(doc.cats) == LABELS
        assert all(isinstance(score, float) and 0 <= score <= 1 for score in doc.cats.values())
        if not multi_label:
            assert sum(doc.cats.values()) == pytest.approx(1)


def test_of_no_text_nothing_is_known(nlp):
    for text in ("", " \n\t", "\u3000"):
        assert list(nlp(text).cats.values()) == pytest.approx([1 / 3] * 3)
    assert scores(nlp, [" "], multi_label=True).tolist() == [[0.0] * 3]


@pytest.mark.parametrize("batch_size", [1, 2, 100])
def test_a_text_alone_and_in_a_batch_has_the_same_scores(nlp, batch_size):
    docs = nlp.pipe(TEXTS, batch_size=batch_size)
    for text, doc in zip(TEXTS, docs):
        assert doc.cats == pytest.approx(nlp(text).cats, abs=1e-5)


def test_several_processes_give_the_same_scores(nlp):
    docs = nlp.pipe(TEXTS, n_process=2, batch_size=3)
    assert_allclose([list(doc.cats.values()) for doc in docs], scores(nlp), atol=1e-5)


def test_other_categories_stay(nlp):
    doc = nlp.make_doc("the sea")
    doc.cats = {"spam": 1.0}
    assert list(nlp(doc).cats) == ["spam", *LABELS]


# Labels


def test_labels_for_one_call(nlp):
    other = {"labels": ["shells", "rivers"]}
    assert list(nlp(TEXTS[0], component_cfg={NAME: other}).cats) == other["labels"]
    (doc,) = nlp.pipe([TEXTS[0]], component_cfg={NAME: other})
    assert doc.cats == nlp(TEXTS[0], component_cfg={NAME: other}).cats
    assert list(nlp(TEXTS[0]).cats) == LABELS


def test_descriptions_and_kind_of_labels_for_one_call(nlp):
    plain = scores(nlp, TEXTS[:1])
    described = scores(nlp, TEXTS[:1], descriptions={"dogs": "animals that jump over foxes"})
    several = scores(nlp, TEXTS[:1], multi_label=True)
    assert not np.allclose(plain, described, atol=1e-3)
    assert several.sum() != pytest.approx(1, abs=1e-3)
    assert_allclose(scores(nlp, TEXTS[:1]), plain)


def test_set_labels(tiny_bert):
    nlp = make_nlp(tiny_bert, descriptions={"dogs": "animals"})
    pipe = nlp.get_pipe(NAME)
    pipe.set_labels(["dogs", "shells"])
    assert pipe.labels == ("dogs", "shells") and list(nlp("a").cats) == ["dogs", "shells"]
    assert pipe.cfg["descriptions"] == {"dogs": "animals"}
    pipe.set_labels(["a", "b"], descriptions={"b": "c"}, templates=["{}!"], multi_label=True)
    expected = make_nlp(
        tiny_bert, labels=["a", "b"], descriptions={"b": "c"}, templates=["{}!"], multi_label=True
    )
    assert_allclose(scores(nlp), scores(expected), atol=1e-6)


def test_bad_labels_leave_those_that_are_set(nlp):
    pipe = nlp.get_pipe(NAME)
    for labels in ([], ["a", "a"], ["a", ""]):
        with pytest.raises(ValueError, match=NAME):
            pipe.set_labels(labels)
    assert pipe.labels == tuple(LABELS)


def test_a_string_is_no_list_of_labels_or_texts(nlp):
    pipe = nlp.get_pipe("zero_shot_textcat")
    doc = nlp.make_doc("A text")
    for wrong in (
        lambda: pipe.set_labels("sport"),
        lambda: pipe(doc, labels="sport"),
        lambda: pipe.calibrate("A text"),
    ):
        with pytest.raises(ValueError, match="not one string"):
            wrong()


def test_a_thousand_labels(nlp):
    labels = [f"topic {i}" for i in range(1000)]
    found = scores(nlp, labels=labels)
    assert found.shape == (len(TEXTS), 1000)
    assert_allclose(found.sum(axis=1), 1, atol=1e-5)


def test_labels_may_come_with_initialize(tiny_bert):
    nlp = spacy.blank("xx")
    pipe = nlp.add_pipe(NAME)
    nlp.config["initialize"]["components"][NAME] = {"source": tiny_bert, "labels": ["a", "b"]}
    nlp.initialize()
    assert pipe.labels == ("a", "b") and pipe.label_data == ["a", "b"]


def test_without_labels_it_says_so(tiny_bert):
    nlp = make_nlp(tiny_bert, labels=[])
    with pytest.raises(ValueError, match="has no labels"):
        nlp("the sea")
    with pytest.raises(ValueError, match="has no labels"):
        list(nlp.pipe(["the sea"]))
    assert list(nlp("a", component_cfg={NAME: {"labels": ["a", "b"]}}).cats) == ["a", "b"]


@pytest.mark.parametrize(
    "config, message",
    [
        ({"labels": ["a", "a"]}, "twice"),
        ({"templates": ["about"]}, "'about'"),
        ({"templates": []}, "at least one"),
        ({"descriptions": {"cats": "animals"}}, "descriptions of 'cats'"),
        ({"threshold": 1.5}, "threshold"),
        ({"labels": ["a"]}, "one label"),
    ],
)
def test_bad_settings_are_refused_when_the_component_is_made(config, message):
    with pytest.raises(ValueError, match=message):
        spacy.blank("xx").add_pipe(NAME, config={"labels": LABELS, **config})


@pytest.mark.parametrize("label", ["a: b", "a = b", "US$", " a", "a ", "a\nb"])
def test_what_a_config_cannot_describe_is_described_later(tiny_bert, tmp_path, label):
    """The config of a saved pipeline has another label, or cannot be read."""
    labels, descriptions = [label, "dogs"], {label: "animals"}
    with pytest.raises(ValueError, match=r"cannot have ':'.*set_labels"):
        spacy.blank("xx").add_pipe(NAME, config={"labels": labels, "descriptions": descriptions})
    nlp = make_nlp(tiny_bert)
    nlp.get_pipe(NAME).set_labels(labels, descriptions=descriptions)
    nlp.to_disk(tmp_path)
    assert spacy.load(tmp_path).get_pipe(NAME).cfg["descriptions"] == descriptions
    for other in ("#a", ";a", "[a] b"):  # which come back
        make_nlp(tiny_bert, labels=[other, "dogs"], descriptions={other: "$5"}).to_disk(tmp_path)
        assert spacy.load(tmp_path).get_pipe(NAME).cfg["descriptions"] == {other: "$5"}


def test_without_weights_it_says_so():
    nlp = spacy.blank("xx")
    nlp.add_pipe(NAME, config={"labels": LABELS})
    with pytest.raises(ValueError, match="no weights yet"):
        nlp("the sea")


def test_an_error_goes_to_the_handler(nlp, monkeypatch):
    met = []
    pipe = nlp.get_pipe(NAME)
    monkeypatch.setattr(pipe, "_check_weights", lambda: 1 / 0)
    pipe.set_error_handler(lambda name, proc, docs, error: met.append((name, len(docs))))
    try:
        assert list(nlp.pipe(TEXTS, batch_size=4)) == []
    finally:
        pipe.set_error_handler(spacy.util.raise_error)
    assert met == [(NAME, 1)] * 6  # a batch is tried again one by one


# Scoring


def make_gold(nlp: Language, *rows: dict[str, float]) -> list[Example]:
    docs = [(nlp.make_doc(text), nlp.make_doc(text)) for text in TEXTS]
    for (_, reference), cats in zip(docs, rows):
        reference.cats = cats
    return [Example(*pair) for pair, _ in zip(docs, rows)]


def test_spacy_scores_it(nlp):
    best = [max(nlp(text).cats, key=nlp(text).cats.get) for text in TEXTS[:2]]
    rows = [{label: float(label == one) for label in LABELS} for one in best]
    found = nlp.evaluate(make_gold(nlp, *rows))
    assert found["cats_micro_f"] == 1.0 and found["cats_score_desc"] == "macro F"


def test_gold_labels_that_it_does_not_have_do_not_count(nlp):
    best = max(nlp(TEXTS[0]).cats, key=nlp(TEXTS[0]).cats.get)
    found = nlp.evaluate(make_gold(nlp, {best: 1.0, "spam": 1.0}))
    assert found["cats_micro_f"] == 1.0 and set(found["cats_f_per_type"]) == set(LABELS)


@pytest.mark.slow
def test_the_threshold_serves_scoring_alone(tiny_bert, tmp_path):
    nlp = make_nlp(tiny_bert, multi_label=True, threshold=1.0)
    gold = make_gold(nlp, *[dict.fromkeys(LABELS, 1.0)] * 2)
    assert len(nlp(TEXTS[0]).cats) == 3
    found = nlp.evaluate(gold)
    assert found["cats_micro_f"] == 0.0 and found["cats_score_desc"] == "macro AUC"
    nlp.get_pipe(NAME).calibrate(TEXTS)
    nlp.to_disk(tmp_path / "model")
    DocBin(docs=[example.reference for example in gold]).to_disk(tmp_path / "gold.spacy")
    _, best, tried = find_threshold(
        tmp_path / "model", tmp_path / "gold.spacy", NAME, "threshold", "cats_micro_f", n_trials=3
    )
    assert best == tried[0.0] == 1.0


# In training


def test_it_stands_by_while_others_train(tiny_bert, monkeypatch):
    """As an annotating component, too, and with nothing to learn."""
    nlp = make_shared(tiny_bert)
    nlp.add_pipe("pretrained_tagger")
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    before = scores(nlp)
    pipe, annotated = nlp.get_pipe(NAME), []
    annotate = pipe._annotate
    monkeypatch.setattr(pipe, "_annotate", lambda *a, **k: annotated.append(annotate(*a, **k)))
    losses = nlp.update(examples, sgd=nlp.create_optimizer(), annotates=[NAME])
    assert list(losses) == [ENCODER, "pretrained_tagger"] and annotated
    assert_allclose(scores(nlp), before, atol=1e-6)
    assert not nlp.get_pipe(NAME).is_trainable


# Saving


def by_disk(nlp: Language, tmp_path) -> Language:
    nlp.to_disk(tmp_path / "model")
    return spacy.load(tmp_path / "model")


def by_bytes(nlp: Language, tmp_path) -> Language:
    return spacy.blank("xx").from_config(nlp.config).from_bytes(nlp.to_bytes())


@pytest.mark.parametrize("save", [by_disk, by_bytes])
@pytest.mark.parametrize("make", [make_nlp, make_shared])
def test_saved_and_loaded_it_gives_the_same_scores(tiny_bert, tmp_path, save, make):
    nlp = make(tiny_bert, descriptions={"dogs": "animals"}, templates=["On {}.", "{}"])
    nlp.initialize()
    pipe = nlp.get_pipe(NAME)
    pipe.set_labels(["dogs", "shells", "cities"])
    pipe.calibrate(TEXTS * 3)
    loaded = save(nlp, tmp_path)
    assert loaded.get_pipe(NAME).labels == ("dogs", "shells", "cities")
    assert_allclose(scores(loaded), scores(nlp), atol=1e-5)
    has_own = (tmp_path / "model" / NAME / "backbone").exists()
    assert save is by_bytes or has_own == (make is make_nlp)


def test_before_weights_it_can_be_saved(tmp_path):
    nlp = spacy.blank("xx")
    nlp.add_pipe(NAME, config={"labels": LABELS})
    loaded = by_disk(nlp, tmp_path)
    with pytest.raises(ValueError, match="no weights yet"):
        loaded("the sea")


# An encoder of the pipeline


def test_it_runs_on_the_weights_of_the_pipelines_encoder(tiny_bert):
    nlp = make_shared(tiny_bert)
    nlp.initialize()
    shims = [get_shim(nlp.get_pipe(name).model) for name in nlp.pipe_names]
    assert shims[0] is shims[1]
    assert_allclose(scores(nlp), scores(make_nlp(tiny_bert)), atol=1e-5)


def test_an_encoder_that_trains_is_refused():
    with pytest.raises(ValueError, match=r"'zero_shot_textcat' .* frozen = true"):
        make_shared("", {"@architectures": "spacy-pretrained.TorchEncoder.v1"})


@pytest.mark.parametrize("upstream", ["pretrained_encoder", "other"])
def test_an_encoder_that_is_not_there_is_missed(upstream):
    nlp = spacy.blank("xx")
    nlp.add_pipe(NAME, config={"labels": LABELS, "upstream": upstream})
    with pytest.raises(ValueError, match=f"'{upstream}', but no encoder of that name"):
        nlp.initialize()
    with pytest.raises(ValueError, match=f"'{upstream}', but no encoder of that name"):
        nlp("the sea")


def test_an_encoder_that_comes_later_is_found(tiny_bert):
    nlp = spacy.blank("xx")
    nlp.add_pipe(NAME, config={"labels": LABELS, "upstream": ENCODER})
    nlp.add_pipe(ENCODER, config={"model": FROZEN}, first=True)
    nlp.config["initialize"]["components"][ENCODER] = {"source": tiny_bert}
    nlp.initialize()
    assert np.isfinite(scores(nlp)).all()


def test_it_can_be_taken_from_another_pipeline(nlp):
    other = spacy.blank("xx")
    other.add_pipe(NAME, source=nlp)
    assert_allclose(scores(other), scores(nlp), atol=1e-6)


# Calibration


def test_what_it_was_calibrated_to_counts_until_labels_change(tiny_bert):
    nlp = make_nlp(tiny_bert)
    pipe = nlp.get_pipe(NAME)
    before = scores(nlp)
    pipe.calibrate(nlp.make_doc(text) for text in TEXTS)
    after = scores(nlp)
    assert not np.allclose(before, after, atol=1e-4)
    assert_allclose(scores(nlp, labels=["a", "b"]), scores(make_nlp(tiny_bert), labels=["a", "b"]))
    pipe.set_labels(LABELS)
    assert_allclose(scores(nlp), after, atol=1e-6)
    pipe.set_labels(LABELS[::-1])
    pipe.set_labels(LABELS)
    assert_allclose(scores(nlp), before, atol=1e-6)


def test_other_weights_are_not_calibrated(tiny_bert):
    nlp = make_nlp(tiny_bert)
    before = scores(nlp)
    nlp.get_pipe(NAME).calibrate(TEXTS)
    nlp.initialize()
    assert_allclose(scores(nlp), before, atol=1e-6)


def test_calibration_stays_with_the_weights_of_the_encoder(tiny_bert, tiny_source):
    nlp = make_shared(tiny_bert)
    nlp.initialize()
    nlp.get_pipe(NAME).calibrate(TEXTS)
    other, fresh = (make_shared(tiny_source("roberta")) for _ in range(2))
    other.remove_pipe(NAME)
    other.initialize()
    fresh.initialize()
    other.add_pipe(NAME, source=nlp)
    assert_allclose(scores(other), scores(fresh), atol=1e-6)


def test_a_few_texts_are_too_few_to_calibrate_on(nlp):
    with pytest.raises(ValueError, match=r"texts \(2\) than it has labels \(3\)"):
        nlp.get_pipe(NAME).calibrate(["the sea", "", " ", "a dog"])


# What the real model knows


@pytest.fixture(scope="module")
def minilm(needs_torch) -> Language:
    nlp = spacy.blank("xx")
    nlp.add_pipe(NAME, config={"labels": ["politics", "sport", "business", "science"]})
    nlp.initialize()
    return nlp


@pytest.mark.parametrize(
    "text, label",
    [
        ("The central bank raised rates again.", "business"),
        ("They scored twice in the last minutes of the match.", "sport"),
        ("The telescope saw a galaxy that nobody had seen before.", "science"),
        ("The prime minister lost the vote in parliament.", "politics"),
    ],
)
def test_the_example_of_the_documentation(minilm, text, label):
    cats = minilm(text).cats
    assert max(cats, key=cats.get) == label and cats[label] > 0.5


def test_several_labels_hold_or_none(minilm):
    labels = {"labels": ["football", "money", "cooking"], "multi_label": True}
    text = "The club paid eighty million for the striker."
    cats = minilm(text, component_cfg={NAME: labels}).cats
    assert cats["cooking"] < 0.2 < min(cats["football"], cats["money"])
