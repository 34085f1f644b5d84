"""What the reference of an Example says of its predicted tokens, as arrays.

spaCy's own aligned readers build lists, projectivise trees, and cannot say that a sentence start
is unknown; these leave out what is missing and nothing else.
"""

from collections.abc import Iterable

import numpy as np
from spacy.attrs import DEP, HEAD, IS_SPACE, SENT_START
from spacy.strings import get_string_id
from spacy.tokens import Doc
from spacy.training import Example
from thinc.types import Ints1d

from ..errors import Errors
from .columns import read_columns
from .sentences import passed_over

NO_GOLD = -1


def align_tokens(example: Example) -> Ints1d:
    """The reference token of each of N predicted tokens (N,), -1 where it is not just one."""
    x2y, y2x = example.alignment.x2y, example.alignment.y2x
    own = np.flatnonzero(x2y.lengths == 1)
    partner = x2y.data[np.cumsum(x2y.lengths)[own] - 1]
    mutual = y2x.lengths[partner] == 1
    gold = np.full(len(example.predicted), NO_GOLD)
    gold[own[mutual]] = partner[mutual]
    return gold


def read_attribute(example: Example, attribute: str) -> np.ndarray:
    """Hashes (N,), uint64, of "tag", "pos", "morph" or "dep"; 0 where the annotation is missing.
    White space has none."""
    values = _pick(example.reference.to_array(attribute.upper()), align_tokens(example), missing=0)
    values[is_space(example.predicted)] = 0
    return values


def collect_labels(examples: Iterable[Example], attributes: Iterable[str]) -> dict[str, list[str]]:
    """All labels of each of the attributes, sorted."""
    found: dict[str, set[str]] = {attribute: set() for attribute in attributes}
    for example in examples:
        strings = example.reference.vocab.strings  # the examples may be another pipeline's
        for attribute, labels in found.items():
            hashes = np.unique(read_attribute(example, attribute)).tolist()
            labels.update(strings[h] for h in hashes if h)
    return {attribute: sorted(labels) for attribute, labels in found.items()}


def number_labels(
    examples: list[Example], attribute: str, labels: list[str], name: str, prefix: str = ""
) -> Ints1d:
    """The numbers (N,) of the labels of all examples' tokens among those of a component, -1 where
    one is missing.

    attribute: As `read_attribute` takes it. name, prefix: The component's, and what to put before
        a label, for the error message.
    RAISES: ValueError for a label that is not among them.
    """
    hashes = np.concatenate([read_attribute(example, attribute) for example in examples])
    numbers = {get_string_id(label): i for i, label in enumerate(labels)} | {0: NO_GOLD}
    distinct, where = np.unique(hashes, return_inverse=True)
    for label in distinct.tolist():
        if label not in numbers:
            text = prefix + find_string(examples, label)
            raise ValueError(Errors.LABEL_UNKNOWN.format(name=name, label=text))
    return np.asarray([numbers[h] for h in distinct.tolist()], dtype="int64")[where]


def find_string(examples: Iterable[Example], label: int) -> str:
    """The label of a hash that is in the references of examples, each with a vocab of its own."""
    stores = (example.reference.vocab.strings for example in examples)
    return next(strings[label] for strings in stores if label in strings)


def read_sentence_starts(example: Example) -> Ints1d:
    """Sentence starts (N,): 1 yes, -1 no, 0 unknown."""
    return _pick(sentence_starts(example.reference), align_tokens(example), missing=0)


def read_heads(example: Example) -> Ints1d:
    """The head of each token (N,), itself for a root, -1 where it is missing."""
    reference, gold = example.reference, align_tokens(example)
    heads = arcs(reference)
    predicted = np.full(len(reference) + 1, NO_GOLD)  # the last stands for "no head"
    predicted[gold[gold >= 0]] = np.flatnonzero(gold >= 0)
    return _pick(predicted[heads], gold, missing=NO_GOLD)


def arcs(doc: Doc) -> Ints1d:
    """The head of each token of a Doc (N,), itself for a root, -1 where it is missing."""
    heads, has_relation = _read_parse(doc)
    return np.where(has_relation, heads, NO_GOLD)


def sentence_starts(doc: Doc) -> Ints1d:
    """Sentence starts of a Doc (N,): 1 yes, -1 no, 0 unknown.

    In a parsed Doc, spaCy keeps the starts that follow from the roots, and calls all other tokens
    "no start". Where heads are missing a root may be, too: there, a token is known to be no start
    only if an arc passes over the gap before it.
    """
    starts = doc.to_array(SENT_START).astype("int64").ravel()
    heads, has_relation = _read_parse(doc)
    if has_relation.any() and not has_relation.all():
        inside = passed_over(np.arange(len(doc)), heads, len(doc))
        starts[(starts < 0) & ~inside] = 0
    return starts


def is_space(*docs: Doc) -> np.ndarray:
    """Which tokens of Docs, laid end to end, are white space, bool (N,)."""
    return read_columns(docs, [IS_SPACE])[0] != 0


def _read_parse(doc: Doc) -> tuple[Ints1d, np.ndarray]:
    """Where the head of each token is said to be (N,), and whether it has a relation to it."""
    columns = doc.to_array([HEAD, DEP]).reshape(len(doc), 2)
    return np.arange(len(doc)) + columns[:, 0].astype("int32"), columns[:, 1] != 0


def _pick(values: np.ndarray, gold: Ints1d, missing: int) -> np.ndarray:
    picked = np.full(len(gold), missing, dtype=values.dtype)
    picked[gold >= 0] = values[gold[gold >= 0]]
    return picked
