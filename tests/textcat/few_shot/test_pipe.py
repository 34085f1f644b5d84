"""The few-shot component: it works before it has seen an example, learns from few and from a
corpus, keeps what it learnt when it is saved, quantized, or given other labels."""

import pickle

import numpy as np
import pytest
import spacy
from hard_texts import HARD_TEXTS
from numpy.testing import assert_allclose
from spacy.cli.find_threshold import find_threshold
from spacy.language import Language
from spacy.tokens import DocBin
from spacy.training import Example
from thinc.api import Adam

from spacy_pretrained.backends.backbone import get_shim
from spacy_pretrained.textcat.few_shot.model import get_head

NAME = "few_shot_textcat"
LABELS = ["the sea", "dogs", "science"]
TEXTS = [
    ("She sold sea shells by the sea shore.", "the sea"),
    ("The shells she sold were sea shells.", "the sea"),
    ("The quick brown fox jumps over the lazy dog.", "dogs"),
    ("A lazy dog 😀 jumps.", "dogs"),
    ("Training and testing encoders in batches.", "science"),
]
# Often enough to be learnt by heart: a single example of a label moves the head little.
OFTEN = 20


def make_nlp(source: str, *, frozen: bool = False, **config) -> Language:
    nlp = spacy.blank("xx")
    config = {"labels": LABELS, "model": {"encoder": {"frozen": frozen}}} | config
    nlp.add_pipe(NAME, config=config)
    nlp.config["initialize"]["components"][NAME] = {"source": source}
    nlp.initialize()
    return nlp


def make_example(nlp: Language, text: str, cats: dict[str, float]) -> Example:
    return Example.from_dict(nlp.make_doc(text), {"cats": cats})


def make_examples(nlp: Language, texts=TEXTS, labels=LABELS) -> list[Example]:
    return [
        make_example(nlp, text, {name: float(name == label) for name in labels})
        for text, label in texts
    ]


def best(nlp: Language, texts) -> list[str]:
    return [max(doc.cats, key=doc.cats.get) for doc in nlp.pipe(texts)]


def scores(nlp: Language, texts=HARD_TEXTS) -> np.ndarray:
    return np.array([list(doc.cats.values()) for doc in nlp.pipe(texts)])


def fit(nlp: Language, examples=None, **settings):
    settings = {"n_steps": 4, "batch_size": 4, "learn_rate": 1e-3} | settings
    examples = make_examples(nlp) * OFTEN if examples is None else examples
    return nlp.get_pipe(NAME).fit(examples, **settings)


@pytest.fixture(scope="module")
def fitted(tiny_bert) -> Language:
    nlp = make_nlp(tiny_bert)
    fit(nlp)
    return nlp


# Prediction


def test_without_examples_it_agrees_with_zero_shot(tiny_bert):
    nlp = make_nlp(tiny_bert)
    zero_shot = spacy.blank("xx")
    zero_shot.add_pipe(
        "zero_shot_textcat",
        config={"labels": LABELS, "model": {"scale": 10.0}},
    )
    zero_shot.config["initialize"]["components"]["zero_shot_textcat"] = {"source": tiny_bert}
    zero_shot.initialize()
    assert_allclose(scores(nlp), scores(zero_shot), atol=1e-5)
    with pytest.raises(ValueError, match=r"no example \(of 0\)"):
        fit(nlp, [])
    assert_allclose(scores(nlp), scores(zero_shot), atol=1e-5)


@pytest.mark.parametrize("multi_label", [False, True])
def test_every_label_has_a_probability(tiny_bert, multi_label):
    nlp = make_nlp(tiny_bert, frozen=True, multi_label=multi_label)
    fit(nlp)
    for doc in nlp.pipe(HARD_TEXTS):
        assert list(doc.cats) == LABELS
        assert all(isinstance(p, float) and 0 <= p <= 1 for p in doc.cats.values())
        if not doc.text.strip():
            assert list(doc.cats.values()) == pytest.approx([0 if multi_label else 1 / 3] * 3)
        elif not multi_label:
            assert sum(doc.cats.values()) == pytest.approx(1)
    assert list(nlp.pipe([])) == []


def test_a_text_alone_and_in_a_batch_has_the_same_probabilities(fitted):
    alone = np.array([list(fitted(text).cats.values()) for text in HARD_TEXTS])
    assert_allclose(scores(fitted), alone, atol=1e-5)


# Fitting


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("multi_label", [False, True])
def test_examples_are_learnt(tiny_bert, frozen, multi_label):
    nlp = make_nlp(tiny_bert, frozen=frozen, multi_label=multi_label)
    before = scores(nlp, [text for text, _ in TEXTS])
    result = fit(nlp, n_steps=10)
    assert (result.n_examples, result.n_ignored) == (5 * OFTEN, 0)
    assert result.n_steps == (0 if frozen else 10)
    assert best(nlp, [text for text, _ in TEXTS]) == [label for _, label in TEXTS]
    after = scores(nlp, [text for text, _ in TEXTS])
    gold = np.eye(3)[[LABELS.index(label) for _, label in TEXTS]]
    leads = [(s * gold - s * (1 - gold) / 2).sum() for s in (before, after)]
    assert leads[1] > leads[0]


def test_fine_tuning_is_refused_where_it_is_impossible_and_left_out_if_asked(tiny_bert):
    nlp = make_nlp(tiny_bert, frozen=True)
    with pytest.raises(ValueError, match="frozen or quantized"):
        fit(nlp, fine_tune=True)
    nlp = make_nlp(tiny_bert)
    before = get_shim(nlp.get_pipe(NAME).model).to_bytes()
    assert fit(nlp, fine_tune=False).n_steps == 0
    assert get_shim(nlp.get_pipe(NAME).model).to_bytes() == before


def test_the_seed_says_which_model(tiny_bert):
    found = []
    for seed in (1, 1, 2):
        nlp = make_nlp(tiny_bert)
        fit(nlp, batch_size=2, seed=seed)
        found.append(scores(nlp))
    assert_allclose(found[0], found[1], atol=1e-6)
    assert np.abs(found[0] - found[2]).max() > 1e-4


def test_a_second_fit_adds_to_the_first(tiny_bert):
    nlp = make_nlp(tiny_bert, frozen=True)
    fit(nlp, make_examples(nlp) * 10 * OFTEN)
    assert best(nlp, ["In 1999 he paid $12.50."]) != ["dogs"]
    fit(nlp, make_examples(nlp, [("In 1999 he paid $12.50.", "dogs"), *TEXTS[:2]]) * 2 * OFTEN)
    assert best(nlp, ["In 1999 he paid $12.50."]) == ["dogs"]
    assert best(nlp, [text for text, _ in TEXTS]) == [label for _, label in TEXTS]


def test_labels_that_are_new_begin_with_their_names_and_others_stay(tiny_bert):
    nlp = make_nlp(tiny_bert, frozen=True)
    pipe = nlp.get_pipe(NAME)
    fit(nlp)
    old = get_head(pipe.model)
    pipe.set_labels(["cities", *LABELS[1:]], descriptions={"cities": "Zürich, São Paulo"})
    new = get_head(pipe.model)
    assert (new.W[1:] == old.W[1:]).all() and (new.b[1:] == old.b[1:]).all()
    assert np.linalg.norm(new.W[0]) == pytest.approx(10, abs=1e-3)
    assert pipe.add_label("money") == 1 and pipe.add_label("money") == 0
    assert list(nlp("Zürich").cats) == ["cities", "dogs", "science", "money"]
    labels = list(pipe.labels)
    fit(nlp, make_examples(nlp, [("$12.50", "money"), TEXTS[2]], labels) * OFTEN)
    assert best(nlp, ["$12.50", TEXTS[2][0]]) == ["money", "dogs"]


@pytest.mark.parametrize("frozen", [False, True])
def test_labels_without_an_example_keep_what_they_have(tiny_bert, frozen):
    nlp = make_nlp(tiny_bert, frozen=frozen)
    fit(nlp)
    old = get_head(nlp.get_pipe(NAME).model)
    fit(nlp, make_examples(nlp, TEXTS[:4]) * OFTEN)
    new = get_head(nlp.get_pipe(NAME).model)
    assert_allclose(new.W[2], old.W[2], atol=1e-6)
    assert new.b[2] == pytest.approx(old.b[2])
    assert not np.allclose(new.W[:2], old.W[:2], atol=1e-3)


@pytest.mark.parametrize("multi_label", [False, True])
def test_a_description_counts_also_for_labels_that_stay(tiny_bert, multi_label):
    described = {"dogs": "quick brown foxes"}
    nlp, other = (
        make_nlp(tiny_bert, frozen=True, multi_label=multi_label, descriptions=descriptions)
        for descriptions in ({}, described)
    )
    pipe = nlp.get_pipe(NAME)
    plain, expected = get_head(pipe.model), get_head(other.get_pipe(NAME).model)
    pipe.set_labels(LABELS, descriptions=described)
    assert np.abs(get_head(pipe.model).W[1] - plain.W[1]).max() > 0.1
    assert_allclose(get_head(pipe.model).W, expected.W, atol=1e-4)
    assert_allclose(get_head(pipe.model).b, expected.b)
    # What is learnt then stays as it is, whatever the description.
    fit(nlp)
    learnt = get_head(pipe.model)
    pipe.set_labels(LABELS, descriptions={})
    assert_allclose(get_head(pipe.model).W - plain.W, learnt.W - expected.W, atol=1e-4)
    assert_allclose(get_head(pipe.model).b, learnt.b)


def test_labels_are_those_of_the_examples_if_there_are_no_others(tiny_bert):
    nlp = make_nlp(tiny_bert, labels=[])
    with pytest.raises(ValueError, match="has no labels"):
        nlp("A text.")
    with pytest.raises(ValueError, match="has no labels"):
        fit(nlp, [make_example(nlp, "A text.", {})])
    fit(nlp)
    assert nlp.get_pipe(NAME).labels == tuple(sorted(LABELS))
    assert best(nlp, [TEXTS[0][0]]) == ["the sea"]


@pytest.mark.parametrize("frozen", [False, True])
def test_examples_that_say_nothing_are_ignored_and_counted(tiny_bert, frozen):
    nlp = make_nlp(tiny_bert, frozen=frozen)
    nothing = [
        make_example(nlp, "No cats.", {}),
        make_example(nlp, "What it is not does not say what it is.", {"dogs": 0.0}),
        *make_examples(nlp, [("", "dogs"), (" \n", "science")]),
    ]
    result = fit(nlp, make_examples(nlp) + nothing)
    assert (result.n_examples, result.n_ignored) == (5, 4)
    other = make_nlp(tiny_bert, frozen=frozen)
    fit(other, make_examples(other))
    assert_allclose(scores(nlp), scores(other), atol=1e-5)
    with pytest.raises(ValueError, match=r"no example \(of 4\) has both a text and a category"):
        fit(nlp, nothing)
    assert_allclose(scores(nlp), scores(other), atol=1e-5)


def test_examples_that_are_there_twice_count_twice(tiny_bert):
    nlp, other = (make_nlp(tiny_bert, frozen=True) for _ in range(2))
    fit(nlp, make_examples(nlp) * OFTEN)
    result = fit(other, make_examples(other) * OFTEN * 2)
    assert result.n_examples == 10 * OFTEN
    once, twice = (scores(n, [t for t, _ in TEXTS]).max(axis=1) for n in (nlp, other))
    assert (twice > once).all()


def test_bad_examples_are_refused(tiny_bert):
    nlp = make_nlp(tiny_bert, frozen=True)
    before = scores(nlp)
    with pytest.raises(ValueError, match="'cats', which is not one of the labels: the sea"):
        fit(nlp, [*make_examples(nlp), make_example(nlp, "Meow.", {"cats": 1.0})])
    with pytest.raises(ValueError, match="one label only, 'the sea'"):
        fit(nlp, make_examples(nlp, TEXTS[:2]))
    with pytest.raises(ValueError, match=r"is 0\.5"):
        fit(nlp, [make_example(nlp, "Half.", {"dogs": 0.5})])
    with pytest.raises(ValueError, match="has several: the sea, dogs"):
        fit(nlp, [make_example(nlp, "Sea dogs.", {"the sea": 1.0, "dogs": 1.0})])
    assert (scores(nlp) == before).all()


@pytest.mark.parametrize(
    "settings", [{"n_steps": 0}, {"batch_size": 0}, {"learn_rate": -1.0}, {"learn_rate": np.nan}]
)
def test_bad_settings_are_refused(tiny_bert, settings):
    (name,) = settings
    with pytest.raises(ValueError, match=f"{name} has to be above 0"):
        fit(make_nlp(tiny_bert), **settings)


@pytest.mark.parametrize(
    "config, message",
    [
        ({"labels": ["one"]}, "has one label, 'one'"),
        ({"labels": ["a", "a"]}, "twice: a"),
        ({"templates": ["no place"]}, "has the template"),
        ({"descriptions": {"x": "y"}}, "descriptions of 'x'"),
        ({"threshold": 2.0}, "from 0 to 1"),
        ({"contrast": -1.0}, "contrast"),
    ],
)
def test_bad_configs_are_refused(config, message):
    with pytest.raises(ValueError, match=message):
        spacy.blank("xx").add_pipe(NAME, config={"labels": LABELS} | config)


@pytest.mark.usefixtures("needs_torch")
@pytest.mark.parametrize("frozen", [False, True])
def test_the_real_encoder_learns_what_labels_mean(frozen):
    """Names that say nothing, and texts that share no words with the examples."""
    labels = ["A", "B"]
    nlp = make_nlp("minilm-l6", frozen=frozen, labels=labels)
    seen = [
        ("The striker scored twice in the final.", "A"),
        ("She won the tennis match in three sets.", "A"),
        ("Shares fell as interest rates rose.", "B"),
        ("The bank reported a record profit.", "B"),
    ]
    unseen = [
        ("Their goalkeeper saved a penalty.", "A"),
        ("He broke the world record over 100 metres.", "A"),
        ("Inflation slowed in the euro zone.", "B"),
        ("Investors bought bonds after the merger.", "B"),
    ]
    fit(nlp, make_examples(nlp, seen, labels), n_steps=5, learn_rate=2e-4)
    assert best(nlp, [text for text, _ in unseen]) == [label for _, label in unseen]


# Training by spaCy


def test_updates_learn_head_and_encoder(tiny_bert):
    nlp = make_nlp(tiny_bert)
    pipe = nlp.get_pipe(NAME)
    before = get_shim(pipe.model).to_bytes(), get_head(pipe.model).W
    examples, optimizer, losses = make_examples(nlp), Adam(0.003), []
    for _ in range(40):
        losses.append(nlp.update(examples, sgd=optimizer)[NAME])
    assert losses[-1] < losses[0] / 5
    assert get_shim(pipe.model).to_bytes() != before[0]
    assert np.abs(get_head(pipe.model).W - before[1]).max() > 0.01
    assert best(nlp, [text for text, _ in TEXTS]) == [label for _, label in TEXTS]


def test_a_batch_that_says_nothing_has_no_loss(tiny_bert):
    nlp = make_nlp(tiny_bert)
    examples = [make_example(nlp, "No cats.", {}), *make_examples(nlp, [(" ", "dogs")])]
    before = scores(nlp)
    assert nlp.update(examples, sgd=Adam(0.01)) == {NAME: 0.0}
    assert (scores(nlp) == before).all()


def test_initialize_takes_the_labels_of_the_corpus(tiny_bert):
    nlp = make_nlp(tiny_bert, labels=[])
    nlp.initialize(lambda: make_examples(nlp))
    assert nlp.get_pipe(NAME).labels == tuple(sorted(LABELS))
    assert nlp.get_pipe(NAME).label_data == sorted(LABELS)


def test_a_second_initialize_takes_the_labels_of_other_examples(tiny_bert, tmp_path):
    nlp = make_nlp(tiny_bert, labels=[])
    nlp.initialize(lambda: make_examples(nlp))
    nlp.to_disk(tmp_path)
    for pipeline in (nlp, spacy.load(tmp_path)):
        pipeline.config["initialize"]["components"] = nlp.config["initialize"]["components"]
        others = [make_example(pipeline, "One.", {"a": 1.0}), make_example(pipeline, "2", {"b": 1})]
        pipeline.initialize(lambda others=others: others)
        assert pipeline.get_pipe(NAME).labels == ("a", "b")
        pipeline.get_pipe(NAME).set_labels(["x", "y"])
        pipeline.initialize(lambda others=others: others)
        assert pipeline.get_pipe(NAME).labels == ("x", "y")


def test_a_second_initialize_without_labels(tiny_bert, tmp_path):
    nlp = make_nlp(tiny_bert, labels=[])
    nlp.initialize(lambda: make_examples(nlp))
    nlp.initialize(lambda: [make_example(nlp, "One.", {})])
    assert nlp.get_pipe(NAME).labels == ()
    nlp.to_disk(tmp_path)
    for pipeline in (nlp, spacy.load(tmp_path)):
        with pytest.raises(ValueError, match="labels"):
            pipeline("One.")
        fit(pipeline, make_examples(pipeline) * OFTEN)
        assert set(pipeline("One.").cats) == set(LABELS)


def test_initialize_forgets_what_was_learnt(tiny_bert):
    nlp = make_nlp(tiny_bert)
    before = scores(nlp)
    fit(nlp)
    assert np.abs(scores(nlp) - before).max() > 0.01
    nlp.initialize()
    assert_allclose(scores(nlp), before, atol=1e-5)


# Saving


@pytest.mark.parametrize("way", ["disk", "bytes", "pickle"])
def test_what_is_saved_comes_back_and_learns_on(fitted, tmp_path, way):
    if way == "disk":
        fitted.to_disk(tmp_path)
        again = spacy.load(tmp_path)
    elif way == "bytes":
        again = spacy.util.load_model_from_config(fitted.config, auto_fill=True)
        again.from_bytes(fitted.to_bytes())
    else:
        again = pickle.loads(pickle.dumps(fitted))
    assert_allclose(scores(again), scores(fitted), atol=1e-5)
    result = fit(again, make_examples(again, [("In 1999", "science"), TEXTS[2]]) * OFTEN)
    assert (result.n_examples, result.n_steps) == (2 * OFTEN, 4)
    assert best(again, ["In 1999"]) == ["science"]


def test_without_labels_it_is_saved_and_learns_later(tiny_bert, tmp_path):
    nlp = make_nlp(tiny_bert, labels=[], frozen=True)
    nlp.initialize()
    nlp.to_disk(tmp_path)
    for again in (spacy.load(tmp_path), pickle.loads(pickle.dumps(nlp))):
        fit(again)
        assert again.get_pipe(NAME).labels == tuple(sorted(LABELS))


def test_bytes_of_other_labels_are_taken(tiny_bert):
    nlp, other = (
        make_nlp(tiny_bert, frozen=True, labels=labels) for labels in (LABELS, ["a", "b"])
    )
    other.from_bytes(nlp.to_bytes())
    assert_allclose(scores(other), scores(nlp), atol=1e-6)


def test_other_labels_than_the_configs_are_saved(tiny_bert, tmp_path):
    nlp = make_nlp(tiny_bert, frozen=True)
    nlp.get_pipe(NAME).set_labels(["money", "dogs"])
    nlp.to_disk(tmp_path)
    again = spacy.load(tmp_path)
    assert list(again("$12").cats) == ["money", "dogs"]
    assert_allclose(scores(again), scores(nlp), atol=1e-6)


# Scores


@pytest.mark.slow
def test_spacy_evaluates_it_and_finds_a_threshold(tiny_bert, tmp_path):
    nlp = make_nlp(tiny_bert, frozen=True, multi_label=True)
    examples = make_examples(nlp)
    fit(nlp, examples * OFTEN)
    found = nlp.evaluate(examples)
    assert found["cats_macro_auc"] == 1 and found["cats_score_desc"] == "macro AUC"
    assert set(found["cats_f_per_type"]) == set(LABELS)
    nlp.to_disk(tmp_path / "model")
    DocBin(docs=[e.reference for e in examples]).to_disk(tmp_path / "dev.spacy")
    best_threshold, best_score, _ = find_threshold(
        tmp_path / "model", tmp_path / "dev.spacy", NAME, "threshold", "cats_macro_f", n_trials=5
    )
    assert 0 < best_threshold < 1 and best_score > 0.9
