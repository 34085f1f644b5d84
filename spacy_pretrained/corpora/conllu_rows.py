"""The lines of a CoNLL-U file, sentence by sentence, checked: what `conllu.py` makes Docs of.

What is malformed is a ValueError with file and line.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path

from .errors import Errors
from .tag_schemes import OUTSIDE, parse_tag

UPOS_TAGS = "ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X"
ROOT = "ROOT"  # spaCy's name for "root"

NEWDOC = re.compile(r"#\s*newdoc\b")
NEWPAR = re.compile(r"#\s*newpar\b")
RANGE = re.compile(r"(\d+)-(\d+)", re.ASCII)
FEATURE = re.compile(r"[^\s=|,]+=[^\s=|,]+(,[^\s=|,]+)*")
# Of MISC, as spaCy's own converter reads them: NE=B-PER
ENTITY = re.compile(r"(?:NE|name)=(\S+)")

Columns = list[str]
Row = tuple[str, Columns]  # where it stands ("FILE, line 7"), and what it says
ID, FORM, LEMMA, UPOSTAG, XPOSTAG, FEATS, HEAD, DEPREL, DEPS, MISC = range(10)


@dataclass
class ConversionReport:
    """What was read, and what a Doc cannot hold as it stands in the file."""

    documents: int = 0
    sentences: int = 0
    words: int = 0  # syntactic words
    multiword_tokens: int = 0  # kept as their words
    respaced_multiword_tokens: int = 0  # of those, words that do not spell the token: spaced apart
    empty_nodes: int = 0  # left out
    paragraphs: int = 0  # newline tokens put between paragraphs
    entities: int = 0
    entity_repairs: int = 0  # of their tags, see tag_schemes.py


@dataclass
class Sentence:
    """The words of a sentence, column by column; "" is a missing value."""

    is_newdoc: bool
    is_newpar: bool
    words: list[str]
    spaces: list[bool]
    lemmas: list[str]
    pos: list[str]
    tags: list[str]
    feats: list[str]  # "_" as in the file
    heads: list[int]  # indices in the sentence, the root is its own; missing ones see _read_arcs
    deps: list[str]
    entities: list[str]  # tags: "O" outside

    @property
    def is_parsed(self) -> bool:
        return ROOT in self.deps

    @property
    def is_bare(self) -> bool:
        return not any(self.deps)


def read_sentences(path: str | Path, report: ConversionReport) -> Iterator[Sentence]:
    rows: list[Row] = []
    is_newdoc = is_newpar = False
    sentences_before = report.sentences
    for at, line in chain(read_lines(path), [("", "")]):
        if not line and rows:
            yield _parse_sentence(rows, is_newdoc, is_newpar, report)
            rows = []
            is_newdoc = is_newpar = False
        elif line.startswith("#"):
            if rows:
                raise ValueError(Errors.CONLLU_COMMENT.format(at=at))
            is_newdoc = is_newdoc or bool(NEWDOC.match(line))
            is_newpar = is_newpar or bool(NEWPAR.match(line))
        elif line:
            columns = line.split("\t")
            if len(columns) != 10:
                raise ValueError(Errors.CONLLU_COLUMNS.format(at=at, found=len(columns)))
            if "" in columns or columns[FORM].isspace():
                raise ValueError(Errors.CONLLU_BLANK.format(at=at))
            rows.append((at, columns))
    if report.sentences == sentences_before:
        raise ValueError(Errors.CONLLU_EMPTY.format(path=path))


def read_lines(path: str | Path) -> Iterator[tuple[str, str]]:
    with Path(path).open("rb") as file:
        for number, raw in enumerate(file, 1):
            at = f"{path}, line {number}"
            try:
                line = raw.decode("utf8")
            except UnicodeDecodeError as error:
                raise ValueError(Errors.CONLLU_ENCODING.format(at=at, error=error)) from error
            yield at, (line.removeprefix("\ufeff") if number == 1 else line).rstrip("\r\n")


def _parse_sentence(
    rows: list[Row], is_newdoc: bool, is_newpar: bool, report: ConversionReport
) -> Sentence:
    words, multiwords, n_empty = _sort_rows(rows)
    _check_tags(words)
    heads, deps = _read_arcs(words)
    columns = [columns for _, columns in words]
    forms = [row[FORM] for row in columns]
    spaces = [_has_space(row) for row in columns]
    for first, last, row in multiwords:
        is_respaced = "".join(forms[first : last + 1]) != row[FORM]
        spaces[first:last] = [is_respaced] * (last - first)
        spaces[last] = _has_space(row)
        report.respaced_multiword_tokens += is_respaced
    report.multiword_tokens += len(multiwords)
    report.empty_nodes += n_empty
    report.sentences += 1
    report.words += len(words)
    return Sentence(
        is_newdoc=is_newdoc,
        is_newpar=is_newpar,
        words=forms,
        spaces=spaces,
        # The lemma of the word "_" is "_"; no other word's is.
        lemmas=["" if row[LEMMA] == "_" != row[FORM] else row[LEMMA] for row in columns],
        pos=["" if row[UPOSTAG] == "_" else row[UPOSTAG] for row in columns],
        tags=["" if row[XPOSTAG] == "_" else row[XPOSTAG] for row in columns],
        feats=[row[FEATS] for row in columns],
        heads=heads,
        deps=deps,
        entities=[_entity_tag(at, row[MISC]) for at, row in words],
    )


def _sort_rows(rows: list[Row]) -> tuple[list[Row], list[tuple[int, int, Columns]], int]:
    """The rows of words; the multiword tokens as (index of the first word, of the last word,
    columns); the number of empty nodes. All IDs are checked."""
    words: list[Row] = []
    multiwords: list[tuple[int, int, Columns]] = []
    n_empty = n_empty_here = 0
    end, end_at = 0, ""  # ID of the last word of the last multiword token
    for at, columns in rows:
        id_, expected = columns[ID], str(len(words) + 1)
        if id_ == expected:
            words.append((at, columns))
            n_empty_here = 0
        elif id_ == f"{len(words)}.{n_empty_here + 1}":
            n_empty_here += 1
            n_empty += 1
        elif bounds := RANGE.fullmatch(id_):
            if bounds[1] != expected or int(bounds[2]) <= len(words) or len(words) < end:
                raise ValueError(Errors.CONLLU_RANGE.format(at=at, id=id_, expected=expected))
            end, end_at = int(bounds[2]), at
            multiwords.append((len(words), end - 1, columns))
        else:
            raise ValueError(Errors.CONLLU_ID.format(at=at, id=id_, expected=expected))
    if not words:
        raise ValueError(Errors.CONLLU_NO_WORDS.format(at=rows[0][0]))
    if end > len(words):
        raise ValueError(Errors.CONLLU_RANGE_END.format(at=end_at, end=end, length=len(words)))
    return words, multiwords, n_empty


def _has_space(columns: Columns) -> bool:
    return columns[MISC] == "_" or "SpaceAfter=No" not in columns[MISC].split("|")


def _entity_tag(at: str, misc: str) -> str:
    tags = [match[1] for value in misc.split("|") if (match := ENTITY.fullmatch(value))]
    if not tags:
        return OUTSIDE
    try:
        parse_tag(tags[0])
    except ValueError as error:
        raise ValueError(f"{at}: {error}") from error
    return tags[0]


def _check_tags(words: list[Row]) -> None:
    known = UPOS_TAGS.split()
    for at, columns in words:
        upos, feats = columns[UPOSTAG], columns[FEATS]
        if upos not in known and upos != "_":
            raise ValueError(Errors.CONLLU_UPOS.format(at=at, upos=upos, known=UPOS_TAGS))
        if not _are_feats(feats):
            raise ValueError(Errors.CONLLU_FEATS.format(at=at, feats=feats))


@lru_cache(maxsize=10_000)
def _are_feats(feats: str) -> bool:
    features = feats.split("|")
    names = {feature.partition("=")[0] for feature in features}
    return feats == "_" or (len(names) == len(features) and all(map(FEATURE.fullmatch, features)))


def _read_arcs(words: list[Row]) -> tuple[list[int], list[str]]:
    """Heads (indices of words) and relations. A word without head has the relation "", and as head
    the root of the sentence, or itself if the sentence has none."""
    heads: list[int] = []
    deps: list[str] = []
    for i, (at, columns) in enumerate(words):
        head, dep = columns[HEAD], columns[DEPREL]
        if head == "_" or dep == "_":
            if head != dep:
                raise ValueError(Errors.CONLLU_HALF_ARC.format(at=at, head=head, dep=dep))
            heads.append(i)
            deps.append("")
            continue
        if not (head.isascii() and head.isdigit() and int(head) <= len(words)):
            raise ValueError(Errors.CONLLU_HEAD.format(at=at, head=head, length=len(words)))
        if int(head) == i + 1:
            raise ValueError(Errors.CONLLU_CYCLE.format(at=at, id=i + 1))
        if (int(head) == 0) != (dep.lower() == "root"):
            raise ValueError(Errors.CONLLU_ROOT_LABEL.format(at=at, head=head, dep=dep))
        heads.append(int(head) - 1 if int(head) else i)
        deps.append(dep if int(head) else ROOT)
    _check_tree(words, heads, deps)
    if ROOT in deps:
        heads = [head if dep else deps.index(ROOT) for head, dep in zip(heads, deps)]
    return heads, deps


def _check_tree(words: list[Row], heads: list[int], deps: list[str]) -> None:
    roots = [i for i, dep in enumerate(deps) if dep == ROOT]
    if len(roots) > 1:
        first, second, *_ = roots
        raise ValueError(
            Errors.CONLLU_ROOTS.format(at=words[second][0], first=first + 1, second=second + 1)
        )
    # Without cycles and missing heads there is a root: the way up from any word ends there.
    seen_from = [-1] * len(heads)
    for start in range(len(heads)):
        i = start
        while seen_from[i] < 0:
            seen_from[i] = start
            i = heads[i]
        if seen_from[i] == start and heads[i] != i:
            raise ValueError(Errors.CONLLU_CYCLE.format(at=words[i][0], id=i + 1))
