"""A cache changes no vector, only how often it is computed; it never outlives its weights."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import spacy
from hard_texts import HARD_TEXTS, random_texts
from numpy.testing import assert_allclose
from spacy.tokens import Doc
from spacy.vocab import Vocab
from thinc.api import Adam

from spacy_pretrained.encoder import vector_shards
from spacy_pretrained.encoder.feature_cache import make_key
from spacy_pretrained.encoder.token_encoder import (
    EncoderModel,
    build_torch_encoder,
    get_shim,
    set_cache,
)
from spacy_pretrained.windows.doc_arrays import read_arrays

WIDTH = 32
PLENTY = 2**30
NAME = "my_encoder"
NLP = spacy.blank("xx")
TEXTS = list(dict.fromkeys([*HARD_TEXTS, "", "a", *random_texts(10)]))


@pytest.fixture(scope="module")
def docs() -> list[Doc]:
    return list(NLP.pipe(TEXTS))


def make_encoder(source: str, **settings) -> EncoderModel:
    model = build_torch_encoder(**{"orth_width": 8, "frozen": True, **settings})
    get_shim(model).load_source(Path(source))
    model.initialize()
    return model


@pytest.fixture
def encoded(monkeypatch) -> list[int]:
    """How many pieces went through a backbone, special ones included, for each call."""
    from spacy_pretrained.backends.torch_backend import TorchShim

    calls, predict = [], TorchShim.predict

    def record(shim, batches):
        batches = list(batches)
        calls.append(sum(int(batch.mask.sum()) for batch in batches))
        return predict(shim, batches)

    monkeypatch.setattr(TorchShim, "predict", record)
    return calls


def assert_same(found, expected):
    assert len(found) == len(expected)
    for one, two in zip(found, expected):
        assert_allclose(one, two, atol=1e-5)


# Vectors


def test_they_are_those_of_an_encoder_without_a_cache(tiny_bert, docs, encoded):
    model = make_encoder(tiny_bert)
    expected = model.predict(docs)
    set_cache(model, PLENTY, None, NAME)
    first = model.predict(docs)
    encoded.clear()
    for again in (model.predict(docs), model.begin_update(docs)[0]):
        for one, two, three in zip(again, first, expected):
            assert np.array_equal(one, two)  # to the last bit: the batch is the same
            assert np.array_equal(one, three)
    backwards = model.predict(docs[::-1])[::-1]
    assert_same(backwards, expected)
    assert_same([model.predict([doc])[0] for doc in docs], expected)
    assert not encoded


def test_only_what_is_not_known_is_encoded_and_once(tiny_bert, docs, encoded):
    model = make_encoder(tiny_bert)
    known, others = docs[::2], docs[1::2]
    model.predict(others)
    (pieces_of_others,) = encoded
    expected = model.predict(docs)
    set_cache(model, PLENTY, None, NAME)
    model.predict(known)
    encoded.clear()
    assert_same(model.predict([*docs, *docs]), [*expected, *expected])
    assert encoded == [pieces_of_others]


def test_the_orth_embedding_trains_beside_it(tiny_bert, docs):
    """And the gradient is that without a cache."""
    models = [make_encoder(tiny_bert) for _ in range(2)]
    models[1].get_ref("orth").from_bytes(models[0].get_ref("orth").to_bytes())
    set_cache(models[1], PLENTY, None, NAME)
    for model in models:
        before = np.concatenate(model.predict(docs))
        for _ in range(3):
            vectors, backprop = model.begin_update(docs)
            assert backprop([v - 1 for v in vectors]) == []
            model.finish_update(Adam(0.01))
        after = np.concatenate(model.predict(docs))
        assert np.array_equal(before[:, :WIDTH], after[:, :WIDTH])
        assert ((after[:, WIDTH:] - 1) ** 2).sum() < ((before[:, WIDTH:] - 1) ** 2).sum()
    assert_same(models[1].predict(docs), models[0].predict(docs))


@pytest.mark.parametrize("cache_bytes", [0, PLENTY])
def test_a_frozen_backbone_builds_no_graph(tiny_bert, docs, monkeypatch, cache_bytes):
    model = make_encoder(tiny_bert)
    set_cache(model, cache_bytes, None, NAME)
    monkeypatch.setattr(type(get_shim(model)), "begin_update", None)
    vectors, backprop = model.begin_update(docs)
    assert backprop(vectors) == []
    assert all(p.grad is None for p in get_shim(model).module.parameters())


@pytest.mark.parametrize("texts", [[], [""], ["", ""], [" "], ["", "a"]])
def test_nothing_to_encode(tiny_bert, texts):
    model = make_encoder(tiny_bert)
    set_cache(model, PLENTY, None, NAME)
    docs = [NLP.make_doc(text) for text in texts]
    for _ in range(2):
        assert [v.shape for v in model.predict(docs)] == [(len(doc), WIDTH + 8) for doc in docs]


def test_what_is_changed_in_a_vector_is_not_changed_in_the_cache(tiny_bert, docs):
    model = make_encoder(tiny_bert)
    set_cache(model, PLENTY, None, NAME)
    expected = [v.copy() for v in model.predict(docs)]
    for _ in range(2):
        for vectors in model.predict(docs):
            vectors += 1
    assert_same(model.predict(docs), expected)


def test_threads(tiny_bert, docs):
    model = make_encoder(tiny_bert)
    expected = model.predict(docs)
    set_cache(model, PLENTY, None, NAME)
    rng = np.random.default_rng(0)
    orders = [rng.permutation(len(docs)) for _ in range(12)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda order: model.predict([docs[i] for i in order]), orders))
    for order, vectors in zip(orders, found):
        assert_same(vectors, [expected[i] for i in order])
    assert len(cache_of(model)) == len(docs)


def cache_of(model: EncoderModel):
    return model.get_ref("backbone").attrs["cache"]


# Keys


def key(words: list[str], spaces: list[bool] | None = None, vocab: Vocab | None = None, **kwargs):
    doc = Doc(vocab or NLP.vocab, words=words, spaces=spaces, **kwargs)
    return make_key(doc, read_arrays([doc]))


def test_a_key_is_words_spaces_and_where_sentences_start():
    words = ["Ada", "sees", "it", ".", "No", "."]
    own = key(words)
    assert len(own) == 16
    assert own == key(words, vocab=Vocab())  # of other strings, as in another process
    assert own == key(words, tags=["X"] * 6, heads=[1, 1, 1, 1, 4, 4], deps=["dep"] * 6) != key([])
    assert own == key(words, sent_starts=[1, -1, -1, -1, 1, -1])  # as it seemed
    others = [
        key(words, sent_starts=[1, -1, 1, -1, 1, -1]),
        key(words, spaces=[True] * 5 + [False]),
        key([*words[:3], "!", *words[4:]]),
        key(words[:5]),
        key(words[::-1]),
        key(["Adas", "ees", *words[2:]]),
    ]
    assert len({own, *others}) == 7


def test_known_sentence_starts_give_other_windows(tiny_bert):
    words = ["the", "dog", "sea", "she"] * 3
    docs = [Doc(NLP.vocab, words=words, sent_starts=s) for s in (None, [1, -1, 0, 1] * 3)]
    model = make_encoder(tiny_bert)
    expected = model.predict(docs)
    assert not np.allclose(*expected, atol=1e-3)
    set_cache(model, PLENTY, None, NAME)
    for _ in range(2):
        assert_same([model.predict([doc])[0] for doc in docs], expected)


# The limit


def test_what_does_not_fit_is_computed_every_time(tiny_bert, docs, encoded, caplog):
    model = make_encoder(tiny_bert)
    expected = model.predict(docs)
    limit = sum(len(doc) for doc in docs) * WIDTH * 4 // 2
    set_cache(model, limit, None, NAME)
    encoded.clear()
    for _ in range(4):
        for doc, vectors in zip(docs, expected):
            assert_same(model.predict([doc]), [vectors])
    cached = cache_of(model)._vectors
    used = sum(vectors.nbytes for vectors in cached.values())
    assert limit / 2 < used <= limit
    # Nothing was thrown out: later rounds encode less than the first, all the same.
    first = sum(encoded[: len(docs)])
    assert sum(encoded) < 3 * first
    (message,) = caplog.messages
    assert "is full" in message and "cache_bytes" in message
    assert "'my_encoder'" in message and "[initialize.components.my_encoder]" in message


# Weights and copies


def test_other_weights_have_other_vectors(tiny_bert, docs):
    model, other = make_encoder(tiny_bert), make_encoder(tiny_bert)
    get_shim(other).module.get_input_embeddings().weight.data += 0.5
    set_cache(model, PLENTY, None, NAME)
    before = model.predict(docs)
    model.from_bytes(other.to_bytes())
    assert_same(model.predict(docs), other.predict(docs))
    assert not np.allclose(np.concatenate(before), np.concatenate(model.predict(docs)), atol=1e-2)
    assert cache_of(model) is None


def test_copies_have_no_cache(tiny_bert, docs):
    model = make_encoder(tiny_bert)
    without = model.to_bytes()
    set_cache(model, PLENTY, None, NAME)
    expected = model.predict(docs)
    assert model.to_bytes() == without
    copy = model.copy()
    for name, layer in zip(("backbone", "orth"), copy.layers):  # which Thinc leaves out
        copy.set_ref(name, layer)
    for other in (copy, pickle.loads(pickle.dumps(model))):
        assert cache_of(other) is None
        assert_same(other.predict(docs), expected)


# In a folder


def shards_in(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.vectors"))


def test_another_run_finds_the_vectors(tiny_bert, docs, encoded, tmp_path):
    model = make_encoder(tiny_bert)
    set_cache(model, PLENTY, tmp_path, NAME)
    expected = model.predict(docs)
    assert len(encoded) == 1
    set_cache(model, 0, None, NAME)  # as at the end of a process
    assert len(shards_in(tmp_path)) == 1
    again = make_encoder(tiny_bert)
    again.get_ref("orth").from_bytes(model.get_ref("orth").to_bytes())
    set_cache(again, PLENTY, tmp_path, NAME)
    assert_same(again.predict(docs), expected)
    assert len(encoded) == 1
    again.predict([NLP.make_doc("Something else.")])
    assert len(encoded) == 2
    set_cache(again, 0, None, NAME)
    assert len(shards_in(tmp_path)) == 2


def test_vectors_are_read_from_the_files_as_soon_as_they_are_written(
    tiny_bert, docs, tmp_path, monkeypatch
):
    monkeypatch.setattr(vector_shards, "SHARD_BYTES", 2000)
    model = make_encoder(tiny_bert)
    expected = model.predict(docs)
    set_cache(model, PLENTY, tmp_path, NAME)
    for _ in range(2):
        assert_same([model.predict([doc])[0] for doc in docs], expected)
    assert len(shards_in(tmp_path)) > 3
    mapped = [isinstance(v.base, np.memmap) for v in cache_of(model)._vectors.values()]
    assert sum(mapped) > len(mapped) / 2


@pytest.mark.parametrize("change", ["window", "stride", "precision", "weights", "tokenizer"])
def test_another_encoder_has_a_folder_of_its_own(tiny_source, docs, encoded, tmp_path, change):
    model = make_encoder(tiny_source("bert"), window=24)
    set_cache(model, PLENTY, tmp_path, NAME)
    model.predict(docs)
    set_cache(model, 0, None, NAME)
    settings = {"stride": {"stride": 10}, "precision": {"mixed_precision": True}}
    window = {"window": 20 if change == "window" else 24}
    other = make_encoder(tiny_source("bert"), **window, **settings.get(change, {}))
    if change == "weights":
        get_shim(other).module.get_input_embeddings().weight.data[7] += 1e-3
    if change == "tokenizer":
        tokenizer = get_shim(other).checkpoint.tokenizer
        tokenizer.definition = tokenizer.definition.replace("true", "false", 1)
    expected = other.predict(docs)
    encoded.clear()
    set_cache(other, PLENTY, tmp_path, NAME)
    assert_same(other.predict(docs), expected)
    assert len(encoded) == 1
    assert len(list(tmp_path.iterdir())) == 2


def test_the_limit_is_one_of_the_folder(tiny_bert, docs, tmp_path, caplog):
    limit = sum(len(doc) for doc in docs) * WIDTH * 4 // 2
    for _ in range(3):
        model = make_encoder(tiny_bert)
        set_cache(model, limit, tmp_path, NAME)
        for order in (docs, docs[::-1]):
            model.predict(order)
        set_cache(model, 0, None, NAME)
        size = sum(path.stat().st_size for path in shards_in(tmp_path))
        assert limit / 2 < size < limit + 24 * (len(docs) + 1)  # and an index
    assert sum("is full" in message for message in caplog.messages) == 3


def test_damaged_vectors_are_computed_again(tiny_bert, docs, encoded, tmp_path, caplog):
    model = make_encoder(tiny_bert)
    expected = model.predict(docs)
    set_cache(model, PLENTY, tmp_path, NAME)
    model.predict(docs)
    set_cache(model, 0, None, NAME)
    (path,) = shards_in(tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])
    encoded.clear()
    set_cache(model, PLENTY, tmp_path, NAME)
    assert_same(model.predict(docs), expected)
    assert len(encoded) == 1
    assert sum("cut short" in message for message in caplog.messages) == 1
    set_cache(model, 0, None, NAME)
    set_cache(model, PLENTY, tmp_path, NAME)
    assert_same(model.predict(docs), expected)
    assert len(encoded) == 1
    assert sum("cut short" in message for message in caplog.messages) == 1
