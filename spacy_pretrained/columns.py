"""Files with a token a line and its entity in a column, such as those of CoNLL-2003, WNUT-17 and
Universal NER, to Docs (`read_columns`).

    # newdoc id = 1                       -DOCSTART- -X- -X- O         It   O
    # text = The EU said no.                                           's   O
    1   The   O                           EU NNP B-NP B-ORG            the  O
    2   EU    B-ORG                       said VBD B-VP O              view B-creative-work

`column_layout.py` says how the columns are told apart, `tag_schemes.py` how tags are read. What is
repaired on the way is counted in a `ColumnsReport`, what is malformed is a ValueError with file and
line.
"""

import gzip
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path

from spacy.tokens import Doc
from spacy.tokens import Span as DocSpan
from spacy.vocab import Vocab

from .column_layout import DOCUMENT_MARK, Layout, find_layout, separator_name
from .conllu import NEWDOC, UPOS_TAGS
from .errors import Errors
from .tag_schemes import (
    AUTO,
    MISSING,
    OUTSIDE,
    Entities,
    Span,
    check_scheme,
    detect_scheme,
    parse_tag,
    to_spans,
)

TEXT_COMMENT = re.compile(r"#\s*text\s*=(.*)")
BOM = "\ufeff"


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


def read_columns(
    path: str | Path,
    vocab: Vocab,
    *,
    word: int | None = None,
    tag: int | None = None,
    xpos: int | None = None,
    upos: int | None = None,
    separator: str | None = None,
    scheme: str = AUTO,
    doc_sentences: int = 10,
    report: ColumnsReport | None = None,
) -> Iterator[Doc]:
    """Read a file document by document, twice in all: ENT_IOB and ENT_TYPE, SENT_START, and TAG and
    POS where their columns are given. Tokens whose entity is missing ("-") miss it in the Doc, too.

    path: The file, in UTF-8; compressed if its name ends in ".gz".
    word, tag: The columns of the words and of their entities, counted from 0, or with -1 from the
        last. None: found from the first lines, see column_layout.py.
    xpos, upos: The columns of the tags of the treebank (TAG) and of Universal Dependencies (POS).
    separator: What stands between columns. None: tabs or spaces, whatever the file has.
    scheme: "iob1", "iob2", "bioes" or "biluo"; "auto" finds it from all of the file.
    doc_sentences: Sentences a Doc, where the file does not mark documents, with "# newdoc" or with
        -DOCSTART- (a single mark, at the top, marks the file).
    report: Is added to while the Docs are taken.

    The spaces between words follow "# text = ..." comments. Without them they are unknown: a space
    behind every word, and `doc.has_unknown_spaces`. So it is if a sentence of the Doc has none, or
    one that its words do not spell. Sentences are always a space apart.

    ValueError, with file and line, where the file is malformed, has no words, or has tags that keep
    to no scheme.
    """
    if doc_sentences < 1:
        raise ValueError(Errors.COLUMNS_DOCUMENT.format(doc_sentences=doc_sentences))
    check_scheme(scheme, AUTO)
    report = ColumnsReport() if report is None else report
    layout = find_layout(
        path, _lines(path), word=word, tag=tag, xpos=xpos, upos=upos, separator=separator
    )
    scheme, has_documents = _survey(path, layout, scheme)
    sentences = _read_sentences(path, layout, report)
    for document in _documents(sentences, doc_sentences, has_documents):
        report.documents += 1
        yield _make_doc(path, vocab, document, scheme, report)


def _survey(path: str | Path, layout: Layout, scheme: str) -> tuple[str, bool]:
    """The scheme, found if it is "auto", and whether the file marks documents."""
    n_marks = 0

    def tags() -> Iterator[list[str]]:
        nonlocal n_marks
        for sentence in _read_sentences(path, layout, ColumnsReport()):
            n_marks += sentence.is_newdoc
            yield sentence.tags

    def where(number: int, token: int) -> str:
        sentences = _read_sentences(path, layout, ColumnsReport())
        return _at(path, next(islice(sentences, number, None)).lines[token])

    if scheme == AUTO:
        scheme = detect_scheme(tags(), where=where)
    else:
        for _ in tags():
            pass
    return scheme, n_marks > 1


def _documents(
    sentences: Iterator[Sentence], doc_sentences: int, has_documents: bool
) -> Iterator[list[Sentence]]:
    document: list[Sentence] = []
    in_newdoc = False
    for sentence in sentences:
        is_newdoc = has_documents and sentence.is_newdoc
        if document and (is_newdoc or (len(document) == doc_sentences and not in_newdoc)):
            yield document
            document = []
        in_newdoc = in_newdoc or is_newdoc
        document.append(sentence)
    yield document


def _make_doc(
    path: str | Path, vocab: Vocab, sentences: list[Sentence], scheme: str, report: ColumnsReport
) -> Doc:
    words, spaces, tags, pos, starts = [], [], [], [], []
    spans: list[Span] = []
    missing: list[int] = []
    for sentence in sentences:
        entities = _read_entities(path, sentence, scheme)
        report.add_entities(entities)
        first = len(words)
        spans += [(first + start, first + end, label) for start, end, label in entities.spans]
        missing += [first + i for i in entities.missing]
        words += sentence.words
        spaces += sentence.spaces or [True] * len(sentence.words)
        tags += sentence.xpos
        pos += sentence.upos
        starts += [1] + [-1] * (len(sentence.words) - 1)
    doc = Doc(
        vocab, words=words, spaces=spaces, tags=tags or None, pos=pos or None, sent_starts=starts
    )
    doc.has_unknown_spaces = any(sentence.spaces is None for sentence in sentences)
    set_entities(doc, spans, missing)
    return doc


def set_entities(doc: Doc, spans: Iterable[Span], missing: Iterable[int]) -> None:
    """Set the entities of a Doc; `missing` are the tokens whose annotation is, all others are
    outside."""
    doc.set_ents(
        [DocSpan(doc, start, end, label) for start, end, label in spans],
        missing=[doc[i : i + 1] for i in missing],
    )


def _read_entities(path: str | Path, sentence: Sentence, scheme: str) -> Entities:
    try:
        return to_spans(sentence.tags, scheme)
    except ValueError as error:  # a letter of another scheme
        raise ValueError(f"{_at(path, sentence.lines[0])}: {error}") from error


def _read_sentences(path: str | Path, layout: Layout, report: ColumnsReport) -> Iterator[Sentence]:
    """The sentences that have words."""
    sentence = Sentence(is_newdoc=False)
    text: str | None = None
    for number, line in chain(_lines(path), [(0, "")]):
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
                raise ValueError(Errors.COLUMNS_COMMENT.format(at=_at(path, number)))
            sentence.is_newdoc = sentence.is_newdoc or bool(NEWDOC.match(line))
            if match := TEXT_COMMENT.match(line):
                text = match[1].strip()
        else:
            _add_word(sentence, _at(path, number), number, line, layout, report)


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
    report.trimmed_words += word != columns[layout.word]
    sentence.lines.append(number)
    sentence.words.append(word)
    sentence.tags.append(tag)
    if layout.xpos is not None:
        sentence.xpos.append(_value(columns[layout.xpos]))
    if layout.upos is not None:
        upos = _value(columns[layout.upos])
        if upos and upos not in UPOS_TAGS.split():
            raise ValueError(Errors.COLUMNS_UPOS.format(at=at, upos=upos, known=UPOS_TAGS))
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


def _lines(path: str | Path) -> Iterator[tuple[int, str]]:
    """The lines of a file with their numbers."""
    open_ = gzip.open if Path(path).suffix == ".gz" else open
    with open_(path, "rb") as file:
        lines = enumerate(file, 1)
        while True:
            try:
                number, raw = next(lines)
                line = raw.decode("utf8")
            except StopIteration:
                return
            except UnicodeDecodeError as error:
                at = _at(path, number)
                raise ValueError(Errors.COLUMNS_ENCODING.format(at=at, error=error)) from error
            except (gzip.BadGzipFile, EOFError, zlib.error) as error:
                raise ValueError(Errors.COLUMNS_BROKEN.format(path=path, error=error)) from error
            yield number, (line.removeprefix(BOM) if number == 1 else line).rstrip("\r\n")


def _at(path: str | Path, number: int) -> str:
    return f"{path}, line {number}"
