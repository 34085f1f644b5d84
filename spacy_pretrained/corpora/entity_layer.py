"""Entities that one file has and the syntax that another has, of the same sentences, in one Doc.

Universal NER publishes its entities so, as a layer over a treebank of Universal Dependencies.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count, takewhile

import numpy as np
from spacy.attrs import ENT_IOB, ENT_TYPE
from spacy.tokens import Doc, Span, Token

from ..annotation.bare import bare_copy
from .multiword import words_of

Words = tuple[str, ...]


@dataclass
class JoinReport:
    """What of a layer was found in the treebank."""

    sentences: int = 0  # of the treebank
    joined_sentences: int = 0
    entities: int = 0  # of the layer
    joined_entities: int = 0


class EntityLayer:
    """Docs with entities, to be found by their sentences."""

    def __init__(self, docs: Iterable[Doc]):
        """docs: With sentence starts, and entities; tokens may miss theirs."""
        self.docs = list(docs)
        self.report = JoinReport(entities=sum(len(doc.ents) for doc in self.docs))
        self._sentences = [_by_words(doc) for doc in self.docs]
        self._places: dict[Words, list[int]] = defaultdict(list)
        for number, sentences in enumerate(self._sentences):
            for words in sentences:
                self._places[words].append(number)

    def join(self, doc: Doc) -> int | None:
        """Set the entities of a Doc of the treebank, sentence by sentence; where the layer has no
        sentence of the same words they are missing. White space between words does not count.

        Short sentences are in many Docs. So the Doc of the layer that has most of this one's is
        taken, and the first, second ... sentence of the same words of both belong together. The
        layer's documents may begin elsewhere than the treebank's: what is left is looked for in
        the Docs beside it, as far as each has some of this one's sentences.

        RETURNS: The number of the layer's Doc with most of them, None if no sentence was found.
        """
        own = _by_words(doc)
        found = Counter(n for words in own for n in set(self._places.get(words, ())))
        self.report.sentences += sum(map(len, own.values()))
        if not found:
            return None
        number = max(found, key=lambda n: (found[n], -n))
        numbers = _beside(number, found)
        columns = np.zeros((len(doc), 2), dtype="uint64")
        for entity in (entity for n in numbers for entity in self.docs[n].ents):
            doc.vocab.strings.add(entity.label_)  # the layer may have another vocabulary
        for words, sentences in own.items():
            same = [tokens for n in numbers for tokens in self._sentences[n].get(words, ())]
            for tokens, others in zip(sentences, same):
                self.report.joined_sentences += 1
                for token, other in zip(tokens, others):
                    if not columns[token.i, 1]:  # by an earlier word of the same token
                        columns[token.i] = other.ent_iob, other.ent_type
        _cover_spaces(doc, columns)
        doc.from_array([ENT_IOB, ENT_TYPE], columns)
        self.report.joined_entities += len(doc.ents)
        return number


def _beside(number: int, found: Counter[int]) -> list[int]:
    """The number of a Doc, and those before and behind it without a gap in what was found."""
    before = takewhile(found.__getitem__, count(number - 1, -1))
    return [number, *before, *takewhile(found.__getitem__, count(number + 1))]


def entities_alone(doc: Doc) -> Doc:
    """A Doc of the same tokens, with the entities and nothing else."""
    alone = bare_copy(doc)
    alone.from_array([ENT_IOB, ENT_TYPE], doc.to_array([ENT_IOB, ENT_TYPE]))
    return alone


def forget_entities(doc: Doc) -> None:
    """Make the entities of all tokens missing."""
    doc.set_ents([], default="missing")


def _by_words(doc: Doc) -> dict[Words, list[Sequence[Token]]]:
    """The sentences of a Doc by their words, in order, white space left out. The token of each
    word: a multiword token stands there once for each of its words."""
    sentences: dict[Words, list[Sequence[Token]]] = defaultdict(list)
    for sentence in _sentences_of(doc):
        pairs = [
            (form, token)
            for token in sentence
            if not _is_space(token)
            for form in [word.form for word in words_of(token)] or [token.text]
        ]
        if pairs:
            words, tokens = zip(*pairs)
            sentences[words].append(tokens)
    return sentences


def _sentences_of(doc: Doc) -> Iterable[Span]:
    return doc.sents if doc.has_annotation("SENT_START") else [doc[:]] if len(doc) else []


def _cover_spaces(doc: Doc, columns: np.ndarray) -> None:
    """White space is what is between known words: inside an entity that goes on behind it, or
    outside."""
    spaces = [token.i for token in doc if _is_space(token)]
    goes_on = {}
    for i in reversed(spaces):
        goes_on[i] = goes_on.get(i + 1, i + 1 < len(doc) and columns[i + 1, 0] == 1)
    for i in spaces:
        if i and columns[i - 1, 0]:
            columns[i] = (1, columns[i - 1, 1]) if goes_on[i] else (2, 0)


def _is_space(token: Token) -> bool:
    # token.is_space is False for all tokens of a vocabulary that no language made.
    return token.text.isspace()
