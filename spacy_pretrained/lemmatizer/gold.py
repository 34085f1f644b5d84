"""What examples have a lemmatizer learn: rows of the table, and the tree and letter case of each
token."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from spacy.attrs import IS_SPACE, LEMMA
from spacy.strings import StringStore, get_string_id
from spacy.tokens import Doc
from spacy.training import Example
from thinc.types import Ints1d

from ..annotation.gold import read_attribute
from .lemma_table import COLUMNS, NO_FEATURES, Rows, read_words

Numbers = tuple[int, int]  # of a tree and of a letter case, -1 where there is none


@dataclass(frozen=True)
class LemmaGold:
    """The annotation of the M tokens of all examples of a batch that have a lemma."""

    rows: Ints1d  # (M,), where each token stands among all tokens
    forms: list[str]
    tags: np.ndarray  # uint64 (M,), hashes; as predicted, or where nothing is, as annotated
    trees: Ints1d  # (M,), -1 for a tree that is not among the labels
    cases: Ints1d  # (M,)
    entries: Rows  # of the table, for those of the tokens that have an annotated tag


def read_lemma_gold(
    examples: list[Example], attribute: str, find: Callable[[str, str], Numbers]
) -> LemmaGold:
    """Read what the examples say. Tokens without a lemma are left out.

    attribute: "tag" or "pos". find: Gives the numbers of a form and its lemma.
    """
    gold = {n: _read(examples, n) for n in ("lemma", attribute, "morph")}
    words = read_words([example.predicted for example in examples], attribute)
    rows = np.flatnonzero(gold["lemma"])
    lemmas, annotated = gold["lemma"][rows], gold[attribute][rows]
    words = {name: values[rows] for name, values in words.items()}
    owner = np.repeat(np.arange(len(examples)), [len(eg.predicted) for eg in examples])[rows]
    forms, numbers = [], []
    lower_lemmas = np.zeros(len(rows), dtype="uint64")
    for i, (form, lemma) in enumerate(zip(words["form"].tolist(), lemmas.tolist())):
        example = examples[owner[i]]
        lemma_ = example.reference.vocab.strings[lemma]
        forms.append(example.predicted.vocab.strings[form])
        numbers.append(find(forms[-1], lemma_))
        lower_lemmas[i] = get_string_id(lemma_.lower())
    trees, cases = np.asarray(numbers, dtype="int64").reshape(-1, 2).T
    morphs = np.where(gold["morph"][rows] == 0, NO_FEATURES, gold["morph"][rows])
    entries = words | {"tag": annotated, "morph": morphs, "lemma": lemmas}
    entries["lower_lemma"] = lower_lemmas
    return LemmaGold(
        rows=rows,
        forms=forms,
        tags=np.where(words["tag"] == 0, annotated, words["tag"]),
        trees=trees,
        cases=cases,
        entries={name: entries[name][annotated != 0] for name in COLUMNS},
    )


def read_entries(doc: Doc, attribute: str, strings: StringStore) -> Rows:
    """The rows of the table that the tokens of a reference give; the tag is 0 where none is
    annotated. White space gives none.

    strings: Learns all of their strings.
    """
    theirs = doc.vocab.strings
    columns = doc.to_array([LEMMA, IS_SPACE]).reshape(len(doc), 2)
    keep = (columns[:, 0] != 0) & (columns[:, 1] == 0)
    rows = {name: values[keep] for name, values in read_words([doc], attribute).items()}
    rows["lemma"] = columns[keep, 0].astype("uint64")
    lower = {h: strings.add(theirs[h].lower()) for h in np.unique(rows["lemma"]).tolist()}
    rows["lower_lemma"] = np.asarray([lower[h] for h in rows["lemma"].tolist()], dtype="uint64")
    for name in ("form", "lower", "tag", "lemma"):
        for number in np.unique(rows[name]).tolist():
            strings.add(theirs[number])
    for number in np.unique(rows["morph"]).tolist():
        if number != NO_FEATURES:
            strings.add(theirs[number])
    return rows


def join(parts: list[Rows]) -> Rows:
    """Rows of several Docs, or of none, end to end."""
    none = np.zeros(0, dtype="uint64")
    return {name: np.concatenate([none, *(part[name] for part in parts)]) for name in COLUMNS}


def _read(examples: list[Example], attribute: str) -> np.ndarray:
    return np.concatenate([read_attribute(example, attribute) for example in examples])
