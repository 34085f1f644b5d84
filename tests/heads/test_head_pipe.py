"""head_pipe.py: what holds of the tagger, the entity recognizer and the parser alike. A second
initialization begins again, whatever labels and vectors there were; a model that diverged is an
error, not a prediction."""

import numpy as np
import pytest
import spacy
import tiny_models
import tiny_pipelines
from spacy.tokens import Doc, Span
from spacy.util import fix_random_seed
from thinc.api import SGD
from tiny_pipelines import (
    CNN,
    CNN_WIDTH,
    ENCODER,
    annotations,
    as_blank,
    as_example,
    fast_optimizer,
    make_examples,
    make_nlp,
    make_reference,
)

HEADS = ["pretrained_tagger", "pretrained_ner", "biaffine_parser"]
FEW, MANY = [[1]], [[0, 1], [2, 3], [3]]  # documents, of some labels and of all


def make_head(head: str):
    """With an encoder of its own, and no transformer."""
    nlp = spacy.blank("xx")
    nlp.add_pipe(head, config={"model": {"tok2vec": CNN}})
    return nlp


def begin(nlp, documents, steps: int = 2, **kwargs) -> list:
    """Initialize and update."""
    fix_random_seed(0)
    examples = make_examples(nlp, documents)
    nlp.initialize(lambda: examples)
    optimizer = kwargs.get("optimizer") or fast_optimizer()
    for _ in range(steps):
        nlp.update(examples, sgd=optimizer)
    return examples


def parameters(nlp, head: str) -> list[np.ndarray]:
    nodes = nlp.get_pipe(head).model.walk()
    return [n.get_param(name) for n in nodes for name in n.param_names if n.has_param(name)]


def assert_like(nlp, fresh, head: str) -> None:
    """Labels and parameters are those of another pipeline, and what is predicted with them."""
    assert nlp.get_pipe(head).label_data == fresh.get_pipe(head).label_data
    pairs = list(zip(parameters(nlp, head), parameters(fresh, head), strict=True))
    assert len(pairs) > 1
    for one, other in pairs:
        np.testing.assert_array_equal(one, other)
    doc = make_reference(nlp.vocab, [0, 3])
    assert annotations(nlp(as_blank(doc))) == annotations(fresh(as_blank(doc)))
    copy = spacy.util.load_model_from_config(nlp.config, auto_fill=True)
    copy.from_bytes(nlp.to_bytes())
    assert annotations(copy(as_blank(doc))) == annotations(fresh(as_blank(doc)))


# Beginning again


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("steps", [0, 2])
def test_initialized_again_with_more_labels(head, steps):
    nlp, fresh = make_head(head), make_head(head)
    begin(nlp, FEW, steps)
    n_labels = len(nlp.get_pipe(head).labels)
    if head == "pretrained_ner":
        fresh.get_pipe(head).add_label("PERSON")  # of the first examples: its labels add up
    for pipeline in (nlp, fresh):
        begin(pipeline, MANY)
    assert len(nlp.get_pipe(head).labels) > n_labels
    assert_like(nlp, fresh, head)


@pytest.mark.parametrize("head", ["pretrained_tagger", "biaffine_parser"])
def test_initialized_again_with_fewer_labels(head):
    nlp, fresh = make_head(head), make_head(head)
    begin(nlp, MANY)
    n_labels = len(nlp.get_pipe(head).labels)
    for pipeline in (nlp, fresh):
        begin(pipeline, FEW)
    assert len(nlp.get_pipe(head).labels) < n_labels
    assert_like(nlp, fresh, head)


# Docs of another vocab: that of the pipeline, if the head comes from another one


@pytest.mark.parametrize("head", HEADS)
def test_the_vocab_of_a_doc_learns_the_labels(head, monkeypatch):
    monkeypatch.setitem(tiny_pipelines.PLACES, "Ada", "TRAVELLER")  # which spaCy does not know
    nlp = make_head(head)
    begin(nlp, MANY, 20)
    reference = make_reference(nlp.vocab, [1])
    expected = nlp(as_blank(reference))
    words, spaces = zip(*((token.text, bool(token.whitespace_)) for token in reference))
    other = spacy.blank("xx").vocab
    doc = nlp(Doc(other, words=list(words), spaces=list(spaces)))
    assert annotations(doc) == annotations(expected)
    assert [ent.label_ for ent in doc.ents] == [ent.label_ for ent in expected.ents]
    assert head != "pretrained_ner" or doc.ents


def test_the_tag_of_white_space_where_the_tagger_was_sourced():
    nlp, other = make_head("pretrained_tagger"), spacy.blank("xx")
    begin(nlp, MANY)  # without white space
    other.add_pipe("pretrained_tagger", source=nlp)
    doc = other(Doc(other.vocab, words=["Ada", "\n", "sees"]))
    assert (doc[1].tag_, doc[1].pos_, str(doc[1].morph)) == ("_SP", "SPACE", "")


# Labels that are added

NEW = {
    "pretrained_tagger": ["tag=NEW", "morph=Case=New", "pos=X"],
    "pretrained_ner": ["NEW"],
    "biaffine_parser": ["new", "newer"],
}


@pytest.mark.parametrize("head", HEADS)
def test_labels_are_added_after_training(head):
    """Predictions stay, and the label is learnt, with an optimizer that knew the old sizes."""
    nlp, optimizer = make_head(head), fast_optimizer()
    examples = begin(nlp, MANY, 20, optimizer=optimizer)
    docs = [example.reference for example in examples]
    before = [annotations(nlp(as_blank(doc))) for doc in docs]
    pipe = nlp.get_pipe(head)
    for label in NEW[head]:
        assert (pipe.add_label(label), pipe.add_label(label)) == (1, 0)
        assert label in pipe.labels and len(set(pipe.labels)) == len(pipe.labels)
    assert [annotations(nlp(as_blank(doc))) for doc in docs] == before
    copy = spacy.util.load_model_from_config(nlp.config, auto_fill=True)
    copy.from_bytes(nlp.to_bytes())
    assert copy.get_pipe(head).labels == pipe.labels
    assert [annotations(copy(as_blank(doc))) for doc in docs] == before

    reference = make_reference(nlp.vocab, [0])
    reference[1].tag_, reference[1].dep_ = "NEW", "new"
    reference.ents = [Span(reference, 1, 2, label="NEW")]
    # The first document has the same sentence with the old label, which would be learnt as well.
    for _ in range(80):
        nlp.update([*examples[1:], as_example(reference)], sgd=optimizer)
    doc = nlp(as_blank(reference))
    found = {
        "pretrained_tagger": doc[1].tag_ == "NEW",
        "pretrained_ner": doc[1].ent_type_ == "NEW",
        "biaffine_parser": doc[1].dep_ == "new",
    }
    assert found[head]


@pytest.mark.parametrize("head", HEADS)
def test_labels_are_added_before_training(head):
    nlp = make_head(head)
    for label in NEW[head]:
        nlp.get_pipe(head).add_label(label)
    begin(nlp, MANY)
    assert set(NEW[head]) < set(nlp.get_pipe(head).labels)
    assert nlp(as_blank(make_reference(nlp.vocab, [0])))


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("label", ["", None, 7, " ", "\n", "\u00a0\t"])
def test_what_is_no_label(head, label):
    with pytest.raises(ValueError, match=f"A label of '{head}' has to be a string with more"):
        make_head(head).get_pipe(head).add_label(label)


@pytest.mark.parametrize("label", ["NN", "lemma=x", "tag=", "tag= ", "=NN"])
def test_a_label_of_a_tagger_has_its_attribute(label):
    tagger = make_head("pretrained_tagger").get_pipe("pretrained_tagger")
    with pytest.raises(ValueError, match=r"such as 'tag=X', and '.*' does not"):
        tagger.add_label(label)


# Examples of another pipeline


def make_own_examples(nlp) -> list:
    """With labels that no vocab has by itself."""
    examples = make_examples(nlp, MANY)
    for reference in (example.reference for example in examples):
        reference.ents = [Span(reference, e.start, e.end, f"{e.label_}_X") for e in reference.ents]
        for token in reference:
            token.tag_ += "_X"
            token.dep_ = token.dep_ if token.dep_ == "ROOT" else f"{token.dep_}_X"
    return examples


@pytest.mark.parametrize("head", HEADS)
def test_examples_of_another_vocab(head):
    """As stock components, they learn from Docs of another pipeline, and score on them."""
    nlp, fresh, other = make_head(head), make_head(head), spacy.blank("xx")
    foreign = make_own_examples(other)
    for pipeline, examples in ((nlp, foreign), (fresh, make_own_examples(fresh))):
        assert pipeline is fresh or "NNP_X" not in pipeline.vocab.strings
        fix_random_seed(0)
        pipeline.initialize(lambda examples=examples: examples)
        optimizer = fast_optimizer()
        for _ in range(20):
            pipeline.update(examples, sgd=optimizer)
    assert_like(nlp, fresh, head)
    key = {"pretrained_tagger": "tag_acc", "pretrained_ner": "ents_f", "biaffine_parser": "dep_las"}
    scores, expected = nlp.evaluate(foreign), fresh.evaluate(make_own_examples(fresh))
    assert scores[key[head]] == expected[key[head]] > 0.5


@pytest.mark.parametrize("head", HEADS)
def test_an_unknown_label_of_another_vocab(head):
    nlp, other = make_head(head), spacy.blank("xx")
    begin(nlp, MANY)
    reference = make_reference(other.vocab, [0])
    reference[1].tag_, reference[1].dep_ = "NEW", "new"
    reference.ents = [Span(reference, 1, 2, label="NEW")]
    label = NEW[head][0]
    with pytest.raises(ValueError, match=rf"the label '{label}'.*add_label\('{label}'\)"):
        nlp.update([as_example(reference)])
    nlp.get_pipe(head).add_label(label)
    nlp.update([as_example(reference)])


@pytest.mark.parametrize("head", HEADS)
def test_an_optimizer_goes_on(head):
    """Its moments of the layers as they were are not taken for those of the new ones."""
    nlp, optimizer = make_head(head), fast_optimizer()
    for documents in (FEW, MANY):
        begin(nlp, documents, optimizer=optimizer)
    assert nlp(as_blank(make_reference(nlp.vocab, [0])))


@pytest.fixture
def wide_bert(monkeypatch, tmp_path) -> str:
    """A tiny BERT whose vectors are wider than those of `tiny_bert`."""
    settings = {**tiny_models.SMALL, "hidden_size": 48}
    monkeypatch.setitem(tiny_models.KINDS, "wide", ("wordpiece", "bert", settings))
    return str(tiny_models.save_tiny_model("wide", tmp_path / "wide"))


@pytest.mark.parametrize("head", HEADS)
def test_initialized_again_with_an_encoder_of_another_width(tiny_bert, wide_bert, head):
    nlp, fresh = (make_nlp(tiny_bert, head, dropout=0.0) for _ in range(2))
    begin(nlp, MANY)
    assert nlp("Ada").tensor.shape == (1, 40)
    for pipeline in (nlp, fresh):
        pipeline.config["initialize"]["components"][ENCODER]["source"] = wide_bert
        begin(pipeline, MANY)
    assert nlp("Ada").tensor.shape == (1, 56)
    assert len(nlp("")) == 0
    assert_like(nlp, fresh, head)


@pytest.mark.parametrize("head", HEADS)
def test_no_docs(head):
    nlp = make_head(head)
    begin(nlp, FEW, steps=0)
    pipe = nlp.get_pipe(head)
    pipe.set_annotations([], pipe.predict([]))
    assert list(pipe.pipe([])) == []


# Without the encoder's vectors


@pytest.mark.parametrize("head", HEADS)
def test_docs_without_vectors(tiny_bert, head):
    """Of zeros it would say something, too."""
    nlp = make_nlp(tiny_bert, head)
    begin(nlp, MANY)
    message = f"'{head}' needs the vectors of '{ENCODER}'.*excluded, disabled"
    with nlp.select_pipes(disable=[ENCODER]):
        with pytest.raises(ValueError, match=message):
            nlp("Ada sees")
        with pytest.raises(ValueError, match=message):
            list(nlp.pipe(["", "Ada sees"]))
        assert len(nlp("")) == 0
    other = spacy.blank("xx")
    other.add_pipe(head, source=nlp)
    with pytest.raises(ValueError, match=message):
        other("Ada sees")
    other.add_pipe(ENCODER, source=nlp)
    with pytest.raises(ValueError, match=f"or stands behind '{head}'"):
        other("Ada sees")


@pytest.mark.parametrize("head", HEADS)
def test_docs_whose_vectors_were_removed(tiny_bert, head):
    nlp = make_nlp(tiny_bert, head)
    begin(nlp, MANY)
    nlp.add_pipe("doc_cleaner", config={"attrs": {"tensor": None}}, after=ENCODER)
    with pytest.raises(ValueError, match=f"'{head}' needs.*'{ENCODER}'.*doc_cleaner"):
        nlp("Ada sees")
    with pytest.raises(ValueError, match="doc_cleaner"):
        list(nlp.pipe(["Ada sees", ""]))


@pytest.mark.parametrize("head", HEADS)
def test_an_update_without_the_encoder_says_what_is_missing(tiny_bert, head):
    nlp = make_nlp(tiny_bert, head)
    examples, new = begin(nlp, MANY), make_examples(nlp, [[0, 3]])
    message = rf"'{head}' cannot be updated.*annotates=\['{ENCODER}'\]"
    with pytest.raises(ValueError, match=message):
        nlp.update(new, exclude=[ENCODER])
    nlp.update(examples)
    nlp.update(new, exclude=[ENCODER], annotates=[ENCODER])
    with pytest.raises(ValueError, match=f"needs the vectors of '{ENCODER}'.*annotates="):
        nlp.update(make_examples(nlp, [[1]]), exclude=[ENCODER])


@pytest.mark.parametrize("head", HEADS)
def test_an_empty_doc_beside_others_whose_encoder_annotates(tiny_bert, head):
    nlp = make_nlp(tiny_bert, head)
    begin(nlp, MANY)
    losses = []
    for empty in ([], [as_example(nlp.make_doc(""))]):
        fix_random_seed(0)
        given = empty + make_examples(nlp, FEW)
        found = nlp.update(given, exclude=[ENCODER], annotates=[ENCODER], sgd=False)
        losses.append(found[head])
    assert losses[0] == losses[1] > 0


@pytest.mark.parametrize("head", HEADS)
def test_a_component_without_weights_says_so(head):
    nlp = make_head(head)
    pipe = nlp.get_pipe(head)
    pipe.add_label("tag=X" if head == "pretrained_tagger" else "X")
    message = f"'{head}' has no weights yet: call `nlp.initialize"
    with pytest.raises(ValueError, match=message):
        nlp.update(make_examples(nlp, FEW))
    with pytest.raises(ValueError, match=message):
        nlp("Ada sees")
    with pytest.raises(ValueError, match=message):
        list(nlp.pipe(["Ada sees"]))


@pytest.mark.parametrize("head", HEADS)
def test_a_tok2vec_of_spacys_own(tiny_bert, head):
    """In between it writes over the vectors; before the encoder it does not, with its listeners."""
    nlp = make_nlp(tiny_bert, head)
    tagger = {
        "@architectures": "spacy.Tagger.v2",
        "tok2vec": {
            "@architectures": "spacy.Tok2VecListener.v1",
            "width": CNN_WIDTH,
            "upstream": "tok2vec",
        },
    }
    nlp.add_pipe("tok2vec", config={"model": CNN}, first=True)
    nlp.add_pipe("tagger", config={"model": tagger}, after="tok2vec")
    begin(nlp, MANY)
    assert nlp("Ada sees").has_annotation("TAG")
    nlp.remove_pipe("tok2vec")
    nlp.add_pipe("tok2vec", config={"model": CNN}, after=ENCODER).initialize(
        lambda: make_examples(nlp, FEW)
    )
    message = f"'{head}' needs vectors of width 40 from '{ENCODER}'.* width {CNN_WIDTH}: another"
    with nlp.select_pipes(disable=["tagger"]), pytest.raises(ValueError, match=message):
        nlp("Ada sees")
    with pytest.raises(ValueError, match=message):
        names = [ENCODER, "tok2vec"]
        nlp.update(make_examples(nlp, FEW), exclude=[*names, "tagger"], annotates=names)


# A model that diverged


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize(
    "head, ref",
    [
        ("pretrained_tagger", "output"),
        ("pretrained_ner", "output"),
        ("biaffine_parser", "sentences"),
        ("biaffine_parser", "arcs"),
        ("biaffine_parser", "labels"),
    ],
)
def test_scores_that_are_not_finite(head, ref, value):
    nlp = make_head(head)
    begin(nlp, MANY)
    layer = nlp.get_pipe(head).model.get_ref(ref)
    if ref == "sentences":
        layer = layer.layers[-1]
    layer.get_param("b")[:1] = value
    if ref == "arcs":  # where this bias is multiplied with what a ReLU may have set to 0
        layer.set_param("root", np.full_like(layer.get_param("root"), value))
    message = rf"Component '{head}' gives scores that are NaN or infinite: its training diverged.*"
    with pytest.raises(ValueError, match=message + "train it again"):
        nlp("Ada sees the old river.")
    assert len(nlp("")) == 0


def gradients(nlp, head: str) -> list[np.ndarray]:
    nodes = nlp.get_pipe(head).model.walk()
    return [node.get_grad(name) for node in nodes for name in node.grad_names]


@pytest.mark.parametrize("diverged", ["vectors", "loss", "gradient", "inner gradient"])
@pytest.mark.parametrize("head", HEADS)
def test_a_retry_after_a_failed_update_is_as_if_that_had_not_been(
    tiny_bert, monkeypatch, head, diverged
):
    """Whatever was not finite: the same step as a pipeline makes that never failed."""
    nlp, fresh = make_nlp(tiny_bert, head, dropout=0.0), make_nlp(tiny_bert, head, dropout=0.0)
    for pipeline in (nlp, fresh):
        examples, optimizer = begin(pipeline, MANY, steps=0), SGD(0.01)
        if pipeline is nlp:
            with monkeypatch.context() as patch, pytest.raises(ValueError, match=r"finite|is nan"):
                spoil(patch, pipeline, head, diverged)
                pipeline.update(examples, sgd=optimizer)
            assert not any(gradient.any() for gradient in gradients(nlp, head))
        fix_random_seed(1)  # of dropout
        pipeline.update(make_examples(pipeline, MANY), sgd=optimizer)
    assert all(np.isfinite(parameter).all() for parameter in parameters(nlp, head))
    for one, other in zip(parameters(nlp, head), parameters(fresh, head), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def spoil(patch, nlp, head: str, diverged: str) -> None:
    """Make something of the next update NaN."""
    pipe = nlp.get_pipe(head)
    model, get_loss = pipe.model, pipe.get_loss
    if diverged == "vectors":
        model = nlp.get_pipe(ENCODER).model
        forward = model._func

        def forward_nan(model, docs, is_train):
            vectors, backprop = forward(model, docs, is_train)
            return [np.full_like(array, np.nan) for array in vectors], backprop

        patch.setattr(model, "_func", forward_nan)
    elif diverged == "inner gradient":
        layer = next(node for node in model.walk() if "W" in node.param_names)

        def get_loss_and_spoil(examples, rows):
            layer.inc_grad("W", np.full_like(layer.get_param("W"), np.nan))
            return get_loss(examples, rows)

        patch.setattr(pipe, "get_loss", get_loss_and_spoil)
    else:

        def get_nan(examples, rows):
            loss, gradient = get_loss(examples, rows)
            return (np.nan, gradient) if diverged == "loss" else (loss, gradient * np.nan)

        patch.setattr(pipe, "get_loss", get_nan)


@pytest.mark.parametrize("head", HEADS)
def test_an_error_goes_to_the_handler(head):
    nlp, met = make_head(head), []
    examples = begin(nlp, FEW, steps=0)
    pipe = nlp.get_pipe(head)
    pipe.predict = lambda docs: 1 / 0
    pipe.set_error_handler(lambda name, proc, docs, error: met.append((name, len(docs))))
    pipe(examples[0].x)
    assert list(pipe.pipe([examples[0].x] * 3, batch_size=2)) == []
    assert met == [(head, 1)] * 4  # a batch is tried again one by one
