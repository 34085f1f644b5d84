"""lemmatizer/pipe.py: it gives the lemmas that it was shown, makes those of other words, and is
saved whole."""

import numpy as np
import pytest
import spacy
import srsly
from hard_texts import HARD_TEXTS
from numeric_gradient import differences
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from spacy.util import fix_random_seed
from tiny_pipelines import (
    DOCUMENTS,
    as_blank,
    as_example,
    fast_optimizer,
    make_examples,
    make_nlp,
    make_reference,
    train,
)

from spacy_pretrained.lemmatizer.pipe import TABLE_FILE
from spacy_pretrained.saving.checked_pipe import write_checksums

TAGGER, LEMMATIZER = "pretrained_tagger", "pretrained_lemmatizer"
SETTINGS = {"min_forms": 1, "confidence": True, "model": {"hidden_width": 16, "embed_width": 8}}


@pytest.fixture(autouse=True)
def seed():
    fix_random_seed(0)


def make_lemmatizer(source: str, **config):
    settings = SETTINGS | config
    return make_nlp(source, TAGGER, (LEMMATIZER, settings), frozen=True, dropout=0.0)


@pytest.fixture(scope="module")
def trained(tiny_bert):
    fix_random_seed(0)
    nlp = make_lemmatizer(tiny_bert)
    train(nlp, make_examples(nlp), 60)
    return nlp


@pytest.fixture
def fresh(trained):
    """A copy that a test may change."""
    nlp = spacy.util.load_model_from_config(trained.config, auto_fill=True)
    return nlp.from_bytes(trained.to_bytes())


def lemmas(doc: Doc) -> list[str]:
    return [token.lemma_ for token in doc]


def references(nlp) -> list[Doc]:
    return [make_reference(nlp.vocab, numbers) for numbers in DOCUMENTS]


def forget_words(nlp) -> None:
    """Leave the table empty: trees alone are left."""
    from spacy_pretrained.lemmatizer.lemma_table import LemmaTable

    nlp.get_pipe(LEMMATIZER).table = LemmaTable()


# Learning


def test_overfit_save_reload(tiny_bert, tmp_path):
    nlp = make_lemmatizer(tiny_bert)
    examples = make_examples(nlp)
    losses = train(nlp, examples, 60)
    assert losses[-1][LEMMATIZER] < 0.05 * losses[0][LEMMATIZER]
    assert nlp.evaluate(examples)["lemma_acc"] == 1
    nlp.to_disk(tmp_path)
    for loaded in (spacy.load(tmp_path), spacy.blank(nlp.lang).from_config(nlp.config)):
        if not loaded.get_pipe(LEMMATIZER).labels:
            loaded.from_bytes(nlp.to_bytes())
        for doc in references(nlp):
            assert lemmas(loaded(as_blank(doc))) == lemmas(doc)


def test_lemmas_are_known_without_the_vocab(trained, tmp_path):
    trained.to_disk(tmp_path)
    loaded = spacy.load(tmp_path, exclude=["vocab"])
    for doc in references(trained):
        blank = Doc(loaded.vocab, words=[token.text for token in doc])
        assert lemmas(loaded(blank)) == lemmas(doc)


def test_lemmas_in_lowercase_are_known_without_the_vocab(fresh, tmp_path):
    """Of words that the table has in another letter case alone."""
    reference = Doc(fresh.vocab, words=["Mice"], tags=["NNP"], lemmas=["Mouse"])
    fresh.update([as_example(reference)], sgd=fast_optimizer())
    fresh.to_disk(tmp_path)
    loaded = spacy.load(tmp_path, exclude=["vocab"])
    with loaded.select_pipes(disable=[TAGGER]):
        doc = loaded(Doc(loaded.vocab, words=["MICE"], tags=["NNP"]))
    assert doc[0].lemma_.lower() == "mouse"


def test_trees_alone_learn_them_too(fresh):
    forget_words(fresh)
    for doc in references(fresh):
        assert lemmas(fresh(as_blank(doc))) == lemmas(doc)


def test_unknown_words_get_their_lemma_from_trees(fresh):
    with fresh.select_pipes(disable=[TAGGER]):
        (doc,) = fresh.pipe([Doc(fresh.vocab, words=["robots"], tags=["NNS"])])
    assert lemmas(doc) == ["robot"]  # "Robots" is known
    pipe = fresh.get_pipe(LEMMATIZER)
    assert (
        pipe._apply_best(np.eye(len(pipe.labels))[pipe.trees.find("ws", "w")], "cows")[0] == "cow"
    )


def test_the_best_tree_that_applies(trained):
    """Equal scores: the tree with the lowest number."""
    pipe = trained.get_pipe(LEMMATIZER)
    plural = pipe.trees.find("robots", "robot")
    probabilities = np.full(len(pipe.labels), 0.1)
    assert pipe._apply_best(probabilities, "robots") == ("robots", 0)
    probabilities[plural] = 0.5
    assert pipe._apply_best(probabilities, "robots") == ("robot", plural)
    assert pipe._apply_best(probabilities, "ox") == ("ox", 0)  # no tree but one applies


def test_no_docs_have_no_lemmas(trained):
    pipe = trained.get_pipe(LEMMATIZER)
    found = pipe.predict([])
    assert not len(found.lemmas) and not len(found.confidence) and not found.new
    pipe.set_annotations([], found)


def test_a_table_that_cannot_be_read_is_named(trained, tmp_path):
    """If its checksum is that of what is there; others are refused by that alone."""
    trained.to_disk(tmp_path)
    folder = tmp_path / LEMMATIZER
    for content in (b"", b"\xc1", srsly.msgpack_dumps({"form": [1]})):
        (folder / TABLE_FILE).write_bytes(content)
        write_checksums(folder)
        with pytest.raises(ValueError, match=rf"(?s){TABLE_FILE}'.*{LEMMATIZER}"):
            spacy.load(tmp_path)


def test_known_words_are_not_scored(trained, monkeypatch):
    scores = trained.get_pipe(LEMMATIZER).model.get_ref("scores")
    seen = []
    monkeypatch.setattr(scores, "_func", lambda *args: seen.append(args) or 1 / 0)
    for doc in references(trained):
        assert lemmas(trained(as_blank(doc))) == lemmas(doc)
    assert not seen


def test_a_doc_alone_and_in_a_batch(fresh):
    for forget in (lambda nlp: None, forget_words):
        forget(fresh)
        docs = [*references(fresh), Doc(fresh.vocab), Doc(fresh.vocab, words=["\n", "oxen", "😀"])]
        alone = [lemmas(fresh(as_blank(doc))) for doc in docs]
        for batch_size in (1, 2, 10):
            batch = fresh.pipe((as_blank(doc) for doc in docs), batch_size=batch_size)
            assert [lemmas(doc) for doc in batch] == alone


def test_hard_texts(fresh):
    for forget in (lambda nlp: None, forget_words):
        forget(fresh)
        docs = list(fresh.pipe(HARD_TEXTS))
        for doc, text in zip(docs, HARD_TEXTS):
            assert all(lemmas(doc)) and lemmas(fresh(text)) == lemmas(doc)
            assert all(t.lemma_ == t.text for t in doc if t.is_space)
            assert all(0 < t._.lemma_confidence <= 1 for t in doc)


# A tagger stands before it


def test_no_tagger(tiny_bert):
    nlp = make_nlp(tiny_bert, (LEMMATIZER, SETTINGS))
    with pytest.raises(ValueError, match=r"needs tags, but no component before it"):
        nlp.initialize(lambda: make_examples(nlp))
    nlp.add_pipe(TAGGER)  # behind it
    with pytest.raises(
        ValueError, match=r"pretrained_encoder, pretrained_lemmatizer, pretrained_t"
    ):
        nlp.initialize(lambda: make_examples(nlp))


def test_a_corpus_without_tags_or_lemmas(tiny_bert):
    nlp = make_lemmatizer(tiny_bert)
    no_tags = as_example(Doc(nlp.vocab, words=["Dogs"], lemmas=["dog"]))
    no_lemmas = as_example(Doc(nlp.vocab, words=["Dogs"], tags=["NNS"]))
    with nlp.select_pipes(disable=[TAGGER]):
        with pytest.raises(ValueError, match="no token with both a lemma and a tag"):
            nlp.initialize(lambda: [no_tags])
        with pytest.raises(ValueError, match=r"No labels for component.*lemmas"):
            nlp.initialize(lambda: [no_lemmas])
        with pytest.raises(ValueError, match=r"No labels for component.*lemmas"):
            nlp.get_pipe(LEMMATIZER).initialize(lambda: iter([]), nlp=nlp)
    with pytest.raises(ValueError, match="no labels yet"):
        nlp.get_pipe(LEMMATIZER)(Doc(nlp.vocab, words=["Dogs"]))


def test_parts_of_speech_where_there_are_no_tags(tiny_bert):
    nlp = make_lemmatizer(tiny_bert)
    examples = make_examples(nlp)
    for example in examples:
        for token in example.reference:
            token.tag = 0
    train(nlp, examples, 30)
    assert nlp.get_pipe(LEMMATIZER).cfg["attribute"] == "pos"
    assert nlp.evaluate(examples)["lemma_acc"] == 1


@pytest.mark.parametrize(("tagger", "attribute"), [("tagger", "tag"), ("morphologizer", "pos")])
def test_of_tags_and_parts_of_speech_it_takes_what_a_component_sets(tiny_bert, tagger, attribute):
    nlp = make_nlp(tiny_bert, tagger, (LEMMATIZER, SETTINGS))
    nlp.initialize(lambda: make_examples(nlp))
    assert nlp.get_pipe(LEMMATIZER).cfg["attribute"] == attribute


def test_training_says_whose_tags_it_learns_with(tiny_bert, caplog):
    nlp = make_lemmatizer(tiny_bert)
    with caplog.at_level("INFO", "spacy"):
        nlp.initialize(lambda: make_examples(nlp))
        assert "learns with gold tags" in caplog.text
        nlp.config["training"]["annotating_components"] = [TAGGER]
        nlp.initialize(lambda: make_examples(nlp))
        assert "the tags that 'pretrained_tagger' predicts" in caplog.text


def test_predicted_tags_come_before_gold_ones(trained):
    from spacy_pretrained.lemmatizer.gold import read_lemma_gold

    example = as_example(make_reference(trained.vocab, [1]))
    example.predicted[0].tag_ = "X"
    gold = read_lemma_gold([example], "tag", lambda *pair: (0, 0))
    found = [trained.vocab.strings[tag] for tag in gold.tags.tolist()]
    assert found == ["X", "VBZ", "DT", "JJ", "NN", "."]
    assert gold.entries["tag"][0] == example.reference[0].tag  # the table has gold ones


# Labels


def test_labels_are_given(trained, tiny_bert, tmp_path):
    """As `spacy init labels` writes them and `initialize` reads them."""
    labels = trained.get_pipe(LEMMATIZER).label_data
    assert ["Robots", "NNS", "Number=Plur", "robot", 2] in labels["table"]
    srsly.write_json(tmp_path / "labels.json", labels)
    again = make_lemmatizer(tiny_bert)
    settings = {"@readers": "spacy.read_labels.v1", "path": str(tmp_path / "labels.json")}
    again.config["initialize"]["components"][LEMMATIZER] = {"labels": settings}
    again.initialize(lambda: make_examples(again, [[2]]))  # has few of them
    pipe = again.get_pipe(LEMMATIZER)
    assert pipe.label_data == labels and pipe.labels == trained.get_pipe(LEMMATIZER).labels
    again.config["initialize"]["components"][LEMMATIZER] = {"labels": {"trees": []}}
    with pytest.raises(ValueError, match=r"labels given.*they have 'trees'"):
        again.initialize(lambda: make_examples(again))


def test_trees_of_few_forms_are_left_out(tiny_bert):
    nlp = make_lemmatizer(tiny_bert, min_forms=2)
    nlp.initialize(lambda: make_examples(nlp))
    assert set(nlp.get_pipe(LEMMATIZER).labels) == {"a\ta", "is\ti"}
    loss = nlp.update(make_examples(nlp), sgd=fast_optimizer())[LEMMATIZER]
    assert np.isfinite(loss)


def test_add_label(fresh):
    pipe = fresh.get_pipe(LEMMATIZER)
    before = [lemmas(fresh(text)) for text in HARD_TEXTS]
    assert pipe.add_label("Cats\tcat") == 0  # as "robots"
    assert pipe.add_label("oxen\tox") == 1 and "oxen\tox" in pipe.labels
    assert [lemmas(fresh(text)) for text in HARD_TEXTS] == before
    reference = Doc(
        fresh.vocab, words=["Oxen", "sleep"], tags=["NNS", "VBP"], lemmas=["ox", "sleep"]
    )
    optimizer = fast_optimizer()
    for _ in range(30):
        fresh.update([as_example(reference)], sgd=optimizer)
    forget_words(fresh)
    assert fresh(as_blank(reference))[0].lemma_ == "ox"
    for wrong in ("oxen", "\tox", "oxen\t", "", 3):
        with pytest.raises(ValueError, match=f"label of '{LEMMATIZER}' (is a form|has to be a)"):
            pipe.add_label(wrong)


# Training


def test_missing_annotation_has_no_gradient(trained):
    words = ["Ada", "sees", "the", "\n", "rivers", "."]
    known = ["ada", "", "the", "\n", "river", ""]
    reference = Doc(trained.vocab, words=words, tags=["X"] * 6, lemmas=known)
    _, gradient = loss_of(trained, [as_example(reference)])
    assert gradient.any(axis=1).tolist() == [True, False, True, False, True, False]
    nothing = as_example(Doc(trained.vocab, words=words))
    loss, gradient = loss_of(trained, [nothing])
    assert loss == 0 and not gradient.any()


def loss_of(nlp, examples):
    pipe = nlp.get_pipe(LEMMATIZER)
    docs = [nlp.get_pipe("pretrained_encoder")(as_blank(eg.reference)) for eg in examples]
    return pipe.get_loss(examples, pipe.model.get_ref("vectors").predict(docs))


@pytest.mark.slow
def test_the_gradient_is_that_of_the_loss(fresh):
    examples = [as_example(make_reference(fresh.vocab, [1]))]
    pipe = fresh.get_pipe(LEMMATIZER)
    for layer in pipe.model.get_ref("scores").walk():
        for name in layer.param_names:
            if layer.name != "hashembed":  # which computes in float32
                layer.set_param(name, layer.get_param(name).astype("float64"))
    vectors = np.random.default_rng(0).normal(size=(6, pipe.model.get_ref("vectors").get_dim("nO")))
    pipe.model.ops.alloc2f = lambda *shape: np.zeros(shape)
    try:
        _, gradient = pipe.get_loss(examples, vectors)
        expected = differences(lambda X: pipe.get_loss(examples, X)[0], vectors)
    finally:
        del pipe.model.ops.alloc2f
    np.testing.assert_allclose(gradient, expected, atol=1e-6)


def test_training_goes_on(fresh):
    """A word that the table lacks is in it after an update; known ones stay."""
    fresh.resume_training(sgd=fast_optimizer())
    reference = Doc(
        fresh.vocab, words=["Mice", "sleep"], tags=["NNS", "VBP"], lemmas=["mouse", "nap"]
    )
    size = len(fresh.get_pipe(LEMMATIZER).table)
    fresh.update([as_example(reference)], sgd=fast_optimizer())
    assert len(fresh.get_pipe(LEMMATIZER).table) == size + 2  # "sleep" without its features
    doc = Doc(fresh.vocab, words=["Mice", "sleep"], tags=["NNS", "VBP"])
    doc[1].set_morph("Tense=Pres")
    with fresh.select_pipes(disable=[TAGGER]):
        assert lemmas(fresh(doc)) == ["mouse", "sleep"]


def test_rehearsal_keeps_what_was_there(fresh):
    fresh.resume_training(sgd=fast_optimizer())
    pipe = fresh.get_pipe(LEMMATIZER)
    assert pipe.add_label("oxen\tox")
    texts = [Example(eg.predicted, as_blank(eg.predicted)) for eg in make_examples(fresh)]

    def distance() -> float:
        return fresh.rehearse(texts, losses={})[LEMMATIZER]

    near = distance()
    weights = pipe.model.get_ref("output").get_param("W")
    weights += np.random.default_rng(0).normal(size=weights.shape).astype("float32")
    far = distance()
    assert near < 0.01 * far
    for _ in range(30):
        losses = fresh.rehearse(texts, losses={})
        pipe.finish_update(fast_optimizer())
    assert losses[LEMMATIZER] < 0.2 * far


def test_sourced_into_another_pipeline(trained):
    nlp = spacy.blank("en")
    for name in trained.pipe_names:
        nlp.add_pipe(name, source=trained)
    for doc in references(nlp):
        assert lemmas(nlp(as_blank(doc))) == lemmas(doc)


@pytest.mark.parametrize("way", ["table", "trees"])
def test_docs_of_several_vocabs_in_a_batch(fresh, way):
    if way == "trees":
        forget_words(fresh)
    known = references(fresh)
    others = [spacy.blank("en").vocab for _ in known]
    docs = [
        Doc(
            vocab,
            words=[token.text for token in doc],
            spaces=[bool(token.whitespace_) for token in doc],
            tags=[token.tag_ for token in doc],
            morphs=[str(token.morph) for token in doc],
        )
        for vocab, doc in zip(others, known)
    ]
    with fresh.select_pipes(disable=[TAGGER]):
        encoded = [fresh.get_pipe("pretrained_encoder")(doc) for doc in docs]
        pipe = fresh.get_pipe(LEMMATIZER)
        pipe.set_annotations(encoded, pipe.predict(encoded))  # `pipe` would try each Doc alone
    assert [lemmas(doc) for doc in encoded] == [lemmas(doc) for doc in known]


# What is predicted


def test_overwrite(trained, fresh):
    fresh.get_pipe(LEMMATIZER).overwrite = True
    words, given = ["Ada", "sees", "rivers"], ["", "X", ""]
    docs = [nlp(Doc(nlp.vocab, words=words, lemmas=given)) for nlp in (trained, fresh)]
    assert docs[0][1].lemma_ == "X" and docs[0][1]._.lemma_confidence is None
    assert docs[1][1].lemma_ == "see" and docs[1][1]._.lemma_confidence > 0.5
    assert docs[0][0].lemma_ == docs[1][0].lemma_ == "ada"


def test_confidence(trained, tiny_bert):
    doc = trained(Doc(trained.vocab, words=["Ada", "sees", "\n", "Oxen"]))
    values = [token._.lemma_confidence for token in doc]
    assert values[0] == values[2] == 1 and 0 < values[3] < 1
    stored = DocBin(store_user_data=True, docs=[doc]).to_bytes()
    (copy,) = DocBin().from_bytes(stored).get_docs(trained.vocab)
    assert [token._.lemma_confidence for token in copy] == pytest.approx(values)
    nlp = make_lemmatizer(tiny_bert, confidence=False)
    nlp.initialize(lambda: make_examples(nlp))
    assert not nlp("Ada sees").user_data


def test_lemmas_that_are_kept_keep_their_confidences(fresh):
    doc = fresh(Doc(fresh.vocab, words=["Ada", "sees", "\n", "Oxen"]))
    values = [token._.lemma_confidence for token in doc]
    assert None not in values
    assert [token._.lemma_confidence for token in fresh(doc)] == pytest.approx(values)
    doc[0].lemma_ = "mine"
    assert [token._.lemma_confidence for token in fresh(doc)][:1] == [None]
    fresh.get_pipe(LEMMATIZER).confidence = False
    assert [token._.lemma_confidence for token in fresh(doc)] == [None, *values[1:]]
    fresh.get_pipe(LEMMATIZER).overwrite = True
    assert [token._.lemma_confidence for token in fresh(doc)] == [None] * 4


def test_in_a_memory_zone(fresh):
    """Lemmas that are made in it are forgotten with it; those of the table are not."""
    forget_words(fresh)
    with fresh.memory_zone():
        first = lemmas(fresh("Xylophones sleep"))
    with fresh.memory_zone():
        assert lemmas(fresh("Xylophones sleep")) == first


def test_other_processes(trained):
    texts = ["Ada sees the old rivers", "Robots never sleep"]
    for doc, text in zip(trained.pipe(texts, n_process=2), texts, strict=True):
        assert lemmas(doc) == lemmas(trained(text))
