"""A lemmatizer that was loaded trains on from what it knows."""

import pytest
import spacy
from spacy.util import registry
from tiny_pipelines import CNN, as_blank, fast_optimizer, make_examples, train

from spacy_pretrained.training.lemmatizer_trees import (
    build_restore_lemmatizer_trees,
    restore_lemmatizer_trees,
)

MODEL = {"@architectures": "spacy.Tagger.v2", "tok2vec": CNN}


def lemmas(nlp, examples):
    return [[token.lemma_ for token in nlp(as_blank(x.reference))] for x in examples]


@pytest.fixture(scope="module")
def trained():
    nlp = spacy.blank("xx")
    nlp.add_pipe("trainable_lemmatizer", config={"model": MODEL, "min_tree_freq": 1})
    train(nlp, make_examples(nlp), 40)
    return nlp


def test_training_goes_on(trained, tmp_path):
    trained.to_disk(tmp_path)
    nlp = spacy.load(tmp_path)
    examples = make_examples(nlp)
    gold = [[token.lemma_ for token in x.reference] for x in examples]
    assert lemmas(nlp, examples) == gold
    assert restore_lemmatizer_trees(nlp) is nlp
    optimizer = fast_optimizer()
    for _ in range(10):
        assert nlp.update(examples, sgd=optimizer)["trainable_lemmatizer"] < 0.01
    assert lemmas(nlp, examples) == gold


def test_all_that_are_there(trained, tmp_path):
    """Disabled ones, too, as they are while a training is initialized; others are let alone."""
    before = trained.get_pipe("trainable_lemmatizer").tree2label
    assert before
    trained.to_disk(tmp_path)
    nlp = spacy.load(tmp_path, disable=["trainable_lemmatizer"])
    nlp.add_pipe("trainable_lemmatizer", name="empty", config={"model": MODEL})
    nlp.add_pipe("sentencizer")
    restore_lemmatizer_trees(nlp)
    (loaded, empty) = (pipe for name, pipe in nlp.components if name != "sentencizer")
    assert loaded.tree2label == before and empty.tree2label == {}
    restore_lemmatizer_trees(trained)
    assert trained.get_pipe("trainable_lemmatizer").tree2label == before


def test_it_is_registered():
    name = "spacy-pretrained.restore_lemmatizer_trees.v1"
    assert registry.callbacks.get(name) is build_restore_lemmatizer_trees
    assert registry.callbacks.get(name)() is restore_lemmatizer_trees
