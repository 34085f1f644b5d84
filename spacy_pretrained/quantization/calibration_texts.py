"""Texts to calibrate on and to compare on: read one by one, long ones cut, and some drawn."""

import json
import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from ..corpora.corpus import cut
from .errors import Errors

FORMATS = (".txt", ".jsonl", ".spacy")
MAX_TOKENS = 120
MAX_CHARACTERS = 1000

Text = TypeVar("Text")


def sample_texts(path: Path, vocab: Vocab, n_texts: int, seed: int) -> list[str | Doc]:
    """Draw texts from a file, all with the same chance, so that they are as long and as short as
    those in the file are. Only what is drawn is kept in memory (J. Vitter, Random Sampling with a
    Reservoir, 1985).

    path: .txt with a text a line, .jsonl with "text" in each line, or .spacy.
    """
    drawn = draw(read_texts(path, vocab), n_texts, seed)
    if not drawn:
        raise ValueError(Errors.TEXTS_EMPTY.format(path=path))
    return drawn


def draw(texts: Iterable[Text], n_texts: int, seed: int) -> list[Text]:
    """Some of the texts, or all if there are no more; see `sample_texts`."""
    random_numbers = random.Random(seed)
    drawn: list[Text] = []
    for n_seen, text in enumerate(texts):
        if len(drawn) < n_texts:
            drawn.append(text)
        elif (place := random_numbers.randrange(n_seen + 1)) < n_texts:
            drawn[place] = text
    return drawn


def split_texts(
    texts: list[str | Doc], n_calibrated: int, n_compared: int, *, least: int, seed: int
) -> tuple[list[str | Doc], list[str | Doc]]:
    """Divide texts at random into some to calibrate on and others to compare on.

    Where there are too few for both, at most two of five are compared on, or as many as are left,
    and at least `least` stay to calibrate on, if there are as many. What occurs in both parts is
    left out of the second.
    """
    texts = random.Random(seed).sample(texts, len(texts))
    left = len(texts) - n_calibrated
    if n_calibrated:
        left = max(0, min(max(left, 2 * len(texts) // 5), len(texts) - least))
    n_compared = min(n_compared, left)
    calibrated = texts[n_compared:][:n_calibrated]
    known = {_text(text) for text in calibrated}
    return calibrated, [text for text in texts[:n_compared] if _text(text) not in known]


def cut_few(texts: list[str | Doc], least: int) -> list[str | Doc]:
    """The same texts or, where there are fewer than `least`, the sentences of those Docs that have
    sentences: the encoder reads them one by one in any case."""
    if len(texts) >= least:
        return texts
    return [
        part
        for text in texts
        for part in (
            (sentence.as_doc() for sentence in text.sents)
            if isinstance(text, Doc) and text.has_annotation("SENT_START")
            else (text,)
        )
    ]


def _text(text: str | Doc) -> str:
    return text if isinstance(text, str) else text.text


def read_texts(path: Path, vocab: Vocab) -> Iterator[str | Doc]:
    """Texts of a file, long ones cut; empty ones are left out."""
    check_file(path)
    if path.suffix == ".spacy":
        return _read_docs(path, vocab)
    read = _read_lines if path.suffix == ".txt" else _read_jsonl
    return (part for text in read(path) for part in cut_text(text))


def check_file(path: Path) -> None:
    """RAISES: ValueError if there is no such file, or none of a format that can be read."""
    if not path.is_file():
        raise ValueError(Errors.TEXTS_FILE.format(path=path))
    if path.suffix not in FORMATS:
        raise ValueError(Errors.TEXTS_FORMAT.format(path=path))


def _read_lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8-sig") as lines:
            yield from lines
    except UnicodeDecodeError as error:
        raise ValueError(Errors.TEXTS_BROKEN.format(path=path, error=error)) from error


def _read_jsonl(path: Path) -> Iterator[str]:
    for number, line in enumerate(_read_lines(path), start=1):
        if line.strip():
            try:
                text = json.loads(line)["text"]  # srsly refuses numbers above 64 bits
            except (ValueError, KeyError, TypeError, RecursionError):
                text = None
            if not isinstance(text, str):
                raise ValueError(Errors.TEXTS_LINE.format(line=number, path=path))
            try:
                text.encode()
            except UnicodeEncodeError as error:  # no Doc can have it
                at = {"line": number, "path": path, "start": error.start}
                raise ValueError(Errors.TEXTS_SURROGATE.format(**at)) from error
            yield text


def cut_text(text: str) -> Iterable[str]:
    """Cut a text at white space, into parts that a pipeline takes."""
    text = text.strip()
    while len(text) > MAX_CHARACTERS:
        end = max(text.rfind(space, 1, MAX_CHARACTERS) for space in " \n\t")
        end = end if end > 0 else MAX_CHARACTERS
        yield text[:end]
        text = text[end:].lstrip()
    if text:
        yield text


def _read_docs(path: Path, vocab: Vocab) -> Iterator[Doc]:
    try:
        docs = DocBin().from_disk(path)
    except Exception as error:  # of zlib, msgpack and what they hold, without a common base class
        raise ValueError(Errors.TEXTS_BROKEN.format(path=path, error=error)) from error
    for doc in docs.get_docs(vocab):
        yield from cut_doc(doc)


def cut_doc(doc: Doc) -> Iterator[Doc]:
    """Cut a Doc into parts that a pipeline takes, where sentences end if it has any."""
    for part in cut(doc, MAX_TOKENS):
        # Without sentences a Doc was not cut; one sentence may be long, too.
        for start in range(0, len(part), 4 * MAX_TOKENS):
            if len(part) <= 4 * MAX_TOKENS:
                yield part
            else:
                yield part[start : start + 4 * MAX_TOKENS].as_doc()
