"""tag_schemes.py: spans become tags and spans again in every scheme, and what keeps to no scheme is
counted or refused."""

import random

import pytest

from spacy_pretrained.corpora.tag_schemes import SCHEMES, detect_scheme, is_tag, to_spans, to_tags

SPANS = [(0, 2, "PER"), (2, 3, "PER"), (4, 7, "creative-work"), (7, 8, "PER")]
TAGS = {
    "iob1": "I-PER I-PER B-PER O I-creative-work I-creative-work I-creative-work I-PER",
    "iob2": "B-PER I-PER B-PER O B-creative-work I-creative-work I-creative-work B-PER",
    "bioes": "B-PER E-PER S-PER O B-creative-work I-creative-work E-creative-work S-PER",
    "biluo": "B-PER L-PER U-PER O B-creative-work I-creative-work L-creative-work U-PER",
}


def random_sentence(rng: random.Random) -> tuple[list, int, list[int]]:
    spans, missing, end = [], [], 0
    while end < 12:
        length = rng.choice([1, 1, 2, 3, 5])
        kind = rng.choice(["entity", "outside", "missing"])
        if kind == "entity":
            spans.append((end, end + length, rng.choice(["A", "B", "c-d", "I-A"])))
        elif kind == "missing":
            missing += range(end, end + length)
        end += length
    return spans, end, missing


@pytest.mark.parametrize("scheme", SCHEMES)
def test_tags_and_spans_are_inverse(scheme):
    rng = random.Random(0)
    sentences = [([], 0, []), ([], 3, []), *(random_sentence(rng) for _ in range(300))]
    written = []
    for spans, n_tokens, missing in sentences:
        tags = to_tags(spans, n_tokens, scheme, missing)
        entities = to_spans(tags, scheme)
        assert (entities.spans, entities.missing, entities.repairs) == (spans, missing, 0)
        written.append(tags)
    assert detect_scheme(written) == scheme


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_schemes_as_they_are_written(scheme):
    assert " ".join(to_tags(SPANS, 8, scheme)) == TAGS[scheme]
    assert to_spans(TAGS[scheme].split(), scheme).spans == SPANS


@pytest.mark.parametrize(
    "tags, scheme, spans, repairs",
    [
        ("O I-A I-A", "iob2", [(1, 3, "A")], 1),
        ("B-A I-B I-B", "iob2", [(0, 1, "A"), (1, 3, "B")], 1),
        ("I-A - I-A", "iob2", [(0, 1, "A"), (2, 3, "A")], 2),
        ("I-A I-B B-B", "iob1", [(0, 1, "A"), (1, 2, "B"), (2, 3, "B")], 0),
        ("B-A I-A O B-A", "iob1", [(0, 2, "A"), (3, 4, "A")], 2),
        ("B-A O", "bioes", [(0, 1, "A")], 1),
        ("B-A I-A", "biluo", [(0, 2, "A")], 1),
        ("I-A E-A", "bioes", [(0, 2, "A")], 1),
        ("E-A", "bioes", [(0, 1, "A")], 1),
        ("B-A E-A E-A", "bioes", [(0, 2, "A"), (2, 3, "A")], 1),
        ("B-A L-B", "biluo", [(0, 1, "A"), (1, 2, "B")], 1),
        ("B-A B-A L-A", "biluo", [(0, 1, "A"), (1, 3, "A")], 1),
    ],
)
def test_repairs_are_counted(tags, scheme, spans, repairs):
    entities = to_spans(tags.split(), scheme)
    assert entities.spans == spans
    assert entities.repairs == repairs


def test_missing_is_not_outside():
    assert to_spans(["O", "-", "_"], "iob2").missing == [1, 2]


@pytest.mark.parametrize(
    "starts_with_i, scheme",
    [(0, "iob2"), (7, "iob2"), (300, "iob2"), (2_800, "iob1"), (3_028, "iob1")],
)
def test_few_mistakes_do_not_make_a_scheme(starts_with_i, scheme):
    """Universal NER Danish begins 7 of 3,028 entities with I-."""
    sentences = [["O", "I-A", "I-A"]] * starts_with_i + [["O", "B-A", "I-A"]] * (
        3_028 - starts_with_i
    )
    sentences += [["B-A", "B-A"]] * 5 if scheme == "iob2" else [["I-A", "B-A"]] * 5
    assert detect_scheme(sentences) == scheme


def test_mixtures_are_refused():
    sentences = [["O", "B-A"]] * 70 + [["O", "I-A"]] * 30
    with pytest.raises(ValueError, match=r"\(100\) .*iob2 30.*sentence 71, token 2.*scheme="):
        detect_scheme(sentences)
    with pytest.raises(ValueError, match=r"line 71:1\."):
        detect_scheme(sentences, where=lambda sentence, token: f"line {sentence + 1}:{token}")
    with pytest.raises(ValueError, match=r"biluo 1.*sentence 1, token 2"):
        detect_scheme([["B-A", "I-A"], ["U-A"]])
    with pytest.raises(ValueError, match=r"BIOES .* BILUO"):
        detect_scheme([["S-A"], ["U-A"]])


def test_without_entities():
    assert detect_scheme([]) == detect_scheme([[], ["O", "-"]]) == "iob2"


@pytest.mark.parametrize(
    "tag", ["X", "B_PER", "", "B", "B-", "B- ", "b-PER", "O-PER", "0", "I PER"]
)
def test_what_is_no_tag(tag):
    assert not is_tag(tag)
    with pytest.raises(ValueError, match=r"sentence 2, token 2.*not an entity tag"):
        detect_scheme([["O"], ["O", tag]])
    with pytest.raises(ValueError, match="not an entity tag"):
        to_spans(["O", tag], "iob2")


def test_letters_of_another_scheme():
    for tag, scheme in (("S-A", "iob2"), ("L-A", "bioes"), ("E-A", "iob1"), ("S-A", "biluo")):
        with pytest.raises(ValueError, match=f"'{tag}' does not belong to the scheme {scheme}"):
            to_spans([tag], scheme)
    with pytest.raises(ValueError, match=r"'io'.*iob1, iob2, bioes, biluo"):
        to_spans([], "io")


@pytest.mark.parametrize("spans", [[(0, 2, "A"), (1, 3, "B")], [(1, 1, "A")], [(2, 4, "A")]])
def test_spans_that_no_tags_can_say(spans):
    with pytest.raises(ValueError, match="overlaps another"):
        to_tags(spans, 3, "iob2")
