"""Sentences of a CoNLL-U file as a Doc can hold them, and Docs of them; what a Doc cannot hold is
counted."""

import re
from dataclasses import dataclass, field
from functools import lru_cache

from spacy.tokens import Doc
from spacy.vocab import Vocab

from . import conllu_rows
from .conllu_rows import MISSING, Multiword, Row
from .multiword import AS_TOKEN, BESIDE, Word, set_words
from .tag_schemes import OUTSIDE, parse_tag

ROOT = "ROOT"  # spaCy's name for "root"
PARAGRAPH = "\n\n"
# A paragraph's newlines depend on the token before them, by the relation that spaCy's parser scores
# leave out. Without a relation they would count: `Scorer.score_deps` of spaCy 3.8 remembers the
# indices of gold tokens without one from each document to all documents after it, and takes the
# predictions at these indices there for missing. Besides, a parser has to put them somewhere.
PARAGRAPH_DEP = "punct"
# Entities in MISC: as spaCy's own converter reads them, NE=B-PER; and as others write them.
ENTITY = re.compile(r"(?:NE|name)=(\S+)|(?:Tag=)?((?:[BIESLU]-\S+)|O)")
OTHER_ENTITY = re.compile(r"(?:^|\|)(?:entity|ner|named_?entity)=", re.IGNORECASE)
NO_SPACE = "SpaceAfter=No"


@dataclass
class ConversionReport:
    """What was read, and what a Doc cannot hold as it stands in the file."""

    documents: int = 0
    sentences: int = 0
    words: int = 0  # syntactic words
    multiword_tokens: int = 0  # kept as their words, unless merged
    respaced_multiword_tokens: int = 0  # of those, words that do not spell the token: spaced apart
    empty_nodes: int = 0  # left out
    missing_heads: int = 0  # words without head, kept without one
    paragraphs: int = 0  # newline tokens put between paragraphs
    entities: int = 0
    entity_repairs: int = 0  # of their tags, see tag_schemes.py
    merged_multiword_tokens: int = 0  # kept as one token
    unread_entities: int = 0  # words that have Entity= or NER= in MISC: not read


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
    multiwords: dict[int, list[Word]] = field(default_factory=dict)  # by token: its words

    @property
    def is_parsed(self) -> bool:
        return ROOT in self.deps

    @property
    def is_bare(self) -> bool:
        return not any(self.deps)


def to_doc_sentence(
    sentence: conllu_rows.Sentence, report: ConversionReport, multiword: str = "split"
) -> DocSentence:
    """Take over a sentence. ValueError, with file and line, if an entity is no tag.

    report: Is added to.
    multiword: See `conllu.read_conllu`.
    """
    rows = sentence.words
    forms = [row.form for row in rows]
    spaces = [_has_space(row) for row in rows]
    to_merge = []
    for one in sentence.multiwords:
        first, last, row = one
        is_respaced = "".join(forms[first : last + 1]) != row.form
        if multiword == "merge" or (multiword == "auto" and is_respaced):
            to_merge.append(one)
            continue
        spaces[first:last] = [is_respaced] * (last - first)
        spaces[last] = _has_space(row)
        report.respaced_multiword_tokens += is_respaced
    heads, deps = _arcs(sentence)
    report.sentences += 1
    report.words += len(rows)
    report.multiword_tokens += len(sentence.multiwords)
    report.empty_nodes += sentence.n_empty_nodes
    report.missing_heads += sentence.heads.count(None)
    report.merged_multiword_tokens += len(to_merge)
    report.unread_entities += sum(bool(OTHER_ENTITY.search(row.misc)) for row in rows)
    in_words = DocSentence(
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
    return _merge(in_words, to_merge) if to_merge else in_words


def _merge(sentence: DocSentence, multiwords: list[Multiword]) -> DocSentence:
    """Make one token of the words of each multiword token, annotated as spaCy's own converter does
    with --merge-subtokens: tags, lemmas and features of all words; UPOS, head and relation of the
    one nearest to the root, the first of several."""
    token_of: list[int] = []  # by word
    spans: list[tuple[int, int, Row | None]] = []  # by token
    firsts = {one.first: one for one in multiwords}
    while len(token_of) < len(sentence.words):
        first = len(token_of)
        last, row = firsts[first][1:] if first in firsts else (first, None)
        token_of += [len(spans)] * (last + 1 - first)
        spans.append((first, last, row))
    merged = DocSentence(sentence.is_newdoc, sentence.is_newpar, *([] for _ in range(9)))
    for i, (first, last, row) in enumerate(spans):
        top = first
        if row is not None:
            # No other word's head would do: what that depends on could depend on the token.
            top = min(range(first, last + 1), key=lambda word: (_depth(sentence, word), word))
            merged.multiwords[i] = _words(sentence, first, last, top)
        _add_token(merged, sentence, range(first, last + 1), top, row)
        merged.heads.append(token_of[sentence.heads[top]])
    return merged


def _depth(sentence: DocSentence, word: int) -> int:
    """How many words are between a word and the top of its tree."""
    depth = 0
    while sentence.heads[word] != word:
        word = sentence.heads[word]
        depth += 1
    return depth


def _add_token(
    merged: DocSentence, sentence: DocSentence, span: range, top: int, row: Row | None
) -> None:
    def values(column: list[str]) -> list[str]:
        return [column[word] for word in span]

    def joined(column: list[str], separator: str) -> str:
        return separator.join(values(column)) if all(values(column)) else ""

    merged.words.append(row.form if row else sentence.words[top])
    merged.spaces.append(_has_space(row) if row else sentence.spaces[top])
    merged.lemmas.append(joined(sentence.lemmas, " "))
    merged.tags.append(joined(sentence.tags, "_"))
    merged.feats.append(_join_feats(values(sentence.feats)))
    merged.pos.append(sentence.pos[top])
    merged.deps.append(sentence.deps[top])
    entities = [tag for tag in values(sentence.entities) if tag != OUTSIDE]
    merged.entities.append(entities[0] if entities else OUTSIDE)


def _join_feats(all_feats: list[str]) -> str:
    """Each feature with the values that any of the words has."""
    if len(all_feats) == 1:
        return all_feats[0]
    found: dict[str, set[str]] = {}
    for feats in all_feats:
        for feature in feats.split("|") if feats != MISSING else ():
            name, _, values = feature.partition("=")
            found.setdefault(name, set()).update(values.split(","))
    joined = (f"{name}={','.join(sorted(values))}" for name, values in sorted(found.items()))
    return "|".join(joined) or MISSING


def _words(sentence: DocSentence, first: int, last: int, top: int) -> list[Word]:
    words = []
    for i in range(first, last + 1):
        head = sentence.heads[i]
        place = AS_TOKEN if i == top else head - first if first <= head <= last else BESIDE
        words.append(
            Word(
                form=sentence.words[i],
                lemma=sentence.lemmas[i],
                pos=sentence.pos[i],
                tag=sentence.tags[i],
                feats=_value(sentence.feats[i]),
                head=place,
                dep="" if i == top else sentence.deps[i],
            )
        )
    return words


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
    return row.misc == MISSING or NO_SPACE not in _split_misc(row.misc)


@lru_cache(maxsize=1000)
def _split_misc(misc: str) -> list[str]:
    """The values of MISC. Between an entity's tag and SpaceAfter=No some files have a space where
    "|" belongs."""
    values = []
    for part in misc.split("|"):
        pieces = part.split(" ")
        are_known = all(piece == NO_SPACE or ENTITY.fullmatch(piece) for piece in pieces)
        values += pieces if are_known else [part]
    return values


def _entity_tag(row: Row) -> str:
    matches = filter(None, map(ENTITY.fullmatch, _split_misc(row.misc)))
    tags = [match[1] or match[2] for match in matches]
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
    first = 0
    for sentence in sentences:
        for i, words in sentence.multiwords.items():
            set_words(doc, first + i, words)
        first += len(sentence.words)
    return doc
