"""Files with a token a line and its entity in a column, such as those of CoNLL-2003, WNUT-17 and
Universal NER, to Docs (`read_columns`).

    # newdoc id = 1                       -DOCSTART- -X- -X- O         It   O
    # text = The EU said no.                                           's   O
    1   The   O                           EU NNP B-NP B-ORG            the  O
    2   EU    B-ORG                       said VBD B-VP O              view B-creative-work

`column_layout.py` says how the columns are told apart, `column_rows.py` reads lines to sentences,
`tag_schemes.py` says how tags are read. What is repaired on the way is counted in a
`ColumnsReport`, what is malformed is a ValueError with file and line.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from spacy.tokens import Doc
from spacy.tokens import Span as DocSpan
from spacy.vocab import Vocab

from .column_layout import Layout, find_layout
from .column_rows import ColumnsReport, Sentence, read_sentences
from .errors import Errors
from .faults import Faults
from .lines import UTF8, check_file, place, read_lines
from .tag_schemes import AUTO, Entities, Span, check_scheme, detect_scheme, to_spans


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
    encoding: str = UTF8,
    report: ColumnsReport | None = None,
) -> Iterator[Doc]:
    """Read a file document by document, twice in all: ENT_IOB and ENT_TYPE, SENT_START, and TAG and
    POS where their columns are given. Tokens whose entity is missing ("-") miss it in the Doc, too.

    path: The file; compressed if its name ends in ".gz".
    word, tag: The columns of the words and of their entities, counted from 0, or with -1 from the
        last. None: found from the first lines, see column_layout.py.
    xpos, upos: The columns of the tags of the treebank (TAG) and of Universal Dependencies (POS).
    separator: What stands between columns. None: tabs or spaces, whatever the file has.
    scheme: "iob1", "iob2", "bioes" or "biluo"; "auto" finds it from all of the file.
    doc_sentences: Sentences a Doc, where the file does not mark documents, with "# newdoc" or with
        -DOCSTART- (a single mark, at the top, marks the file).
    encoding: Of the file, by its name in Python.
    report: Is added to while the Docs are taken.

    The spaces between words follow "# text = ..." comments. Without them they are unknown: a space
    behind every word, and `doc.has_unknown_spaces`. So it is if a sentence of the Doc has none, or
    one that its words do not spell. Sentences are always a space apart.

    ValueError, with file and line, where the file is malformed, has no words, or has tags that keep
    to no scheme. It tells all faults of the file, up to 20, before the first Doc.
    """
    if doc_sentences < 1:
        raise ValueError(Errors.COLUMNS_DOCUMENT.format(doc_sentences=doc_sentences))
    check_scheme(scheme, AUTO)
    check_file(path)
    report = ColumnsReport() if report is None else report
    lines = read_lines(path, encoding)
    layout = find_layout(path, lines, word=word, tag=tag, xpos=xpos, upos=upos, separator=separator)
    scheme, has_documents = _survey(path, layout, scheme, encoding)
    sentences = read_sentences(path, layout, report, encoding)
    for document in _documents(sentences, doc_sentences, has_documents):
        report.documents += 1
        yield _make_doc(path, vocab, document, scheme, report)
    if not report.documents:
        raise ValueError(Errors.COLUMNS_EMPTY.format(path=path))


def _survey(path: str | Path, layout: Layout, scheme: str, encoding: str) -> tuple[str, bool]:
    """The scheme, found if it is "auto", and whether the file marks documents."""
    n_marks = 0
    faults = Faults()

    def tags() -> Iterator[list[str]]:
        nonlocal n_marks
        for sentence in read_sentences(path, layout, ColumnsReport(), encoding, faults):
            n_marks += sentence.is_newdoc
            yield sentence.tags

    def where(number: int, token: int) -> str:
        sentences = read_sentences(path, layout, ColumnsReport(), encoding, Faults())
        return place(path, next(islice(sentences, number, None)).lines[token])

    try:
        if scheme == AUTO:
            scheme = detect_scheme(tags(), where=where)
        else:
            for sentence in read_sentences(path, layout, ColumnsReport(), encoding, faults):
                n_marks += sentence.is_newdoc
                _check_letters(path, sentence, scheme, faults)
    except ValueError as error:
        if not faults.is_full:
            faults.add(error)
    faults.check()
    return scheme, n_marks > 1


def _check_letters(path: str | Path, sentence: Sentence, scheme: str, faults: Faults) -> None:
    try:
        _read_entities(path, sentence, scheme)
    except ValueError as error:
        faults.add(error)


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
    if document:
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
        raise ValueError(f"{place(path, sentence.lines[0])}: {error}") from error
