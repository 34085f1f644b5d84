"""Whether the pipeline's tokenizer makes the tokens of the annotation."""

import numpy as np
from spacy.training import Example

from ...annotation.gold import NO_GOLD, align_tokens
from .errors import Errors
from .finding import Finding

MANY = 0.05  # the share of tokens that are cut otherwise, from which on it matters


class TokenCheck:
    """Compares all tokens of a corpus with the tokenizer's. lang: That of the tokenizer."""

    def __init__(self, lang: str):
        self.lang = lang
        self.tokens = self.unaligned = 0
        self.unknown_spaces = 0
        self._example = ""

    def add(self, raw: Example | None) -> None:
        """raw: A document with the tokenizer's tokens; None if its spaces are not known."""
        if raw is None:
            self.unknown_spaces += 1
            return
        partners = align_tokens(raw)
        kept = np.zeros(len(raw.reference), dtype=bool)
        kept[partners[partners != NO_GOLD]] = True
        self.tokens += len(kept)
        self.unaligned += int((~kept).sum())
        if not self._example and not kept.all():
            self._example = repr(raw.reference[int(np.flatnonzero(~kept)[0])].text)

    def findings(self) -> list[Finding]:
        findings = []
        if self.unaligned > MANY * self.tokens:
            text = Errors.TOKENS_NOT_ALIGNED.format(
                n=self.unaligned,
                tokens=self.tokens,
                share=self.unaligned / self.tokens,
                lang=self.lang,
                example=self._example,
                bound=MANY,
            )
            findings.append(Finding("warning", text))
        if self.unknown_spaces:
            text = Errors.TOKENS_NO_SPACES.format(n=self.unknown_spaces)
            findings.append(Finding("note", text))
        return findings
