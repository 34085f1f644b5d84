"""Sentences of a CoNLL-U file as a Doc can hold them, and Docs of them; what a Doc cannot hold is
counted."""

import re
from dataclasses import dataclass

from spacy.tokens import Doc
from spacy.vocab import Vocab

from . import conllu_rows
from .conllu_rows import MISSING, Row
from .tag_schemes import OUTSIDE, parse_tag

ROOT = "ROOT"  # spaCy's name for "root"
PARAGRAPH = "\n\n"
# A paragraph's newlines depend on the token before them, by the relation that spaCy's parser scores
# leave out. Without a relation they would count: `Scorer.score_deps` of spaCy 3.8 remembers the
# indices of gold tokens without one from each document to all documents after it, and takes the
# predictions at these indices there for missing. Besides, a parser has to put them somewhere.
PARAGRAPH_DEP = "punct"
# Of MISC, as spaCy's own converter reads them: NE=B-PER
ENTITY = re.compile(r"(?:NE|name)=(\S+)")


@dataclass
class ConversionReport:
    """What was read, and what a Doc cannot hold as it stands in the file."""

    documents: int = 0
    sentences: int = 0
    words: int = 0  # syntactic words
    multiword_tokens: int = 0  # kept as their words
    respaced_multiword_tokens: int = 0  # of those, words that do not spell the token: spaced apart
    empty_nodes: int = 0  # left out
    missing_heads: int = 0  # words without head, kept without one
    paragraphs: int = 0  # newline tokens put between paragraphs
    entities: int = 0
    entity_repairs: int = 0  # of their tags, see tag_schemes.py


@dataclass
class DocSentence:
    """The tokens of a sentence, column by column; "" is a missing value."""

    is_newdoc: bool
    is_newpar: bool
    words: list[str]
    spaces: list[bool]
    lemmas: list[str]
    pos: list[str]
    tags: list[str]
    feats: list[str]  # "_" as in the file
    heads: list[int]  # indices in the sentence, the root is its own; missing ones see _arcs
    deps: list[str]
    entities: list[str]  # tags: "O" outside

    @property
    def is_parsed(self) -> bool:
        return ROOT in self.deps

    @property
    def is_bare(self) -> bool:
        return not any(self.deps)


def to_doc_sentence(sentence: conllu_rows.Sentence, report: ConversionReport) -> DocSentence:
    """Take over a sentence. ValueError, with file and line, if an entity is no tag.

    report: Is added to.
    """
    rows = sentence.words
    forms = [row.form for row in rows]
    spaces = [_has_space(row) for row in rows]
    for first, last, row in sentence.multiwords:
        is_respaced = "".join(forms[first : last + 1]) != row.form
        spaces[first:last] = [is_respaced] * (last - first)
        spaces[last] = _has_space(row)
        report.respaced_multiword_tokens += is_respaced
    heads, deps = _arcs(sentence)
    report.sentences += 1
    report.words += len(rows)
    report.multiword_tokens += len(sentence.multiwords)
    report.empty_nodes += sentence.n_empty_nodes
    report.missing_heads += sentence.heads.count(None)
    return DocSentence(
        is_newdoc=sentence.is_newdoc,
        is_newpar=sentence.is_newpar,
        words=forms,
        spaces=spaces,
        # The lemma of the word "_" is "_"; no other word's is.
        lemmas=["" if row.lemma == MISSING != row.form else row.lemma for row in rows],
        pos=[_value(row.upos) for row in rows],
        tags=[_value(row.xpos) for row in rows],
        feats=[row.feats for row in rows],
        heads=heads,
        deps=deps,
        entities=[_entity_tag(row) for row in rows],
    )


def _arcs(sentence: conllu_rows.Sentence) -> tuple[list[int], list[str]]:
    """Heads (indices of words) and relations. A word without head has the relation "", and as head
    the root of the sentence, or itself if the sentence has none."""
    own = sentence.heads
    root = own.index(conllu_rows.ROOT) if conllu_rows.ROOT in own else None
    heads, deps = [], []
    for i, (head, row) in enumerate(zip(own, sentence.words)):
        if head is None:
            heads.append(i if root is None else root)
            deps.append("")
        else:
            heads.append(i if i == root else head)
            deps.append(ROOT if i == root else row.deprel)
    return heads, deps


def _value(column: str) -> str:
    return "" if column == MISSING else column


def _has_space(row: Row) -> bool:
    return row.misc == MISSING or "SpaceAfter=No" not in row.misc.split("|")


def _entity_tag(row: Row) -> str:
    tags = [match[1] for value in row.misc.split("|") if (match := ENTITY.fullmatch(value))]
    if not tags:
        return OUTSIDE
    try:
        parse_tag(tags[0])
    except ValueError as error:
        raise ValueError(f"{row.at}: {error}") from error
    return tags[0]


def add_newlines(sentence: DocSentence) -> None:
    """Add the whitespace token that is between paragraphs."""
    last = len(sentence.words) - 1
    sentence.words.append(PARAGRAPH)
    sentence.spaces[last:] = [False, False]
    sentence.heads.append(last if sentence.is_parsed else last + 1)
    sentence.deps.append(PARAGRAPH_DEP if sentence.is_parsed else "")
    for column in (sentence.lemmas, sentence.pos, sentence.tags, sentence.feats):
        column.append("")
    sentence.entities.append(OUTSIDE)


def make_doc(
    vocab: Vocab, sentences: list[DocSentence], has_feats: bool, entities: list[str] | None
) -> Doc:
    """A Doc of sentences.

    has_feats: Whether "_" in FEATS means that a word has no features, rather than that nothing is
        known of them.
    entities: The tags of all tokens, as a Doc takes them: "" where they are missing. None: all are.
    """

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
        ents=entities,
    )
    # Doc takes "" for "no features", which is an annotation and would be scored.
    for i, value in enumerate(feats):
        if not value:
            doc[i].set_morph(None)
    return doc
