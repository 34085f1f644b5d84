"""The lines of a file with a token a line, sentence by sentence, checked: what `columns.py` makes
Docs of.

What is malformed is a ValueError with file and line.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from .column_layout import DOCUMENT_MARK, Layout, separator_name
from .conllu_rows import NEWDOC, UPOS_TAGS
from .errors import Errors
from .faults import Faults
from .lines import UTF8, place, read_lines
from .tag_schemes import MISSING, OUTSIDE, Entities, parse_tag

TEXT_COMMENT = re.compile(r"#\s*text\s*=(.*)")


@dataclass
class ColumnsReport:
    """What was read, and what was repaired."""

    documents: int = 0
    sentences: int = 0
    words: int = 0
    entities: int = 0
    repairs: int = 0  # of tags, see tag_schemes.py
    missing_words: int = 0  # whose entity is missing: "-" or "_"
    trimmed_words: int = 0  # white space around them taken off
    blank_words: int = 0  # nothing but white space, and no entity: left out
    unaligned_texts: int = 0  # "# text" of a sentence that its words do not spell: not heeded
    labels: dict[str, int] = field(default_factory=dict)  # entities by label

    def add_entities(self, entities: Entities) -> None:
        self.entities += len(entities.spans)
        self.repairs += entities.repairs
        self.missing_words += len(entities.missing)
        for *_, label in entities.spans:
            self.labels[label] = self.labels.get(label, 0) + 1


@dataclass
class Sentence:
    """The words of a sentence, column by column; "" is a missing value."""

    is_newdoc: bool
    lines: list[int] = field(default_factory=list)  # the numbers of their lines
    words: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    xpos: list[str] = field(default_factory=list)
    upos: list[str] = field(default_factory=list)
    spaces: list[bool] | None = None  # None where the file does not tell


def read_sentences(
    path: str | Path,
    layout: Layout,
    report: ColumnsReport,
    encoding: str = UTF8,
    faults: Faults | None = None,
) -> Iterator[Sentence]:
    """The sentences that have words.

    faults: Gathers what is malformed; lines with faults are left out. Without it the first fault is
        raised.
    """
    faults = Faults(most=1) if faults is None else faults
    sentence = Sentence(is_newdoc=False)
    text: str | None = None
    for number, line in chain(read_lines(path, encoding), [(0, "")]):
        is_mark = line.startswith(DOCUMENT_MARK)
        if is_mark or not line.strip():
            if sentence.words:
                sentence.spaces = _align(sentence.words, text, report)
                report.sentences += 1
                report.words += len(sentence.words)
                yield sentence
                sentence, text = Sentence(is_newdoc=is_mark), None
            sentence.is_newdoc = sentence.is_newdoc or is_mark
        elif layout.is_comment(line):
            if sentence.words:
                faults.add(Errors.COLUMNS_COMMENT.format(at=place(path, number)))
            sentence.is_newdoc = sentence.is_newdoc or bool(NEWDOC.match(line))
            if match := TEXT_COMMENT.match(line):
                text = match[1].strip()
        else:
            try:
                _add_word(sentence, place(path, number), number, line, layout, report)
            except ValueError as error:
                faults.add(error)


def _add_word(
    sentence: Sentence, at: str, number: int, line: str, layout: Layout, report: ColumnsReport
) -> None:
    columns = layout.split(line)
    if len(columns) != layout.n_columns:
        raise ValueError(
            Errors.COLUMNS_COUNT.format(
                at=at,
                found=len(columns),
                expected=layout.n_columns,
                separator=separator_name(layout.separator),
                line=line,
            )
        )
    if layout.has_index and not columns[0].isdigit():
        raise ValueError(Errors.COLUMNS_INDEX.format(at=at, index=columns[0]))
    tag = columns[layout.tag].strip()
    word = columns[layout.word].strip()
    try:
        parse_tag(tag)
    except ValueError as error:
        raise ValueError(f"{at}: {error}") from error
    if not word:
        if tag not in (OUTSIDE, *MISSING):
            raise ValueError(Errors.COLUMNS_BLANK.format(at=at, tag=tag))
        report.blank_words += 1
        return
    upos = _value(columns[layout.upos]) if layout.upos is not None else ""
    if upos and upos not in UPOS_TAGS.split():
        raise ValueError(Errors.COLUMNS_UPOS.format(at=at, upos=upos, known=UPOS_TAGS))
    report.trimmed_words += word != columns[layout.word]
    sentence.lines.append(number)
    sentence.words.append(word)
    sentence.tags.append(tag)
    if layout.xpos is not None:
        sentence.xpos.append(_value(columns[layout.xpos]))
    if layout.upos is not None:
        sentence.upos.append(upos)


def _value(column: str) -> str:
    return "" if column.strip() == "_" else column.strip()


def _align(words: list[str], text: str | None, report: ColumnsReport) -> list[bool] | None:
    """Which words have white space behind them in the text; None if they do not spell it."""
    if text is None:
        return None
    spaces = []
    end = 0
    for word in words:
        if not text.startswith(word, end):
            break
        start = end + len(word)
        end = start
        while text[end : end + 1].isspace():
            end += 1
        spaces.append(end > start)
    if len(spaces) < len(words) or end < len(text):
        report.unaligned_texts += 1
        return None
    spaces[-1] = True
    return spaces
