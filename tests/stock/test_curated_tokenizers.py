"""The tokenizers of spacy-curated-transformers become ones of the library `tokenizers` that give
the same pieces, by the numbers that the model has for them."""

import io
import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from spacy.tokens import Doc
from thinc.api import Model, chain
from thinc.types import Ragged
from tiny_models import TEXTS, make_byte_bpe, make_wordpiece

from spacy_pretrained.checkpoints.wordpieces import PieceTokenizer
from spacy_pretrained.stock import curated, curated_tokenizers
from spacy_pretrained.stock.find import CURATED, StockPipe
from spacy_pretrained.windows.stock_windows import ByteBpe, SentencePiece, StockWindows

WORDS = sorted({word for text in TEXTS for word in text.split()})
SPECIAL = ["<s>", "</s>", "<unk>", "[CLS]", "##a"]


def forward(model: Model, X, is_train: bool):
    raise NotImplementedError


def make_stock(encoder: Model) -> StockPipe:
    spans = Model("with_strided_spans", forward, attrs={"window": 20, "stride": 14})
    model = Model("model", forward, layers=[encoder, spans], refs={"piece_encoder": encoder})
    return StockPipe("curated", SimpleNamespace(model=model), CURATED)


def test_byte_bpe():
    theirs = make_byte_bpe()
    definition = json.loads(theirs.to_str())["model"]
    merges = [tuple(m if isinstance(m, list) else m.split(" ")) for m in definition["merges"]]
    processor = SimpleNamespace(vocab=definition["vocab"], merges=merges)
    attrs = {"byte_bpe_processor": processor, "bos_piece": "<s>", "eos_piece": "</s>"}
    stock = make_stock(Model("byte_bpe_encoder", forward, attrs=attrs))
    ours = PieceTokenizer(curated.make_definition(stock))
    assert (ours.prefix, ours.suffix) == (
        [theirs.token_to_id("<s>")],
        [theirs.token_to_id("</s>")],
    )
    words = [*WORDS, *(f" {word}" for word in WORDS)]
    for word, ids in zip(words, ours.encode_ids(words)):
        assert ids.tolist() == theirs.encode(word, add_special_tokens=False).ids, word
    # In a text, special pieces are ordinary characters.
    for word, ids in zip(SPECIAL, ours.encode_ids(SPECIAL)):
        assert len(ids) > 1, word


@pytest.mark.parametrize("space", ["token", "word"])
def test_the_rule_for_white_space_is_that_of_the_installed_version(space):
    """0.3.0 takes white space out of a Doc before the encoder sees it, 0.3.1 does not."""

    def encode(model: Model, docs: list[Doc], is_train: bool):
        pieces = []
        for doc in docs:
            seen = [token for token in doc if space == "token" or not token.is_space]
            lengths = [1, *(int(not token.is_space) for token in seen), 1]
            pieces.append(Ragged(np.ones(sum(lengths)), np.array(lengths)))
        return pieces, lambda d_pieces: docs

    found = curated.read_windows(make_stock(Model("byte_bpe_encoder", encode)), "mean")
    assert found == StockWindows("pieces", window=20, stride=14, words=ByteBpe(space=space))


def test_wordpiece():
    theirs = make_wordpiece()
    pieces = sorted(theirs.get_vocab(), key=theirs.get_vocab().get)
    attrs = {"wordpiece_processor": SimpleNamespace(to_list=lambda: pieces), "unk_piece": "[UNK]"}
    attrs |= {"bos_piece": "[CLS]", "eos_piece": "[SEP]"}
    stock = make_stock(Model("wordpiece_encoder", forward, attrs=attrs))
    ours = PieceTokenizer(curated.make_definition(stock))
    assert (ours.prefix, ours.suffix) == ([pieces.index("[CLS]")], [pieces.index("[SEP]")])
    words = [word for word in WORDS if word.isascii() and word.isalpha() and word.islower()]
    assert len(words) > 20
    for word, ids in zip(words, ours.encode_ids(words)):
        assert ids.tolist() == theirs.encode(word, add_special_tokens=False).ids, word
    # Words of any length have pieces, where BERT's own tokenizer ends at 100 characters.
    (ids,) = ours.encode_ids(["a" * 1000])
    assert len(ids) > 100 and ours.unknown not in ids.tolist()


def train_sentencepiece(**settings):
    """Numbers as XLM-R's has them: unknown 0, <s> 1, </s> 2."""
    sentencepiece = pytest.importorskip("sentencepiece")
    stream = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS * 20),
        model_writer=stream,
        vocab_size=200,
        hard_vocab_limit=False,
        minloglevel=2,
        **{"model_type": "unigram"} | settings,
    )
    return sentencepiece.SentencePieceProcessor(model_proto=stream.getvalue())


def make_sentencepiece_stock(theirs, adapter: str | None) -> StockPipe:
    processor = SimpleNamespace(
        to_protobuf=theirs.serialized_model_proto,
        unk_id=theirs.unk_id,
        bos_id=theirs.bos_id,
        eos_id=theirs.eos_id,
    )
    attrs = {"sentencepiece_processor": processor}
    encoder = Model("sentencepiece_encoder", forward, attrs=attrs)
    return make_stock(chain(encoder, Model(adapter, forward)) if adapter else encoder)


# Numbers of the unknown piece, of <s> and </s>, and how much is added to all others. As fairseq has
# them, in which the models of both adapters were trained.
@pytest.mark.parametrize(
    "adapter, unknown, before, behind, shift",
    [
        (None, 0, 1, 2, 0),
        ("xlmr_adapter", 3, 0, 2, 1),
        ("camembert_adapter", 3, 5, 6, 4),
    ],
)
def test_sentencepiece(adapter, unknown, before, behind, shift):
    theirs = train_sentencepiece()
    stock = make_sentencepiece_stock(theirs, adapter)
    assert curated.read_windows(stock, "sum").words == SentencePiece()
    ours = PieceTokenizer(curated.make_definition(stock))
    assert (ours.prefix, ours.suffix) == ([before], [behind])
    words = [*WORDS, "日本", "two  words", " ", "ﬁne"]
    assert any(theirs.unk_id() in theirs.encode(word) for word in words)
    for word, ids in zip(words, ours.encode_ids(words)):
        expected = [unknown if i == theirs.unk_id() else i + shift for i in theirs.encode(word)]
        assert ids.tolist() == expected, word
    for word, ids in zip(SPECIAL, ours.encode_ids(SPECIAL)):
        assert before not in ids.tolist() and behind not in ids.tolist(), word


def test_sentencepiece_without_a_space_before_a_word():
    theirs = train_sentencepiece(add_dummy_prefix=False, remove_extra_whitespaces=False)
    ours = PieceTokenizer(curated.make_definition(make_sentencepiece_stock(theirs, None)))
    words = [*WORDS, "two  words"]
    for word, ids in zip(words, ours.encode_ids(words)):
        assert ids.tolist() == theirs.encode(word), word


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"model_type": "bpe"}, r"SentencePiece of the kind 2.*Unigram"),
        ({"user_defined_symbols": ["sea"]}, "pieces of the kind 4.*normal, unknown"),
    ],
)
def test_other_sentencepiece_models_are_refused(settings, message):
    stock = make_sentencepiece_stock(train_sentencepiece(**settings), None)
    with pytest.raises(ValueError, match=rf"'curated'.*model\.piece_encoder is {message}"):
        curated.make_definition(stock)


def test_without_sentencepiece_it_says_what_to_install(monkeypatch):
    stock = make_sentencepiece_stock(train_sentencepiece(), None)
    monkeypatch.setitem(sys.modules, "sentencepiece.sentencepiece_model_pb2", None)
    monkeypatch.delattr("sentencepiece.sentencepiece_model_pb2", raising=False)
    with pytest.raises(ValueError, match=r"'curated' is read by sentencepiece.*pip install"):
        curated.make_definition(stock)


def test_adapters_are_known_by_their_names():
    assert set(curated.ADAPTERS.values()) == set(curated_tokenizers.ADAPTED) - {None}
