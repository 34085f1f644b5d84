"""What the encoder reads off a Doc, as arrays: one call into spaCy, no loop over tokens."""

from dataclasses import dataclass

import numpy as np
from spacy.attrs import IDX, IS_LOWER, IS_SPACE, IS_TITLE, IS_UPPER, LENGTH, ORTH, SHAPE, SPACY
from spacy.strings import get_string_id
from spacy.tokens import Doc

SENTENCE_FINAL = (".", "!", "?", "…", "...", "?!", "!!", "!!!", "??", "。", "！", "？", "।", "؟")
CLOSING = ('"', "'", "''", "”", "’", "»", ")", "]", "}")


@dataclass(frozen=True)
class DocArrays:
    """One Doc of N tokens; every array has shape (N,)."""

    starts: np.ndarray  # int64, first character of each token
    ends: np.ndarray  # int64, one past its last character
    spaced: np.ndarray  # bool, a space follows the token
    whitespace: np.ndarray  # bool, the token is white space
    newline: np.ndarray  # bool, it is white space with a line break in it
    sentence_like: np.ndarray  # bool, a sentence seems to start here
    shape: np.ndarray  # uint64, the hash of token.shape_
    case: np.ndarray  # uint64, bits: 1 title, 2 upper, 4 lower


def _hashes(words: tuple[str, ...]) -> np.ndarray:
    """The keys of words, which are the same for every vocab, ascending."""
    return np.sort(np.asarray([get_string_id(word) for word in words], dtype="uint64"))


FINAL_HASHES, CLOSING_HASHES = _hashes(SENTENCE_FINAL), _hashes(CLOSING)
ATTRIBUTES = [IDX, LENGTH, SPACY, IS_SPACE, ORTH, SHAPE, IS_TITLE, IS_UPPER, IS_LOWER]


def read_arrays(doc: Doc) -> DocArrays:
    """Read a Doc. Where it is known whether a token starts a sentence (`token.is_sent_start`),
    that counts. Elsewhere a sentence seems to start behind a line break, and behind final
    punctuation with the closing quotes and brackets that follow it."""
    columns = doc.to_array(ATTRIBUTES).reshape(len(doc), len(ATTRIBUTES))
    starts, lengths = columns[:, :2].astype("int64").T
    spaced, whitespace = columns[:, 2] != 0, columns[:, 3] != 0
    orth, shape, title, upper, lower = columns[:, 4:].T
    newline = _is_newline(doc, orth, whitespace)
    return DocArrays(
        starts=starts,
        ends=starts + lengths,
        spaced=spaced,
        whitespace=whitespace,
        newline=newline,
        sentence_like=_seems_to_start(doc, orth, newline),
        shape=shape,
        case=title + 2 * upper + 4 * lower,
    )


def _is_newline(doc: Doc, orth: np.ndarray, whitespace: np.ndarray) -> np.ndarray:
    newline = whitespace.copy()
    for key in set(orth[whitespace].tolist()):
        if "\n" not in doc.vocab.strings[key]:
            newline[orth == key] = False
    return newline


def _seems_to_start(doc: Doc, orth: np.ndarray, newline: np.ndarray) -> np.ndarray:
    final = _is_one_of(orth, FINAL_HASHES)
    closing = _is_one_of(orth, CLOSING_HASHES)
    tail = final | newline
    # A run of closing marks belongs to the end before it; two are enough for text.
    for _ in range(2):
        tail[1:] |= closing[1:] & tail[:-1]
    starts = np.zeros(len(doc), dtype=bool)
    starts[:1] = True
    starts[1:] = tail[:-1] & ~tail[1:]
    known = doc.to_array("SENT_START").astype("int64")
    starts[known == 1] = True
    starts[1:][known[1:] == -1] = False
    return starts


def _is_one_of(orth: np.ndarray, hashes: np.ndarray) -> np.ndarray:
    places = np.minimum(np.searchsorted(hashes, orth), len(hashes) - 1)
    return hashes[places] == orth
