"""Texts as they come where line breaks were lost: with a space in the place of each."""

import numpy as np
from spacy.attrs import HEAD
from spacy.tokens import Doc, Span

from .multiword import copy_words


def without_line_breaks(doc: Doc) -> Doc:
    """The Doc without its tokens of white space that hold a line break; a space stands there.

    All annotation of the other tokens stays, of user data the words of multiword tokens. Where
    nothing can be left out, it is the Doc itself.
    """
    kept = ~_line_breaks(doc)
    if kept.all() or doc.has_unknown_spaces:
        return doc
    places = np.concatenate([[0], np.cumsum(kept)])  # in the copy, of each token and of the end
    copy = Doc(
        doc.vocab,
        words=[token.text for token in doc if kept[token.i]],
        spaces=[_has_space(doc, token.i, kept) for token in doc if kept[token.i]],
    )
    attributes = doc._get_array_attrs()  # what `Span.as_doc` copies
    array = doc.to_array(attributes)
    column = attributes.index(HEAD)
    heads = np.arange(len(doc)) + array[:, column].astype("int32")
    array[:, column] = (places[heads] - places[:-1]).astype("int64").astype("uint64")
    # Lengths and spaces are those of the copy.
    copy.from_array(attributes[2:], np.ascontiguousarray(array[kept][:, 2:]))
    copy.cats = dict(doc.cats)
    for name, group in doc.spans.items():
        copy.spans[name] = [
            Span(copy, places[s.start], places[s.end], s.label, kb_id=s.kb_id, span_id=s.id)
            for s in group
            if places[s.start] < places[s.end]
        ]
    copy_words(doc, copy, np.flatnonzero(kept).tolist())
    return copy


def _line_breaks(doc: Doc) -> np.ndarray:
    """Which tokens can be left out, bool (N,): white space with a line break in it, but for the
    first token, those that begin a sentence, are in an entity or have dependents."""
    found = np.array([token.is_space and "\n" in token.text for token in doc], dtype=bool)
    if found.any():
        found[0] = False
        found &= (doc.to_array("ENT_TYPE") == 0) & (doc.to_array("SENT_START") != 1)
        numbers = np.arange(len(doc))
        heads = numbers + doc.to_array("HEAD").astype("int32")
        found[heads[heads != numbers]] = False
    return found


def _has_space(doc: Doc, i: int, kept: np.ndarray) -> bool:
    return bool(doc[i].whitespace_) or (i + 1 < len(doc) and not kept[i + 1])
