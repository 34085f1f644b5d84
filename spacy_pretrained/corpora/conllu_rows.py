"""The reader of CoNLL-U, for conversion (`conllu.py`) and evaluation (`scoring/conll18.py`): files
to checked sentences.

Format: https://universaldependencies.org/format.html. What breaks its rules is a ValueError with
file and line: lines without 10 columns (also blank lines with spaces), comments inside a sentence,
IDs that do not count, unknown UPOS, malformed FEATS, heads that are no tree or have two roots,
text that is not UTF-8. A byte order mark, Windows' line ends and a last sentence without a blank
line after it are fine. "_" is a missing value, also of a head.

Nothing is left out or changed here. What a Doc cannot hold `conllu_doc.py` counts; a gold word
without head, which a parse cannot be scored against, `scoring/conll18.py` refuses.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from .errors import Errors
from .faults import Faults
from .lines import UTF8, place, read_lines

UPOS_TAGS = "ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X"
MISSING = "_"
ROOT = -1  # as a head

NEWDOC = re.compile(r"#\s*newdoc\b")
NEWPAR = re.compile(r"#\s*newpar\b")
RANGE = re.compile(r"(\d+)-(\d+)", re.ASCII)
FEATURE = re.compile(r"[^\s=|,]+=[^\s=|,]+(,[^\s=|,]+)*")


class Row(NamedTuple):
    """A line of a word or token: where it stands, and its columns as they stand in the file."""

    at: str  # "FILE, line 7"
    id: str
    form: str
    lemma: str
    upos: str
    xpos: str
    feats: str
    head: str
    deprel: str
    deps: str
    misc: str


class Multiword(NamedTuple):
    """A multiword token: the indices of its first and last word in the sentence, and its row."""

    first: int
    last: int
    row: Row


@dataclass
class Sentence:
    """The words of a sentence, and what stands around them."""

    is_newdoc: bool
    is_newpar: bool
    words: list[Row]
    multiwords: list[Multiword]
    n_empty_nodes: int
    heads: list[int | None]  # the index of a word, or ROOT; None where it is missing


def read_sentences(
    path: str | Path, encoding: str = UTF8, faults: Faults | None = None
) -> Iterator[Sentence]:
    """The sentences of a file; compressed if its name ends in ".gz".

    faults: Gathers what is malformed; sentences with faults are left out. Without it the first
        fault is raised.
    RAISES: ValueError, with file and line, where the file is malformed; also if it has no
        sentences. OSError if it cannot be opened.
    """
    faults = Faults(most=1) if faults is None else faults
    rows: list[Row] = []
    is_newdoc = is_newpar = is_broken = False
    is_empty = True
    for number, line in chain(read_lines(path, encoding), [(0, "")]):
        if not line and (rows or is_broken):
            # IDs and heads of a sentence that has lost a row would be wrong, too.
            sentence = None if is_broken else _parse_sentence(rows, is_newdoc, is_newpar, faults)
            if sentence is not None:
                yield sentence
            rows = []
            is_newdoc = is_newpar = is_empty = is_broken = False
        elif line.startswith("#"):
            if rows and not is_broken:
                faults.add(Errors.CONLLU_COMMENT.format(at=place(path, number)))
                is_broken = True
            is_newdoc = is_newdoc or bool(NEWDOC.match(line))
            is_newpar = is_newpar or bool(NEWPAR.match(line))
        elif line:
            row = _parse_row(place(path, number), line, faults)
            is_broken = is_broken or row is None
            rows += [row] if row is not None else []
    if is_empty:
        faults.add(Errors.CONLLU_EMPTY.format(path=path))


def _parse_row(at: str, line: str, faults: Faults) -> Row | None:
    columns = line.split("\t")
    if len(columns) != 10:
        faults.add(Errors.CONLLU_COLUMNS.format(at=at, found=len(columns)))
        return None
    row = Row(at, *columns)
    if "" in columns or row.form.isspace():
        faults.add(Errors.CONLLU_BLANK.format(at=at))
        return None
    return row


def _parse_sentence(
    rows: list[Row], is_newdoc: bool, is_newpar: bool, faults: Faults
) -> Sentence | None:
    """None if it has faults."""
    n_before = len(faults)
    try:
        words, multiwords, n_empty_nodes = _sort_rows(rows)
    except ValueError as error:
        faults.add(error)
        return None
    _check_tags(words, faults)
    heads = _read_heads(words, faults)
    if len(faults) > n_before:
        return None
    return Sentence(is_newdoc, is_newpar, words, multiwords, n_empty_nodes, heads)


def _sort_rows(rows: list[Row]) -> tuple[list[Row], list[Multiword], int]:
    """The rows of words, the multiword tokens, and the number of empty nodes. All IDs are
    checked."""
    words: list[Row] = []
    multiwords: list[Multiword] = []
    n_empty = n_empty_here = 0
    end, end_at = 0, ""  # ID of the last word of the last multiword token
    for row in rows:
        at, id_ = row.at, row.id
        expected = str(len(words) + 1)
        if id_ == expected:
            words.append(row)
            n_empty_here = 0
        elif id_ == f"{len(words)}.{n_empty_here + 1}":
            n_empty_here += 1
            n_empty += 1
        elif bounds := RANGE.fullmatch(id_):
            if bounds[1] != expected or int(bounds[2]) <= len(words) or len(words) < end:
                raise ValueError(Errors.CONLLU_RANGE.format(at=at, id=id_, expected=expected))
            end, end_at = int(bounds[2]), at
            multiwords.append(Multiword(len(words), end - 1, row))
        else:
            raise ValueError(Errors.CONLLU_ID.format(at=at, id=id_, expected=expected))
    if not words:
        raise ValueError(Errors.CONLLU_NO_WORDS.format(at=rows[0].at))
    if end > len(words):
        raise ValueError(Errors.CONLLU_RANGE_END.format(at=end_at, end=end, length=len(words)))
    return words, multiwords, n_empty


def _check_tags(words: list[Row], faults: Faults) -> None:
    known = UPOS_TAGS.split()
    for row in words:
        if row.upos not in known and row.upos != MISSING:
            faults.add(Errors.CONLLU_UPOS.format(at=row.at, upos=row.upos, known=UPOS_TAGS))
        if not _are_feats(row.feats):
            faults.add(Errors.CONLLU_FEATS.format(at=row.at, feats=row.feats))


@lru_cache(maxsize=10_000)
def _are_feats(feats: str) -> bool:
    features = feats.split("|")
    names = {feature.partition("=")[0] for feature in features}
    is_list = len(names) == len(features) and all(map(FEATURE.fullmatch, features))
    return feats == MISSING or is_list


def _read_heads(words: list[Row], faults: Faults) -> list[int | None]:
    n_before = len(faults)
    heads: list[int | None] = []
    for i, row in enumerate(words):
        try:
            heads.append(_read_head(row, i, len(words)))
        except ValueError as error:
            faults.add(error)
    if len(faults) == n_before:
        try:
            _check_tree(words, heads)
        except ValueError as error:
            faults.add(error)
    return heads


def _read_head(row: Row, i: int, n_words: int) -> int | None:
    at, head, dep = row.at, row.head, row.deprel
    if head == MISSING or dep == MISSING:
        if head != dep:
            raise ValueError(Errors.CONLLU_HALF_ARC.format(at=at, head=head, dep=dep))
        return None
    if not (head.isascii() and head.isdigit() and int(head) <= n_words):
        raise ValueError(Errors.CONLLU_HEAD.format(at=at, head=head, length=n_words))
    if int(head) == i + 1:
        raise ValueError(Errors.CONLLU_CYCLE.format(at=at, id=i + 1))
    if (int(head) == 0) != (dep.lower() == "root"):
        raise ValueError(Errors.CONLLU_ROOT_LABEL.format(at=at, head=head, dep=dep))
    return int(head) - 1 if int(head) else ROOT


def _check_tree(words: list[Row], heads: list[int | None]) -> None:
    roots = [i for i, head in enumerate(heads) if head == ROOT]
    if len(roots) > 1:
        first, second, *_ = roots
        raise ValueError(
            Errors.CONLLU_ROOTS.format(at=words[second].at, first=first + 1, second=second + 1)
        )
    # Without cycles and missing heads there is a root: the way up from any word ends there.
    seen_from = [-1] * len(heads)
    for start in range(len(heads)):
        i: int | None = start
        while i is not None and i != ROOT and seen_from[i] < 0:
            seen_from[i] = start
            i = heads[i]
        if i is not None and i != ROOT and seen_from[i] == start:
            raise ValueError(Errors.CONLLU_CYCLE.format(at=words[i].at, id=i + 1))
