"""What is read of a corpus, and which components a config then does without."""

import pytest
import spacy
from spacy.attrs import ENT_TYPE, LEMMA
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab
from tiny_pipelines import make_reference

from spacy_pretrained.training.config import complete_config, read_short
from spacy_pretrained.training.corpus_contents import read_contents

NER, LEMMATIZER = "pretrained_ner", "pretrained_lemmatizer"


@pytest.fixture
def write(tmp_path):
    def write(*docs, name="train.spacy"):
        DocBin(docs=docs).to_disk(tmp_path / name)
        return tmp_path / name

    return write


def make_doc(*, entities=True, lemmas=True):
    doc = make_reference(spacy.blank("xx").vocab, [0, 1, 2, 3])
    if not entities:
        doc.set_ents([], default="missing")
    for token in doc if not lemmas else ():
        token.lemma = 0
    return doc


def test_words_of_a_file_and_of_a_folder(write, tmp_path):
    nlp = spacy.blank("xx")
    first, second = write(nlp("one two")), write(nlp("three"), name="more.spacy")
    assert [read_contents(path).words for path in (first, second, tmp_path)] == [2, 1, 3]
    with pytest.raises(ValueError, match="has no words"):
        read_contents(write(name="empty.spacy"))


def test_texts_and_sentences_are_counted(write):
    vocab = spacy.blank("xx").vocab
    two = Doc(vocab, words=["a", "b", "c"], heads=[0, 0, 2], deps=["ROOT", "dep", "ROOT"])
    unknown = Doc(vocab, words=["a", "b", "c"])
    found = read_contents(write(two, unknown))
    assert (found.texts, found.sentences) == (2, 3)
    path = write(name="starts.spacy")
    DocBin(attrs=["SENT_START"], docs=[two, unknown]).to_disk(path)
    assert read_contents(path).sentences == 3


def test_annotation_of_any_document_counts(write):
    def annotated(*docs):
        return read_contents(write(*docs)).annotated & {ENT_TYPE, LEMMA}

    assert annotated(make_doc()) == {ENT_TYPE, LEMMA}
    parts = make_doc(entities=False), make_doc(lemmas=False)
    assert annotated(*parts) == {ENT_TYPE, LEMMA}
    assert annotated(parts[0]) == {LEMMA}
    outside = make_doc(lemmas=False)
    outside.ents = []
    assert annotated(outside) == set()


def test_categories_of_any_text_count(write):
    nlp = spacy.blank("xx")
    texts = [nlp("one"), nlp("two")]
    assert not read_contents(write(*texts)).has_categories
    texts[1].cats = {"a": 0.0}
    assert read_contents(write(*texts)).has_categories


@pytest.mark.parametrize(
    ("has", "names"),
    [
        ({}, []),
        ({"entities": False}, [NER]),
        ({"lemmas": False}, [LEMMATIZER]),
        ({"entities": False, "lemmas": False}, [NER, LEMMATIZER]),
    ],
)
def test_what_a_corpus_lacks_is_left_out(write, has, names):
    found = complete_config("pipeline", train=write(make_doc(**has)))
    pipeline = read_short("pipeline")["nlp"]["pipeline"]
    assert found.config["nlp"]["pipeline"] == [name for name in pipeline if name not in names]
    assert found.config["components"].keys() == set(found.config["nlp"]["pipeline"])
    weights = found.config["training"]["score_weights"]
    assert ("ents_f" in weights, "lemma_acc" in weights) == (
        NER not in names,
        LEMMATIZER not in names,
    )
    assert sum(weight or 0.0 for weight in weights.values()) == pytest.approx(1, abs=0.03)
    assert len(found.left_out) == len(names)
    assert all(f"'{name}'" in line for name, line in zip(names, found.left_out))


def test_a_component_that_is_alone_stays(write):
    found = complete_config("ner", train=write(make_doc(entities=False)))
    assert NER in found.config["components"] and not found.left_out
    (line,) = found.idle
    assert "no entities" in line and f"'{NER}' has nothing to learn" in line


@pytest.mark.parametrize(
    ("purpose", "idle"),
    [
        ("tagger", ["pretrained_tagger"]),
        ("tagger_parser", ["pretrained_tagger", "biaffine_parser"]),
        ("ner", [NER]),
        ("textcat", ["pretrained_textcat"]),
        ("few_shot", ["few_shot_textcat"]),
    ],
)
def test_nothing_is_to_be_learnt_from_bare_words(write, purpose, idle):
    found = complete_config(purpose, train=write(Doc(Vocab(), words=["a", "b"])))
    assert len(found.idle) == len(idle)
    assert all(f"'{name}'" in line for name, line in zip(idle, found.idle))


def test_of_a_treebank_nothing_is_idle(write):
    assert not complete_config("pipeline", train=write(make_doc(entities=False))).idle


def test_components_of_a_trained_pipeline_are_idle_and_stay(write, tmp_path):
    """The encoder that they share moves for the sake of others, and away from them."""
    nlp = spacy.blank("xx")
    for name, label in (("tagger", "NN"), ("ner", "PERSON")):
        nlp.add_pipe(name).add_label(label)
    nlp.initialize()
    nlp.to_disk(model := tmp_path / "trained")
    doc = Doc(nlp.vocab, words=["Ada", "sees"], ents=["B-PERSON", "O"])
    found = complete_config("train_on", train=write(doc), model=str(model))
    (line,) = found.idle
    assert "no tags" in line and "'tagger' has nothing to learn" in line
    assert "gets worse" in line and "training.frozen_components" in line
    components = found.config.interpolate()["components"]
    assert components == {name: {"source": str(model)} for name in nlp.pipe_names}
    assert not complete_config("train_on", train=write(make_doc()), model=str(model)).idle


def test_the_only_new_component_stays(write, tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec")
    nlp.initialize()
    nlp.to_disk(model := tmp_path / "trained")
    own = tmp_path / "own.cfg"
    own.write_text(
        '[nlp]\nlang = "en"\npipeline = ["tok2vec", "ner"]\n'
        f'[components]\n[components.tok2vec]\nsource = "{model}"\n'
        '[components.ner]\nfactory = "ner"\n'
    )
    found = complete_config(str(own), train=write(make_doc(entities=False)))
    assert "ner" in found.config["components"] and not found.left_out
    (line,) = found.idle
    assert "'ner' has nothing to learn" in line and "choose another config" in line


def test_what_learns_something_else_stays(write, tmp_path):
    short = read_short("pipeline")
    short["components"][NER]["spans_key"] = "sc"
    short["initialize"]["components"][LEMMATIZER] = {"labels": {"table": []}}
    short.to_disk(tmp_path / "own.cfg")
    train = write(make_doc(entities=False, lemmas=False))
    with_ner = complete_config(str(tmp_path / "own.cfg"), train=train)
    assert with_ner.config["nlp"]["pipeline"] == short["nlp"]["pipeline"]


@pytest.mark.slow
def test_a_treebank_without_entities_trains(write, tiny_bert, tmp_path):
    from spacy.training.initialize import init_nlp

    train = write(*[make_doc(entities=False)] * 4)
    found = complete_config("pipeline", train=train, dev=train, encoder=tiny_bert)
    nlp = init_nlp(found.config)
    assert LEMMATIZER in nlp.pipe_names and NER not in nlp.pipe_names
