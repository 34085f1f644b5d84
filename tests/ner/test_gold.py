"""ner_gold.py: entities are read as they stand, what is missing stays missing, whatever the
tokens; and where spaCy's own reader says something of a token, it says the same."""

from itertools import pairwise

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Example

from spacy_pretrained.ner.gold import Entities, find_blocked, read_entities, read_gold_entities


@pytest.fixture(scope="module")
def vocab():
    return spacy.blank("xx").vocab


def words_of(text: str) -> list[str]:
    """Tokens stand between single spaces; "␣" is a token of white space."""
    return [word.replace("␣", "\n") for word in text.split()]


def make_doc(vocab, words: str, tags: str | None = None) -> Doc:
    """`tags` are B-X, I-X, O or "-" for a token of which nothing is known."""
    doc = Doc(vocab, words=words_of(words))
    if tags is None:
        return doc
    tags = tags.split()
    starts = [i for i, tag in enumerate(tags) if tag[0] == "B"]
    ends = [
        next((j for j in range(i + 1, len(tags)) if tags[j][0] != "I"), len(tags)) for i in starts
    ]
    spans = [Span(doc, i, j, label=tags[i][2:]) for i, j in zip(starts, ends)]
    missing = [doc[i : i + 1] for i, tag in enumerate(tags) if tag == "-"]
    doc.set_ents(spans, missing=missing)
    return doc


def make_example(vocab, words: str, tags: str | None, predicted: str | None = None) -> Example:
    return Example(make_doc(vocab, predicted or words), make_doc(vocab, words, tags))


def show(vocab, gold: Entities) -> str:
    """As tags again; "?" is a token of which nothing is known."""
    tags = ["O" if known else "?" for known in gold.known]
    for start, end, label in zip(gold.starts.tolist(), gold.ends.tolist(), gold.labels.tolist()):
        assert start < end
        for i in range(start, end):
            prefix = "B-" if i == start else "I-"
            assert tags[i] in "O?"  # no overlap
            tags[i] = prefix + vocab.strings[label] + ("?" if tags[i] == "?" else "")
    return " ".join(tags)


def gold_of(vocab, *args, key: str | None = None) -> str:
    return show(vocab, read_gold_entities(make_example(vocab, *args), key))


# Reading


def test_entities_are_read(vocab):
    doc = make_doc(vocab, "a b c d e f g", "B-X I-X B-Y O B-Y B-X I-X")
    gold = read_entities(doc)
    assert show(vocab, gold) == "B-X I-X B-Y O B-Y B-X I-X"
    assert gold.labels.dtype == np.uint64 and gold.known.dtype == bool
    assert [(e.start, e.end, e.label) for e in doc.ents] == list(
        zip(gold.starts.tolist(), gold.ends.tolist(), gold.labels.tolist())
    )


def test_a_doc_without_annotation_is_unknown(vocab):
    assert show(vocab, read_entities(make_doc(vocab, "a b"))) == "? ?"
    doc = make_doc(vocab, "a b")
    doc.ents = []
    assert show(vocab, read_entities(doc)) == "O O"
    doc.set_ents([], default="missing")
    assert show(vocab, read_entities(doc)) == "? ?"


def test_entities_beside_missing_tokens(vocab):
    doc = make_doc(vocab, "a b c d")
    doc.set_ents([Span(doc, 1, 3, label="X")], default="missing")
    assert show(vocab, read_entities(doc)) == "? B-X I-X ?"
    assert show(vocab, read_entities(make_doc(vocab, "a b c d", "- B-X - O"))) == "? B-X ? O"
    stored = DocBin().from_bytes(DocBin(docs=[doc]).to_bytes()).get_docs(vocab)
    assert [show(vocab, read_entities(d)) for d in stored] == ["? B-X I-X ?"]


def test_blocked_tokens_are_no_entities(vocab):
    doc = make_doc(vocab, "a b c d e")
    doc.set_ents([Span(doc, 3, 4, label="X")], blocked=[doc[1:3]], default="missing")
    assert find_blocked([doc]).tolist() == [False, True, True, False, False]
    assert show(vocab, read_entities(doc)) == "? O O B-X ?"
    # Right behind an entity, and between two of them.
    doc.set_ents([Span(doc, 0, 2, label="X"), Span(doc, 3, 5, label="Y")], blocked=[doc[2:3]])
    assert find_blocked([doc]).tolist() == [False, False, True, False, False]
    assert show(vocab, read_entities(doc)) == "B-X I-X O B-Y I-Y"


def test_no_tokens(vocab):
    doc = Doc(vocab)
    for key in (None, "sc"):
        assert len(read_entities(doc, key).starts) == len(read_entities(doc, key).known) == 0
        assert len(read_gold_entities(Example(Doc(vocab), doc), key).known) == 0
    assert find_blocked([doc]).tolist() == []


def test_part_of_an_entity(vocab):
    """`as_doc` may cut one. What spaCy shows of that is what is read."""
    doc = make_doc(vocab, "a b c d e", "O B-X I-X I-X O")
    for start, end in ((0, 3), (2, 5), (2, 3), (3, 5)):
        part = doc[start:end].as_doc()
        gold = read_entities(part)
        assert list(zip(gold.starts, gold.ends)) == [(e.start, e.end) for e in part.ents]


# Groups of spans


def test_groups_of_spans(vocab):
    doc = make_doc(vocab, "a b c d", "B-Z O O O")
    doc.spans["sc"] = [Span(doc, 2, 4, label="Y"), Span(doc, 0, 2, label="X")]  # in any order
    doc.spans["none"] = []
    assert show(vocab, read_entities(doc, "sc")) == "B-X I-X B-Y I-Y"
    assert show(vocab, read_entities(doc, "none")) == "O O O O"
    assert show(vocab, read_entities(doc, "other")) == "? ? ? ?"
    (stored,) = DocBin().from_bytes(DocBin(docs=[doc]).to_bytes()).get_docs(vocab)
    assert show(vocab, read_entities(stored, "sc")) == "B-X I-X B-Y I-Y"
    assert show(vocab, read_entities(stored, "none")) == "O O O O"
    assert show(vocab, read_entities(stored, "other")) == "? ? ? ?"


@pytest.mark.parametrize("rows", [[(0, 2), (1, 3)], [(0, 3), (1, 2)], [(1, 2), (1, 2)]])
def test_spans_that_overlap(vocab, rows):
    doc = make_doc(vocab, "one two three four")
    doc.spans["sc"] = [Span(doc, *row, label=label) for row, label in zip(rows, "XY")]
    (a, b), (c, d) = rows
    message = (
        rf"spans 'sc' overlap.*X '{doc[a:b]}' \(tokens {a} to {b - 1}\) "
        rf"and Y '{doc[c:d]}' \(tokens {c} to {d - 1}\), in: one two"
    )
    with pytest.raises(ValueError, match=message):
        read_entities(doc, "sc")


def test_a_span_of_no_tokens_is_none(vocab):
    doc = make_doc(vocab, "a b c")
    doc.spans["sc"] = [Span(doc, 1, 1, label="X"), Span(doc, 1, 2, label="Y")]
    assert show(vocab, read_entities(doc, "sc")) == "O B-Y O"


# Other tokens


@pytest.mark.parametrize(
    "words, tags, predicted, expected",
    [
        ("New York is", "B-X I-X O", "New York is", "B-X I-X O"),
        ("New York is", "B-X I-X O", "NewYork is", "B-X O"),  # coarser, within
        ("New York is", "B-X I-X O", "N ew Yo rk is", "B-X I-X I-X I-X O"),  # finer
        ("New York is", "B-X I-X O", "New Yorkis", "? ?"),  # over the end
        ("in New York", "O B-X I-X", "inNew York", "? ?"),  # over the beginning
        ("a New York b", "O B-X I-X O", "a Ne wYo rk b", "O B-X I-X I-X O"),
        ("a b c d", "O B-X B-Y O", "a bc d", "O ? O"),
        ("a b c d", "B-X O O B-Y", "a bc d", "B-X O B-Y"),  # O and O is O
        ("a b c d", "B-X O - B-Y", "a bc d", "B-X ? B-Y"),  # O and unknown
        ("a b c d", "B-X - - B-Y", "a b c d", "B-X ? ? B-Y"),
        ("ab c", "O B-X", "a b c", "O O B-X"),
        ("ab c", "- B-X", "a b c", "? ? B-X"),
        ("abcd", "B-X", "a b c d", "B-X I-X I-X I-X"),
        ("a b c d e", "B-X I-X O B-Y I-Y", "a bc d e", "? ? B-Y I-Y"),  # only the one is lost
    ],
)
def test_other_tokens(vocab, words, tags, predicted, expected):
    assert gold_of(vocab, words, tags, predicted) == expected
    example = make_example(vocab, words, tags, predicted)
    if "-" not in tags.split():
        example.reference.spans["sc"] = list(example.reference.ents)
        assert show(vocab, read_gold_entities(example, "sc")) == expected


def test_the_group_is_missing(vocab):
    for predicted in ("a b", "ab"):
        example = make_example(vocab, "a b", "O B-X", predicted)
        assert not read_gold_entities(example, "sc").known.any()


@pytest.mark.parametrize(
    "words, tags, predicted, expected",
    [
        ("a ␣ b ␣", "B-X I-X O O", None, "B-X O O O"),
        ("␣ a b", "B-X I-X I-X", None, "O B-X I-X"),
        ("␣ a ␣ b ␣", "B-X I-X I-X I-X I-X", None, "O B-X I-X I-X O"),  # in the midst it stays
        ("a ␣ b", "O B-X O", None, "O O O"),  # of nothing else
        ("␣ ␣ ␣", "B-X I-X I-X", None, "O O O"),
        ("a ␣ ␣ b", "B-X I-X B-Y I-Y", None, "B-X O O B-Y"),
        ("a ␣ b ␣", "B-X I-X - -", None, "B-X O ? ?"),
        # Only the prediction has it.
        ("a b c", "B-X I-X O", "a ␣ b c", "B-X I-X? I-X O"),
        ("a b c", "B-X I-X O", "a b ␣ c", "B-X I-X ? O"),
        ("a b c", "O B-X O", "␣ a ␣ b ␣ c ␣", "? O ? B-X ? O ?"),
        # Only the reference has it.
        ("a ␣ b c", "B-X I-X I-X O", "a b c", "B-X I-X O"),
        ("a ␣ b c", "O B-X O O", "a b c", "O O O"),
        ("a ␣ b c", "B-X I-X O O", "ab c", "? O"),
    ],
)
def test_white_space(vocab, words, tags, predicted, expected):
    assert gold_of(vocab, words, tags, predicted) == expected


# Against spaCy's own


def random_cuts(rng: np.random.Generator, text: str) -> list[str]:
    edges = [0, *np.flatnonzero(rng.random(len(text) - 1) < 0.4) + 1, len(text)]
    return [text[i:j] for i, j in pairwise(edges)]


def random_reference(vocab, rng: np.random.Generator, words: list[str]) -> Doc:
    doc = Doc(vocab, words=words, spaces=[False] * len(words))
    spans, missing, at = [], [], 0
    while at < len(words):
        end = min(len(words), at + int(rng.integers(1, 4)))
        kind = rng.choice(["X", "Y", "O", "-"], p=[0.3, 0.3, 0.3, 0.1])
        if kind == "-":
            missing.append(doc[at:end])
        elif kind != "O":
            spans.append(Span(doc, at, end, label=str(kind)))
        at = end
    doc.set_ents(spans, missing=missing)
    return doc


def test_the_same_as_spacy(vocab):
    """Where spaCy says what a token is. It gives up at tokens that cover several ones that are no
    entities; there we know more."""
    rng = np.random.default_rng(0)
    n_entities = n_outside = n_unknown = 0
    for _ in range(400):
        text = "".join(rng.choice(list("abcdefgh"), size=int(rng.integers(2, 30))))
        words, others = random_cuts(rng, text), random_cuts(rng, text)
        reference = random_reference(vocab, rng, words)
        example = Example(Doc(vocab, words=others, spaces=[False] * len(others)), reference)
        expected, tags = example.get_aligned_ents_and_ner()
        gold = read_gold_entities(example)
        rows = zip(gold.starts.tolist(), gold.ends.tolist(), gold.labels.tolist())
        assert list(rows) == [(span.start, span.end, span.label) for span in expected]
        inside = np.zeros(len(others), dtype=bool)
        for start, end in zip(gold.starts, gold.ends):
            inside[start:end] = True
        covered = example.alignment.x2y
        for i, tag in enumerate(tags):
            if tag is None or tag == "-":
                own = [reference[int(j)] for j in covered[i]]
                assert not gold.known[i] or all(token.ent_iob_ == "O" for token in own)
                n_unknown += 1
            else:
                assert gold.known[i] and inside[i] == (tag != "O")
                n_outside += tag == "O"
        n_entities += len(gold.starts)
    assert min(n_entities, n_outside, n_unknown) > 200


def test_the_reference_is_not_changed(vocab):
    example = make_example(vocab, "␣ a ␣ b c", "B-X I-X I-X - O", "␣ a b c")
    before = example.reference.to_bytes()
    one, other = read_gold_entities(example), read_gold_entities(example)
    assert example.reference.to_bytes() == before
    assert show(vocab, one) == show(vocab, other)
