"""Configs of what was recommended are complete, and train."""

import pytest
import spacy
from spacy.tokens import DocBin
from spacy.util import load_model_from_config
from thinc.api import Config
from tiny_pipelines import make_reference

from spacy_pretrained.choosing.config import make_config
from spacy_pretrained.choosing.explain import as_dict, describe_plan
from spacy_pretrained.choosing.memory import GIGABYTE
from spacy_pretrained.choosing.plan import FEW_SHOT
from spacy_pretrained.choosing.query import CorpusSize, Query
from spacy_pretrained.choosing.recommend import recommend


def make(**settings) -> Config:
    query = Query(**settings)
    return make_config(query, recommend(query)[0]).config


@pytest.mark.parametrize("task", ["tagging", "parsing", "ner", "textcat"])
def test_a_config_of_each_task_builds_a_pipeline(task):
    config = make(task=task, lang="es", examples=20_000)
    assert load_model_from_config(config).lang == "es"
    model = config["components"]["pretrained_encoder"]["model"]
    assert model["learn_rate_factor"] is None and not model["frozen"]
    source = config["initialize"]["components"]["pretrained_encoder"]["source"]
    assert source == recommend(Query(task, "es", examples=20_000))[0].name


def test_few_texts_get_the_few_shot_classifier():
    config = make(task="textcat", examples=100)
    assert config["nlp"]["pipeline"] == ["few_shot_textcat"]
    assert config["training"]["max_steps"] == 100


@pytest.mark.parametrize(
    "memory, frozen, checkpointing, texts",
    [
        (None, False, False, 32),
        (1_100, False, False, 9),
        (1_000, False, True, 18),
        (800, True, False, 32),
    ],
)
def test_few_texts_are_learnt_in_little_memory(memory, frozen, checkpointing, texts):
    query = Query("textcat", examples=100, memory=memory and memory * 1_000_000)
    first = recommend(query)[0]
    assert first.plan.method == FEW_SHOT and first.plan.frozen == frozen
    assert ("on a frozen encoder" in describe_plan(first)) == frozen
    assert any("it stays frozen" in reason for reason in first.reasons) == frozen
    assert as_dict(first)["plan"]["frozen"] == frozen
    config = make_config(query, first).config
    encoder = config["components"]["few_shot_textcat"]["model"]["encoder"]
    assert (encoder["frozen"], encoder["gradient_checkpointing"]) == (frozen, checkpointing)
    assert config["training"]["batcher"]["size"] == texts


def test_settings_follow_the_plan():
    config = make(task="ner", device="cuda", speed="accurate", memory=9 * GIGABYTE)
    model = config["components"]["pretrained_encoder"]["model"]
    assert model["mixed_precision"] and model["device"] == "cuda"
    query = Query("ner", "en", "cuda", 9 * GIGABYTE, "accurate")
    plan = recommend(query)[0].plan
    assert model["gradient_checkpointing"] == plan.gradient_checkpointing
    assert config["training"]["batcher"]["size"] == plan.batch_words
    assert config["training"]["max_steps"] == plan.steps


def test_a_corpus_sets_the_length(tmp_path):
    vocab = spacy.blank("xx").vocab
    DocBin(docs=[make_reference(vocab, [0, 1]) for _ in range(20)]).to_disk(tmp_path / "t.spacy")
    query = Query("ner", examples=20, corpus=CorpusSize(20, 40))
    choice = recommend(query)[0]
    made = make_config(query, choice, train=str(tmp_path / "t.spacy"))
    config = made.config
    assert config["paths"]["train"] == str(tmp_path / "t.spacy")
    assert config["training"]["max_steps"] == choice.plan.steps == 500
    assert choice.plan.epochs == 500  # a batch has all of it


def test_long_texts_make_small_batches_of_few_examples():
    for words, texts in ((2, 32), (50, 32), (300, 32), (20_000, 1)):
        memory = 3 * GIGABYTE if words > 1000 else None
        corpus = CorpusSize(100, 100 * words)
        query = Query("textcat", examples=100, memory=memory, corpus=corpus)
        first = recommend(query)[0]
        config = make_config(query, first).config
        assert config["training"]["batcher"]["size"] == texts, words
        assert first.plan.batch_words == texts * words
        assert memory is None or first.plan.training.peak <= memory


def test_what_needs_no_training_has_no_config():
    with pytest.raises(ValueError, match=r"no config for 'similarity'.*all-minilm"):
        make(task="similarity")
