"""The table finds what was counted, in three steps, and the same each time."""

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc

from spacy_pretrained.lemmatizer.gold import read_entries
from spacy_pretrained.lemmatizer.lemma_table import COLUMNS, LemmaTable, read_words

FEATURES = {"saw": "Tense=Past", "Saws": "Number=Plur"}


@pytest.fixture(scope="module")
def vocab():
    return spacy.blank("en").vocab


def make_doc(vocab, *tokens: str) -> Doc:
    """Of "form/tag/lemma"."""
    words, tags, lemmas = zip(*(token.split("/") for token in tokens))
    morphs = [FEATURES.get(word, "") for word in words]
    return Doc(vocab, words=words, tags=tags, lemmas=lemmas, morphs=morphs)


def make_table(vocab, *tokens: str) -> LemmaTable:
    return LemmaTable().extended(read_entries(make_doc(vocab, *tokens), "tag", vocab.strings))


def look_up(vocab, table: LemmaTable, *tokens: str) -> list[tuple[str, float, bool]]:
    doc = make_doc(vocab, *(f"{token}/" for token in tokens))
    found = table.find(read_words([doc], "tag"))
    lemmas = [vocab.strings[h] if h else "" for h in found.lemmas.tolist()]
    return list(
        zip(lemmas, np.round(found.shares.astype("float64"), 2).tolist(), found.is_lower.tolist())
    )


def test_the_most_frequent_lemma(vocab):
    table = make_table(vocab, "saw/V/see", "saw/V/saw", "saw/V/see", "saw/N/saw", "Ada/P/Ada")
    assert len(table) == 4
    found = look_up(vocab, table, "saw/V", "saw/N", "Ada/P", "saw/X", "new/N")
    expected = [("see", 0.67, False), ("saw", 1, False), ("Ada", 1, False), ("", 0, False)]
    assert found == [*expected, ("", 0, False)]


def test_other_features_and_other_case(vocab):
    table = make_table(vocab, "Saws/N/saw", "Bill/P/Bill")
    table = table.extended(read_entries(make_doc(vocab, "saw/V/see"), "tag", vocab.strings))
    doc = Doc(vocab, words=["saw", "SAW", "bill"], tags=["V", "V", "P"])  # without features
    found = table.find(read_words([doc], "tag"))
    assert [vocab.strings[h] for h in found.lemmas.tolist()] == ["see", "see", "bill"]
    assert found.is_lower.tolist() == [False, True, True]


def test_equally_frequent_lemmas(vocab):
    """The order of the corpus does not matter."""
    tokens = ["saw/V/see", "saw/V/saw", "saw/V/sew"]
    found = {
        look_up(vocab, make_table(vocab, *(tokens[i:] + tokens[:i])), "saw/V")[0] for i in range(3)
    }
    assert len(found) == 1


def test_counts_add_up(vocab):
    tokens = ["saw/V/see", "saw/V/saw", "saw/V/see"]
    at_once = make_table(vocab, *tokens)
    bit_by_bit = LemmaTable()
    for token in tokens:
        bit_by_bit = bit_by_bit.extended(read_entries(make_doc(vocab, token), "tag", vocab.strings))
    assert at_once.counts.tolist() == bit_by_bit.counts.tolist() == [2, 1]
    for name in COLUMNS:
        np.testing.assert_array_equal(at_once.rows[name], bit_by_bit.rows[name])


def test_an_empty_table_and_no_words(vocab):
    assert look_up(vocab, LemmaTable(), "saw/V") == [("", 0, False)]
    table = make_table(vocab, "saw/V/see")
    words = read_words([Doc(vocab)], "tag")
    assert len(table.find(words).lemmas) == 0 and len(table.has(words)) == 0
    assert len(LemmaTable().extended(read_entries(Doc(vocab), "tag", vocab.strings))) == 0


def test_all_of_many_are_found(vocab):
    """Keys of 30,000 entries differ from each other."""
    rng = np.random.default_rng(0)
    rows = {name: rng.integers(1, 2**63, 30_000).astype("uint64") for name in COLUMNS}
    rows["tag"] = rng.choice(rows["tag"][:50], 30_000)
    table = LemmaTable().extended(rows)
    assert len(table) == 30_000
    np.testing.assert_array_equal(table.find(rows).lemmas, rows["lemma"])
    assert table.has(rows).all()
    strangers = rows | {"form": rows["form"] ^ np.uint64(1), "lower": rows["lower"] + np.uint64(1)}
    assert not table.find(strangers).lemmas.any() and not table.has(strangers).any()
