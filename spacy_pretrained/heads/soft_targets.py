"""What a teacher says of tokens, on its way from a corpus reader to `get_loss`.

It is in `reference.user_data[KEY]`, for spaCy hands the reference of an Example on as it is. There,
each kind of annotation has a dict of its own: labels by their names, so that teacher and student
may number them differently, and of each of the reference's N tokens the k most probable ones:

- `labels`: the names, a list; `numbers` (N, k): which of them; `probabilities` (N, k), which sum
  to 1. Kinds: "tag", "pos", "morph", "dep", and the states of entities (see `ner/bioes.py`).
- What a parser says beside that is in `parser/distilling.py`.
- TEMPERATURE, a number, is what all scores were divided by.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from spacy.tokens import Doc
from spacy.training import Example
from thinc.types import Floats1d, Floats2d, Ints2d

from ..annotation.gold import align_tokens, is_space
from .errors import Errors

KEY = "pretrained_taught"
TEMPERATURE = "temperature"

Said = dict[str, Any]  # what is said of one Doc, by kind


@dataclass(frozen=True)
class SoftTargets:
    """What a teacher says of N rows of scores of K labels."""

    probabilities: Floats2d  # (N, K), NaN in rows of which it says nothing
    temperatures: Floats1d  # (N,)

    @property
    def known(self) -> np.ndarray:
        """Rows of which it says something, bool (N,)."""
        return ~np.isnan(self.probabilities).any(axis=1)

    def take(self, rows: np.ndarray) -> "SoftTargets":
        return SoftTargets(self.probabilities[rows], self.temperatures[rows])


def keep_best(probabilities: Floats2d, k: int) -> tuple[Ints2d, Floats2d]:
    """The columns (N, k) of the k highest probabilities (N, K), in any order, and these, scaled to
    sum to 1.

    k: 0 keeps all of them, as does a number above K.
    """
    n_labels = probabilities.shape[1]
    k = min(k, n_labels) or n_labels
    numbers = np.argpartition(probabilities, n_labels - k, axis=1)[:, n_labels - k :]
    best = np.take_along_axis(probabilities, numbers, axis=1)
    best = best / np.maximum(best.sum(axis=1, keepdims=True), np.finfo("float32").tiny)
    return numbers.astype("int32"), best.astype("float16")


def say_labels(labels: list[str], probabilities: Floats2d, k: int) -> Said:
    """What is said of N tokens: the k most probable labels of each."""
    numbers, best = keep_best(probabilities, k)
    return {"labels": labels, "numbers": numbers, "probabilities": best}


def divide(said: Said, docs: Iterable[Doc]) -> list[Said]:
    """What is said of the tokens of all Docs, Doc by Doc."""
    parts, low = [], 0
    for doc in docs:
        high = low + len(doc)
        parts.append(
            {
                kind: {
                    name: value[low:high] if isinstance(value, np.ndarray) else value
                    for name, value in found.items()
                }
                for kind, found in said.items()
            }
        )
        low = high
    return parts


def find_said(example: Example, kind: str) -> Said | None:
    """What a teacher said of the reference's tokens, None if nothing of that kind."""
    return example.reference.user_data.get(KEY, {}).get(kind)


def find_temperature(example: Example) -> float:
    return float(example.reference.user_data.get(KEY, {}).get(TEMPERATURE, 1.0))


def read_soft_labels(
    examples: list[Example], kind: str, labels: list[str], name: str
) -> SoftTargets:
    """What a teacher says of the predicted tokens of all examples, as probabilities of a
    component's labels. It says nothing of white space, nor of tokens that the reference cuts
    otherwise.

    name: The component's, for the message.
    RAISES: ValueError if the teacher has labels that the component lacks.
    """
    columns = {label: number for number, label in enumerate(labels)}
    parts = []
    for example in examples:
        targets = np.full((len(example.predicted), len(labels)), np.nan, dtype="float32")
        if (said := find_said(example, kind)) is not None:
            own = _find_columns(said["labels"], columns, kind, name)
            gold = align_tokens(example)
            rows = np.flatnonzero((gold >= 0) & ~is_space(example.predicted))
            targets[rows] = 0
            targets[rows[:, None], own[said["numbers"][gold[rows]]]] = normalize(
                said["probabilities"][gold[rows]]
            )
        parts.append(targets)
    return SoftTargets(np.concatenate(parts), read_temperatures(examples))


def read_temperatures(examples: list[Example]) -> Floats1d:
    """Of each predicted token (N,)."""
    lengths = [len(example.predicted) for example in examples]
    return np.repeat([find_temperature(example) for example in examples], lengths).astype("float32")


def normalize(probabilities: Floats2d) -> Floats2d:
    """The same (N, k), as float32 that sum to 1."""
    exact = probabilities.astype("float32")
    return exact / exact.sum(axis=1, keepdims=True)


def _find_columns(said: list[str], columns: dict[str, int], kind: str, name: str) -> np.ndarray:
    if missing := [label for label in said if label not in columns]:
        message = Errors.TEACHER_LABELS
        raise ValueError(message.format(name=name, kind=kind, labels=", ".join(missing)))
    return np.asarray([columns[label] for label in said], dtype="int64")
