"""The setting `stock_windows`: how a stock transformer cut, tokenized and pooled what it was
trained on, for a pipeline that was made of one."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from .errors import Errors

TOKENS, SENTENCES, DOCS = "tokens", "sentences", "docs"  # spans, as spacy-transformers has them
PIECES = "pieces"  # windows of wordpieces, as spacy-curated-transformers has them
SEEMING = "seeming_sentences"  # windows of this package's own
SPANS = (TOKENS, SENTENCES, DOCS, PIECES, SEEMING)
STRIDED = (TOKENS, PIECES)
POOLINGS = ("mean", "sum")


@dataclass(frozen=True)
class ByteBpe:
    """Byte-level BPE of the space before a token and its text.

    space: Which token's space that is, where white space is a token, too: that of the "token"
        before, or that of the "word" before, as if there were no tokens of white space.
    """

    kind: str = "byte_bpe"
    space: str = "token"


@dataclass(frozen=True)
class WordPiece:
    """WordPiece of a token's text. Where nothing fits, only the rest of a word is unknown.

    lowercase, strip_accents: What is done to the text before.
    split_punctuation: Cut before and behind each punctuation character, as BERT does.
    """

    kind: str = "wordpiece"
    lowercase: bool = False
    strip_accents: bool = False
    split_punctuation: bool = True


@dataclass(frozen=True)
class SentencePiece:
    """SentencePiece's Unigram model of a token's text."""

    kind: str = "sentencepiece"


Words = ByteBpe | WordPiece | SentencePiece
WORDS: dict[str, Callable[..., Words]] = {
    "byte_bpe": ByteBpe,
    "wordpiece": WordPiece,
    "sentencepiece": SentencePiece,
}


@dataclass(frozen=True)
class StockWindows:
    """What the encoder sees at once, and how a token's vector comes of its wordpieces'.

    spans: "tokens", "sentences" or "docs": each span of those is a window, and its text is
        tokenized; what is in several spans is encoded several times. "pieces": windows of the
        wordpieces of a Doc, special ones around it included. "seeming_sentences": the windows that
        this package's own encoders have.
    window, stride: Tokens or pieces of a window, and from where one begins to where the next does.
    pooling: "mean" or "sum" of all vectors of a token's pieces, in all windows. Where windows of
        pieces overlap, a piece has the mean of its vectors first.
    words: How each token is tokenized by itself; None if the text of a span is.

    RAISES: ValueError for what does not go together.
    """

    spans: str
    window: int | None = None
    stride: int | None = None
    pooling: str = "mean"
    words: Words | None = None

    def __post_init__(self):
        window, stride = self.window, self.stride
        if self.spans not in SPANS:
            self._refuse("spans", "one of " + ", ".join(SPANS))
        if self.pooling not in POOLINGS:
            self._refuse("pooling", "one of " + ", ".join(POOLINGS))
        if self.spans != SEEMING and (self.spans == PIECES) != (self.words is not None):
            self._refuse("words", 'set where spans = "pieces", and only there')
        if self.spans not in STRIDED:
            if window is not None or stride is not None:
                self._refuse("window", "null, as stride, where it is not of tokens or pieces")
        elif not (window and stride and 0 < stride <= window):
            self._refuse("stride", "from 1 to window")
        elif self.spans == PIECES and 2 * stride < window:
            self._refuse("stride", "at least half of window, so that two windows overlap at most")

    def _refuse(self, name: str, wanted: str) -> None:
        value = getattr(self, name)
        raise ValueError(Errors.STOCK_WINDOWS.format(name=name, value=value, wanted=wanted))

    @classmethod
    def from_config(cls, block: dict[str, Any]) -> "StockWindows":
        """What a block of a config says."""
        block = dict(block)
        if block.get("words") is not None:
            words = dict(block["words"])
            kind = words.get("kind")
            if kind not in WORDS:
                known = ", ".join(WORDS)
                setting = {"name": "words.kind", "value": kind, "wanted": f"one of {known}"}
                raise ValueError(Errors.STOCK_WINDOWS.format(**setting))
            block["words"] = _make(WORDS[kind], words)
        return _make(cls, block)

    def to_config(self) -> dict[str, Any]:
        """The inverse of `from_config`."""
        return asdict(self)


def _make(kind: Callable, settings: dict[str, Any]) -> Any:
    unknown = settings.keys() - kind.__dataclass_fields__.keys()
    if unknown:
        name = min(unknown)
        known = ", ".join(kind.__dataclass_fields__)
        setting = {"name": name, "value": settings[name], "wanted": f"left out; known are {known}"}
        raise ValueError(Errors.STOCK_WINDOWS.format(**setting))
    return kind(**settings)
