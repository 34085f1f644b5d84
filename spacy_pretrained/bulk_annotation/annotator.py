"""A stream of texts through a pipeline, in which a text that fails does not take others along."""

from collections.abc import Iterable, Iterator
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc

from ..records import TRUNCATED
from ..runtime.word_cache import WordCache
from .errors import Errors
from .items import Failure, Item, OnLong

# Texts in a batch, unless the pipeline's own setting is higher: nobody waits for one of them alone.
BATCH = 256
# spaCy's own limit, of `nlp.max_length`.
MAX_CHARACTERS = 1_000_000
# More than one batch of windows: a single one does not run on the engine for streams.
WARM_UP = ["Ada sees the old river.", "Robots never sleep in Zürich!"] * 100


class Annotator:
    """Annotates with a loaded pipeline, which is nobody else's.

    max_characters: The longest text.
    on_long: What becomes of longer ones. "skip": they are left out; "error": they have failed;
        "cut": only their beginning is annotated, up to white space where there is some.
    """

    def __init__(
        self, nlp: Language, *, max_characters: int = MAX_CHARACTERS, on_long: OnLong = "error"
    ):
        self.nlp = nlp
        self.max_characters = max_characters
        self.on_long = on_long
        nlp.max_length = max(nlp.max_length, max_characters)
        self.words = WordCache(nlp)
        self._handler = _ErrorHandler()
        nlp.set_error_handler(self._handler)

    def warm_up(self) -> None:
        """Let engines compile, for streams and for single texts, before the first text waits."""
        list(self.nlp.pipe(WARM_UP))
        self.nlp(WARM_UP[0])

    def annotate(self, items: Iterable[Item]) -> Iterator[tuple[Item, Doc | Failure]]:
        """Each text, once, with its annotation or why it has none; not always in order, for those
        of a batch that failed come one by one at the end.

        items: Have different numbers.
        """
        source, waiting = _Source(items), {}
        size = max(BATCH, self.nlp.batch_size)
        while not source.is_done:
            failures: list[tuple[Item, Failure]] = []
            stream = self.nlp.pipe(
                self._make_docs(source, waiting, failures), as_tuples=True, batch_size=size
            )
            try:
                for doc, item in stream:
                    # A component may have made another Doc, which nobody knows the text of.
                    if item is not None and waiting.pop(item.number, None) is not None:
                        yield item, doc
                    yield from _take_all(failures)
            except Exception:
                if source.error is not None:
                    raise
            yield from _take_all(failures)
            for number in list(waiting):
                item = waiting.pop(number)
                yield item, self._annotate_alone(item)

    def _make_docs(
        self, source: "_Source", waiting: dict[int, Item], failures: list[tuple[Item, Failure]]
    ) -> Iterator[tuple[Doc, Item]]:
        for item in source:
            doc = self._make_or_fail(item)
            if isinstance(doc, Failure):
                failures.append((item, doc))
            else:
                waiting[item.number] = item
                yield doc, item

    def _annotate_alone(self, item: Item) -> Doc | Failure:
        self._handler.raises = True
        try:
            doc = self._make_or_fail(item)
            if isinstance(doc, Failure):
                return doc
            # As a stream: `nlp(doc)` takes every KeyError for a component without weights.
            docs = list(self.nlp.pipe([doc]))
            return docs[0] if docs else Failure("failed", Errors.TEXT_VANISHED)
        except Exception as error:
            return Failure("failed", str(error) or type(error).__name__)
        finally:
            self._handler.raises = False

    def _make_or_fail(self, item: Item) -> Doc | Failure:
        if item.error:
            return Failure("failed", item.error)
        length = _count_characters(item)
        if length > self.max_characters and self.on_long != "cut":
            reason = Errors.TEXT_TOO_LONG.format(length=length, limit=self.max_characters)
            return Failure("skipped" if self.on_long == "skip" else "failed", reason)
        try:
            doc = make_doc(self.nlp, cut(item, self.max_characters))
        except UnicodeEncodeError as error:
            code = f"U+{ord(error.object[error.start]):04X}"
            return Failure("failed", Errors.TEXT_SURROGATE.format(at=error.start, code=code))
        except Exception as error:  # of any tokenizer
            return Failure("failed", f"{type(error).__name__}: {error}")
        if length > self.max_characters:
            doc.user_data[TRUNCATED] = True
        return doc


def make_doc(nlp: Language, item: Item) -> Doc:
    """The tokens of a text: those that are given, or the tokenizer's."""
    if item.words is not None:
        return Doc(nlp.vocab, words=item.words, spaces=item.spaces)
    if item.sentences is None:
        return nlp.make_doc(item.text)
    words, spaces, starts = [], [], []
    for part in map(nlp.make_doc, item.sentences):
        words += [token.text for token in part]
        spaces += [*(bool(token.whitespace_) for token in part[:-1]), True]
        starts += [1] + [-1] * (len(part) - 1)
    return Doc(nlp.vocab, words=words, spaces=spaces, sent_starts=starts)


def cut(item: Item, limit: int) -> Item:
    """The beginning of a text, as far as the limit lets it go and words and sentences end there;
    the same if it is short enough."""
    if _count_characters(item) <= limit:
        return item
    if item.words is not None:
        spaces = item.spaces or [False] * len(item.words)
        n = _count_fitting([len(w) + s for w, s in zip(item.words, spaces)], limit)
        return Item(words=item.words[:n], spaces=item.spaces and item.spaces[:n])
    if item.sentences is not None:
        n = _count_fitting([len(sentence) + 1 for sentence in item.sentences], limit)
        return Item(sentences=item.sentences[:n] or [cut_text(item.sentences[0], limit)])
    return Item(text=cut_text(item.text, limit))


def cut_text(text: str, limit: int) -> str:
    """Its beginning: the words that end within `limit` characters, or as many characters if none
    does."""
    part = text[:limit]
    is_whole = not text[limit : limit + 1].strip() or part[-1].isspace()
    words = part.split()
    if not is_whole and len(words) > 1:
        part = part[: limit - len(words[-1])]
    return part.rstrip() or part


def _count_characters(item: Item) -> int:
    if item.words is not None:
        return sum(map(len, item.words)) + sum(item.spaces or ())
    if item.sentences is not None:
        return sum(len(sentence) + 1 for sentence in item.sentences)
    return len(item.text)


def _count_fitting(lengths: list[int], limit: int) -> int:
    n = total = 0
    for length in lengths:
        total += length
        if total > limit:
            break
        n += 1
    return n


def _take_all(failures: list[tuple[Item, Failure]]) -> Iterator[tuple[Item, Failure]]:
    while failures:
        yield failures.pop(0)


class _Source:
    """Takes items from where they come from, across several streams. What is raised there ends a
    stream, and is no failure of a text."""

    def __init__(self, items: Iterable[Item]):
        self._items = iter(items)
        self.is_done = False
        self.error: BaseException | None = None

    def __iter__(self) -> Iterator[Item]:
        while not self.is_done:
            try:
                item = next(self._items, None)
            except BaseException as error:
                self.is_done, self.error = True, error
                raise
            if item is None:
                self.is_done = True
                return
            yield item


class _ErrorHandler:
    """Of all components. In a stream, Docs of a batch that failed are left out, and come again
    alone; then the error is the text's own."""

    raises = False

    def __call__(self, name: str, component: Any, docs: list[Doc], error: Exception) -> None:
        if self.raises:
            text = f"{type(error).__name__}: {error}"
            raise RuntimeError(Errors.TEXT_COMPONENT.format(name=name, error=text)) from error
