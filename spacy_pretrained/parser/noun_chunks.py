"""`doc.noun_chunks` of Docs with Universal Dependencies: base noun phrases.

spaCy's own iterator for English knows ClearNLP's labels (dobj, pobj, nsubjpass) and finds a third
of the phrases of a UD parse; those for French, Spanish and others know UD and are left alone.
"""

from collections.abc import Iterable, Iterator

from spacy.attrs import DEP, HEAD, IS_SPACE, POS
from spacy.errors import Errors as SpacyErrors
from spacy.lang.en.syntax_iterators import noun_chunks as english_noun_chunks
from spacy.symbols import NOUN, PRON, PROPN
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

LABEL = "NP"
NOMINALS = {NOUN, PROPN, PRON}

# Relations without their subtypes, but for nmod:poss.
ARGUMENTS = {"nsubj", "obj", "iobj", "obl", "nmod"}
LOOSE = {"ROOT", "root", "appos", "vocative", "dislocated", "orphan", "list", "parataxis"}
CLAUSES = {"csubj", "ccomp", "xcomp", "advcl", "acl"}  # of a predicate that is a nominal
OF_PHRASES = ARGUMENTS | LOOSE | CLAUSES
BEFORE = {"det", "amod", "nummod", "clf", "compound", "nmod", "nmod:poss"}
BEHIND = {"flat", "fixed", "goeswith", "compound"}
WITHIN_NAMES = BEFORE | BEHIND | {"punct"}


def noun_chunks_ud(doclike: Doc | Span) -> Iterator[tuple[int, int, int]]:
    """Find base noun phrases, as spaCy asks for them: (start, end, label), from left to right.

    A phrase begins with the first of the unbroken row of determiners, adjectives, numbers, nouns
    and possessors before its head, which is a noun, name or pronoun, and ends with the head or the
    rest of its name. Prepositions, conjunctions, copulas, and what follows, stay outside. Of
    phrases in phrases the outermost counts.

    >>> [chunk.text for chunk in nlp("John's old dog saw Barack Obama in the park.").noun_chunks]
    ["John's old dog", 'Barack Obama', 'the park']

    RAISES: ValueError if the Doc is not parsed.
    """
    doc = doclike.doc
    if not doc.has_annotation("DEP"):
        raise ValueError(SpacyErrors.E029)
    label = doc.vocab.strings.add(LABEL)
    first, last = (0, len(doc)) if isinstance(doclike, Doc) else (doclike.start, doclike.end)
    trees = _Trees(doc)
    limit = len(doc)
    chunks = []
    # From right to left, since a phrase ends with its head and meets those inside it later.
    for head in range(last - 1, first - 1, -1):
        if head < limit and trees.is_head_of_phrase(head):
            end = trees.find_end(head, limit)
            limit = trees.find_start(head)
            chunks.append((limit, end, label))
    yield from reversed(chunks)


def install(vocab: Vocab, labels: Iterable[str]) -> None:
    """Let the Docs that a vocab makes from now on have the noun chunks that a parser's labels ask
    for: where they are UD's and the language's own iterator is English or missing, these."""
    own = english_noun_chunks if vocab.lang == "en" else None
    if vocab.get_noun_chunks in (own, noun_chunks_ud):
        vocab.get_noun_chunks = noun_chunks_ud if are_ud(labels) else own


def are_ud(labels: Iterable[str]) -> bool:
    """Whether dependency labels are those of Universal Dependencies, version 2.

    >>> are_ud(["nsubj", "obl:agent"]), are_ud(["nsubj", "agent", "pobj"])
    (True, False)
    """
    relations = {_relation(label) for label in labels}
    return bool(relations & {"obj", "obl"}) and not relations & {"dobj", "pobj"}


def _relation(label: str) -> str:
    return label if label == "nmod:poss" else label.partition(":")[0]


class _Trees:
    """The trees of a Doc of N tokens, as lists of length N, and noun phrases in them."""

    def __init__(self, doc: Doc):
        columns = doc.to_array([POS, DEP, HEAD, IS_SPACE])
        self.pos: list[int] = columns[:, 0].tolist()
        labels: list[int] = columns[:, 1].tolist()
        relations = {label: _relation(doc.vocab.strings[label]) for label in set(labels)}
        self.relations = [relations[label] for label in labels]
        offsets = columns[:, 2].astype("int64").tolist()
        self.heads = [i + offset for i, offset in enumerate(offsets)]
        self.is_space: list[int] = columns[:, 3].tolist()

    def is_head_of_phrase(self, i: int) -> bool:
        if self.pos[i] not in NOMINALS:
            return False
        while self.relations[i] == "conj" and self.heads[i] != i:
            i = self.heads[i]
        return self.relations[i] in OF_PHRASES

    def find_start(self, head: int) -> int:
        start = head
        for i in range(head - 1, -1, -1):
            if self.is_space[i]:
                continue
            child = self._child_above(i, head)
            if child is None or child > head:
                break
            relation = self.relations[child]
            if relation in BEFORE or (relation == "advmod" and self._takes_adverb(head, i, start)):
                start = i
            elif relation not in ("advmod", "punct"):
                break
        return start

    def _takes_adverb(self, head: int, i: int, start: int) -> bool:
        """Whether an adverb begins the phrase: it does in "eat only one apple", but not in "it is
        not one apple" and "eat, then, one apple"."""
        return start == i + 1 and self.relations[head] in ARGUMENTS

    def find_end(self, head: int, limit: int) -> int:
        """Where a phrase ends that has to end at the limit."""
        end = head + 1
        for i in range(end, limit):
            if self.is_space[i]:
                continue
            if self._is_in_name(i, head):
                end = i + 1
            elif self.relations[i] != "punct":
                break
        return end

    def _is_in_name(self, i: int, head: int) -> bool:
        """Whether a token is one of the parts of a name behind its head, or hangs from one."""
        relation = ""
        while i != head:
            relation = self.relations[i]
            if relation not in WITHIN_NAMES or self.heads[i] == i:
                return False
            i = self.heads[i]
        return relation in BEHIND

    def _child_above(self, i: int, head: int) -> int | None:
        """The child of a head that a token is or hangs from, if any."""
        while self.heads[i] != head:
            if self.heads[i] == i:
                return None
            i = self.heads[i]
        return i
