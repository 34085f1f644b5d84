"""Words that a tokenizer knows how to take apart.

spaCy's tokenizer keeps what it has made of each word, except for words that it first meets in a
memory zone: these it takes apart again each time. In a process that annotates in zones only, which
keeps its memory flat, tokenizing took 14 times as long (shipped pipeline, 13 words a text).
"""

from collections.abc import Iterable
from itertools import islice

from spacy.language import Language
from spacy.tokenizer import Tokenizer

MOST_WORDS = 20_000  # by which the vocab may grow: 6 MB
MOST_TEXTS = 1_000  # that are read at a time
MOST_CHARACTERS = 1_000  # of a text that are read


class WordCache:
    """Lets the tokenizer of a pipeline keep words, up to a number."""

    def __init__(self, nlp: Language):
        self._nlp = nlp
        self._left = MOST_WORDS

    def learn(self, texts: Iterable[str]) -> None:
        """Keep the words of some texts. Call it outside of memory zones."""
        tokenizer, vocab = self._nlp.tokenizer, self._nlp.vocab
        if not isinstance(tokenizer, Tokenizer):  # others keep nothing
            return
        for text in islice(texts, MOST_TEXTS):
            if self._left <= 0:
                return
            before = len(vocab)  # words of earlier zones are counted in it, too
            try:
                tokenizer(text[:MOST_CHARACTERS])
            except UnicodeEncodeError:  # half of a surrogate pair, as whoever annotates it will say
                continue
            self._left -= len(vocab) - before
