"""The proof that a converted pipeline computes what the original does: token by token."""

from collections.abc import Callable, Iterable

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc

from ..errors import count_of
from .errors import Errors
from .reader import Stock

N_TEXTS = 50
BOUND = 1e-3  # of the largest value
SHOWN = 80  # characters of a text in a message

# Where no texts are given: long and short ones, and white space.
SAMPLE = [
    "Ada sees the old river. Robots never sleep!",
    "In 1999, Dr. Smith-Jones paid $12.50 - “too much”, she said (twice).  Two spaces.\n\nA line.",
    "The quick brown fox jumps over the lazy dog, and another one behind it does, too. " * 12,
]


def prove(
    nlp: Language,
    new: Language,
    stock: Stock,
    texts: Iterable[str | Doc] = (),
    *,
    report: Callable[[str], None] = lambda step: None,
) -> None:
    """Compare the vectors of tokens on up to 50 texts: those that the components of the original
    get, and those of the new pipeline.

    texts: Texts, or Docs of which only the tokens count; without any but
        empty ones, some of this module's own.
    RAISES: ValueError, with the text and the token, where they differ by more than 1e-3 of the
        largest value of the original's vectors.
    """
    texts = [text for text in texts if len(text)][:N_TEXTS] or SAMPLE
    report(f"Comparing vectors with the original's on {count_of(len(texts), 'text')}")
    name, node = stock.pipe.name, stock.listeners[0].node
    docs, differences, largest = [], [], 0.0
    for text in texts:
        doc = nlp.get_pipe(name)(run_before(nlp, name, text))
        if not len(doc):
            continue
        (expected,) = node.predict([doc])
        found = new.get_pipe(name)(run_before(new, name, text)).tensor
        expected, found = node.ops.to_numpy(expected), node.ops.to_numpy(found)
        if not expected.size:  # spacy-curated-transformers gives no width to white space alone
            expected = np.zeros_like(found)
        docs.append(doc)
        differences.append(np.abs(expected - found).max(axis=1))
        largest = max(largest, float(np.abs(expected).max()))
    for doc, difference in zip(docs, differences):
        bad = np.flatnonzero(~(difference <= BOUND * largest))  # NaN, too
        if len(bad):
            number = int(bad[0])
            text = doc.text if len(doc.text) <= SHOWN else doc.text[:SHOWN] + "…"
            raise ValueError(
                Errors.VECTORS_DIFFER.format(
                    difference=difference[number] / largest,
                    bound=BOUND,
                    number=number,
                    token=doc[number].text,
                    text=text,
                )
            )


def run_before(nlp: Language, name: str, text: str | Doc) -> Doc:
    """A text, or a Doc's tokens, annotated by the components that stand before one of them."""
    if isinstance(text, str):
        doc = nlp.make_doc(text)
    else:
        words, spaces = [t.text for t in text], [bool(t.whitespace_) for t in text]
        doc = Doc(nlp.vocab, words=words, spaces=spaces)
    for other, pipe in nlp.components:  # which may have been disabled itself
        if other == name:
            break
        if other not in nlp.disabled:
            doc = pipe(doc)
    return doc
