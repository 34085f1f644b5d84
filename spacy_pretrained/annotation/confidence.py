"""How sure a component is: `token._.tag_confidence` and its like, `span._.confidence`.

The numbers of a Doc lie in arrays in `doc.user_data`, not in an entry a token or span, so that they
travel in `doc.to_bytes()` and in a DocBin that stores user data at little cost.
"""

import numpy as np
from spacy.attrs import IDX, LENGTH
from spacy.tokens import Doc, Span, Token
from thinc.types import Floats1d, Ints1d

SPANS = "span_confidence"


def register(name: str) -> None:
    """Make `token._.{name}_confidence`, a probability, or None where nothing was predicted."""
    key = _key(name)

    def get(token: Token) -> float | None:
        stored = token.doc.user_data.get(key)
        return None if stored is None else _of_token(token, stored)

    Token.set_extension(key, getter=get, force=True)


def store(doc: Doc, name: str, probabilities: Floats1d) -> None:
    """Keep the probability (N,) of what was predicted for each of N tokens; NaN where nothing was.
    Characters tell tokens apart, for they may be merged or split later."""
    starts, lengths = _read_places(doc).T
    doc.user_data[_key(name)] = {
        "start": starts.copy(),
        "length": lengths.copy(),
        "probability": probabilities,
    }


def _of_token(token: Token, stored: dict[str, np.ndarray]) -> float | None:
    row = int(np.searchsorted(stored["start"], token.idx))
    if row == len(stored["start"]):
        return None
    if stored["start"][row] != token.idx or stored["length"][row] != len(token):
        return None
    probability = float(stored["probability"][row])
    return None if np.isnan(probability) else probability


def register_spans() -> None:
    """Make `span._.confidence`, a probability, or None for spans that nothing predicted."""
    Span.set_extension("confidence", getter=_of_span, force=True)


def store_spans(
    doc: Doc, starts: Ints1d, ends: Ints1d, labels: np.ndarray, probabilities: Floats1d
) -> None:
    """Keep the probability of each of S predicted spans (S,): tokens [start, end), hash of the
    label. Those of other spans stay. Characters tell spans apart, as they do tokens."""
    places = _read_places(doc)
    edges = {"start": places[starts, 0], "end": places[ends - 1].sum(axis=1)}
    new = {**edges, "label": labels, "probability": probabilities}
    if old := doc.user_data.get(SPANS):
        again = set(_keys(new))
        kept = [row for row, key in enumerate(_keys(old)) if key not in again]
        new = {name: np.concatenate([values, old[name][kept]]) for name, values in new.items()}
    order = np.argsort(new["start"], kind="stable")
    doc.user_data[SPANS] = {name: values[order] for name, values in new.items()}


def _of_span(span: Span) -> float | None:
    stored = span.doc.user_data.get(SPANS)
    if stored is None:
        return None
    low, high = np.searchsorted(stored["start"], [span.start_char, span.start_char + 1])
    same = (stored["end"][low:high] == span.end_char) & (stored["label"][low:high] == span.label)
    found = np.flatnonzero(same)
    return float(stored["probability"][low + found[0]]) if len(found) else None


def _keys(spans: dict[str, np.ndarray]) -> list[tuple[int, int, int]]:
    return list(zip(*(spans[name].tolist() for name in ("start", "end", "label"))))


def _read_places(doc: Doc) -> np.ndarray:
    """The first character and the length of each of N tokens (N, 2)."""
    return doc.to_array([IDX, LENGTH]).reshape(len(doc), 2).astype("int64")


def _key(name: str) -> str:
    return f"{name}_confidence"
