"""An encoder with a stock transformer's windows gives what that computes: beside a slow, plain
version of each, with a backend whose vectors depend on all that a window shows."""

import logging
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import spacy
from hard_texts import HARD_TEXTS, random_texts
from numpy.testing import assert_allclose
from numpy_backend import WIDTH, NumpyShim
from spacy.tokens import Doc
from tokenizers import Tokenizer

from spacy_pretrained.encoder.token_encoder import EncoderModel, build_encoder, get_shim
from spacy_pretrained.windows import stock_plan
from spacy_pretrained.windows.doc_arrays import read_arrays
from spacy_pretrained.windows.stock_plan import find_spans
from spacy_pretrained.windows.stock_windows import StockWindows
from spacy_pretrained.windows.word_pieces import encode_tokens

NLP = spacy.blank("en")
NLP.add_pipe("sentencizer")
LONG = "She sold sea shells by the sea shore.  “Isn't it?” she said, and naïve 😀 foxes came.\n" * 6
LIMIT = 64  # wordpieces
BPE = {"kind": "byte_bpe"}
WORDPIECE = {"kind": "wordpiece", "lowercase": True, "strip_accents": True}
CASES = [
    ({"spans": "tokens", "window": 12, "stride": 9}, "bert"),
    ({"spans": "tokens", "window": 12, "stride": 12}, "roberta"),
    ({"spans": "tokens", "window": 7, "stride": 2}, "xlm-r"),
    ({"spans": "tokens", "window": 12, "stride": 9, "pooling": "sum"}, "modernbert"),
    ({"spans": "sentences"}, "bert"),
    ({"spans": "docs"}, "xlm-r"),
    ({"spans": "pieces", "window": 14, "stride": 10, "words": BPE}, "roberta"),
    ({"spans": "pieces", "window": 14, "stride": 7, "words": BPE, "pooling": "sum"}, "roberta"),
    ({"spans": "pieces", "window": 14, "stride": 14, "words": WORDPIECE}, "bert"),
    ({"spans": "pieces", "window": 9, "stride": 6, "words": {"kind": "sentencepiece"}}, "xlm-r"),
    ({"spans": "seeming_sentences"}, "bert"),
    ({"spans": "seeming_sentences", "words": BPE, "pooling": "sum"}, "roberta"),
]
IDS = [
    "-".join([kind, *(f"{v}" for v in case.values() if not isinstance(v, dict))])
    for case, kind in CASES
]


@pytest.fixture(scope="module")
def docs() -> list[Doc]:
    texts = [*HARD_TEXTS, LONG, "", "Hello   world", *random_texts(15)]
    return list(NLP.pipe(texts))


def make_encoder(source: str, case: dict, window: int = 0, stride: int | None = None):
    model = build_encoder(NumpyShim(False), window, stride, 256, 0, False, stock_windows=case)
    get_shim(model).load_source(Path(source))
    model.initialize()
    return model


# The plain versions: windows of ids, with the tokens that each piece belongs to


def span_windows(model: EncoderModel, stock: StockWindows, doc: Doc) -> Iterator[list]:
    tokenizer = Tokenizer.from_str(get_shim(model).checkpoint.tokenizer.definition)
    for low, high in find_spans(stock, doc, read_arrays([doc])):
        span = doc[low:high]
        owner = {}  # of characters; the space behind a token is its own, too
        for token in span:
            start = token.idx - span[0].idx
            owner |= dict.fromkeys(range(start, start + len(token) + 1), token.i)
        encoding = tokenizer.encode(span.text)
        shown = [
            (number, {owner[i] for i in range(start, end)})
            for number, (start, end) in zip(encoding.ids, encoding.offsets)
        ]
        yield shown[:LIMIT]


def piece_sequence(model: EncoderModel, stock: StockWindows, doc: Doc) -> list:
    tokenizer = get_shim(model).checkpoint.tokenizer
    ids, lengths = encode_tokens(tokenizer, stock.words, [doc], read_arrays([doc]))
    pieces = iter(ids.tolist())
    own = [(next(pieces), {i}) for i, n in enumerate(lengths.tolist()) for _ in range(n)]
    return [(i, set()) for i in tokenizer.prefix] + own + [(i, set()) for i in tokenizer.suffix]


def vectors_of(model: EncoderModel, ids: list[int]) -> np.ndarray:
    vectors = get_shim(model).table[ids]
    return vectors + vectors.mean(axis=0)


def expected(model: EncoderModel, stock: StockWindows, doc: Doc) -> np.ndarray:
    parts = defaultdict(list)
    if stock.words is None:
        for shown in span_windows(model, stock, doc):
            vectors = vectors_of(model, [number for number, _ in shown])
            for vector, (_, tokens) in zip(vectors, shown):
                for token in tokens:
                    parts[token].append(vector)
    else:
        shown = piece_sequence(model, stock, doc)
        found = defaultdict(list)
        for start in range(0, len(shown), stock.stride):
            ids = [number for number, _ in shown[start : start + stock.window]]
            for place, vector in enumerate(vectors_of(model, ids), start=start):
                found[place].append(vector)
        for place, (_, tokens) in enumerate(shown):
            for token in tokens:
                parts[token].append(np.mean(found[place], axis=0))
    pool = {"mean": np.mean, "sum": np.sum}[stock.pooling]
    rows = [pool(parts[i], axis=0) if parts[i] else np.zeros(WIDTH) for i in range(len(doc))]
    return np.array(rows).reshape(len(doc), WIDTH)


KEPT = [case for case in CASES if case[0]["spans"] != "seeming_sentences"]


@pytest.mark.parametrize("case, kind", KEPT, ids=IDS[: len(KEPT)])
def test_vectors_are_those_of_the_plain_version(tiny_source, docs, case, kind):
    model, stock = make_encoder(tiny_source(kind), case), StockWindows.from_config(case)
    for doc, vectors in zip(docs, model.predict(docs)):
        assert_allclose(
            vectors, expected(model, stock, doc), rtol=1e-4, atol=1e-4, err_msg=doc.text
        )


@pytest.mark.parametrize("case, kind", CASES, ids=IDS)
def test_a_doc_alone_and_in_a_batch_has_the_same_vectors(tiny_source, docs, case, kind):
    model = make_encoder(tiny_source(kind), case, window=40)
    for doc, vectors in zip(docs, model.predict(docs)):
        assert_allclose(model.predict([doc])[0], vectors, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("case, kind", CASES, ids=IDS)
def test_the_backward_pass_is_the_adjoint(tiny_source, docs, case, kind):
    """Vectors are linear in the table, so their gradient is, too."""
    model = make_encoder(tiny_source(kind), case)
    shim, rng = get_shim(model), np.random.default_rng(0)
    vectors, backprop = model.begin_update(docs)
    d_vectors = [rng.normal(size=v.shape).astype("float32") for v in vectors]
    backprop(d_vectors)
    forth = sum((v * d).sum() for v, d in zip(vectors, d_vectors))
    assert_allclose(forth, (shim.table * shim._gradient).sum(), rtol=1e-4)


@pytest.mark.parametrize("words", [None, BPE])
def test_own_windows_change_nothing_but_the_windows(tiny_source, docs, words):
    """Where each window shows a token alone, its vector is the same in both."""
    source, case = tiny_source("roberta"), {"spans": "seeming_sentences", "words": words}
    words_of = [Doc(NLP.vocab, words=[token.text]) for doc in docs for token in doc]
    kept = {"spans": "pieces", "window": 60, "stride": 60} if words else {"spans": "docs"}
    one = make_encoder(source, case).predict(words_of)
    two = make_encoder(source, kept | {"words": words}).predict(words_of)
    short = [len(get_shim_ids(source, doc)) < 50 for doc in words_of]
    for doc, a, b, is_short in zip(words_of, one, two, short):
        assert_allclose(a, b, atol=1e-5, err_msg=doc.text) if is_short else None
    assert sum(short) > 100


def get_shim_ids(source: str, doc: Doc) -> list[int]:
    return Tokenizer.from_file(str(Path(source) / "tokenizer.json")).encode(doc.text).ids


def test_own_windows_leave_nothing_out(tiny_source):
    for words in (None, BPE):
        case = {"spans": "seeming_sentences", "words": words}
        model = make_encoder(tiny_source("roberta"), case, window=16, stride=10)
        (vectors,) = model.predict([NLP(LONG.replace(".", ","))])
        spaces = [token.is_space for token in NLP(LONG)]
        assert np.abs(vectors).any(axis=1)[~np.array(spaces)].all()


def test_what_is_beyond_the_model_has_no_vectors_and_one_warning_says_so(
    tiny_source, monkeypatch, caplog
):
    monkeypatch.setattr(stock_plan, "_has_warned", False)
    model = make_encoder(tiny_source("bert"), {"spans": "docs"})
    with caplog.at_level(logging.WARNING, "spacy"):
        first, second = model.predict([NLP("sea " * 80), NLP("shell " * 400)])
    assert first[:63].any(axis=1).all() and not first[63:].any()
    (record,) = caplog.records
    assert "It begins: 'sea sea" in record.getMessage() and "82 wordpieces" in record.getMessage()
    assert not second[63:].any()


@pytest.mark.parametrize(
    "case, settings, message",
    [
        ({"spans": "docs"}, {"stride": 9}, "stride = 9 is for windows of sentences"),
        (
            {"spans": "pieces", "window": 80, "stride": 60, "words": BPE},
            {},
            "stock_windows.window = 80 wordpieces is more than the 64",
        ),
    ],
)
def test_what_cannot_be_is_refused(tiny_source, case, settings, message):
    model = make_encoder(tiny_source("roberta"), case, **settings)
    with pytest.raises(ValueError, match=message):
        model.predict([NLP("a b")])


def test_sentences_have_to_be_there(tiny_source):
    model = make_encoder(tiny_source("bert"), {"spans": "sentences"})
    with pytest.raises(ValueError, match="E030"):
        model.predict([NLP.make_doc("One. Two.")])
