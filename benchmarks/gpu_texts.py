"""What `make bench-gpu` learns from and annotates: the sample corpus, again and again."""

import random
from collections.abc import Iterator
from pathlib import Path

from sentences import read_sentences
from spacy.language import Language
from spacy.training import Example

from spacy_pretrained.corpora.conllu import read_conllu
from spacy_pretrained.corpora.corpus import cut, make_example

CORPUS = Path(__file__).parents[1] / "assets" / "sample" / "train.conllu"
SENTENCES_A_TEXT = 6
MAX_TOKENS = 60  # in a document to learn from, as in the configs


def make_texts(characters: int, seed: int = 0) -> list[str]:
    """Texts of sentences in random order, of so many characters in all; the same each time."""
    draw = random.Random(seed)
    sentences = [text for text, _ in read_sentences(CORPUS)]
    texts: list[str] = []
    while characters > 0:
        texts.append(" ".join(draw.choices(sentences, k=SENTENCES_A_TEXT)))
        characters -= len(texts[-1])
    return texts


def read_examples(nlp: Language) -> list[Example]:
    """All of the corpus, with gold tokens."""
    docs = read_conllu(CORPUS, nlp.vocab, multiword="auto")
    parts = [part for doc in docs for part in cut(doc, MAX_TOKENS)]
    return [make_example(nlp, part, gold_tokens=True) for part in parts]


def draw_batches(examples: list[Example], words: int, seed: int = 0) -> Iterator[list[Example]]:
    """Batches of about so many words, without end; the same each time."""
    draw = random.Random(seed)
    batch: list[Example] = []
    while True:
        for example in draw.sample(examples, len(examples)):
            batch.append(example)
            if sum(len(one.reference) for one in batch) >= words:
                yield batch
                batch = []
