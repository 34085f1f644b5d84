"""The vocabulary that is learnt from texts: the same each time, and it covers these texts."""

import random

import pytest
from hard_texts import HARD_TEXTS

from spacy_pretrained.checkpoints.learn_wordpieces import LONGEST, SPECIAL, learn_wordpieces
from spacy_pretrained.checkpoints.tokenizer_checks import find_unknown

TEXTS = [
    "She sold sea shells by the sea shore; the shells she sold were sea shells for sure.",
    "Zürich, São Paulo, naïve café, façade — “quoted” words and (brackets) [too]… 😀",
    "Die Katze sitzt auf der Matte. 他们在北京大学学习。",
] * 2


def in_order(tokenizer) -> list[str]:
    numbers = tokenizer.vocabulary()
    return sorted(numbers, key=numbers.__getitem__)


@pytest.mark.parametrize("size", [150, 200, 1000])
def test_the_same_texts_give_the_same_vocabulary(size):
    """All pairs of the made-up words are as frequent as others: ties are what differs."""
    draw = random.Random(0)
    words = ["".join(draw.choices("abcdefghij", k=6)) for _ in range(300)]
    texts = [*TEXTS, *[" ".join(words)] * 2]
    definitions = {learn_wordpieces(texts, size).definition for _ in range(5)}
    assert len(definitions) == 1
    shuffled = draw.sample(texts, len(texts))
    assert learn_wordpieces(shuffled, size).definition in definitions


def test_its_pieces_are_special_ones_the_alphabet_and_frequent_words():
    pieces = in_order(learn_wordpieces(TEXTS, 400))
    assert pieces[: len(SPECIAL)] == SPECIAL
    assert len(pieces) == len(set(pieces)) <= 400
    assert {"sea", "shells", "café", "##ü", "😀", "北"} <= set(pieces)
    assert "She" not in pieces and "cafe" not in pieces  # lower case, with its accents


def test_frequent_pieces_come_first():
    """Of a word that is in more than one line for the library, too."""
    texts = ["sea " * 2500, "dog " * 1500]
    pieces = in_order(learn_wordpieces(texts, 100))
    assert pieces.index("sea") < pieces.index("dog")


def test_texts_that_were_learnt_have_no_unknown_piece():
    tokenizer = learn_wordpieces(TEXTS, 400)
    assert find_unknown(tokenizer, TEXTS)[0] == 0
    assert len(tokenizer.prefix) == len(tokenizer.suffix) == 1 and tokenizer.n_special == 2
    assert tokenizer.find_pair_frame().n_special == 3


def test_hard_texts_can_be_learnt_and_read():
    """But for characters that show nothing, which BERT's tokenizers leave out, too."""
    texts = [text for text in HARD_TEXTS if max(map(len, text.split()), default=0) <= LONGEST]
    assert len(texts) > 10
    assert find_unknown(learn_wordpieces(HARD_TEXTS, 2000), texts)[0] < 0.05


def test_the_rarest_characters_are_unknown_where_there_are_too_many():
    many = "".join(chr(0x4E00 + i) for i in range(500))
    tokenizer = learn_wordpieces([*TEXTS * 3, many], 200)
    assert len(tokenizer.vocabulary()) <= 200
    share, _ = find_unknown(tokenizer, [many])
    assert share > 0.9
    assert find_unknown(tokenizer, ["sea shells"])[0] == 0


def test_a_word_that_is_too_long_is_not_learnt():
    long = "a" * (LONGEST + 1)
    with_it, without = (learn_wordpieces(texts, 300) for texts in ([*TEXTS, long], TEXTS))
    assert with_it.definition == without.definition
    assert find_unknown(with_it, [long])[0] == 1


@pytest.mark.parametrize("texts", [[], [""], [" \n", "\t"]])
def test_without_words_nothing_is_learnt(texts):
    with pytest.raises(ValueError, match="the training texts have no words"):
        learn_wordpieces(texts, 200)


def test_a_vocabulary_has_a_least_size():
    with pytest.raises(ValueError, match=r"vocabulary_size = 99 is too small .* at least 100"):
        learn_wordpieces(TEXTS, 99)
