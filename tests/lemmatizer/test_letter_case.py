import pytest

from spacy_pretrained.lemmatizer.letter_case import CASES, apply_case, find_case


@pytest.mark.parametrize(
    ("form", "lemma", "case"),
    [
        ("dogs", "dog", "lower"),
        ("Dogs", "dog", "lower"),
        ("1990s", "1990s", "lower"),
        ("Ghosts", "Ghost", "as_form"),
        ("iPhones", "iPhone", "as_form"),
        ("Häuser", "Haus", "as_form"),
        ("i", "I", "title"),
        ("PARIS", "Paris", "title"),
        ("cpa", "CPA", "upper"),
        ("İzmir", "İzmir", "as_form"),  # whose lowercase has one character more
    ],
)
def test_the_case_that_is_found_leads_to_the_lemma(form, lemma, case):
    assert CASES[find_case(form, lemma)] == case
    assert apply_case(case, form, lemma.lower()) == lemma


def test_a_case_of_no_kind():
    assert find_case("MCDONALD", "McDonald") == -1
    assert all(apply_case(case, "", "") == "" for case in CASES)
