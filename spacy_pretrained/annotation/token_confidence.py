"""How probable predicted annotation of tokens is: `token._.tag_confidence` and its like.

There are arrays of all tokens, for an entry a token and kind would cost too much time and memory.
They are one entry in `doc.user_data` for each kind, under the key that a custom attribute of the
span of all tokens has, ("._.", name, first character, end), so that spaCy's own operations carry
them and move them as they move the tokens. In them, characters are counted from there.

A number is that of a token with the same characters, word and annotation: tokens may be merged,
split, and annotated by others later.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

import numpy as np
from spacy.attrs import DEP, HEAD, IDX, LEMMA, LENGTH, MORPH, ORTH, POS, SENT_START, TAG
from spacy.tokens import Doc, Token
from thinc.types import Floats1d, Ints1d

from .errors import Errors
from .extension import Getter, register

Key = tuple[str, str, int, int]

KINDS: dict[str, tuple[int, Callable[[Token], int]]] = {
    "tag": (TAG, lambda token: token.tag),
    "pos": (POS, lambda token: token.pos),
    "morph": (MORPH, lambda token: token.morph.key),
    "lemma": (LEMMA, lambda token: token.lemma),
    "head": (HEAD, lambda token: token.head.idx),
    "dep": (DEP, lambda token: token.dep),
    "sent_start": (SENT_START, lambda token: {True: 1, False: -1, None: 0}[token.is_sent_start]),
}


def register_tokens(kind: str, component: str) -> None:
    """Make `token._.{kind}_confidence`, a probability, or None where nothing was predicted."""
    call = f'spacy_pretrained.confidence(token, "{kind}")'
    register(Token, f"{kind}_confidence", Getter(read_token, kind), component, call)


def store_tokens(doc: Doc, probabilities: dict[str, Floats1d]) -> None:
    """Keep, of each kind, the probability (N,) of what each of the N tokens has now;
    NaN where nothing was predicted."""
    clear_tokens(doc, probabilities)
    if not len(doc):
        return
    starts, lengths, words, values = _read_columns(doc, list(probabilities))
    places = {"start": starts, "length": lengths, "word": words.copy()}
    key_of = partial(_own_key, end=int(starts[-1]) + int(lengths[-1]))
    for (kind, probability), column in zip(probabilities.items(), values):
        stored = {"value": column, "probability": probability.astype("float32")}
        doc.user_data[key_of(kind)] = {**places, **stored}


def clear_tokens(doc: Doc, kinds: Iterable[str]) -> None:
    """Forget the probabilities of these kinds."""
    if not doc.user_data:
        return
    for kind in kinds:
        doc.user_data.pop(_old_key(kind), None)
        for key in list(_blocks(doc, kind)):
            del doc.user_data[key]


def read_token(token: Token, kind: str | None) -> float | None:
    """The probability of one kind of a token's annotation, or None if that was not predicted.

    RAISES: ValueError for a kind that there is not.
    """
    if kind not in KINDS:
        raise ValueError(Errors.CONFIDENCE_OF_WHAT.format(kinds=", ".join(KINDS), kind=kind))
    doc = token.doc
    if not doc.user_data:
        return None
    end = token.idx + len(token)
    own = _own_key(kind, doc[-1].idx + len(doc[-1]))
    keys = [own] if own in doc.user_data else _blocks(doc, kind)
    blocks = ((key[2], doc.user_data[key]) for key in keys if key[2] <= token.idx < end <= key[3])
    found = {_find(token, kind, stored, start) for start, stored in blocks} - {None}
    if found:
        # Parts of a Doc bring along what is said of all of it; where that would fall on a token
        # like theirs, nobody knows which is right.
        return found.pop() if len(found) == 1 else None
    old = doc.user_data.get(_old_key(kind))
    return _find_old(token, old) if old else None


def read_all(doc: Doc, kind: str) -> Floats1d:
    """What `read_token` says of each of the N tokens, (N,); NaN where that is None."""
    found = np.full(len(doc), np.nan, dtype="float32")
    if not len(doc) or not doc.user_data:
        return found
    stored = doc.user_data.get(_own_key(kind, doc[-1].idx + len(doc[-1])))
    if _old_key(kind) in doc.user_data or (stored is None and any(_blocks(doc, kind))):
        for i, token in enumerate(doc):
            probability = read_token(token, kind)
            found[i] = np.nan if probability is None else probability
    elif stored is not None:
        starts, lengths, words, (values,) = _read_columns(doc, [kind])
        rows = np.minimum(np.searchsorted(stored["start"], starts), len(stored["start"]) - 1)
        now = {"start": starts, "length": lengths, "word": words, "value": values}
        same = np.all([stored[name][rows] == column for name, column in now.items()], axis=0)
        found[same] = stored["probability"][rows[same]]
    return found


def _read_columns(doc: Doc, kinds: list[str]) -> tuple[Ints1d, Ints1d, np.ndarray, list[Ints1d]]:
    """First characters, lengths and words of the N tokens, and for each kind its values, all (N,)
    and as they are stored."""
    attributes = [IDX, LENGTH, ORTH, *(KINDS[kind][0] for kind in kinds)]
    starts, lengths, words, *columns = doc.to_array(attributes).T
    starts = starts.astype("int64")
    values = [column.astype("int64") for column in columns]
    for i, kind in enumerate(kinds):
        if kind == "head":
            values[i] = starts[np.arange(len(doc)) + values[i].astype("int32")]
    return starts, lengths.astype("int32"), words, values


def _find(token: Token, kind: str, stored: dict[str, np.ndarray], start: int) -> float | None:
    row = _find_row(stored["start"], token.idx - start)
    if row is None or stored["length"][row] != len(token) or stored["word"][row] != token.orth:
        return None
    value = KINDS[kind][1](token) - (start if kind == "head" else 0)
    # Hashes are unsigned, and kept as the signed numbers of the same bits.
    if (int(stored["value"][row]) - value) % 2**64:
        return None
    return _probability(stored, row)


def _find_old(token: Token, stored: dict[str, np.ndarray]) -> float | None:
    """The same from the arrays of an old DocBin. `as_doc` copies them as they are: then they do not
    end with the Doc."""
    last = token.doc[-1]
    row = _find_row(stored["start"], token.idx)
    if row is None or stored["length"][row] != len(token):
        return None
    if stored["start"][-1] + stored["length"][-1] != last.idx + len(last):
        return None
    return _probability(stored, row)


def _find_row(starts: Ints1d, start: int) -> int | None:
    row = int(np.searchsorted(starts, start))
    return row if row < len(starts) and starts[row] == start else None


def _probability(stored: dict[str, np.ndarray], row: int) -> float | None:
    probability = float(stored["probability"][row])
    return None if np.isnan(probability) else probability


def _blocks(doc: Doc, kind: str) -> Iterator[Key]:
    """The keys of all arrays of a kind: in Docs made of several, there are several."""
    name = _name(kind)
    for key in doc.user_data:
        if isinstance(key, tuple) and len(key) == 4 and key[:2] == ("._.", name):
            yield key


def _own_key(kind: str, end: int) -> Key:
    """Of arrays of all tokens of a Doc that ends there."""
    return "._.", _name(kind), 0, end


def _name(kind: str) -> str:
    return f"pretrained_{kind}_confidence"


def _old_key(kind: str) -> str:
    return f"{kind}_confidence"
