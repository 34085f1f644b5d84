"""spacy-pretrained.Taught.v1: what a teacher says reaches `get_loss`, a student learns it from
texts without annotation, and the teacher is nowhere in what is saved."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import spacy
from numeric_gradient import differences
from spacy.cli.train import train as train_command
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from spacy.util import load_config, registry
from thinc.api import Config, fix_random_seed
from tiny_pipelines import (
    DOCUMENTS,
    ENCODER,
    as_blank,
    fast_optimizer,
    make_examples,
    make_nlp,
    make_reference,
    train,
)

from spacy_pretrained.corpora import teacher as teacher_module
from spacy_pretrained.corpora.taught import build_taught
from spacy_pretrained.heads.soft_targets import KEY
from spacy_pretrained.parser.distilling import read_taught_parses

TAGGER, PARSER, NER = "pretrained_tagger", "biaffine_parser", "pretrained_ner"
HEADS = (TAGGER, PARSER, NER)
NO_DROPOUT = {"model": {"dropout": 0.0}}


def make_student(source, weight=0.5, heads=HEADS):
    settings = {name: {"distill_weight": weight} for name in heads}
    if PARSER in settings:
        settings[PARSER] |= NO_DROPOUT
    return make_nlp(source, *settings.items(), dropout=0.0)


@pytest.fixture(scope="module")
def teacher(tiny_bert, tmp_path_factory) -> str:
    """A folder with a pipeline that knows the four documents by heart."""
    fix_random_seed(0)
    nlp = make_student(tiny_bert, weight=0.0)
    train(nlp, make_examples(nlp) * 2, 60)
    folder = tmp_path_factory.mktemp("teacher") / "pipeline"
    nlp.to_disk(folder)
    return str(folder)


def with_texts(nlp, parsed=None):
    """Examples without annotation; or with sentence starts, if `parsed`."""
    for numbers in DOCUMENTS:
        doc = make_reference(nlp.vocab, numbers)
        yield Example(as_blank(doc), doc if parsed else as_blank(doc))


def decisions(nlp):
    docs = [nlp(as_blank(make_reference(nlp.vocab, numbers))) for numbers in DOCUMENTS]
    return [
        [(t.tag_, t.pos_, str(t.morph), t.head.i, t.dep_, t.is_sent_start, t.ent_iob_, t.ent_type_)]
        for doc in docs
        for t in doc
    ]


def label_data(nlp):
    return {name: nlp.get_pipe(name).label_data for name in HEADS}


def initialize_like(nlp, teacher):
    """With the labels of the teacher, and no annotation."""
    for name, labels in label_data(spacy.load(teacher)).items():
        nlp.config["initialize"]["components"][name] = {"labels": labels}
    return nlp.initialize(lambda: list(with_texts(nlp)))


@pytest.mark.slow
def test_probabilities_are_those_of_the_teacher(teacher):
    nlp = spacy.load(teacher)
    read = build_taught(with_texts, teacher, top_k=0)
    (example, *_) = read(nlp)
    said = example.reference.user_data[KEY]
    assert set(said) == {
        *("tag", "pos", "morph", "dep", "head", "parse", "sent_start", "ent", "temperature")
    }
    doc = nlp(as_blank(example.reference))
    tags = said["tag"]["labels"]
    best = said["tag"]["probabilities"].argmax(axis=1)
    numbers = np.take_along_axis(said["tag"]["numbers"], best[:, None], axis=1)[:, 0]
    assert [tags[number] for number in numbers] == [token.tag_ for token in doc]
    assert said["parse"]["heads"].tolist() == [token.head.i for token in doc]
    assert said["parse"]["starts"].tolist() == [bool(token.is_sent_start) for token in doc]
    for kind in ("tag", "pos", "morph", "dep", "ent", "head"):
        sums = said[kind]["probabilities"].astype("float64").sum(axis=1)
        np.testing.assert_allclose(sums, 1, atol=5e-3)
    assert not example.predicted.has_annotation("TAG") and not example.predicted.tensor.size


@pytest.mark.parametrize("top_k", [0, 2])
def test_a_copy_of_the_teacher_has_next_to_nothing_to_learn(teacher, top_k):
    """The gradients of its own probabilities are rounding errors, and what top_k leaves out."""
    nlp = spacy.load(teacher)
    examples = list(build_taught(with_texts, teacher, top_k=top_k)(nlp))
    docs = list(nlp.get_pipe(ENCODER).pipe([example.predicted for example in examples]))
    assert docs[0].tensor.size
    for name in HEADS:
        pipe = nlp.get_pipe(name)
        pipe.distill_weight = 1.0
        model = pipe.model.get_ref("vectors") if name == PARSER else pipe.model
        rows = model.predict(docs)
        _, gradient = pipe.get_loss(examples, rows)
        assert np.abs(gradient).max() < 0.01, name


@pytest.mark.parametrize("temperature", [1.0, 8.0])
@pytest.mark.parametrize("has_gold", [False, True])
@pytest.mark.parametrize("name", HEADS)
def test_gradients_against_differences(teacher, name, has_gold, temperature):
    nlp = spacy.load(teacher)

    def corpus(nlp):
        yield from make_examples(nlp) if has_gold else with_texts(nlp)

    read = build_taught(corpus, teacher, temperature=temperature, top_k=3)
    examples = list(read(nlp))[1:3]
    pipe = nlp.get_pipe(name)
    pipe.distill_weight = 0.4
    if name == PARSER:
        width = nlp.get_pipe(ENCODER).model.get_dim("nO")
        for node in pipe.model.walk():
            node.attrs.update({"dropout": 0.0} if "dropout" in node.attrs else {})
            for param in node.param_names:
                node.set_param(param, node.get_param(param).astype("float64"))
    else:
        width = pipe.model.get_dim("nO")
    n = sum(len(example.predicted) for example in examples)
    rows = np.random.default_rng(0).normal(size=(n, width))
    _, gradient = pipe.get_loss(examples, rows)
    some = np.random.default_rng(1).choice(n * width, 60, replace=False)

    def loss(part):
        changed = rows.ravel().copy()
        changed[some] = part
        return pipe.get_loss(examples, changed.reshape(rows.shape))[0]

    numeric = differences(loss, rows.ravel()[some].copy())
    assert np.abs(numeric).max() > 1e-3
    np.testing.assert_allclose(gradient.ravel()[some], numeric, rtol=1e-3, atol=2e-4)


def test_weight_0_learns_nothing_of_it(teacher):
    nlp = spacy.load(teacher)
    (example, *_) = build_taught(with_texts, teacher)(nlp)
    for name in (TAGGER, NER):
        pipe = nlp.get_pipe(name)
        rows = np.zeros((len(example.predicted), pipe.model.get_dim("nO")), dtype="float32")
        assert pipe.distill_weight == 0
        assert pipe.get_loss([example], rows)[0] == 0


@pytest.mark.slow
def test_a_student_reaches_its_teacher_on_texts_without_annotation(teacher, tiny_bert):
    fix_random_seed(1)
    nlp = make_student(tiny_bert)
    initialize_like(nlp, teacher)
    examples = list(build_taught(with_texts, teacher)(nlp))
    optimizer = fast_optimizer()
    for step in range(60):
        optimizer.learn_rate = 0.01 * min(1.0, 2 - 2 * step / 60)
        nlp.update(examples, sgd=optimizer)
    assert decisions(nlp) == decisions(spacy.load(teacher))


def test_sentences_of_the_reference_are_given_to_the_teacher(teacher):
    nlp = spacy.load(teacher)
    words = ["Yes", "!", "Robots", "never", "sleep", "."]
    starts = [True, False, False, False, True, False]
    reference = Doc(nlp.vocab, words=words, sent_starts=starts)
    read = build_taught(lambda nlp: iter([Example(as_blank(reference), reference)]), teacher)
    (example,) = read(nlp)
    assert example.reference.user_data[KEY]["parse"]["starts"].tolist() == starts


def test_tokens_that_are_cut_otherwise_learn_nothing(teacher):
    """And heads lead to predicted tokens."""
    nlp = spacy.load(teacher)
    reference = as_blank(make_reference(nlp.vocab, [3]))  # Robots never sleep in Zürich .
    predicted = Doc(
        nlp.vocab,
        words=["Ro", "bots", "never", "sleep", "in", "Zürich", "."],
        spaces=[False, True, True, True, True, False, False],
    )
    (example,) = build_taught(lambda _: iter([Example(predicted, reference)]), teacher)(nlp)
    words = np.ones(7, dtype=bool)
    labels = nlp.get_pipe(PARSER).label_data
    taught = read_taught_parses([example], words, words, labels, PARSER)
    assert taught.words.tolist() == [False, False, *[True] * 5]
    assert taught.starts.tolist() == [True, *[False] * 6]
    # "never" hangs from "sleep", the third of the reference's tokens.
    assert taught.heads[2] == 3 and taught.heads[3] == 3
    assert not taught.has_heads[:2].any()


def test_labels_that_the_student_lacks(teacher, tiny_bert):
    nlp = make_student(tiny_bert, heads=(NER,))
    nlp.get_pipe(NER).add_label("PERSON")
    nlp.initialize(lambda: list(with_texts(nlp)))
    examples = list(build_taught(with_texts, teacher)(nlp))
    with pytest.raises(ValueError, match="'pretrained_ner' lacks: B-GPE, I-GPE, E-GPE, S-GPE"):
        nlp.update(examples, sgd=fast_optimizer())


def test_only_the_named_components_teach(teacher):
    (example, *_) = build_taught(with_texts, teacher, components=[NER])(spacy.blank("xx"))
    assert set(example.reference.user_data[KEY]) == {"ent", "temperature"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"teacher": "nowhere"}, "'nowhere' is no folder"),
        ({"components": ["tagger"]}, "no component 'tagger' that can teach, but these: pretrained"),
        ({"components": [ENCODER]}, "no component 'pretrained_encoder' that can teach"),
    ],
)
def test_what_cannot_teach(teacher, settings, message):
    read = build_taught(with_texts, **{"teacher": teacher} | settings)
    with pytest.raises(ValueError, match=message):
        next(read(spacy.blank("xx")))


def test_a_pipeline_without_our_components(tmp_path):
    spacy.blank("xx").to_disk(tmp_path / "blank")
    with pytest.raises(ValueError, match="no component that can teach"):
        next(build_taught(with_texts, str(tmp_path / "blank"))(spacy.blank("xx")))


@pytest.mark.parametrize("settings", [{"temperature": 0.0}, {"top_k": -1}])
def test_settings_out_of_range(settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        build_taught(with_texts, "x", **settings)


def test_weights_out_of_range(tiny_bert):
    with pytest.raises(ValueError, match="distill_weight of 'pretrained_ner'"):
        make_student(tiny_bert, weight=1.5, heads=(NER,))


# Without a teacher


@pytest.mark.parametrize("initializes", [True, False])
def test_a_weight_without_a_teacher_says_once_that_it_has_no_effect(
    teacher, caplog, monkeypatch, initializes
):
    monkeypatch.setattr(spacy.util.logger, "propagate", True)
    nlp = spacy.load(teacher)
    for name in HEADS:
        nlp.get_pipe(name).distill_weight = 0.5
    nlp.get_pipe(NER).distill_weight = 0.0
    if initializes:
        nlp.get_pipe(TAGGER).initialize(lambda: make_examples(nlp))
    for _ in range(2):
        nlp.update(make_examples(nlp), sgd=fast_optimizer())
    found = [
        message for message in caplog.messages if "no example so far has soft labels" in message
    ]
    assert len(found) == 2
    assert all(f"'{name}' has distill_weight = 0.5" in one for name, one in zip(HEADS, found))


@pytest.mark.parametrize("at", ["initialize", "update"])
def test_with_some_soft_labels_nothing_is_said(teacher, caplog, monkeypatch, at):
    monkeypatch.setattr(spacy.util.logger, "propagate", True)
    nlp = spacy.load(teacher)
    taught = list(build_taught(with_texts, teacher)(nlp))
    for name in HEADS:
        nlp.get_pipe(name).distill_weight = 0.5
        if at == "initialize":
            nlp.get_pipe(name).initialize(lambda: [*make_examples(nlp), *taught])
    first = taught[:1] if at == "update" else []
    for examples in ([*make_examples(nlp), *first], make_examples(nlp)):
        nlp.update(examples, sgd=fast_optimizer())
    assert "soft labels" not in caplog.text


def test_a_component_that_the_teacher_lacks_says_so(teacher, caplog, monkeypatch):
    monkeypatch.setattr(spacy.util.logger, "propagate", True)
    nlp = spacy.load(teacher)
    taught = list(build_taught(with_texts, teacher, components=[TAGGER])(nlp))
    for name in HEADS:
        nlp.get_pipe(name).distill_weight = 0.5
    nlp.update(taught, sgd=fast_optimizer())
    found = [message for message in caplog.messages if "soft labels" in message]
    assert len(found) == 2 and f"'{PARSER}'" in found[0] and f"'{NER}'" in found[1]


# The cache


def count_loads(monkeypatch) -> list[str]:
    loads, load = [], spacy.load
    monkeypatch.setattr(teacher_module.spacy, "load", lambda name: loads.append(name) or load(name))
    return loads


def said_of(read):
    return [example.reference.user_data[KEY] for example in read(spacy.blank("xx"))]


def assert_same(one, other):
    assert len(one) == len(other) > 0
    for first, second in zip(one, other):
        assert first.keys() == second.keys()
        for kind in first.keys() - {"temperature"}:
            for name, value in first[kind].items():
                np.testing.assert_array_equal(value, second[kind][name])


def test_the_teacher_is_loaded_at_the_first_example_and_asked_once(teacher, monkeypatch):
    loads = count_loads(monkeypatch)
    read = build_taught(with_texts, teacher)
    assert loads == []
    first = said_of(read)
    assert loads == [teacher]
    monkeypatch.setattr(teacher_module.Teacher, "_ask", None)
    assert_same(first, said_of(read))


def test_a_cache_stands_for_the_teacher(teacher, monkeypatch, tmp_path):
    cache = tmp_path / "new" / "said.msgpack"
    first = said_of(build_taught(with_texts, teacher, cache=cache))
    loads = count_loads(monkeypatch)
    assert_same(first, said_of(build_taught(with_texts, teacher, cache=cache)))
    assert loads == []


def test_a_teacher_and_a_cache_in_the_home_folder(teacher, monkeypatch, tmp_path):
    first = said_of(build_taught(with_texts, teacher))
    (tmp_path / "home").symlink_to(Path(teacher).parent)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert_same(first, said_of(build_taught(with_texts, "~/home/pipeline", cache="~/said")))
    assert (tmp_path / "said").is_file()


@pytest.mark.slow
def test_a_cache_of_other_settings_is_made_anew(teacher, tmp_path, caplog):
    cache = tmp_path / "said.msgpack"
    said_of(build_taught(with_texts, teacher, cache=cache))
    spacy.util.logger.propagate = True
    try:
        hot = said_of(build_taught(with_texts, teacher, temperature=3.0, cache=cache))
    finally:
        spacy.util.logger.propagate = False
    assert "made anew" in caplog.text
    assert hot[0]["temperature"] == 3.0
    assert_same(hot, said_of(build_taught(with_texts, teacher, temperature=3.0, cache=cache)))


def test_a_file_that_is_no_cache(teacher, tmp_path):
    (tmp_path / "x").write_bytes(b"\xc1 nothing")
    with pytest.raises(ValueError, match="no cache of what a teacher said"):
        said_of(build_taught(with_texts, teacher, cache=tmp_path / "x"))


def test_the_place_of_the_cache_is_checked_before_the_teacher_is_asked(
    teacher, monkeypatch, tmp_path
):
    (tmp_path / "file").write_text("")
    loads = count_loads(monkeypatch)
    with pytest.raises(NotADirectoryError):
        said_of(build_taught(with_texts, teacher, cache=tmp_path / "file" / "said.msgpack"))
    assert loads == []


def test_a_cache_that_has_all_is_only_read(teacher, monkeypatch, tmp_path):
    cache = tmp_path / "said.msgpack"
    first = said_of(build_taught(with_texts, teacher, cache=cache))
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert_same(first, said_of(build_taught(with_texts, teacher, cache=cache)))


def test_two_processes_write_the_same_cache(teacher, monkeypatch, tmp_path):
    """The second begins and ends while the first one writes."""
    cache = tmp_path / "said.msgpack"
    one, other = (build_taught(with_texts, teacher, cache=cache) for _ in range(2))
    write = teacher_module.srsly.write_msgpack

    def write_at_once(path, content):
        write(path, content)
        with monkeypatch.context() as patch:
            patch.setattr(teacher_module.srsly, "write_msgpack", write)
            patch.setattr(os, "getpid", lambda: 1)
            said_of(other)

    monkeypatch.setattr(teacher_module.srsly, "write_msgpack", write_at_once)
    first = said_of(one)
    monkeypatch.undo()
    assert [path.name for path in tmp_path.iterdir()] == ["said.msgpack"]
    assert_same(first, said_of(build_taught(with_texts, teacher, cache=cache)))


def test_a_pass_that_is_cut_short_writes_nothing_and_loses_nothing(teacher, monkeypatch, tmp_path):
    cache = tmp_path / "said.msgpack"
    read = build_taught(with_texts, teacher, cache=cache)
    for _ in read(spacy.blank("xx")):
        break
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr(teacher_module.Teacher, "_ask", None)
    said_of(read)
    assert cache.exists()


# The whole way


CONFIG = """
[corpora]
[corpora.train]
@readers = "spacy-pretrained.Taught.v1"
teacher = "{teacher}"
[corpora.train.corpus]
@readers = "spacy-pretrained.Corpus.v1"
path = "{path}"
[corpora.dev]
@readers = "spacy-pretrained.Corpus.v1"
path = "{path}/gold.spacy"
"""


@pytest.fixture
def corpus(tmp_path):
    """Documents with annotation, and two without any."""
    vocab = spacy.blank("xx").vocab
    docs = [make_reference(vocab, numbers) for numbers in DOCUMENTS]
    folder = tmp_path / "corpus"
    folder.mkdir()
    DocBin(docs=docs, store_user_data=True).to_disk(folder / "gold.spacy")
    texts = [as_blank(make_reference(vocab, numbers)) for numbers in ([0], [1, 3])]
    DocBin(docs=texts).to_disk(folder / "texts.spacy")
    return folder


def test_spacy_train(teacher, corpus, tiny_bert, tmp_path):
    copy = tmp_path / "teacher"
    shutil.copytree(teacher, copy)
    nlp = make_student(tiny_bert)
    text = CONFIG.format(teacher=copy.as_posix(), path=corpus.as_posix())
    config = nlp.config.copy()
    config["corpora"] = Config().from_str(text, interpolate=False)["corpora"]
    config["training"] |= {"max_steps": 4, "eval_frequency": 2, "patience": 0}
    config.to_disk(tmp_path / "config.cfg")
    train_command(tmp_path / "config.cfg", tmp_path / "out")
    shutil.rmtree(copy)
    trained = spacy.load(tmp_path / "out" / "model-last")
    assert trained("Robots never sleep.").has_annotation("TAG")
    saved = load_config(tmp_path / "out" / "model-last" / "config.cfg")
    assert saved["components"][TAGGER]["distill_weight"] == 0.5
    names = {path.name for path in (tmp_path / "out" / "model-last").iterdir()}
    assert names == {ENCODER, *HEADS, "config.cfg", "meta.json", "tokenizer", "vocab"}


@pytest.mark.slow
def test_a_quantized_pipeline_teaches(int8_pipeline, tiny_bert):
    (example, *_) = build_taught(with_texts, str(int8_pipeline))(spacy.blank("xx"))
    assert {"tag", "head", "ent"} <= set(example.reference.user_data[KEY])


def test_a_pipeline_on_a_cnn_teaches(tmp_path):
    """Without an encoder of ours."""
    nlp = spacy.blank("xx")
    nlp.add_pipe("tok2vec")
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": 96, "upstream": "tok2vec"}
    nlp.add_pipe(TAGGER, config={"model": {"tok2vec": listener}})
    nlp.initialize(lambda: make_examples(nlp))
    nlp.to_disk(tmp_path / "cnn")
    (example, *_) = build_taught(with_texts, str(tmp_path / "cnn"))(spacy.blank("xx"))
    assert set(example.reference.user_data[KEY]) == {"tag", "pos", "morph", "temperature"}


def test_it_is_registered():
    assert registry.readers.get("spacy-pretrained.Taught.v1") is build_taught
