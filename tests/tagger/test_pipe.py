"""pipes/tagger.py: it learns what it is shown, all of it and nothing else, and is saved whole."""

import multiprocessing

import numpy as np
import pytest
import spacy
from hard_texts import HARD_TEXTS
from spacy.tokens import Doc, DocBin, Token
from spacy.training import Example
from spacy.util import fix_random_seed
from tiny_pipelines import (
    CNN,
    DOCUMENTS,
    as_blank,
    as_example,
    fast_optimizer,
    make_examples,
    make_nlp,
    make_reference,
    train,
)

TAGGER = "pretrained_tagger"
ATTRIBUTES = ("tag", "pos", "morph")


@pytest.fixture(autouse=True)
def seed():
    fix_random_seed(0)


def make_tagger(source: str, **config):
    """A pipeline with a frozen backbone: its vectors are quick to learn from."""
    return make_nlp(source, (TAGGER, config), frozen=True, dropout=0.0)


@pytest.fixture(scope="module")
def trained(tiny_bert):
    fix_random_seed(0)
    nlp = make_tagger(tiny_bert, confidence=True)
    train(nlp, make_examples(nlp), 60)
    return nlp


def tags(doc: Doc) -> list[tuple]:
    return [(token.tag_, token.pos_, str(token.morph)) for token in doc]


# Learning


@pytest.mark.parametrize("kind", ["bert", "roberta", "xlm-r"])
def test_overfit_save_reload(tiny_source, tmp_path, kind):
    nlp = make_tagger(tiny_source(kind))
    examples = make_examples(nlp)
    losses = train(nlp, examples, 100)
    assert losses[-1][TAGGER] < 0.05 * losses[0][TAGGER]
    docs = [make_reference(nlp.vocab, numbers) for numbers in DOCUMENTS]
    for doc in docs:
        assert tags(nlp(as_blank(doc))) == tags(doc)
    scores = nlp.evaluate(examples)
    assert scores["tag_acc"] == scores["pos_acc"] == scores["morph_acc"] == 1
    assert scores["morph_per_feat"]["Number"]["f"] == 1
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    for doc in docs:
        assert tags(loaded(as_blank(doc))) == tags(doc)


def test_a_doc_alone_and_in_a_batch(trained):
    docs = [make_reference(trained.vocab, numbers) for numbers in [*DOCUMENTS, []]]
    alone = [tags(trained(as_blank(doc))) for doc in docs]
    for batch_size in (1, 2, 10):
        batch = trained.pipe((as_blank(doc) for doc in docs), batch_size=batch_size)
        assert [tags(doc) for doc in batch] == alone


def test_rows_are_scored_in_parts(trained, monkeypatch):
    from spacy_pretrained.tagger import pipe as tagger

    text = "Ada sees the old river. Robots never sleep!"
    expected = trained(text)
    monkeypatch.setattr(tagger, "ROWS_AT_ONCE", 2)
    doc = trained(text)
    assert tags(doc) == tags(expected)
    for one, other in zip(doc, expected):
        assert one._.tag_confidence == pytest.approx(other._.tag_confidence, abs=1e-5)


def test_an_attribute_alone(tiny_bert):
    for attribute in ATTRIBUTES:
        nlp = make_tagger(tiny_bert, attributes=[attribute])
        train(nlp, make_examples(nlp), 10)
        assert list(nlp.get_pipe(TAGGER).label_data) == [attribute]
        doc = nlp("Ada sees")
        assert [doc.has_annotation(a.upper()) for a in ATTRIBUTES] == [
            a == attribute for a in ATTRIBUTES
        ]
        assert f"{attribute}_acc" in nlp.evaluate(make_examples(nlp))


def test_what_the_examples_lack_is_left_out(tiny_bert, caplog):
    nlp = make_tagger(tiny_bert)
    words = ["Ada", "sees", "Bob"]
    examples = [as_example(Doc(nlp.vocab, words=words, pos=["PROPN", "VERB", "PROPN"]))]
    with caplog.at_level("INFO", "spacy"):
        nlp.initialize(lambda: examples)
    assert "no 'tag'; left out" in caplog.text and "no 'morph'; left out" in caplog.text
    assert nlp.get_pipe(TAGGER).label_data == {"pos": ["PROPN", "VERB"]}
    nlp.update(examples, sgd=fast_optimizer())
    scores = nlp.evaluate(examples)
    assert "pos_acc" in scores and "tag_acc" not in scores and "morph_acc" not in scores
    doc = nlp("Ada sees")
    assert not doc.has_annotation("TAG") and doc.has_annotation("POS")


# Labels


def test_no_labels(tiny_bert):
    nlp = make_tagger(tiny_bert)
    with pytest.raises(ValueError, match=r"No labels for component 'pretrained_tagger'.*tag, pos"):
        nlp.initialize(lambda: [as_example(Doc(nlp.vocab, words=["a"]))])
    with pytest.raises(ValueError, match="no labels yet"):
        nlp("a")


def test_an_unknown_attribute(tiny_bert):
    with pytest.raises(ValueError, match=r"'lemma' is not an attribute.*tag, pos, morph"):
        make_tagger(tiny_bert, attributes=["tag", "lemma"])


def test_no_attributes(tiny_bert):
    with pytest.raises(ValueError, match=r"attributes = \[\].*tag, pos, morph"):
        make_tagger(tiny_bert, attributes=[])


def test_an_unknown_label(trained):
    words = ["Ada", "sees"]
    for annotation, name in (({"tags": ["NNP", "NEW"]}, "tag=NEW"), ({"pos": ["X", "X"]}, "pos=X")):
        example = as_example(Doc(trained.vocab, words=words, **annotation))
        with pytest.raises(ValueError, match=f"met the label '{name}'"):
            trained.update([example], sgd=False)


def test_labels_are_given(tiny_bert, tmp_path):
    """As `spacy init labels` writes them and `initialize` reads them."""
    import srsly

    nlp = make_tagger(tiny_bert)
    nlp.initialize(lambda: make_examples(nlp))
    labels = nlp.get_pipe(TAGGER).label_data
    assert set(labels) == set(ATTRIBUTES)
    assert labels["pos"] == sorted({t.pos_ for eg in make_examples(nlp) for t in eg.reference})
    srsly.write_json(tmp_path / "labels.json", labels)
    again = make_tagger(tiny_bert)
    again.config["initialize"]["components"][TAGGER] = {
        "labels": {"@readers": "spacy.read_labels.v1", "path": str(tmp_path / "labels.json")}
    }
    again.initialize(lambda: make_examples(again, [[2]]))  # has few of them
    assert again.get_pipe(TAGGER).label_data == labels
    assert again.get_pipe(TAGGER).labels == nlp.get_pipe(TAGGER).labels
    assert again.get_pipe(TAGGER).labels[0].startswith("tag=")
    again.update(make_examples(again), sgd=fast_optimizer())
    again.config["initialize"]["components"][TAGGER] = {"labels": {"lemma": ["a"]}}
    with pytest.raises(ValueError, match=r"labels given.*'lemma'"):
        again.initialize(lambda: make_examples(again))


# Partial annotation


def gradient_of(nlp, examples) -> dict[str, np.ndarray]:
    """The gradients of the scores, a column group for each attribute."""
    tagger = nlp.get_pipe(TAGGER)
    docs = [nlp.get_pipe("pretrained_encoder")(as_blank(eg.reference)) for eg in examples]
    scores = tagger.model.predict(docs)
    assert scores.any()
    loss, gradient = tagger.get_loss(examples, scores)
    assert loss >= 0
    return dict(zip(tagger.label_data, tagger._split(gradient)))


def test_missing_annotation_has_no_gradient(trained):
    words = ["Ada", "sees", "the", "old", "river", "."]
    reference = Doc(
        trained.vocab,
        words=words,
        tags=["NNP", "", "DT", "", "NN", ""],
        pos=["", "VERB", "DET", "", "", ""],
        morphs=["Number=Sing", "", "", "", "", ""],
    )
    for i in (1, 2, 3):
        reference[i].set_morph(None)
    gradients = gradient_of(trained, [as_example(reference)])
    known = {
        "tag": [True, False, True, False, True, False],
        "pos": [False, True, True, False, False, False],
        "morph": [True, False, False, False, True, True],  # "no features" is annotation
    }
    for attribute, rows in known.items():
        assert gradients[attribute].any(axis=1).tolist() == rows, attribute


def test_annotation_beside_missing_one_counts_in_full(trained):
    """The gradient of what is there does not depend on what is not."""
    full, partial = (make_reference(trained.vocab, [1]) for _ in range(2))
    partial[2].tag_ = ""
    whole, part = (gradient_of(trained, [as_example(doc)]) for doc in (full, partial))
    np.testing.assert_array_equal(np.delete(whole["tag"], 2, 0), np.delete(part["tag"], 2, 0))
    assert whole["tag"][2].any() and not part["tag"][2].any()
    np.testing.assert_array_equal(whole["pos"], part["pos"])


def test_tokens_of_another_tokenizer(trained):
    reference = make_reference(trained.vocab, [1])  # Ada sees the old river .
    predicted = Doc(trained.vocab, words=["Ada", "sees", "theold", "ri", "ver", "."])
    example = Example(predicted, reference)
    tagger = trained.get_pipe(TAGGER)
    scores = tagger.model.predict([trained.get_pipe("pretrained_encoder")(as_blank(predicted))])
    _, gradient = tagger.get_loss([example], scores)
    assert gradient.any(axis=1).tolist() == [True, True, False, False, False, True]


def test_the_gradient_is_that_of_the_loss(trained):
    examples = [as_example(make_reference(trained.vocab, [1]))]
    tagger = trained.get_pipe(TAGGER)
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(6, len(tagger.labels)))
    direction = rng.normal(size=scores.shape)
    _, gradient = tagger.get_loss(examples, scores)
    high, _ = tagger.get_loss(examples, scores + 1e-5 * direction)
    low, _ = tagger.get_loss(examples, scores - 1e-5 * direction)
    assert (gradient * direction).sum() == pytest.approx((high - low) / 2e-5, rel=1e-6)


def test_diverged_training_stops(tiny_bert):
    nlp = make_tagger(tiny_bert)
    nlp.initialize(lambda: make_examples(nlp))
    output = nlp.get_pipe(TAGGER).model.get_ref("output")
    output.set_param("b", np.full_like(output.get_param("b"), np.nan))
    with pytest.raises(ValueError, match="loss of 'pretrained_tagger' is nan"):
        nlp.update(make_examples(nlp), sgd=fast_optimizer())


@pytest.mark.parametrize("label", ["noun", "NN", "N"])
def test_a_part_of_speech_that_there_is_not(label):
    nlp = spacy.blank("xx")
    tagger = nlp.add_pipe(TAGGER, config={"model": {"tok2vec": CNN}})
    message = f"'{label}', which '{TAGGER}' was given as a label of 'pos'.* ADJ, .*NOUN"
    with pytest.raises(ValueError, match=message):
        tagger.add_label(f"pos={label}")
    with pytest.raises(ValueError, match=message):
        tagger.initialize(lambda: make_examples(nlp), labels={"pos": ["NOUN", label]})
    assert tagger.labels == ()
    assert [tagger.add_label(f"pos={name}") for name in ("NOUN", "X", "CONJ")] == [1, 1, 1]


def test_features_are_labels_in_any_order():
    nlp = spacy.blank("xx")
    tagger = nlp.add_pipe(TAGGER, config={"model": {"tok2vec": CNN}})
    assert tagger.add_label("morph=Number=Sing|Case=Nom") == 1
    assert tagger.add_label("morph=Case=Nom|Number=Sing") == 0
    assert tagger.labels == ("morph=Case=Nom|Number=Sing",)
    examples = make_examples(nlp)
    for token in examples[0].reference:
        token.set_morph("Number=Sing|Case=Nom")
    labels = {"morph": ["Number=Sing|Case=Nom", "Case=Nom|Number=Sing", "_"]}
    nlp.initialize(lambda: examples[:1])
    tagger.initialize(lambda: examples[:1], labels=labels)
    assert tagger.label_data == {"morph": ["Case=Nom|Number=Sing", "_"]}
    nlp.update(examples[:1])
    for label in ("morph=Singular", "morph=Number=Sing|Case"):
        with pytest.raises(ValueError, match=r"is no list of features. Write .*Case=Nom"):
            tagger.add_label(label)
        assert label not in tagger.labels


# What is predicted


def test_white_space(trained):
    doc = trained(" Ada \n sees \n\n")
    spaces = [token for token in doc if token.is_space]
    assert len(spaces) == 3
    for token in spaces:
        assert (token.tag_, token.pos_, str(token.morph)) == ("_SP", "SPACE", "")
        assert token._.tag_confidence == token._.pos_confidence == 1
        assert token.has_morph()
    assert all(token.tag_ != "_SP" for token in doc if not token.is_space)
    assert tags(trained("\n")) == [("_SP", "SPACE", "")]


def test_hard_texts(trained):
    docs = list(trained.pipe(HARD_TEXTS))
    for doc, text in zip(docs, HARD_TEXTS):
        assert doc.text == text
        assert all(token.tag_ and token.pos_ and token.has_morph() for token in doc)
        assert tags(trained(text)) == tags(doc)


def test_overwrite(trained, tmp_path):
    trained.to_disk(tmp_path)
    keeps = spacy.load(tmp_path, config={"components": {TAGGER: {"overwrite": False}}})
    words = ["Ada", "sees", "the", "\n", "river"]
    given = {"tags": ["", "X", "", "", ""], "pos": ["SYM", "", "", "", ""]}
    given["morphs"] = ["", "", "Gender=Fem", "", ""]
    predicted = trained(Doc(trained.vocab, words=words))
    fresh, doc = (nlp(Doc(nlp.vocab, words=words, **given)) for nlp in (trained, keeps))
    assert tags(fresh) == tags(predicted)
    assert doc[1].tag_ == "X" and doc[0].pos_ == "SYM" and str(doc[2].morph) == "Gender=Fem"
    assert doc[0].tag_ == predicted[0].tag_ and doc[1].pos_ == predicted[1].pos_
    assert doc[3].tag_ == "_SP" and doc[3].pos_ == "SPACE"


def test_what_was_kept_has_no_confidence(tiny_bert):
    config = {"overwrite": False, "confidence": True}
    nlp = make_nlp(tiny_bert, (TAGGER, config))
    nlp.initialize(lambda: make_examples(nlp))
    doc = nlp(Doc(nlp.vocab, words=["Ada", "sees"], tags=["X", ""]))
    assert doc[0].tag_ == "X" and doc[0]._.tag_confidence is None
    assert doc[0]._.pos_confidence > 0 and doc[1]._.tag_confidence > 0


@pytest.mark.usefixtures("needs_torch")  # the stand-in is too sure of itself
def test_confidence(trained, tmp_path):
    doc = trained("Ada sees the old\n river!")
    kinds = [f"{attribute}_confidence" for attribute in ATTRIBUTES]
    values = np.array([[token._.get(kind) for kind in kinds] for token in doc])
    assert ((values >= 0) & (values <= 1)).all() and len(np.unique(values)) > 5
    assert values[[token.is_space for token in doc]].tolist() == [[1, 1, 1]]
    known = trained(as_blank(make_reference(trained.vocab, [1])))
    assert all(token._.tag_confidence > 0.7 for token in known)  # seen in training

    assert Doc(trained.vocab, words=["a"])[0]._.tag_confidence is None  # nothing predicted
    copies = [Doc(trained.vocab).from_bytes(doc.to_bytes()), doc.copy()]
    stored = DocBin(store_user_data=True, docs=[doc]).to_bytes()
    copies += DocBin().from_bytes(stored).get_docs(trained.vocab)
    copies += trained.pipe([doc.text], n_process=2)
    for copy in copies:
        again = [[token._.get(kind) for kind in kinds] for token in copy]
        np.testing.assert_allclose(again, values, atol=1e-5)
    assert len(trained("")) == 0


@pytest.mark.slow
@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_confidence_from_other_processes(trained, tmp_path, monkeypatch, method):
    monkeypatch.setattr("spacy.language.mp", multiprocessing.get_context(method))
    trained.to_disk(tmp_path)
    config = {"components": {TAGGER: {"confidence": True}}}
    nlp = spacy.load(tmp_path, config=config)
    texts = ["Ada sees the old river", "Robots never sleep"]
    for doc, other in zip(nlp.pipe(texts, n_process=2), map(nlp, texts), strict=True):
        for kind in (f"{attribute}_confidence" for attribute in ATTRIBUTES):
            expected = [token._.get(kind) for token in other]
            assert [token._.get(kind) for token in doc] == pytest.approx(expected, abs=1e-5)


def test_without_confidence_nothing_is_stored(tiny_bert):
    nlp = make_tagger(tiny_bert)
    nlp.initialize(lambda: make_examples(nlp))
    assert not nlp("Ada sees").user_data


def test_confidence_is_the_probability(trained):
    doc = trained.make_doc("Ada sees")
    doc = trained.get_pipe("pretrained_encoder")(doc)
    tagger = trained.get_pipe(TAGGER)
    scores = tagger._split(tagger.model.predict([doc]))[1]
    expected = (np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)).max(axis=1)
    doc = tagger(doc)
    np.testing.assert_allclose([token._.pos_confidence for token in doc], expected, rtol=1e-4)
    assert Token.has_extension("pos_confidence")


@pytest.mark.parametrize("confidence", [True, False])
def test_a_second_tagger_leaves_confidences_of_what_it_keeps(tiny_bert, confidence):
    first = (TAGGER, {"confidence": True})
    nlp = make_nlp(tiny_bert, first)
    config = {"overwrite": False, "confidence": confidence}
    nlp.add_pipe(TAGGER, "second", config=config)
    nlp.initialize(lambda: make_examples(nlp))
    doc = nlp("Ada sees")
    with nlp.select_pipes(disable=["second"]):
        alone = nlp("Ada sees")
    assert alone[0]._.tag_confidence is not None
    for kind in ("tag_confidence", "pos_confidence", "morph_confidence"):
        assert [token._.get(kind) for token in doc] == [token._.get(kind) for token in alone]
