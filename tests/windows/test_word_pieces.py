"""Tokens that are tokenized one by one have the pieces that their texts have alone."""

import json

import numpy as np
import pytest
import spacy
from hard_texts import HARD_TEXTS, random_texts
from spacy.tokens import Doc
from spacy.vocab import Vocab
from tiny_models import make_byte_bpe, make_unigram
from tokenizers import Tokenizer, models

from spacy_pretrained.checkpoints.wordpieces import PieceTokenizer
from spacy_pretrained.windows.doc_arrays import read_arrays
from spacy_pretrained.windows.stock_windows import ByteBpe, SentencePiece, WordPiece
from spacy_pretrained.windows.word_pieces import encode_tokens

NLP = spacy.blank("en")
DOCS = list(NLP.pipe([*HARD_TEXTS, "Hello   world", *random_texts(40)]))
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "##a", "ab", "##b", "c", "#", "-", "##ς"]


def encode(tokenizer, words, docs: list[Doc]) -> list[list[list[int]]]:
    """The pieces of each token of each Doc."""
    ids, lengths = encode_tokens(tokenizer, words, docs, read_arrays(docs))
    assert len(lengths) == sum(map(len, docs)) and lengths.sum() == len(ids)
    tokens = iter(np.split(ids, np.cumsum(lengths)[:-1]))
    return [[next(tokens).tolist() for _ in doc] for doc in docs]


def make_wordpiece() -> PieceTokenizer:
    vocabulary = {piece: number for number, piece in enumerate(VOCABULARY)}
    model = models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=10**6)
    return PieceTokenizer(Tokenizer(model).to_str())


@pytest.mark.parametrize("make", [make_byte_bpe, make_unigram])
def test_each_token_is_tokenized_alone(make):
    tokenizer = PieceTokenizer(make().to_str())
    words = ByteBpe() if make is make_byte_bpe else SentencePiece()
    for doc, pieces in zip(DOCS, encode(tokenizer, words, DOCS)):
        for token, found in zip(doc, pieces):
            before = doc[token.i - 1].whitespace_ if token.i and words == ByteBpe() else ""
            (ids,) = tokenizer.encode_ids([before + token.text])
            assert found == ([] if token.is_space else ids.tolist()), (doc.text, token)


def test_docs_with_vocabs_of_their_own():
    tokenizer = PieceTokenizer(make_byte_bpe().to_str())
    words = (["first"], [], ["first", "second"], ["third"])
    docs = [Doc(Vocab(), words=own) for own in words]
    alone = [encode(tokenizer, ByteBpe(), [doc])[0] for doc in docs]
    assert encode(tokenizer, ByteBpe(), docs) == alone


@pytest.mark.parametrize("space, expected", [("token", "world"), ("word", " world")])
def test_a_word_behind_several_spaces(space, expected):
    """With white space as a token, the word behind it is not behind a space itself."""
    tokenizer = PieceTokenizer(make_byte_bpe().to_str())
    doc = NLP("Hello   world")
    assert [token.text for token in doc] == ["Hello", "  ", "world"]
    *_, pieces = encode(tokenizer, ByteBpe(space=space), [doc])[0]
    assert pieces == tokenizer.encode_ids([expected])[0].tolist()


@pytest.mark.parametrize(
    "text, pieces",
    [
        ("ab", ["ab"]),
        ("aba", ["ab", "##a"]),
        ("abac", ["ab", "##a", "[UNK]"]),  # the known start stays
        ("xab", ["[UNK]"]),
        ("##a", ["#", "[UNK]"]),  # no word begins with the middle of one
        ("a-c", ["a", "[UNK]"]),
        ("a" * 300, ["a", *["##a"] * 299]),
        ("a b", ["a", "[UNK]"]),  # a token with a space in it
    ],
)
def test_only_the_rest_of_a_word_is_unknown(text, pieces):
    tokenizer, words = make_wordpiece(), WordPiece(split_punctuation=False)
    (found,) = encode(tokenizer, words, [Doc(NLP.vocab, words=[text])])[0]
    assert [VOCABULARY[number] for number in found] == pieces


@pytest.mark.parametrize(
    "text, settings, pieces",
    [
        ("a-c", {}, ["a", "-", "c"]),
        ("##a", {}, ["#", "#", "a"]),
        ("AB", {}, ["[UNK]"]),
        ("AB", {"lowercase": True}, ["ab"]),
        ("á", {"strip_accents": True}, ["a"]),
        ("ÁB", {"lowercase": True, "strip_accents": True}, ["ab"]),
        ("\u0301", {"strip_accents": True}, []),
        ("AΣ", {"lowercase": True}, ["a", "##ς"]),  # Python's lower case, not one by characters
    ],
)
def test_what_is_done_to_a_text_before(text, settings, pieces):
    tokenizer = make_wordpiece()
    (found,) = encode(tokenizer, WordPiece(**settings), [Doc(NLP.vocab, words=[text])])[0]
    assert [VOCABULARY[number] for number in found] == pieces


def test_nothing():
    tokenizer = make_wordpiece()
    assert encode(tokenizer, WordPiece(), [NLP(""), NLP(" ")]) == [[], [[]]]
    assert json.loads(tokenizer.definition)["model"]["type"] == "WordPiece"
