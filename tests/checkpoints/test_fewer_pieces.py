"""fewer_pieces.py: the given texts are cut as before, and what was known stays known."""

import json
from pathlib import Path

import numpy as np
import pytest
from hard_texts import HARD_TEXTS, random_texts

from spacy_pretrained.checkpoints.fewer_pieces import FewerPieces, keep_pieces
from spacy_pretrained.checkpoints.wordpieces import PieceTokenizer

KEPT = ["She sees the sea shore.", "the dog jumps"]


def make_tokenizer(vocab: list[tuple[str, float]]) -> PieceTokenizer:
    from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers, processors

    special = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    tokenizer = Tokenizer(models.Unigram([*special, *vocab], unk_id=3, byte_fallback=False))
    tokenizer.add_special_tokens([AddedToken(name, special=True) for name, _ in special])
    tokenizer.add_special_tokens([AddedToken("<mask>", special=True)])  # behind the vocabulary
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    ids = [(name, tokenizer.token_to_id(name)) for name in ("<s>", "</s>")]
    tokenizer.post_processor = processors.TemplateProcessing("<s> $A </s>", special_tokens=ids)
    return PieceTokenizer(tokenizer.to_str())


def read_by(tokenizer: PieceTokenizer, texts: list[str]) -> list[int]:
    """The ids of all pieces that the texts are split into."""
    return [number for ids in tokenizer.encode_ids(texts) for number in ids.tolist()]


def pieces_of(tokenizer: PieceTokenizer, text: str) -> list[str]:
    names = {number: piece for piece, number in tokenizer.vocabulary().items()}
    return [names[number] for number in tokenizer.encode_ids([text])[0].tolist()]


@pytest.fixture(scope="module")
def tokenizer(tiny_source):
    folder = Path(tiny_source("xlm-r"))
    return PieceTokenizer((folder / "tokenizer.json").read_text(encoding="utf8"))


@pytest.fixture(scope="module")
def fewer(tokenizer) -> FewerPieces:
    return keep_pieces(tokenizer, read_by(tokenizer, KEPT))


def test_the_given_texts_are_cut_as_before(tokenizer, fewer):
    after = PieceTokenizer(fewer.definition)
    assert len(after.vocabulary()) == len(fewer.kept) < len(tokenizer.vocabulary())
    for text in KEPT:
        (old,), (new,) = tokenizer.encode_ids([text]), after.encode_ids([text])
        assert np.array_equal(fewer.kept[new], old)
        for one, two in zip(tokenizer.encode([text]), after.encode([text])):
            assert np.array_equal(one.starts, two.starts)
            assert np.array_equal(one.ends, two.ends)


def test_no_text_has_more_that_is_unknown(tokenizer, fewer):
    after = PieceTokenizer(fewer.definition)
    for text in [*HARD_TEXTS, *random_texts(50)]:
        (old,), (new,) = tokenizer.encode_ids([text]), after.encode_ids([text])
        assert (new == after.unknown).sum() <= (old == tokenizer.unknown).sum(), text


def test_the_frame_is_the_same(tokenizer, fewer):
    after = PieceTokenizer(fewer.definition)
    for name in ("prefix", "suffix"):
        assert fewer.kept[getattr(after, name)].tolist() == getattr(tokenizer, name)
    assert fewer.kept[after.unknown] == tokenizer.unknown


def test_characters_that_are_in_longer_pieces_alone():
    """Of 日本 there are no single characters: it would be unknown without its piece."""
    vocab = [("▁", -1.0), ("a", -2.0), ("b", -2.0), ("ab", -1.0), ("日本", -3.0), ("▁ab", -0.5)]
    before = make_tokenizer(vocab)
    fewer = keep_pieces(before, read_by(before, ["b a"]))
    after = PieceTokenizer(fewer.definition)
    assert set(before.vocabulary()) - set(after.vocabulary()) == {"ab", "▁ab"}
    assert pieces_of(before, "ab 日本") == ["▁ab", "▁", "日本"]
    assert pieces_of(after, "ab 日本") == ["▁", "a", "b", "▁", "日本"]
    assert after.vocabulary()["<mask>"] == len(fewer.kept) - 1
    assert after.prefix == [after.vocabulary()["<s>"]]
    assert fewer.n_before == 11


def test_all_is_kept_of_texts_that_need_all(tokenizer):
    names = [piece for piece, _ in json.loads(tokenizer.definition)["model"]["vocab"]]
    fewer = keep_pieces(tokenizer, read_by(tokenizer, KEPT), also=range(len(names)))
    assert len(fewer.kept) == len(tokenizer.vocabulary())
    after = PieceTokenizer(fewer.definition)
    assert after.vocabulary() == tokenizer.vocabulary()


def test_what_is_refused(tokenizer, tiny_bert):
    of_bert = PieceTokenizer((Path(tiny_bert) / "tokenizer.json").read_text(encoding="utf8"))
    with pytest.raises(ValueError, match=r"Unigram only.*WordPiece"):
        keep_pieces(of_bert, read_by(of_bert, KEPT))
    with pytest.raises(ValueError, match="have no pieces"):
        keep_pieces(tokenizer, [])
