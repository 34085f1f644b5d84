"""pipes/ner.py: it learns the entities it is shown and not those it is not told of, finds none
that cannot be, says how sure it is, and takes new labels on the way."""

import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import spacy
from hard_texts import HARD_TEXTS, random_texts
from spacy.tokens import Doc, DocBin, Span, SpanGroup
from spacy.tokens.underscore import Underscore
from spacy.training import Example
from spacy.util import fix_random_seed
from tiny_pipelines import (
    CNN,
    LISTENER,
    annotations,
    as_blank,
    as_example,
    fast_optimizer,
    make_examples,
    make_nlp,
    make_reference,
    train,
)

from spacy_pretrained.annotation import extension
from spacy_pretrained.annotation.confidence import confidence
from spacy_pretrained.ner.bioes import to_states
from spacy_pretrained.ner.pipe import score

NER, TAGGER, PARSER = "pretrained_ner", "pretrained_tagger", "biaffine_parser"

# Entities are written New/X York/X, or +Paris/X where one begins right behind another of its label.
TEXTS = [
    "Ada/PERSON Lovelace/PERSON sees the old river .",
    "Robots never sleep in Zürich/GPE , she said .",
    "She left São/GPE Paulo/GPE for New/GPE York/GPE City/GPE today !",
    "Bob/PERSON Zürich/GPE +Paris/GPE +Ada/PERSON",
    "Nothing is here .",
]


@pytest.fixture(autouse=True)
def seed():
    fix_random_seed(0)


def make_doc(vocab, text: str, key: str | None = None) -> Doc:
    words, tags = [], []
    for item in text.split():
        word, _, label = item.partition("/")
        goes_on = tags and not word.startswith("+") and tags[-1][2:] == label
        tags.append(("I-" if goes_on else "B-") + label if label else "O")
        words.append(word.removeprefix("+"))
    doc = Doc(vocab, words=words, ents=tags)
    if key:
        doc.spans[key] = list(doc.ents)
        doc.set_ents([], default="missing")
    return doc


def make_docs(vocab, key: str | None = None) -> list[Doc]:
    return [make_doc(vocab, text, key) for text in TEXTS]


def without_entities(doc: Doc) -> Doc:
    """The same words; what they are is not known."""
    return as_blank(doc)


def examples_of(nlp, key: str | None = None) -> list[Example]:
    return [as_example(doc) for doc in make_docs(nlp.vocab, key)]


def make_ner(source: str, **config):
    """A pipeline with a frozen backbone: its vectors are quick to learn from."""
    return make_nlp(source, (NER, config), frozen=True, dropout=0.0)


def make_cnn_ner(**config):
    """With an encoder of its own, and no transformer."""
    nlp = spacy.blank("xx")
    nlp.add_pipe(NER, config={"model": {"tok2vec": CNN}} | config)
    return nlp


@pytest.fixture(scope="module")
def trained(tiny_bert):
    fix_random_seed(0)
    nlp = make_ner(tiny_bert)
    train(nlp, examples_of(nlp), 45)
    return nlp


def trained_cnn(steps: int = 50, **config):
    nlp = make_cnn_ner(**config)
    train(nlp, examples_of(nlp, config.get("spans_key")), steps)
    return nlp


@pytest.fixture(scope="module")
def cnn():
    """Trained. Tests leave it as it is."""
    fix_random_seed(0)
    return trained_cnn()


@pytest.fixture(scope="module")
def wild():
    """A pipeline that finds entities everywhere."""
    return make_wild()


def make_wild(scale: float = 1.5, **config):
    fix_random_seed(0)
    nlp = make_cnn_ner(**config)
    nlp.initialize(lambda: examples_of(nlp, config.get("spans_key")))
    output, rng = nlp.get_pipe(NER).model.get_ref("output"), np.random.default_rng(0)
    weights = rng.normal(0, scale, size=output.get_param("W").shape)
    output.set_param("W", weights.astype("float32"))
    output.set_param("b", np.zeros(len(weights), dtype="float32"))
    return nlp


def copy_of(nlp):
    copy = spacy.util.load_model_from_config(nlp.config, auto_fill=True)
    return copy.from_bytes(nlp.to_bytes())


def entities(doc: Doc, key: str | None = None) -> list[tuple]:
    spans = doc.spans[key] if key else doc.ents
    return [(span.start, span.end, span.label_) for span in spans]


def found(nlp, docs: list[Doc]) -> list[list[tuple]]:
    return [entities(nlp(as_blank(doc))) for doc in docs]


def confidences(doc: Doc) -> list[float]:
    return [span._.confidence for span in doc.ents]


def scores_of(nlp, doc: Doc) -> np.ndarray:
    for name, pipe in nlp.pipeline:
        if name != NER:
            doc = pipe(doc)
    return nlp.get_pipe(NER).model.predict([doc])


# Learning


def test_overfit_save_reload(tiny_bert, tmp_path):
    nlp = make_ner(tiny_bert)
    examples = examples_of(nlp)
    losses = train(nlp, examples, 60)
    assert losses[-1][NER] < 0.05 * losses[0][NER]
    docs = make_docs(nlp.vocab)
    expected = [entities(doc) for doc in docs]
    assert found(nlp, docs) == expected
    scores = nlp.evaluate(examples)
    assert scores["ents_f"] == scores["ents_p"] == scores["ents_r"] == 1
    assert scores["ents_per_type"]["GPE"]["f"] == 1
    sure = [confidences(nlp(as_blank(doc))) for doc in docs]
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    for copy in (loaded, copy_of(nlp), pickle.loads(pickle.dumps(loaded))):
        assert copy.get_pipe(NER).labels == ("GPE", "PERSON")
        assert found(copy, docs) == expected
        for doc, values in zip(docs, sure):
            assert confidences(copy(as_blank(doc))) == pytest.approx(values, abs=1e-4)


@pytest.mark.slow
def test_a_doc_alone_and_in_a_batch(wild, trained):
    texts = ["Ada sees\nthe old  river.", "", "Robots!", " ", *TEXTS, *random_texts(20)]
    for nlp in (wild, trained):
        alone = [nlp(text) for text in texts]
        for batch_size in (1, 2, 30):
            batch = list(nlp.pipe(texts, batch_size=batch_size))
            assert [entities(doc) for doc in batch] == [entities(doc) for doc in alone]
            for doc, other in zip(batch, alone):
                assert confidences(doc) == pytest.approx(confidences(other), abs=1e-4)
    assert sum(len(doc.ents) for doc in wild.pipe(texts)) > 50


def test_no_docs(cnn):
    assert cnn.get_pipe(NER).predict([]) == []
    assert list(cnn.pipe([])) == []
    assert len(cnn("").ents) == 0
    assert cnn.get_pipe(NER).update([]) == {NER: 0.0}
    example = Example(Doc(cnn.vocab), Doc(cnn.vocab))
    assert cnn.update([example], sgd=False)[NER] == 0.0


def test_threads(trained):
    texts = [TEXTS[i % 5].replace("/", " ") + f" {i}" for i in range(24)]
    expected = [(entities(doc), confidences(doc)) for doc in map(trained, texts)]
    assert any(row for row, _ in expected)
    with ThreadPoolExecutor(4) as pool:
        docs = list(pool.map(trained, texts))
    assert [entities(doc) for doc in docs] == [row for row, _ in expected]
    for doc, (_, sure) in zip(docs, expected):
        assert confidences(doc) == pytest.approx(sure, abs=1e-4)


def test_diverged_training_stops():
    nlp = make_cnn_ner()
    nlp.initialize(lambda: examples_of(nlp))
    output = nlp.get_pipe(NER).model.get_ref("output")
    output.set_param("b", np.full_like(output.get_param("b"), np.nan))
    with pytest.raises(ValueError, match="loss of 'pretrained_ner' is nan"):
        nlp.update(examples_of(nlp), sgd=fast_optimizer())


# What is predicted


def test_hard_texts(wild, trained):
    for nlp in (wild, trained):
        docs = list(nlp.pipe(HARD_TEXTS))
        for doc, text in zip(docs, HARD_TEXTS):
            assert doc.text == text
            assert all(token.ent_iob_ for token in doc)
            assert entities(nlp(text)) == entities(doc)


def test_white_space_is_no_end_of_an_entity(wild):
    words = ["Ada", "\n", "river", "São", "  ", "x"]
    rng = np.random.default_rng(0)
    docs = [Doc(wild.vocab, words=rng.choice(words, size=50).tolist()) for _ in range(20)]
    docs = list(wild.pipe([*docs, *random_texts(20)]))
    for doc in docs:
        assert not any(ent[0].is_space or ent[-1].is_space for ent in doc.ents)
    assert any(token.is_space for doc in docs for ent in doc.ents for token in ent)
    only = wild(Doc(wild.vocab, words=["\n", " ", "\n\n"]))
    assert [token.ent_iob_ for token in only] == ["O"] * 3


def test_all_tokens_are_known_afterwards(cnn):
    doc = cnn(Doc(cnn.vocab, words=["Nothing", "is", "here"]))
    assert [token.ent_iob_ for token in doc] == ["O"] * 3


def test_entities_there_are_stay(wild):
    words = TEXTS[2].replace("/GPE", "").split()
    free = entities(wild(Doc(wild.vocab, words=words)))
    assert len(free) > 1
    rng = np.random.default_rng(0)
    n_beside = 0
    for _ in range(30):
        start = int(rng.integers(len(words)))
        end = int(rng.integers(start + 1, len(words) + 1))
        doc = Doc(wild.vocab, words=words)
        old = Span(doc, start, end, label="OLD", kb_id="Q1", span_id="id1")
        doc.ents = [old]
        doc = wild(doc)
        kept = [ent for ent in doc.ents if ent.label_ == "OLD"]
        assert [(e.start, e.end, e.kb_id_, e.id_) for e in kept] == [(start, end, "Q1", "id1")]
        assert kept[0]._.confidence is None
        n_beside += len(doc.ents) - 1
        assert all(ent._.confidence is not None for ent in doc.ents if ent.label_ != "OLD")
        # What is far from it is as it was.
        low = [e for e in free if e[1] < start - 1]
        assert [e for e in entities(doc) if e[1] < start - 1][: len(low[:-1])] == low[:-1]
    assert n_beside > 30


def test_entities_there_are_are_replaced():
    nlp = trained_cnn(overwrite=True)
    reference = make_docs(nlp.vocab)[0]
    doc = as_blank(reference)
    doc.ents = [Span(doc, 1, 4, label="OLD", kb_id="Q1"), Span(doc, 5, 6, label="OLD")]
    assert entities(nlp(doc)) == entities(reference)
    nlp.get_pipe(NER).overwrite = False
    assert entities(nlp(doc)) == entities(reference)  # and now its own stay


@pytest.mark.parametrize("overwrite", [False, True])
def test_blocked_tokens_stay(overwrite):
    nlp = make_wild(overwrite=overwrite)
    words = TEXTS[2].replace("/GPE", "").split()
    for start in range(len(words) - 1):
        doc = Doc(nlp.vocab, words=words)
        doc.set_ents([], blocked=[doc[start : start + 2]], default="missing")
        doc = nlp(doc)
        assert len(doc.ents) > 0
        assert not any(ent.start < start + 2 and start < ent.end for ent in doc.ents)
        for token in doc[start : start + 2]:
            assert token.ent_iob == 3 and token.ent_type == 0  # as spaCy keeps it
        assert nlp(doc)[start].ent_type == 0


# Groups of spans


def test_groups_of_spans(tmp_path):
    nlp = trained_cnn(spans_key="sc")
    assert nlp.get_pipe(NER).labels == ("GPE", "PERSON")
    references = make_docs(nlp.vocab, "sc")
    docs = [nlp(as_blank(doc)) for doc in references]
    for doc, reference in zip(docs, references):
        assert entities(doc, "sc") == entities(reference, "sc")
        assert not doc.ents and not doc.has_annotation("ENT_IOB")
        assert all(0 < span._.confidence <= 1 for span in doc.spans["sc"])
    scores = nlp.evaluate(examples_of(nlp, "sc"))
    assert scores["spans_sc_f"] == scores["spans_sc_p"] == 1 and "ents_f" not in scores
    assert scores["spans_sc_per_type"]["GPE"]["f"] == 1
    assert nlp.evaluate(examples_of(nlp))["spans_sc_f"] is None  # no group, nothing to score
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    assert entities(loaded(as_blank(references[0])), "sc") == entities(references[0], "sc")
    assert list(loaded("").spans) == ["sc"]


def test_a_config_may_name_another_group(tmp_path):
    trained_cnn(10, spans_key="sc").to_disk(tmp_path)
    other = spacy.load(tmp_path, config={"components": {NER: {"spans_key": "other"}}})
    assert other.get_pipe(NER).spans_key == "other"
    assert list(other("Ada sees").spans) == ["other"]
    assert "spans_other_f" in other.evaluate(examples_of(other, "other"))
    none = spacy.load(tmp_path, config={"components": {NER: {"spans_key": None}}})
    assert not none("Ada sees").spans
    assert "ents_f" in none.evaluate(examples_of(none))


def test_spans_there_are_stay():
    nlp = make_wild(spans_key="sc")
    words = TEXTS[2].replace("/GPE", "").split()
    doc = Doc(nlp.vocab, words=words)
    doc.ents = [Span(doc, 0, len(words), label="ENT")]  # no matter of ours
    doc.spans["sc"] = [Span(doc, 2, 5, label="OLD"), Span(doc, 3, 4, label="OLD")]
    doc = nlp(doc)
    spans = [span for span in doc.spans["sc"] if span.label_ != "OLD"]
    assert len(doc.spans["sc"]) == len(spans) + 2 and spans
    assert all(span.end <= 2 or span.start >= 5 for span in spans)
    assert [span.start for span in doc.spans["sc"]] == sorted(s.start for s in doc.spans["sc"])
    assert entities(doc) == [(0, len(words), "ENT")]
    nlp.get_pipe(NER).overwrite = True
    assert not any(span.label_ == "OLD" for span in nlp(doc).spans["sc"])


def test_a_group_without_a_name():
    with pytest.raises(ValueError, match=r"'pretrained_ner' has spans_key = \"\".* null"):
        make_cnn_ner(spans_key="")


def test_spans_that_overlap():
    nlp = make_cnn_ner(spans_key="sc")
    doc = Doc(nlp.vocab, words=["a", "b", "c"])
    doc.spans["sc"] = [Span(doc, 0, 2, label="X"), Span(doc, 1, 3, label="Y")]
    with pytest.raises(ValueError, match=r"spans 'sc' overlap.*X 'a b'.*Y 'b c'"):
        nlp.initialize(lambda: [as_example(doc)])


# Labels


def test_no_labels():
    nlp = make_cnn_ner()
    with pytest.raises(ValueError, match=r"No labels for component 'pretrained_ner'.*entities"):
        nlp.initialize(lambda: [as_example(Doc(nlp.vocab, words=["a"]))])
    with pytest.raises(ValueError, match="no labels yet"):
        nlp("a")


def test_labels_are_given(tmp_path):
    """As `spacy init labels` writes them and `initialize` reads them."""
    import srsly

    nlp = make_cnn_ner()
    nlp.initialize(lambda: examples_of(nlp))
    labels = nlp.get_pipe(NER).label_data
    assert labels == ["GPE", "PERSON"] and nlp.get_pipe(NER).labels == ("GPE", "PERSON")
    srsly.write_json(tmp_path / "labels.json", ["ORG", *labels])
    again = make_cnn_ner()
    again.config["initialize"]["components"][NER] = {
        "labels": {"@readers": "spacy.read_labels.v1", "path": str(tmp_path / "labels.json")}
    }
    again.initialize(lambda: examples_of(again)[-1:])  # has none of them
    assert again.get_pipe(NER).labels == ("ORG", "GPE", "PERSON")
    again.update(examples_of(again), sgd=fast_optimizer())
    assert again.get_pipe(NER).model.predict([again.make_doc("a b")]).shape == (2, 13)


@pytest.mark.parametrize("key", [None, "sc"])
def test_an_unknown_label(key):
    nlp = make_cnn_ner(spans_key=key)
    nlp.initialize(lambda: examples_of(nlp, key))
    with pytest.raises(ValueError, match="'pretrained_ner' met the label 'NEW'"):
        nlp.update([as_example(make_doc(nlp.vocab, "Ada/NEW", key))], sgd=False)


@pytest.mark.parametrize("key", [None, "sc"])
def test_labels_of_any_characters(tmp_path, key):
    names = ["B-X", "I-B-X", "O", "a b", "-", "Größe 他们", "x/y|z=1", "S-"]
    nlp = make_cnn_ner(spans_key=key)
    words = [f"w{i}" for i in range(2 * len(names))]
    reference = Doc(nlp.vocab, words=words)
    spans = [Span(reference, 2 * i, 2 * i + 2, label=name) for i, name in enumerate(names)]
    if key:
        reference.spans[key] = spans
    else:
        reference.ents = spans
    train(nlp, [as_example(reference)], 60)
    assert nlp.get_pipe(NER).labels == tuple(sorted(names))
    assert entities(nlp(as_blank(reference)), key) == entities(reference, key)
    nlp.to_disk(tmp_path)
    copy = spacy.load(tmp_path)(as_blank(reference))
    assert entities(copy, key) == entities(reference, key)


@pytest.mark.parametrize("label", ["", None, 7, ["X"], b"X"])
def test_what_is_no_label(cnn, label):
    with pytest.raises(ValueError, match="A label of 'pretrained_ner' has to be a string"):
        cnn.get_pipe(NER).add_label(label)
    assert cnn.get_pipe(NER).labels == ("GPE", "PERSON")


def test_labels_are_added_before_training(tmp_path):
    nlp = make_cnn_ner()
    ner = nlp.get_pipe(NER)
    assert [ner.add_label(name) for name in ("ORG", "GPE", "ORG")] == [1, 1, 0]
    examples = examples_of(nlp)
    train(nlp, examples, 50)
    assert ner.labels == ("ORG", "GPE", "PERSON")
    assert found(nlp, make_docs(nlp.vocab)) == [entities(doc) for doc in make_docs(nlp.vocab)]
    assert copy_of(nlp).get_pipe(NER).labels == ner.labels


def test_initialized_again(tmp_path):
    """With more labels: everything has the new size, and is saved with it."""
    nlp = trained_cnn(3)
    more = [*examples_of(nlp), as_example(make_doc(nlp.vocab, "Acme/ORG is here"))]
    nlp.initialize(lambda: more)
    assert nlp.get_pipe(NER).labels == ("GPE", "PERSON", "ORG")
    nlp.update(more, sgd=fast_optimizer())
    copy = copy_of(nlp)
    assert found(copy, make_docs(copy.vocab)) == found(nlp, make_docs(nlp.vocab))


@pytest.mark.parametrize("encoder, same_optimizer", [("bert", True), ("cnn", True), ("cnn", False)])
def test_labels_are_added_after_training(tiny_bert, tmp_path, encoder, same_optimizer):
    nlp = make_ner(tiny_bert) if encoder == "bert" else make_cnn_ner()
    ner, examples = nlp.get_pipe(NER), examples_of(nlp)
    nlp.initialize(lambda: examples)
    optimizer = fast_optimizer()
    for _ in range(40):
        nlp.update(examples, sgd=optimizer)
    texts = [doc.text for doc in make_docs(nlp.vocab)] + random_texts(20)
    before = [(entities(doc), confidences(doc)) for doc in map(nlp, texts)]
    scores = scores_of(nlp, nlp.make_doc(texts[0]))

    assert ner.add_label("ORG") == 1 and ner.add_label("ORG") == 0
    after = [(entities(doc), confidences(doc)) for doc in map(nlp, texts)]
    assert [row for row, _ in after] == [row for row, _ in before]
    for (_, old), (_, new) in zip(before, after):
        assert new == pytest.approx(old, abs=0.02)
    new_scores = scores_of(nlp, nlp.make_doc(texts[0]))
    np.testing.assert_allclose(new_scores[:, :9], scores, rtol=1e-5, atol=1e-6)
    p = np.exp(new_scores) / np.exp(new_scores).sum(axis=1, keepdims=True)
    assert p[:, 9:].max() < 0.01

    # An added label is saved before it is trained, too.
    assert found(copy_of(nlp), make_docs(nlp.vocab)) == found(nlp, make_docs(nlp.vocab))
    extra = make_doc(nlp.vocab, "Acme/ORG Inc/ORG sells in Zürich/GPE")
    examples.append(as_example(extra))
    optimizer = optimizer if same_optimizer else nlp.resume_training()
    optimizer.learn_rate = 0.01
    for _ in range(40):
        nlp.update(examples, sgd=optimizer)
    docs = [*make_docs(nlp.vocab), extra]
    assert found(nlp, docs) == [entities(doc) for doc in docs]
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    assert loaded.get_pipe(NER).labels == ("GPE", "PERSON", "ORG")
    assert found(loaded, docs) == [entities(doc) for doc in docs]


def test_training_is_resumed(cnn, tmp_path):
    cnn.to_disk(tmp_path)
    nlp = spacy.load(tmp_path)
    expected = [entities(doc) for doc in make_docs(nlp.vocab)]
    optimizer = nlp.resume_training()
    first = nlp.update(examples_of(nlp), sgd=optimizer)[NER]
    for _ in range(10):
        last = nlp.update(examples_of(nlp), sgd=optimizer)[NER]
    assert last < first < 0.2 * make_first_loss()
    assert found(nlp, make_docs(nlp.vocab)) == expected


def make_first_loss() -> float:
    nlp = make_cnn_ner()
    return train(nlp, examples_of(nlp), 1)[0][NER]


# Partial annotation


def gradient_of(nlp, examples: list[Example]) -> np.ndarray:
    ner = nlp.get_pipe(NER)
    scores = ner.model.predict([as_blank(example.predicted) for example in examples])
    loss, gradient = ner.get_loss(examples, scores)
    assert (loss > 0) == bool(gradient.any())
    return gradient


def test_missing_annotation_has_no_gradient_and_costs_the_rest_nothing(cnn):
    full, partial = (make_docs(cnn.vocab)[2] for _ in range(2))
    partial.set_ents(list(partial.ents)[:1], missing=[partial[1:2], partial[4:8]])
    whole, part = (gradient_of(cnn, [as_example(doc)]) for doc in (full, partial))
    missing = [1, 4, 5, 6, 7]
    assert whole.any(axis=1).all() and not part[missing].any()
    np.testing.assert_array_equal(np.delete(whole, missing, 0), np.delete(part, missing, 0))


@pytest.mark.parametrize("key", [None, "sc"])
def test_without_annotation_nothing_is_learnt(key):
    nlp = trained_cnn(3, spans_key=key)
    blanks = [as_example(without_entities(doc)) for doc in make_docs(nlp.vocab)]
    before = nlp.get_pipe(NER).model.to_bytes()
    assert nlp.update(blanks, sgd=fast_optimizer())[NER] == 0
    assert nlp.get_pipe(NER).model.to_bytes() == before
    # Beside others.
    mixed = [*blanks, *examples_of(nlp, key)]
    gradient = gradient_of(nlp, mixed)
    n_blank = sum(len(example.reference) for example in blanks)
    assert not gradient[:n_blank].any() and gradient[n_blank:].any(axis=1).all()


def test_missing_is_not_outside():
    """Three of four Docs do not say that Ada is a person; one does."""
    nlp = make_cnn_ner()
    docs = make_docs(nlp.vocab)
    unknown = [without_entities(doc) for doc in docs * 3]
    other = make_doc(nlp.vocab, "Eve/PERSON Lovelace/PERSON sees Zürich/GPE .")
    unknown += [without_entities(other)] * 3
    train(nlp, [as_example(doc) for doc in [*docs, *unknown]], 50)
    assert found(nlp, docs) == [entities(doc) for doc in docs]
    # Not as if they were empty.
    told = make_cnn_ner()
    empty = [without_entities(doc) for doc in unknown]
    for doc in empty:
        doc.ents = []
    train(told, [as_example(doc) for doc in [*docs, *empty]], 50)
    assert found(told, docs) != [entities(doc) for doc in docs]


def test_tokens_of_another_tokenizer(cnn):
    reference = make_docs(cnn.vocab)[2]  # She left São Paulo for New York City today !
    words = ["She", "left", "SãoPaulo", "forNew", "York", "Ci", "ty", "today!"]
    gradient = gradient_of(cnn, [Example(Doc(cnn.vocab, words=words), reference)])
    known = [True, True, True, False, False, False, False, True]
    assert gradient.any(axis=1).tolist() == known


def test_white_space_in_gold_entities():
    """Cut off at their ends, so that what is learnt is what can be predicted."""
    nlp = make_cnn_ner()
    reference = Doc(nlp.vocab, words=["\n", "Ada", "\n", "Bob", "\n", "sees"])
    reference.ents = [Span(reference, 0, 5, label="X")]
    train(nlp, [as_example(reference)], 40)
    assert entities(nlp(as_blank(reference))) == [(1, 4, "X")]


def test_the_gradient_is_that_of_the_loss(cnn):
    full, partial = make_docs(cnn.vocab)[:2]
    partial.set_ents(list(partial.ents), missing=[partial[:2]])
    examples = [as_example(full), as_example(partial)]
    ner, rng = cnn.get_pipe(NER), np.random.default_rng(0)
    scores = rng.normal(size=(len(full) + len(partial), 9))
    direction = rng.normal(size=scores.shape)
    _, gradient = ner.get_loss(examples, scores)
    high, _ = ner.get_loss(examples, scores + 1e-5 * direction)
    low, _ = ner.get_loss(examples, scores - 1e-5 * direction)
    assert (gradient * direction).sum() == pytest.approx((high - low) / 2e-5, rel=1e-6)


def test_gold_that_is_missing_is_not_scored(cnn):
    docs = make_docs(cnn.vocab)
    full = cnn.evaluate([as_example(doc) for doc in docs])
    assert full["ents_f"] == 1
    mixed = [as_example(doc) for doc in [*docs, *map(without_entities, docs)]]
    assert cnn.evaluate(mixed)["ents_p"] == 1
    partial = make_docs(cnn.vocab)[2]
    partial.set_ents(list(partial.ents)[:1], missing=[partial[4:8]])
    assert cnn.evaluate([as_example(partial)])["ents_p"] == 1
    denied = make_docs(cnn.vocab)[2]
    denied.ents = list(denied.ents)[:1]
    assert cnn.evaluate([as_example(denied)])["ents_p"] == 0.5
    nothing = cnn.evaluate([as_example(without_entities(doc)) for doc in docs])
    assert nothing["ents_f"] is None
    assert score([], spans_key="sc")["spans_sc_f"] is None


# Confidence


def test_confidence_is_the_product_of_probabilities(wild):
    """Of the states of its tokens, among those that can be."""
    ner = wild.get_pipe(NER)
    n_spans = 0
    for text in [
        TEXTS[2].replace("/", " "),
        "a \n b \n\n c  d e",
        "Ada\n\nsees",
        *random_texts(20),
    ]:
        doc = wild(text)
        scores = scores_of(wild, wild.make_doc(text)).astype("float64")
        for token in doc:
            if token.is_space:
                scores[token.i, [1, 3, 4, 5, 7, 8]] = -np.inf
        p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        (spans, sure), *_ = ner.predict([wild.make_doc(text)])
        chosen = p[np.arange(len(doc)), to_states(spans, len(doc))]
        expected = [chosen[ent.start : ent.end].prod() for ent in doc.ents]
        np.testing.assert_allclose(confidences(doc), expected, rtol=1e-3)
        np.testing.assert_allclose(sure, expected, rtol=1e-3)
        n_spans += len(expected)
    assert n_spans > 50


def test_confidence(trained):
    docs = [trained(as_blank(doc)) for doc in make_docs(trained.vocab)]
    values = [value for doc in docs for value in confidences(doc)]
    assert all(type(value) is float and 0.5 < value <= 1 for value in values)
    doc = docs[2]
    assert doc[0:2]._.confidence is None  # nobody predicted that
    assert Span(doc, 2, 4, label="PERSON")._.confidence is None
    assert Span(doc, 2, 4, label="GPE")._.confidence == confidences(doc)[0]
    copies = [Doc(trained.vocab).from_bytes(doc.to_bytes()), doc.copy()]
    stored = DocBin(store_user_data=True, docs=[doc]).to_bytes()
    copies += DocBin().from_bytes(stored).get_docs(trained.vocab)
    for copy in copies:
        assert entities(copy) == entities(doc) and confidences(copy) == confidences(doc)
    for copy in trained.pipe([doc.text], n_process=2):
        assert confidences(copy) == pytest.approx(confidences(doc), abs=1e-4)


def test_what_is_annotated_anew_has_no_old_confidence(wild):
    words = TEXTS[2].replace("/GPE", "").split()
    doc = wild(Doc(wild.vocab, words=words))
    free = entities(doc)
    by_hand = [Span(doc, start, end, label=label) for start, end, label in free[:2]]
    doc.ents = by_hand
    doc = wild(doc)  # it keeps these, and they are no predictions
    assert [ent._.confidence for ent in doc.ents[:2]] == [None, None]
    for overwrite in (True, False):
        silent = make_wild(confidence=False, overwrite=overwrite)
        doc = wild(Doc(wild.vocab, words=words))
        assert set(confidences(silent(doc))) == {None}


def test_entities_that_stay_keep_their_confidence():
    words = TEXTS[2].replace("/GPE", "").split()
    for spans_key in (None, "sc"):
        nlp = make_wild(overwrite=False, spans_key=spans_key)
        doc = nlp(Doc(nlp.vocab, words=words))
        found = [span._.confidence for span in doc.spans.get(spans_key, doc.ents)]
        assert len(found) > 1 and None not in found
        again = nlp(doc)
        assert [span._.confidence for span in again.spans.get(spans_key, again.ents)] == found


def test_a_second_recognizer_that_replaces_entities(wild):
    other = make_wild(overwrite=True)
    ner = other.get_pipe(NER)
    ner.name, ner.cfg["calibration"] = "other", [0.5, -1.0]
    doc = wild(Doc(wild.vocab, words=TEXTS[2].replace("/GPE", "").split()))
    before = confidences(doc)
    after = confidences(other(doc))
    assert len(before) == len(after) > 1
    assert not set(before) & set(after) and None not in after


def test_an_attribute_of_the_user_stays(trained, tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(Underscore, "span_extensions", {})
    monkeypatch.setattr(extension, "_warned", set())
    Span.set_extension("confidence", default="mine")
    trained.to_disk(tmp_path)
    nlp = spacy.load(tmp_path)
    (warning,) = [r.getMessage() for r in caplog.records if "_.confidence" in r.getMessage()]
    assert "'pretrained_ner'" in warning and "the default 'mine'" in warning
    doc = nlp(as_blank(make_docs(nlp.vocab)[0]))
    assert all(ent._.confidence == "mine" and confidence(ent) > 0.5 for ent in doc.ents)


def test_without_confidence_nothing_is_stored():
    nlp = make_wild(confidence=False)
    doc = nlp(TEXTS[0].replace("/", " "))
    assert doc.ents and not doc.user_data
    assert entities(doc) == entities(make_wild()(doc.text))


def calibration_error(sure: np.ndarray, is_right: np.ndarray, n_bins: int = 8) -> float:
    bins = np.array_split(np.argsort(sure), n_bins)
    gaps = [len(b) * abs(sure[b].mean() - is_right[b].mean()) for b in bins if len(b)]
    return sum(gaps) / len(sure)


def make_judged(nlp, key: str | None = None) -> list[Example]:
    """Examples that call far fewer predictions right than their confidence says."""
    rng = np.random.default_rng(0)
    examples = []
    for text in random_texts(150, longest=120):
        doc = nlp(text)
        spans = list(doc.spans[key]) if key else list(doc.ents)
        sure = np.array([span._.confidence for span in spans])
        right = rng.random(len(spans)) < 0.1 + 0.4 * sure
        kept = [span for span, is_right in zip(spans, right) if is_right]
        reference = nlp.make_doc(text)
        kept = [Span(reference, span.start, span.end, label=span.label) for span in kept]
        if key:
            reference.spans[key] = kept
        else:
            reference.ents = kept
        examples.append(Example(nlp.make_doc(text), reference))
    return examples


@pytest.mark.slow
@pytest.mark.parametrize("key", [None, "sc"])
def test_calibrated_confidence_is_how_often_it_is_right(tmp_path, key):
    nlp = make_wild(spans_key=key)
    ner, examples = nlp.get_pipe(NER), make_judged(nlp, key)
    slope, offset = ner.calibrate(nlp, examples)
    assert slope > 0 and ner.cfg["calibration"] == [slope, offset]
    pairs = [pair for example in examples for pair in ner.outcomes(example)]
    before, is_right = (np.array(column) for column in zip(*pairs))  # annotated without
    assert len(pairs) > 700
    again = [Example(nlp(example.text), example.reference) for example in examples]
    pairs = [pair for example in again for pair in ner.outcomes(example)]
    after, same = (np.array(column) for column in zip(*pairs))
    assert (same == is_right).all()  # confidence changes, entities do not
    assert calibration_error(before, is_right) > 0.15 > 0.08 > calibration_error(after, is_right)
    assert (np.argsort(before, kind="stable") == np.argsort(after, kind="stable")).mean() > 0.9
    # Once more is as once, and it is saved.
    fresh = [Example(nlp.make_doc(example.text), example.reference) for example in examples]
    assert ner.calibrate(nlp, fresh) == pytest.approx((slope, offset))
    with pytest.raises(ValueError, match="has annotated some of these examples already"):
        ner.calibrate(nlp, again)  # with calibrated confidences, which would be kept
    nlp.to_disk(tmp_path)
    for copy in (spacy.load(tmp_path), copy_of(nlp)):
        assert copy.get_pipe(NER).cfg["calibration"] == pytest.approx([slope, offset])
        doc, other = nlp(examples[5].text), copy(examples[5].text)
        assert entities(other, key) == entities(doc, key)
        for a, b in zip(*((d.spans[key] if key else d.ents) for d in (doc, other))):
            assert a._.confidence == pytest.approx(b._.confidence)
    nlp.initialize(lambda: examples_of(nlp, key))
    assert ner.cfg["calibration"] is None


def test_what_cannot_be_calibrated(cnn):
    ner = cnn.get_pipe(NER)
    with pytest.raises(ValueError, match=r"predicted entities \(8\) 8 are correct"):
        ner.calibrate(cnn, examples_of(cnn))
    wrong = make_docs(cnn.vocab)
    for doc in wrong:
        doc.ents = []
    with pytest.raises(ValueError, match=r"predicted entities \(8\) 0 are correct"):
        ner.calibrate(cnn, [as_example(doc) for doc in wrong])
    blank = [as_example(without_entities(doc)) for doc in wrong]
    with pytest.raises(ValueError, match=r"predicted entities \(0\) 0 are correct"):
        ner.calibrate(cnn, blank)  # missing annotation judges nothing
    assert ner.cfg["calibration"] is None
    silent = make_wild(confidence=False)
    with pytest.raises(ValueError, match=r"'pretrained_ner' keeps no confidence"):
        silent.get_pipe(NER).calibrate(silent, examples_of(silent))


def test_entities_by_hand_are_not_calibrated_on():
    nlp = make_wild()
    doc = nlp.make_doc("Ada sees the old river")
    doc.ents = [Span(doc, 0, 5, label="PERSON")]
    example = Example(doc, make_doc(nlp.vocab, "Ada/PERSON sees the old river"))
    nlp(doc)
    assert nlp.get_pipe(NER).outcomes(example) == []


# In a pipeline


@pytest.mark.slow
def test_each_component_learns_what_is_annotated_for_it(tiny_bert):
    """Treebank Docs without entities and entity Docs without trees, in the same batches."""
    nlp = make_nlp(tiny_bert, TAGGER, PARSER, NER)
    treebank = [make_reference(nlp.vocab, numbers) for numbers in ([0, 1], [1, 3])]
    for doc in treebank:
        doc.set_ents([], default="missing")
    named = make_docs(nlp.vocab)
    examples = [as_example(doc) for pair in zip(named, treebank * 2) for doc in pair]
    examples += [as_example(doc) for doc in named[4:]]
    losses = train(nlp, examples, 40)
    for name in (TAGGER, PARSER, NER):
        assert losses[-1][name] < 0.2 * losses[0][name]
    scores = nlp.evaluate(examples)
    assert scores["ents_f"] > 0.9 and scores["tag_acc"] > 0.9 and scores["dep_uas"] > 0.9
    doc = nlp(as_blank(treebank[0]))
    assert doc[0].ent_iob_ and doc[0].tag_ and doc.has_annotation("DEP")
    # A batch of one kind alone trains the encoder all the same.
    for part in (treebank, named):
        step = nlp.update([as_example(doc) for doc in part], sgd=fast_optimizer())
        assert (step[NER] > 0) == (part is named) and (step[PARSER] > 0) == (part is treebank)


@pytest.mark.slow
def test_beside_stock_components(tiny_bert, tmp_path):
    lemmatizer = {"@architectures": "spacy.Tagger.v2", "tok2vec": LISTENER}
    nlp = make_nlp(
        tiny_bert, NER, ("trainable_lemmatizer", {"model": lemmatizer, "min_tree_freq": 1})
    )
    examples = make_examples(nlp)
    losses = train(nlp, examples, 40)
    assert losses[-1][NER] < 0.1 * losses[0][NER]
    doc = nlp(as_blank(examples[0].reference))
    assert entities(doc) == entities(examples[0].reference)
    assert [token.lemma_ for token in doc] == [t.lemma_ for t in examples[0].reference]
    nlp.to_disk(tmp_path)
    assert annotations(spacy.load(tmp_path)(as_blank(doc))) == annotations(doc)


def test_a_ruler_before_it_and_merging_behind_it(cnn, tmp_path):
    cnn.to_disk(tmp_path)
    nlp = spacy.load(tmp_path)
    ruler = nlp.add_pipe("entity_ruler", before=NER)
    ruler.add_patterns([{"label": "WATER", "pattern": "old river", "id": "r1"}])
    reference = make_docs(nlp.vocab)[0]  # Ada Lovelace sees the old river .
    doc = nlp(as_blank(reference))
    assert entities(doc) == [(0, 2, "PERSON"), (4, 6, "WATER")]
    assert doc.ents[1].id_ == "r1" and doc.ents[1]._.confidence is None
    sure = doc.ents[0]._.confidence
    nlp.add_pipe("merge_entities")
    doc = nlp(as_blank(reference))
    assert [token.text for token in doc] == ["Ada Lovelace", "sees", "the", "old river", "."]
    assert entities(doc) == [(0, 1, "PERSON"), (3, 4, "WATER")]
    assert confidences(doc) == [pytest.approx(sure, abs=1e-4), None]


def test_docs_are_stored(wild):
    docs = list(wild.pipe(["Ada sees the old river.", "", " \n", *random_texts(10)]))
    again = list(DocBin().from_bytes(DocBin(docs=docs).to_bytes()).get_docs(wild.vocab))
    assert [entities(doc) for doc in again] == [entities(doc) for doc in docs]
    assert any(entities(doc) for doc in docs)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        examples = [Example(as_blank(doc), doc) for doc in again]  # silver data
        wild.evaluate(examples)


def test_two_recognizers():
    nlp = make_cnn_ner()
    nlp.add_pipe(NER, name="spans", config={"model": {"tok2vec": CNN}, "spans_key": "sc"})
    docs, groups = make_docs(nlp.vocab), make_docs(nlp.vocab, "sc")
    examples = [as_example(doc) for doc in docs + groups]
    losses = train(nlp, examples, 50)
    assert losses[-1][NER] < 0.1 * losses[0][NER] and losses[-1]["spans"] > 0
    for doc in docs:
        both = nlp(as_blank(doc))
        assert entities(both) == entities(both, "sc") == entities(doc)
        for name, spans in ((NER, both.ents), ("spans", both.spans["sc"])):
            assert all(confidence(span, name) > 0 for span in spans)
        # Where there are two numbers for one, a span does not know which is meant.
        for span in both.ents:
            numbers = {confidence(span, name) for name in (NER, "spans")}
            assert span._.confidence == (None if len(numbers) > 1 else numbers.pop())
        for name, pipe in nlp.pipeline:
            alone = pipe(as_blank(doc))
            found = alone.spans["sc"] if name == "spans" else alone.ents
            for span, same in zip(found, both.ents, strict=True):
                assert span._.confidence == pytest.approx(confidence(same, name), abs=1e-4)
    scores = nlp.evaluate(examples)
    assert scores["ents_f"] == scores["spans_sc_f"] == 1


def test_what_it_says_of_itself(cnn):
    meta = cnn.get_pipe_meta(NER)
    assert {"doc.ents", "token.ent_iob", "token.ent_type"} <= set(meta.assigns)
    assert meta.default_score_weights["ents_f"] == 1
    assert cnn.analyze_pipes()["problems"] == {NER: []}
    assert cnn.meta["labels"] == {NER: ["GPE", "PERSON"]}
    assert cnn.pipe_labels == {NER: ["GPE", "PERSON"]}
    assert cnn.get_pipe(NER).is_trainable


def test_entities_that_do_not_fit_are_counted(caplog):
    nlp = spacy.blank("xx")
    architecture = {"@architectures": "spacy-pretrained.Ner.v1", "tok2vec": CNN}
    ner = nlp.add_pipe(NER, config={"model": architecture})
    words = ["Ada", "\n", "likes", "New-York", "a", "lot", "."]
    spaces = [False, False, True, True, True, False, False]
    tags = ["B-PER", "I-PER", "O", "B-LOC", "O", "O", "O"]
    reference = Doc(nlp.vocab, words=words, spaces=spaces, ents=tags)
    # "New-York a" is one token here: the entity is only a part of it.
    coarser = Doc(
        nlp.vocab,
        words=["Ada", "\n", "likes", "New-York a", "lot", "."],
        spaces=[False, False, True, True, False, False],
    )
    with caplog.at_level("WARNING", logger="spacy"):
        ner.initialize(lambda: [Example(coarser, reference)])
    assert "learns from: 2. Of 1, white space" in caplog.text
    assert "or are only white space: 1." in caplog.text
    caplog.clear()
    ner.initialize(lambda: make_examples(nlp))
    assert not caplog.records


def test_the_entities_of_each_doc_are_read_once(monkeypatch):
    """Given labels too: what does not fit is counted all the same."""
    from spacy_pretrained.ner import gold as ner_gold

    nlp, n_read = make_cnn_ner(), []
    examples = examples_of(nlp)
    read = ner_gold.read_entities
    monkeypatch.setattr(ner_gold, "read_entities", lambda *args: n_read.append(1) or read(*args))
    for labels in (None, ["GPE", "PERSON"]):
        n_read.clear()
        nlp.get_pipe(NER).initialize(lambda: examples, labels=labels)
        assert nlp.get_pipe(NER).labels == ("GPE", "PERSON")
        assert len(n_read) == len(examples)


@pytest.mark.parametrize("key", [None, "sc"])
def test_predictions_that_are_set_twice_are_there_once(key):
    nlp = trained_cnn(spans_key=key)
    doc = nlp.make_doc("Ada Lovelace sees the old river .")
    predictions = nlp.get_pipe(NER).predict([doc])
    assert len(predictions[0][0].starts)
    found = []
    for _ in range(2):
        nlp.get_pipe(NER).set_annotations([doc], predictions)
        spans = doc.spans[key] if key else doc.ents
        found.append([(span.start, span.end, span.label_, confidence(span)) for span in spans])
    assert found[0] == found[1] and found[0][0][3] is not None


def test_a_group_that_nothing_is_added_to_keeps_its_attrs():
    nlp = trained_cnn(spans_key="sc")
    doc = nlp.make_doc("Ada Lovelace")
    doc.spans["sc"] = SpanGroup(
        doc, name="sc", spans=[Span(doc, 0, 2, "NAME")], attrs={"scores": [0.6]}
    )
    (span,) = nlp(doc).spans["sc"]
    assert span.label_ == "NAME" and doc.spans["sc"].attrs == {"scores": [0.6]}


def test_spans_without_a_label_are_told_of():
    nlp = spacy.blank("xx")
    nlp.add_pipe(NER, config={"model": {"tok2vec": CNN}, "spans_key": "sc"})
    doc = nlp.make_doc("Ada sleeps")
    doc.spans["sc"] = [Span(doc, 0, 1)]
    with pytest.raises(ValueError, match="A label of 'pretrained_ner' has to be"):
        nlp.initialize(lambda: [Example(nlp.make_doc(doc.text), doc)])
