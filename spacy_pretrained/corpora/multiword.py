"""Multiword tokens: one token in the text that stands for several words, as German *im* for *in
dem*.

A Doc has the token. A Doc of a treebank also has its words, in `user_data` (`set_words`). From
these a table is learnt (`WordCounts`), kept among the lookups of the vocabulary: there it is saved
with the pipeline, by folder, bytes and wheel, and every Doc reaches it. `words_of` gives the words
of a token, from the Doc or else from the table.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from spacy.tokens import Doc, Token
from spacy.vocab import Vocab

MODES = ("auto", "split", "merge")
TABLE = "multiword_tokens"
MODE_TABLE = "multiword_mode"  # of one value, "mode"
USER_KEY = "multiword"
ANY_TAG = ""
# Heads, other than the index of a word of the same token
AS_TOKEN = -1  # the token's own head and relation
BESIDE = -2  # the token's head, by a relation of its own


class Word(NamedTuple):
    """A word of a multiword token; "" is a missing value."""

    form: str
    lemma: str
    pos: str
    tag: str
    feats: str
    head: int  # the index of a word of the same token, AS_TOKEN or BESIDE
    dep: str  # "" with AS_TOKEN


Words = tuple[Word, ...]


def set_words(doc: Doc, i: int, words: Iterable[Word]) -> None:
    """Say which words token `i` stands for."""
    doc.user_data[_key(doc[i].idx)] = tuple(map(tuple, words))


def copy_words(doc: Doc, part: Doc, places: Iterable[int]) -> None:
    """Take over the words of tokens into a Doc of some of them, by their places in the first."""
    if doc.user_data:
        for token, i in zip(part, places):
            words = doc.user_data.get(_key(doc[i].idx))
            if words:
                part.user_data[_key(token.idx)] = words


def _key(start: int) -> tuple[str, str, int, None]:
    return "._.", USER_KEY, start, None  # of this form, it goes through `Doc.to_json` as well


def words_of(token: Token) -> Words:
    """The words that a token stands for; none if it is one word itself."""
    own = _annotated(token)
    return own or _from_table(token)


def _annotated(token: Token) -> Words:
    user_data = token.doc.user_data
    return tuple(Word(*word) for word in user_data.get(_key(token.idx), ())) if user_data else ()


def _from_table(token: Token) -> Words:
    lookups = token.vocab.lookups
    if not lookups.has_table(TABLE):
        return ()
    by_tag = lookups.get_table(TABLE).get(token.lower_)
    if by_tag is None:
        return ()
    words = by_tag.get(token.tag_, by_tag[ANY_TAG])
    return _in_case_of(token.text, tuple(Word(*word) for word in words))


def _in_case_of(text: str, words: Words) -> Words:
    if not words:
        return words
    if len(text) > 1 and text.isupper():
        return tuple(word._replace(form=word.form.upper()) for word in words)
    first, *others = words
    if text[0].isupper():
        first = first._replace(form=first.form[:1].upper() + first.form[1:])
    return (first, *others)


def mode_of(vocab: Vocab) -> str:
    """How the multiword tokens were read that a pipeline learnt from, one of MODES."""
    if not vocab.lookups.has_table(TABLE):
        return "split"
    if vocab.lookups.has_table(MODE_TABLE):
        return vocab.lookups.get_table(MODE_TABLE)["mode"]
    # Earlier versions have only the table, in lower case.
    for form, by_tag in vocab.lookups.get_table(TABLE).items():
        for words in by_tag.values():
            if words and "".join(word[0] for word in words) == vocab.strings[form]:
                return "merge"
    return "auto"


class WordCounts:
    """What tokens stand for in a corpus, by form and tag."""

    def __init__(self) -> None:
        self._counts: defaultdict[str, Counter[tuple[str, Words]]] = defaultdict(Counter)
        self._mode = "auto"

    def add(self, doc: Doc) -> None:
        """Count the tokens of a Doc of a treebank."""
        for token in doc:
            own = _annotated(token)
            # "auto" splits such a token. It merges VENDERLO, whose words are "vender" and "lo": the
            # case of the text would be lost.
            if "".join(word.form for word in own) == token.text:
                self._mode = "merge"
            words = tuple(word._replace(form=word.form.lower()) for word in own)
            self._counts[token.text.lower()][token.tag_, words] += 1

    def to_vocab(self, vocab: Vocab) -> None:
        """Put the table among the lookups, in the place of an older one; none if there are no
        multiword tokens.

        For each form that is one, it has the words that it most often stands for, none if it is
        mostly a word itself; and those of each tag for which that is otherwise.
        """
        for name in (TABLE, MODE_TABLE):
            if vocab.lookups.has_table(name):
                vocab.lookups.remove_table(name)
        table = {}
        for form, counts in self._counts.items():
            if any(words for _, words in counts):
                table[form] = _by_tag(counts)
        if table:
            for form in table:
                vocab.strings.add(form)
            vocab.lookups.add_table(TABLE, table)
            vocab.lookups.add_table(MODE_TABLE, {"mode": self._mode})


def _by_tag(counts: Counter[tuple[str, Words]]) -> dict[str, list[list]]:
    of_tags: defaultdict[str, Counter[Words]] = defaultdict(Counter)
    of_all: Counter[Words] = Counter()
    for (tag, words), n in counts.items():
        of_tags[tag][words] += n
        of_all[words] += n
    found = {ANY_TAG: _most_frequent(of_all)}
    for tag, words in of_tags.items():
        most = _most_frequent(words)
        if tag and most != found[ANY_TAG]:
            found[tag] = most
    return {tag: [list(word) for word in words] for tag, words in found.items()}


def _most_frequent(counts: Counter[Words]) -> Words:
    """Of the most frequent forms, the most frequent annotation."""
    forms: Counter[tuple[str, ...]] = Counter()
    for words, n in counts.items():
        forms[tuple(word.form for word in words)] += n
    best = max(forms, key=lambda form: (forms[form], form))
    same = [words for words in counts if tuple(word.form for word in words) == best]
    return max(same, key=lambda words: (counts[words], words))
