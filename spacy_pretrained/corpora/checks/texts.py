"""Whether texts of the development corpus are in the training corpus, too: documents, and where
sentences are annotated, sentences of other documents."""

from collections.abc import Iterator

from spacy.tokens import Doc, Span

from .errors import Errors
from .finding import Finding, quote

# Tokens of a sentence that is compared. Shorter ones, such as "Thank you!", are alike by chance.
LEAST_TOKENS = 5


class TextCheck:
    """Compares texts, but for white space."""

    def __init__(self) -> None:
        self._documents, self._sentences = _Repeats(), _Repeats()

    def add_train(self, doc: Doc) -> None:
        self._documents.add_train(doc[:])
        for sentence in _sentences(doc):
            self._sentences.add_train(sentence)

    def add_dev(self, doc: Doc) -> None:
        if self._documents.add_dev(doc[:]):
            return
        for sentence in _sentences(doc):
            self._sentences.add_dev(sentence)

    def findings(self) -> list[Finding]:
        texts = (
            self._documents.describe(Errors.OVERLAP),
            self._sentences.describe(Errors.OVERLAP_SENTENCES),
        )
        return [Finding("warning", text) for text in texts if text]


class _Repeats:
    """Counts texts that were in the training corpus."""

    def __init__(self) -> None:
        self._known: set[int] = set()
        self._total = self._repeated = 0
        self._example = ""

    def add_train(self, span: Span) -> None:
        self._known.add(_hash(span))

    def add_dev(self, span: Span) -> bool:
        """RETURNS: Whether it was there."""
        self._total += 1
        if _hash(span) not in self._known:
            return False
        self._repeated += 1
        self._example = self._example or quote(span.doc, span.start, span.end)
        return True

    def describe(self, message: str) -> str | None:
        if not self._repeated:
            return None
        return message.format(
            n=self._repeated, total=self._total, text=self._example, least=LEAST_TOKENS
        )


def _sentences(doc: Doc) -> Iterator[Span]:
    if doc.has_annotation("SENT_START"):
        yield from (sentence for sentence in doc.sents if len(sentence) >= LEAST_TOKENS)


def _hash(span: Span) -> int:
    """Of the text; a number, for a corpus may be large."""
    return hash("".join(span.text.split()))
