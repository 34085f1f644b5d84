"""How probable predictions are, whatever custom attributes there are."""

from spacy.tokens import Span, Token

from .errors import Errors
from .span_confidence import read_span
from .token_confidence import read_token


def confidence(of: Span | Token, what: str | None = None) -> float | None:
    """The probability, from 0 to 1, of what a component predicted; None if nobody predicted it.

    of: A span, which is judged with its label; or a token.
    what: Of a span, the component that is asked; without it, they all are, and if two of them
        give the same span and label different numbers, the answer is None. Of a token, the
        annotation: "tag", "pos", "morph", "lemma", "head", "dep" or "sent_start".
    RAISES: ValueError for something else.

    >>> confidence(doc.ents[0])
    0.97
    >>> confidence(doc[0], "tag")
    0.99
    """
    if isinstance(of, Span):
        return read_span(of, what)
    if isinstance(of, Token):
        return read_token(of, what)
    raise ValueError(Errors.CONFIDENCE_OF_OTHERS.format(type=type(of).__name__))
