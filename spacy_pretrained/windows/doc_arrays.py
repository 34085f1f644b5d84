"""What the encoder reads off Docs, as arrays: one call into spaCy for each Doc, no loop over
tokens, and all else for all Docs of a batch at once."""

import itertools
from dataclasses import dataclass

import numpy as np
from spacy.attrs import (
    IDX,
    IS_LOWER,
    IS_SPACE,
    IS_TITLE,
    IS_UPPER,
    LENGTH,
    ORTH,
    SENT_START,
    SHAPE,
    SPACY,
)
from spacy.strings import get_string_id
from spacy.tokens import Doc

SENTENCE_FINAL = (".", "!", "?", "…", "...", "?!", "!!", "!!!", "??", "。", "！", "？", "।", "؟")
CLOSING = ('"', "'", "''", "”", "’", "»", ")", "]", "}")


@dataclass(frozen=True)
class DocArrays:
    """The N tokens of T Docs, laid end to end; every array but `bounds` has shape (N,)."""

    bounds: np.ndarray  # int64 (T + 1,), where the tokens of each Doc begin, and where all end
    starts: np.ndarray  # int64, first character of each token, in its Doc
    ends: np.ndarray  # int64, one past its last character
    spaced: np.ndarray  # bool, a space follows the token
    whitespace: np.ndarray  # bool, the token is white space
    newline: np.ndarray  # bool, it is white space with a line break in it
    sentence_like: np.ndarray  # bool, a sentence seems to start here
    shape: np.ndarray  # uint64, the hash of token.shape_
    case: np.ndarray  # uint64, bits: 1 title, 2 upper, 4 lower

    def by_doc(self) -> list["DocArrays"]:
        """The same of each Doc alone."""
        columns = [column for name, column in vars(self).items() if name != "bounds"]
        return [
            DocArrays(np.array([0, high - low]), *(column[low:high] for column in columns))
            for low, high in itertools.pairwise(self.bounds.tolist())
        ]


def _hashes(words: tuple[str, ...]) -> np.ndarray:
    """The keys of words, which are the same for every vocab, ascending."""
    return np.sort(np.asarray([get_string_id(word) for word in words], dtype="uint64"))


FINAL_HASHES, CLOSING_HASHES = _hashes(SENTENCE_FINAL), _hashes(CLOSING)
ATTRIBUTES = [IDX, LENGTH, SPACY, IS_SPACE, ORTH, SHAPE, IS_TITLE, IS_UPPER, IS_LOWER, SENT_START]


def read_arrays(docs: list[Doc]) -> DocArrays:
    """Read Docs. Where it is known whether a token starts a sentence (`token.is_sent_start`),
    that counts. Elsewhere a sentence seems to start behind a line break, and behind final
    punctuation with the closing quotes and brackets that follow it."""
    n_columns = len(ATTRIBUTES)
    rows = [doc.to_array(ATTRIBUTES).reshape(len(doc), n_columns) for doc in docs]
    columns = np.concatenate([np.zeros((0, n_columns), "uint64"), *rows])
    bounds = np.cumsum([0, *map(len, rows)])
    starts, lengths = columns[:, :2].astype("int64").T
    spaced, whitespace = columns[:, 2] != 0, columns[:, 3] != 0
    orth, shape, title, upper, lower, known = columns[:, 4:].T
    newline = _is_newline(docs, bounds, orth, whitespace)
    return DocArrays(
        bounds=bounds,
        starts=starts,
        ends=starts + lengths,
        spaced=spaced,
        whitespace=whitespace,
        newline=newline,
        sentence_like=_seems_to_start(bounds, orth, newline, known.astype("int64")),
        shape=shape,
        case=title + 2 * upper + 4 * lower,
    )


def _is_newline(
    docs: list[Doc], bounds: np.ndarray, orth: np.ndarray, whitespace: np.ndarray
) -> np.ndarray:
    newline = whitespace.copy()
    # Docs may have vocabs of their own: each word is asked for where it stands.
    places = np.flatnonzero(whitespace)
    owners = np.searchsorted(bounds, places, "right") - 1
    for key, owner in dict(zip(orth[places].tolist(), owners.tolist())).items():
        if "\n" not in docs[owner].vocab.strings[key]:
            newline[orth == key] = False
    return newline


def _seems_to_start(
    bounds: np.ndarray, orth: np.ndarray, newline: np.ndarray, known: np.ndarray
) -> np.ndarray:
    """known: 1, -1 or 0 for unknown (N,)."""
    is_first = find_first(bounds)
    final = _is_one_of(orth, FINAL_HASHES)
    closing = _is_one_of(orth, CLOSING_HASHES) & ~is_first
    tail = final | newline
    # A run of closing marks belongs to the end before it; two are enough for text.
    for _ in range(2):
        tail[1:] |= closing[1:] & tail[:-1]
    starts = is_first.copy()
    starts[1:] |= tail[:-1] & ~tail[1:]
    starts[known == 1] = True
    starts[(known == -1) & ~is_first] = False
    return starts


def find_first(bounds: np.ndarray) -> np.ndarray:
    """The first token of each Doc that has any, bool (N,)."""
    is_first = np.zeros(bounds[-1] + 1, dtype=bool)
    is_first[bounds] = True  # behind the last one, too
    return is_first[:-1]


def _is_one_of(orth: np.ndarray, hashes: np.ndarray) -> np.ndarray:
    places = np.minimum(np.searchsorted(hashes, orth), len(hashes) - 1)
    return hashes[places] == orth
