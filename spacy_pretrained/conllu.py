"""CoNLL-U files of Universal Dependencies to Docs (`read_conllu`) and back (`write_conllu`).

Format: https://universaldependencies.org/format.html. The tokens of a Doc are the syntactic words.
A Doc holds no multiword tokens, empty nodes, enhanced dependencies and comments; what is left out
or changed on the way in is counted in a `ConversionReport`, what is malformed is a ValueError with
file and line.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, pairwise
from pathlib import Path
from typing import TextIO

from spacy.tokens import Doc, Token
from spacy.vocab import Vocab

from .errors import Errors

UPOS_TAGS = "ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X"
ROOT = "ROOT"  # spaCy's name for "root"
UNSPECIFIED = "dep"  # the relation of Universal Dependencies for what has no better one
PARAGRAPH = "\n\n"
# A paragraph's newlines depend on the token before them, by the relation that spaCy's parser scores
# leave out. Without a relation they would count: `Scorer.score_deps` of spaCy 3.8 remembers the
# indices of gold tokens without one from each document to all documents after it, and takes the
# predictions at these indices there for missing. Besides, a parser has to put them somewhere.
PARAGRAPH_DEP = "punct"

NEWDOC = re.compile(r"#\s*newdoc\b")
NEWPAR = re.compile(r"#\s*newpar\b")
RANGE = re.compile(r"(\d+)-(\d+)", re.ASCII)
FEATURE = re.compile(r"[^\s=|,]+=[^\s=|,]+(,[^\s=|,]+)*")

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

    @property
    def is_parsed(self) -> bool:
        return ROOT in self.deps

    @property
    def is_bare(self) -> bool:
        return not any(self.deps)


def read_conllu(
    path: str | Path,
    vocab: Vocab,
    *,
    max_sentences: int = 10,
    report: ConversionReport | None = None,
) -> Iterator[Doc]:
    """Read a file document by document: TAG (XPOS), POS (UPOS), MORPH, LEMMA, HEAD, DEP, SENT_START
    and the spaces.

    max_sentences: the length of a Doc where the file does not say where documents begin (newdoc).
    report: is added to while the Docs are taken.

    "_" is a missing value, but "no features" in FEATS if any word of the file has some. Words of a
    multiword token that do not spell it (French *du*: *de le*) get spaces between them. A paragraph
    (newpar) inside a Doc begins behind a whitespace token of two newlines, the last token of the
    sentence before, without tag, features and lemma.

    A .spacy file keeps sentence starts through roots alone as soon as any word of the Doc has a
    relation. So a word without head, in a sentence with a root, gets the root as head with an empty
    relation (that is what makes it missing); a Doc never mixes sentences with a root and sentences
    without any head; and a sentence with some heads but no root is a Doc of its own.

    ValueError, with file and line, where the file is malformed; also if it has no sentences.
    """
    if max_sentences < 1:
        raise ValueError(Errors.CONLLU_MAX_SENTENCES.format(max_sentences=max_sentences))
    report = ConversionReport() if report is None else report
    has_feats = _has_feats(path)
    for sentences in _documents(_read_sentences(path, report), max_sentences):
        report.documents += 1
        for left, right in pairwise(sentences):
            if right.is_newpar:
                report.paragraphs += 1
                _add_newlines(left)
        yield _make_doc(vocab, sentences, has_feats)


def _documents(sentences: Iterator[Sentence], max_sentences: int) -> Iterator[list[Sentence]]:
    document: list[Sentence] = []
    in_newdoc = False
    for sentence in sentences:
        is_full = len(document) == max_sentences and not in_newdoc
        if document and (sentence.is_newdoc or is_full or not _fit(document[-1], sentence)):
            yield document
            document = []
        in_newdoc = in_newdoc or sentence.is_newdoc
        document.append(sentence)
    yield document


def _fit(left: Sentence, right: Sentence) -> bool:
    return (left.is_parsed and right.is_parsed) or (left.is_bare and right.is_bare)


def _add_newlines(sentence: Sentence) -> None:
    last = len(sentence.words) - 1
    sentence.words.append(PARAGRAPH)
    sentence.spaces[last:] = [False, False]
    sentence.heads.append(last if sentence.is_parsed else last + 1)
    sentence.deps.append(PARAGRAPH_DEP if sentence.is_parsed else "")
    for column in (sentence.lemmas, sentence.pos, sentence.tags, sentence.feats):
        column.append("")


def _make_doc(vocab: Vocab, sentences: list[Sentence], has_feats: bool) -> Doc:
    def joined(column: str) -> list:
        return [value for sentence in sentences for value in getattr(sentence, column)]

    heads: list[int] = []
    starts: list[int] = []
    for sentence in sentences:
        first = len(heads)
        heads.extend([first + head for head in sentence.heads])
        starts.extend([1] + [-1] * (len(sentence.words) - 1))
    feats = joined("feats")
    doc = Doc(
        vocab,
        words=joined("words"),
        spaces=joined("spaces"),
        tags=joined("tags"),
        pos=joined("pos"),
        morphs=feats if has_feats else None,
        lemmas=joined("lemmas"),
        heads=heads,
        deps=joined("deps"),
        sent_starts=starts,
    )
    # Doc takes "" for "no features", which is an annotation and would be scored.
    for i, value in enumerate(feats):
        if not value:
            doc[i].set_morph(None)
    return doc


def _has_feats(path: str | Path) -> bool:
    rows = (line.split("\t") for _, line in _lines(path))
    return any(row[ID].isdigit() and row[FEATS:] and row[FEATS] != "_" for row in rows)


def _read_sentences(path: str | Path, report: ConversionReport) -> Iterator[Sentence]:
    rows: list[Row] = []
    is_newdoc = is_newpar = False
    sentences_before = report.sentences
    for at, line in chain(_lines(path), [("", "")]):
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


def _lines(path: str | Path) -> Iterator[tuple[str, str]]:
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


def write_conllu(docs: Iterable[Doc], stream: TextIO) -> None:
    """Write Docs, such as a pipeline's predictions; `read_conllu` reads the same annotation."""
    for number, doc in enumerate(docs, 1):
        stream.write(to_conllu(doc, f"doc{number}"))


def to_conllu(doc: Doc, name: str = "doc1") -> str:
    """A Doc as a document `name` of a CoNLL-U file; "" for a Doc without words.

    Whitespace tokens are left out; with two newlines between sentences they make a paragraph, and
    words that depend on them go to their heads. If that leaves several roots, the first stays one
    and the others depend on it. A Doc without sentence starts is one sentence. ValueError if a head
    is in another sentence, or a word has a tab or newline in it.
    """
    lines: list[str] = []
    number = end = 0  # of the sentence before; behind its last word
    for sentence in doc.sents if doc.has_annotation("SENT_START") else [doc[:]]:
        words = [token for token in sentence if not token.text.isspace()]
        if not words:
            continue
        number += 1
        if number == 1:
            lines.append(f"# newdoc id = {name}")
        elif any(token.text.count("\n") > 1 for token in doc[end : words[0].i]):
            lines.append("# newpar")
        lines += [f"# sent_id = {name}-{number}", *_sentence_lines(words), ""]
        end = words[-1].i + 1
    return "".join(line + "\n" for line in lines)


def _sentence_lines(words: list[Token]) -> Iterator[str]:
    spaces = [_is_before_space(word) for word in words]
    text = "".join(word.text + " " * space for word, space in zip(words, spaces))
    yield f"# text = {text.strip()}"
    for i, (word, space, (head, dep)) in enumerate(zip(words, spaces, _arcs(words)), 1):
        if "\t" in word.text or "\n" in word.text:
            raise ValueError(Errors.CONLLU_UNWRITABLE.format(word=word.text, i=word.i))
        feats = _sorted_feats(str(word.morph))
        values = word.text, word.lemma_, word.pos_, word.tag_, feats, head, dep, "_"
        misc = "_" if space else "SpaceAfter=No"
        yield "\t".join([str(i), *(value or "_" for value in values), misc])


def _is_before_space(word: Token) -> bool:
    is_last = word.i + 1 == len(word.doc)
    return bool(word.whitespace_) or (not is_last and word.nbor().text.isspace())


def _arcs(words: list[Token]) -> Iterator[tuple[str, str]]:
    """HEAD and DEPREL of each word of a sentence."""
    ids = {word.i: str(i) for i, word in enumerate(words, 1)}
    root = ""
    for word in words:
        head = word.head
        while head.text.isspace() and head.head.i != head.i:
            head = head.head
        if not word.dep:
            yield "", ""
        elif head.i == word.i or head.text.isspace():
            dep = UNSPECIFIED if word.dep_ == ROOT else word.dep_
            yield (root, dep) if root else ("0", "root")
            root = root or ids[word.i]
        elif head.i in ids:
            yield ids[head.i], word.dep_
        else:
            raise ValueError(
                Errors.CONLLU_HEAD_OUTSIDE.format(
                    word=word.text, i=word.i, head=head.text, head_i=head.i
                )
            )


@lru_cache(maxsize=10_000)
def _sorted_feats(feats: str) -> str:
    # The format sorts features without regard to case, spaCy with regard to it.
    return "|".join(sorted(feats.split("|"), key=str.lower))
