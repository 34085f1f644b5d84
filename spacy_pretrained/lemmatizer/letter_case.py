"""How the letter case of a lemma follows from its form. Edit trees work on lowercase words, and
this is a question of its own: "Dogs" is a "dog", but "Ghosts" may be the river "Ghosts".

>>> [apply_case(case, "McDonalds", "mcdonald") for case in CASES]
['mcdonald', 'McDonald', 'Mcdonald', 'MCDONALD']
"""

CASES = ("lower", "as_form", "title", "upper")


def apply_case(case: str, form: str, lemma: str) -> str:
    """Give a lowercase lemma one of the CASES.

    "as_form" copies the case of the letters that form and lemma begin with.
    """
    if case == "as_form":
        return _copy_case(form, lemma)
    if case == "title":
        return lemma[:1].upper() + lemma[1:]
    return lemma.upper() if case == "upper" else lemma


def find_case(form: str, lemma: str) -> int:
    """The number of the first of the CASES that leads from the lowercase lemma to this one; -1 if
    none does."""
    lower = lemma.lower()
    found = (i for i, case in enumerate(CASES) if apply_case(case, form, lower) == lemma)
    return next(found, -1)


def _copy_case(form: str, lemma: str) -> str:
    if lemma == form.lower():  # also where a letter is two in lowercase
        return form
    same = 0
    for one, other in zip(form, lemma):
        if one.lower() != other:
            break
        same += 1
    return form[:same] + lemma[same:]
