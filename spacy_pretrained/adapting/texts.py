"""Texts to train on, whole or as sentences; and which of them are held out."""

import random
from collections.abc import Iterator
from pathlib import Path

import spacy

from ..bulk_annotation.inputs import READERS, Reading, check_input, read_items
from ..bulk_annotation.items import Item
from .errors import Errors

HELD_OUT = 0.05  # of the texts
MOST_HELD_OUT = 500
LEAST_TEXTS = 40  # with fewer, blocks are held out instead

# A text, or its sentences.
Text = str | list[str]


def find_files(path: Path) -> list[Path]:
    """A file, or those in a folder that have texts, in the order of their names."""
    if not path.exists():
        raise ValueError(Errors.TEXTS_MISSING.format(path=path))
    if not path.is_dir():
        return [path]
    files = sorted(one for one in path.rglob("*") if one.is_file())
    return [one for one in files if Path(one.name.removesuffix(".gz")).suffix in READERS]


def read_texts(path: Path, text_field: str = "text", *, sentences: bool = False) -> list[Text]:
    """All texts of a file or folder; with `sentences`, as lists of these. Empty ones are left out.

    RAISES: ValueError if there are none, or a row cannot be read.
    """
    reading = Reading(text_field=text_field, sentences=sentences)
    texts: list[Text] = []
    for file in find_files(path):
        check_input(file, reading)
        for item in read_items(file, reading):
            if item.error:
                raise ValueError(Errors.TEXTS_ROW.format(path=file, row=item.row, error=item.error))
            texts.append(_sentences(item) if sentences else _text(item).strip())
    texts = [text for text in texts if text]
    if not texts:
        raise ValueError(Errors.TEXTS_NONE.format(path=path, known=", ".join(READERS)))
    return texts


def hold_out(texts: list[Text], seed: int) -> tuple[list[Text], list[Text]]:
    """Texts to train on, and some that are held out; none where there are few. What is held out is
    nowhere among the others: copies of it are left out."""
    # Pairs are made of texts with two sentences or more.
    fit = [i for i, text in enumerate(texts) if isinstance(text, str) or len(text) > 1]
    n = max(1, min(MOST_HELD_OUT, round(HELD_OUT * len(texts))))
    if len(texts) < LEAST_TEXTS or len(fit) <= 2 * n:
        return texts, []
    chosen = set(random.Random(seed).sample(fit, n))
    held_out = [text for i, text in enumerate(texts) if i in chosen]
    copies = {_key(text) for text in held_out}
    return [text for text in texts if _key(text) not in copies], held_out


def _key(text: Text) -> str:
    return text if isinstance(text, str) else "\n".join(text)


def _text(item: Item) -> str:
    if item.words is None:
        return item.text
    spaces = item.spaces or [True] * len(item.words)
    return "".join(word + " " * space for word, space in zip(item.words, spaces))


def _sentences(item: Item) -> list[str]:
    if item.sentences is not None:
        return item.sentences
    return list(_split(_text(item)))


def _split(text: str) -> Iterator[str]:
    nlp = _splitter()
    for start in range(0, len(text), nlp.max_length):
        for sentence in nlp(text[start : start + nlp.max_length]).sents:
            if sentence.text.strip():
                yield sentence.text.strip()


def _splitter() -> spacy.language.Language:
    """spaCy's own, by punctuation, for any language."""
    if not hasattr(_splitter, "nlp"):
        _splitter.nlp = spacy.blank("xx")
        _splitter.nlp.add_pipe("sentencizer")
    return _splitter.nlp
