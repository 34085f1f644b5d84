"""pipes/parser.py: it learns trees of any shape, always makes trees, keeps the sentences it is
given, and learns from what is annotated and nothing else."""

import multiprocessing

import numpy as np
import pytest
import spacy
from hard_texts import HARD_TEXTS
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

from spacy_pretrained.parser.pipe import Parse
from spacy_pretrained.parser.sentence_starts import find_neighbours

PARSER = "biaffine_parser"
SMALL = {"arc_width": 48, "label_width": 24, "dropout": 0.0}
KINDS = ("head_confidence", "dep_confidence", "sent_start_confidence")


@pytest.fixture(autouse=True)
def seed():
    fix_random_seed(0)


def make_parser(source: str, **config):
    """A pipeline with a frozen backbone: its vectors are quick to learn from."""
    return make_nlp(source, (PARSER, {"model": SMALL} | config), frozen=True, dropout=0.0)


@pytest.fixture(scope="module")
def trained(tiny_bert):
    fix_random_seed(0)
    nlp = make_parser(tiny_bert, confidence=True)
    train(nlp, make_examples(nlp), 60)
    return nlp


@pytest.fixture(scope="module")
def saved(trained, tmp_path_factory):
    path = tmp_path_factory.mktemp("parser")
    trained.to_disk(path)
    return path


@pytest.fixture
def untrained(tiny_bert):
    """A pipeline that parses at random, and finds many short sentences."""
    nlp = make_parser(tiny_bert)
    nlp.initialize(lambda: make_examples(nlp))
    rng = np.random.default_rng(0)
    for node in nlp.get_pipe(PARSER).model.walk():
        for name in node.param_names:
            node.set_param(name, rng.normal(size=node.get_param(name).shape).astype("float32"))
    parser, sample = nlp.get_pipe(PARSER), nlp("the old river sees a robot in Zürich . a b c d e f")
    sentences = parser.model.get_ref("sentences")
    neighbours = find_neighbours([len(sample)], np.ones(len(sample), dtype=bool))
    scores = sentences.predict((parser.model.predict([sample]), neighbours))
    bias = sentences.layers[-1].get_param("b")
    sentences.layers[-1].set_param("b", bias - np.median(scores).astype("float32"))
    return nlp


def parse_of(doc: Doc) -> list[tuple]:
    return [(token.head.i, token.dep_, bool(token.is_sent_start)) for token in doc]


def starts_of(doc: Doc) -> list[int]:
    """1 yes, -1 no, 0 unknown; `token.sent_start` says otherwise of the first token."""
    return doc.to_array("SENT_START").astype("int64").tolist()


def assert_trees(doc: Doc):
    """Each sentence has one root, and every token is in its tree."""
    for sentence in doc.sents if len(doc) else ():
        roots = [token for token in sentence if token.head == token]
        assert len(roots) == 1
        assert all(token.head in sentence for token in sentence)
        assert len(list(roots[0].subtree)) == len(sentence)
        for token in sentence:
            assert (token.dep_ == "ROOT") == (token.head == token)
            assert sum(1 for _ in token.ancestors) < len(sentence)


# Learning


@pytest.mark.parametrize("kind", ["bert", "roberta", "xlm-r"])
def test_overfit_save_reload(tiny_source, tmp_path, kind):
    nlp = make_parser(tiny_source(kind))
    examples = make_examples(nlp)
    losses = train(nlp, examples, 80)
    assert losses[-1][PARSER] < 0.02 * losses[0][PARSER]
    docs = [make_reference(nlp.vocab, numbers) for numbers in DOCUMENTS]
    for doc in docs:
        assert parse_of(nlp(as_blank(doc))) == parse_of(doc)
    scores = nlp.evaluate(examples)
    assert scores["dep_uas"] == scores["dep_las"] == scores["sents_f"] == pytest.approx(1)
    assert scores["dep_las_per_type"]["nmod"]["f"] == pytest.approx(1)
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    for doc in docs:
        assert parse_of(loaded(as_blank(doc))) == parse_of(doc)


def test_trees_that_cross(trained):
    """The first sentence is not projective, and comes out as it went in."""
    doc = trained(as_blank(make_reference(trained.vocab, [0])))
    assert doc[6].head.i == 1 and doc[6].dep_ == "nmod"
    assert not any("||" in label for label in trained.get_pipe(PARSER).labels)
    assert [sent.text for sent in doc.sents] == ["A hearing is scheduled on the issue today."]


def test_a_doc_alone_and_in_a_batch(trained):
    docs = [make_reference(trained.vocab, numbers) for numbers in [*DOCUMENTS, []]]
    alone = [parse_of(trained(as_blank(doc))) for doc in docs]
    for batch_size in (1, 2, 10):
        batch = trained.pipe((as_blank(doc) for doc in docs), batch_size=batch_size)
        assert [parse_of(doc) for doc in batch] == alone


def test_the_gradient_is_that_of_the_loss(trained):
    """With regard to the vectors; in float64 would be nicer, but that is biaffine's own test."""
    parser = trained.get_pipe(PARSER)
    examples = make_examples(trained, [[0, 1], [3]])
    rng = np.random.default_rng(0)
    N = sum(len(example) for example in examples)
    for node in parser.model.walk():
        for name in node.param_names:
            node.set_param(name, node.get_param(name).astype("float64"))
    X = rng.normal(size=(N, parser.model.get_ref("vectors").get_dim("nO")))
    direction = rng.normal(size=X.shape)
    _, gradient = parser.get_loss(examples, X)
    high, _ = parser.get_loss(examples, X + 1e-6 * direction)
    low, _ = parser.get_loss(examples, X - 1e-6 * direction)
    clear(parser)
    for node in parser.model.walk():
        for name in node.param_names:
            node.set_param(name, node.get_param(name).astype("float32"))
    assert (gradient * direction).sum() == pytest.approx((high - low) / 2e-6, rel=1e-4)


def clear(parser):
    """Forget the gradients of a call of `get_loss`."""
    for node in parser.model.walk():
        for name in node.param_names:
            node.set_grad(name, np.zeros_like(node.get_param(name)))


def test_batches_of_sentences_learn_what_one_would(trained, monkeypatch):
    from spacy_pretrained.annotation import sentences

    parser, examples = trained.get_pipe(PARSER), make_examples(trained)
    width = parser.model.get_ref("vectors").get_dim("nO")
    X = np.random.default_rng(0).normal(size=(sum(map(len, examples)), width)).astype("float32")
    loss, gradient = parser.get_loss(examples, X)
    monkeypatch.setattr(sentences, "MAX_WORDS", 1)
    again, other = parser.get_loss(examples, X)
    clear(parser)
    assert again == pytest.approx(loss, rel=1e-5)
    np.testing.assert_allclose(other, gradient, rtol=1e-3, atol=1e-4)


def test_diverged_training_stops(tiny_bert):
    nlp = make_parser(tiny_bert)
    nlp.initialize(lambda: make_examples(nlp))
    arcs = nlp.get_pipe(PARSER).model.get_ref("arcs")
    arcs.set_param("b", np.full_like(arcs.get_param("b"), np.nan))
    with pytest.raises(ValueError, match="loss of 'biaffine_parser' is nan"):
        nlp.update(make_examples(nlp), sgd=fast_optimizer())


# Labels


def test_no_labels(tiny_bert):
    nlp = make_parser(tiny_bert)
    blank = as_example(Doc(nlp.vocab, words=["a"], tags=["X"]))
    with pytest.raises(ValueError, match=r"No labels for component 'biaffine_parser'.*heads"):
        nlp.initialize(lambda: [blank])
    with pytest.raises(ValueError, match="no labels yet"):
        nlp("a")


def test_an_unknown_label(trained):
    reference = Doc(trained.vocab, words=["a", "b"], heads=[1, 1], deps=["new", "ROOT"])
    with pytest.raises(ValueError, match="met the label 'new'"):
        trained.update([as_example(reference)], sgd=False)


def test_labels_are_given(tiny_bert, tmp_path):
    """As `spacy init labels` writes them and `initialize` reads them."""
    import srsly

    nlp = make_parser(tiny_bert)
    nlp.initialize(lambda: make_examples(nlp))
    labels = nlp.get_pipe(PARSER).label_data
    assert labels == sorted({t.dep_ for eg in make_examples(nlp) for t in eg.reference})
    assert nlp.get_pipe(PARSER).labels == tuple(labels)
    srsly.write_json(tmp_path / "labels.json", labels)
    again = make_parser(tiny_bert)
    again.config["initialize"]["components"][PARSER] = {
        "labels": {"@readers": "spacy.read_labels.v1", "path": str(tmp_path / "labels.json")}
    }
    again.initialize(lambda: make_examples(again, [[2]]))  # has few of them
    assert again.get_pipe(PARSER).label_data == labels
    again.update(make_examples(again), sgd=fast_optimizer())


@pytest.mark.parametrize("deps", [["ROOT", "ROOT"], ["root", "mod"], ["mod", "mod"]])
def test_any_labels_will_do(tiny_bert, deps):
    """The root may have another name than spaCy's, or no name of its own."""
    nlp = make_parser(tiny_bert, confidence=True)
    reference = Doc(nlp.vocab, words=["Ada", "sees"], heads=[0, 0], deps=deps)
    train(nlp, [as_example(reference)], 3)
    doc = nlp("Ada sees the old river.")
    assert {token.dep_ for token in doc} <= set(deps)
    assert all(0 <= token._.dep_confidence <= 1 for token in doc)


# Partial annotation


def gradient_of(nlp, example: Example) -> np.ndarray:
    """The gradient of the tokens' vectors."""
    parser = nlp.get_pipe(PARSER)
    doc = nlp.get_pipe("pretrained_encoder")(as_blank(example.predicted))
    vectors = parser.model.predict([doc])
    loss, gradient = parser.get_loss([example], vectors)
    clear(parser)
    assert loss > 0 or not gradient.any()
    return gradient


def test_without_annotation_nothing_is_learnt(trained):
    words = ["Ada", "sees", "the", "old", "river", "."]
    blank = Doc(trained.vocab, words=words, tags=["X"] * 6)
    assert not gradient_of(trained, as_example(blank)).any()
    losses = trained.update([as_example(blank)], sgd=False)
    assert losses[PARSER] == 0
    # Beside a document that has some.
    examples = [as_example(blank), *make_examples(trained, [[1]])]
    parser = trained.get_pipe(PARSER)
    docs = [trained.get_pipe("pretrained_encoder")(as_blank(eg.predicted)) for eg in examples]
    _, gradient = parser.get_loss(examples, parser.model.predict(docs))
    clear(parser)
    assert gradient[6:].any(axis=1).all() and not gradient[:6].any()


def test_sentence_starts_alone(trained):
    """Only the tokens of which it is known learn, from their neighbours, too; the first of a text
    never has to."""
    starts = [True, None, None, None, False, None, None, None]
    doc = Doc(trained.vocab, words=list("abcdefgh"), sent_starts=starts)
    rows = gradient_of(trained, as_example(doc)).any(axis=1)
    assert rows.tolist() == [False, False, False, True, True, True, False, False]


@pytest.fixture
def score_gradients(monkeypatch):
    """A function that gives the gradients of all scores for one example of one sentence."""

    def record(layer, name: str, seen: dict):
        forward = layer._func

        def recording_forward(model, X, is_train):
            Y, backprop = forward(model, X, is_train)

            def recording_backprop(dY):
                seen[name] = dY.copy()
                return backprop(dY)

            return Y, recording_backprop

        return recording_forward

    def find(nlp, example: Example) -> dict[str, np.ndarray]:
        parser, seen = nlp.get_pipe(PARSER), {}
        with monkeypatch.context() as patch:
            for name in ("arcs", "labels", "sentences"):
                layer = parser.model.get_ref(name)
                patch.setattr(layer, "_func", record(layer, name, seen))
            gradient_of(nlp, example)
        return seen

    return find


def test_missing_heads_have_no_gradient_and_cost_the_others_nothing(trained, score_gradients):
    reference = make_reference(trained.vocab, [1])  # Ada sees the old river .
    whole = score_gradients(trained, as_example(reference))
    heads = [token.head.i for token in reference]
    deps = [token.dep_ for token in reference]
    deps[2] = deps[4] = ""
    partial = Doc(trained.vocab, words=[t.text for t in reference], heads=heads, deps=deps)
    part = score_gradients(trained, as_example(partial))
    assert whole["arcs"].shape == part["arcs"].shape == (1, 6, 7)
    assert not part["arcs"][0, [2, 4]].any() and whole["arcs"][0, [2, 4]].any()
    kept = [0, 1, 3, 5]
    np.testing.assert_allclose(part["arcs"][0, kept], whole["arcs"][0, kept], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(part["labels"], whole["labels"][kept], rtol=1e-4, atol=3e-6)
    np.testing.assert_allclose(part["sentences"], whole["sentences"], rtol=1e-4, atol=3e-6)


def test_missing_heads_from_a_dict(trained, score_gradients):
    deps = ["nsubj", "ROOT", None, "amod", None, "punct"]
    annotation = {"heads": [1, 1, None, 4, None, 1], "deps": deps}
    words = [token.text for token in make_reference(trained.vocab, [1])]
    example = Example.from_dict(Doc(trained.vocab, words=words), annotation)
    seen = score_gradients(trained, example)
    assert seen["arcs"].any(axis=2).tolist() == [[True, True, False, True, False, True]]
    assert len(seen["labels"]) == 4


def test_tokens_of_another_tokenizer(trained, score_gradients):
    reference = make_reference(trained.vocab, [1])  # Ada sees the old river .
    predicted = Doc(trained.vocab, words=["Ada", "sees", "theold", "ri", "ver", "."])
    seen = score_gradients(trained, Example(predicted, reference))
    assert seen["arcs"].any(axis=2).tolist() == [[True, True, False, False, False, True]]
    assert len(seen["labels"]) == 3
    trained.update([Example(predicted, reference)], sgd=False)
    clear(trained.get_pipe(PARSER))


def test_heads_that_cross_sentences(trained):
    words, deps = ["Ada", "Bob", "sees", "hears"], ["nsubj", "nsubj", "ROOT", "ROOT"]
    reference = Doc(trained.vocab, words=words, heads=[2, 3, 2, 3], deps=deps)
    with pytest.raises(ValueError, match=r"head of token 0 \('Ada'\) is token 2.*another sentence"):
        trained.update([as_example(reference)], sgd=False)


# What is predicted


def test_no_tokens(trained):
    assert len(trained("")) == 0
    empty, other = trained.pipe(["", "Ada sees"])
    assert len(empty) == 0 and len(other) == 2
    assert trained("Ada")[0].dep_ == "ROOT"


def test_white_space(trained):
    """It hangs from the token before it, or from the first word; a text of nothing else is one
    sentence, whose first token is its root."""
    doc = trained(" \n Ada \n sees \n\n")
    assert_trees(doc)
    spaces = [token for token in doc if token.is_space]
    assert [token.dep_ for token in spaces] == ["dep"] * len(spaces)
    assert [token.head.i for token in spaces] == [
        1 if token.i == 0 else token.i - 1 for token in spaces
    ]
    assert all(token._.get(kind) == 1 for token in spaces for kind in KINDS)
    assert not any(token.head.is_space for token in doc if not token.is_space)
    doc = trained(Doc(trained.vocab, words=["\n", " ", "\n\n"]))
    assert parse_of(doc) == [(0, "ROOT", True), (0, "dep", False), (0, "dep", False)]


def test_white_space_changes_nothing_else(trained):
    """But for what the encoder sees of it: the same vectors, the same tree of words."""
    parser, encoder = trained.get_pipe(PARSER), trained.get_pipe("pretrained_encoder")
    words = encoder(Doc(trained.vocab, words=["Ada", "sees", "the", "old", "river", "."]))
    spaced = Doc(trained.vocab, words=[" ", "Ada", "sees", "\n", "the", "old", "river", "."])
    spaced = encoder(spaced)
    spaced.tensor[[1, 2, 4, 5, 6, 7]] = words.tensor
    words, spaced = parser(words), parser(spaced)
    number = {token.i: i for i, token in enumerate(t for t in spaced if not t.is_space)}
    tree = [(number[t.head.i], t.dep_) for t in spaced if not t.is_space]
    assert tree == [(token.head.i, token.dep_) for token in words]


def test_hard_texts(untrained):
    docs = list(untrained.pipe(HARD_TEXTS))
    for doc, text in zip(docs, HARD_TEXTS):
        assert doc.text == text
        assert_trees(doc)
        assert all(token.dep_ for token in doc)


def test_always_one_root_a_sentence(untrained):
    """Random scores make no trees by themselves; these sentences and trees are of any shape."""
    rng = np.random.default_rng(0)
    words = ["the", "old", "river", "sees", "a", "robot", "in", "Zürich", ".", "!"]
    docs = [Doc(untrained.vocab, words=rng.choice(words, size=n).tolist()) for n in (2, 40, 90)]
    for doc in untrained.pipe(docs):
        assert_trees(doc)
    assert any(len(list(doc.sents)) > 1 for doc in docs)
    for doc in docs:  # as one sentence each
        words = [token.text for token in doc]
        starts = [1] + [-1] * (len(doc) - 1)
        doc = untrained(Doc(untrained.vocab, words=words, sent_starts=starts))
        assert len(list(doc.sents)) == 1
        assert_trees(doc)


def random_trees(rng, n_sentences: int, longest: int) -> tuple[list[int], list[int]]:
    """First tokens of sentences, and heads of trees in which arcs cross wildly."""
    heads, starts = [], []
    for n in rng.integers(1, longest, size=n_sentences):
        low = len(heads)
        order = low + rng.permutation(n)
        above = {order[0]: order[0]} | {order[k]: order[rng.integers(k)] for k in range(1, n)}
        starts.append(low)
        heads += [int(above[i]) for i in range(low, low + n)]
    return starts, heads


def test_sentences_of_trees_that_cross_wildly(trained):
    parser, rng = trained.get_pipe(PARSER), np.random.default_rng(0)
    for longest in (3, 10, 60):
        docs, all_starts, all_heads = [], [], []
        low = 0
        for _ in range(5):
            starts, heads = random_trees(rng, 4, longest)
            docs.append(Doc(trained.vocab, words=["a"] * len(heads)))
            all_starts.append(starts)
            all_heads += [low + head for head in heads]
            low += len(heads)
        labels = np.full(low, trained.vocab.strings.add("x"), dtype="uint64")
        parser.set_annotations(docs, Parse(np.array(all_heads), labels, {}))
        assert [[sent.start for sent in doc.sents] for doc in docs] == all_starts
        assert [token.head.i for doc in docs for token in doc] == [
            head - low
            for doc, low in zip(docs, np.cumsum([0] + [len(doc) for doc in docs]))
            for head in all_heads[low : low + len(doc)]
        ]


# Sentences


def test_given_sentences_are_kept(untrained):
    words = list("abcdefgh")
    for starts in ([1, -1, -1, 1, -1, -1, -1, -1], [1] * 8, [1] + [-1] * 7):
        doc = untrained(Doc(untrained.vocab, words=words, sent_starts=starts))
        assert starts_of(doc) == starts
        assert_trees(doc)
    found = untrained(Doc(untrained.vocab, words=words))
    free = starts_of(found)
    assert 1 < free.count(1) < 8
    # Some of them are given, against what is found; the others are as found.
    given = [1, -free[1], 0, 0, -free[4], 0, 0, 0]
    doc = Doc(untrained.vocab, words=words, sent_starts=given)
    doc.tensor = found.tensor  # the encoder would cut it into other windows
    doc = untrained.get_pipe(PARSER)(doc)
    assert starts_of(doc) == [g or f for g, f in zip(given, free)]
    assert_trees(doc)


def test_given_sentences_in_a_batch(untrained):
    docs = [Doc(untrained.vocab, words=list("abc"), sent_starts=s) for s in ([1, 1, -1], [1, 0, 1])]
    expected = [parse_of(untrained(doc.copy())) for doc in docs]
    assert [parse_of(doc) for doc in untrained.pipe(docs)] == expected
    assert [start for _, _, start in expected[0]] == [True, True, False]


def test_white_space_that_starts_a_sentence(untrained):
    """Given so, it does; and then the word behind it does not."""
    words = ["a", "b", "\n", "c", "d"]
    doc = untrained(Doc(untrained.vocab, words=words, sent_starts=[1, -1, 1, 0, -1]))
    assert starts_of(doc) == [1, -1, 1, -1, -1]
    assert doc[2].head.i == 3 and doc[2].dep_ == "dep"
    assert_trees(doc)


def test_sentences_come_from_other_components(trained, saved):
    nlp = spacy.load(saved)
    nlp.add_pipe("sentencizer", first=True)
    text = "Ada sees! The river? Robots never sleep."
    assert [sent.text for sent in nlp(text).sents] == [
        "Ada sees!",
        "The river?",
        "Robots never sleep.",
    ]
    assert_trees(nlp(text))


@pytest.mark.parametrize("longest", [1, 7, 64])
def test_no_sentence_is_longer_than_allowed(saved, longest):
    config = {"components": {PARSER: {"max_sentence": longest}}}
    nlp = spacy.load(saved, config=config)
    words = np.random.default_rng(0).choice(["river", "sees", "old", "Ada"], size=3000).tolist()
    unknown = Doc(nlp.vocab, words=words)
    one = Doc(nlp.vocab, words=words, sent_starts=[1] + [-1] * 2999)
    spaces = Doc(nlp.vocab, words=["\n"] * 100)
    for doc in nlp.pipe([unknown, one, spaces]):
        lengths = [len(sent) for sent in doc.sents]
        assert max(lengths) <= longest
        assert_trees(doc)
    # A sentence that is known to be too long is not cut into crumbs.
    assert len(list(one.sents)) < 3 * 3000 / longest
    assert len(list(spaces.sents)) == -(-100 // longest)


def test_some_length_must_be_allowed(tiny_bert):
    with pytest.raises(ValueError, match="max_sentence of 'biaffine_parser' must be at least 1"):
        make_parser(tiny_bert, max_sentence=0)


def test_a_long_sentence_is_learnt_in_parts(tiny_bert):
    nlp = make_parser(tiny_bert, max_sentence=4)
    examples = make_examples(nlp)
    losses = train(nlp, examples, 10)
    assert losses[-1][PARSER] < losses[0][PARSER]
    assert max(len(sent) for eg in examples for sent in nlp(as_blank(eg.reference)).sents) <= 4


# Confidence, and what becomes of the annotation


@pytest.mark.usefixtures("needs_torch")  # the stand-in is too sure of itself
def test_confidence(trained):
    doc = trained("Ada sees the old\n river! Robots never sleep")
    values = np.array([[token._.get(kind) for kind in KINDS] for token in doc])
    assert ((values >= 0) & (values <= 1)).all() and len(np.unique(values)) > 5
    assert values[0, 2] == 1  # what else could the first token be?
    known = trained(as_blank(make_reference(trained.vocab, [0, 1])))
    assert all(token._.head_confidence > 0.7 for token in known)  # seen in training
    given = Doc(trained.vocab, words=list("abc"), sent_starts=[1, -1, 1])
    assert [token._.sent_start_confidence for token in trained(given)] == [1, 1, 1]

    copies = [Doc(trained.vocab).from_bytes(doc.to_bytes()), doc.copy()]
    stored = DocBin(store_user_data=True, docs=[doc]).to_bytes()
    copies += DocBin().from_bytes(stored).get_docs(trained.vocab)
    for copy in copies:
        again = [[token._.get(kind) for kind in KINDS] for token in copy]
        assert np.array_equal(again, values)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_confidence_from_other_processes(trained, tmp_path, monkeypatch, method):
    monkeypatch.setattr("spacy.language.mp", multiprocessing.get_context(method))
    trained.to_disk(tmp_path)
    config = {"components": {PARSER: {"confidence": True}}}
    nlp = spacy.load(tmp_path, config=config)
    texts = ["Ada sees the old river", "Robots never sleep"]
    for doc, other in zip(nlp.pipe(texts, n_process=2), map(nlp, texts), strict=True):
        for kind in KINDS:
            expected = [token._.get(kind) for token in other]
            assert [token._.get(kind) for token in doc] == pytest.approx(expected, abs=1e-5)


def test_confidence_of_heads_is_their_probability(trained):
    """That of the chosen head among all of its sentence, the root included."""
    reference = make_reference(trained.vocab, [1])
    doc = trained.get_pipe("pretrained_encoder")(as_blank(reference))
    parser = trained.get_pipe(PARSER)
    X = parser.model.predict([doc])
    scores = parser.model.get_ref("arcs").predict((X, np.arange(len(doc))[None]))[0]
    scores[np.arange(len(doc)), np.arange(len(doc)) + 1] = -np.inf
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    p = odds / odds.sum(axis=1, keepdims=True)
    doc = parser(doc)
    assert len(list(doc.sents)) == 1
    for token in doc:
        column = 0 if token.head == token else token.head.i + 1
        assert token._.head_confidence == pytest.approx(p[token.i, column], rel=1e-4)


def test_docs_are_stored(trained):
    docs = list(trained.pipe(["Ada sees the old river.", "", "A hearing is on! It is.", " \n"]))
    again = list(DocBin().from_bytes(DocBin(docs=docs).to_bytes()).get_docs(trained.vocab))
    assert [parse_of(doc) for doc in again] == [parse_of(doc) for doc in docs]
    copies = [Doc(trained.vocab).from_bytes(doc.to_bytes()) for doc in docs]
    assert [parse_of(doc) for doc in copies] == [parse_of(doc) for doc in docs]
