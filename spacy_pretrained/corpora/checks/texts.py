"""Whether documents of the development corpus are in the training corpus, too."""

from spacy.tokens import Doc

from .errors import Errors
from .finding import Finding, quote


class TextCheck:
    """Compares texts, but for white space."""

    def __init__(self) -> None:
        self._known: set[int] = set()
        self._documents = self._repeated = 0
        self._example = ""

    def add_train(self, doc: Doc) -> None:
        self._known.add(_hash(doc))

    def add_dev(self, doc: Doc) -> None:
        self._documents += 1
        if _hash(doc) in self._known:
            self._repeated += 1
            self._example = self._example or quote(doc)

    def findings(self) -> list[Finding]:
        if not self._repeated:
            return []
        text = Errors.OVERLAP.format(
            n=self._repeated, documents=self._documents, text=self._example
        )
        return [Finding("warning", text)]


def _hash(doc: Doc) -> int:
    """Of the text; a number, for a corpus may be large."""
    return hash("".join(doc.text.split()))
