"""A corpus reader that mixes corpora of different sizes, such as treebanks of several languages.

[corpora.train]
@readers = "spacy-pretrained.MixedCorpus.v1"
paths = ["corpus/en/train.spacy", "corpus/da/train.spacy"]
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from spacy.language import Language
from spacy.training import Example

from .corpus import EvenShare, build_corpus
from .errors import Errors


def build_mixed_corpus(
    paths: list[Path],
    temperature: float = 0.3,
    gold_tokens: bool = True,
    gold_sentences: float = 0.0,
    max_tokens: int = 0,
    lost_line_breaks: float = 0.0,
) -> Callable[[Language], Iterator[Example]]:
    """Build a reader of several corpora. Of each, all examples come at least once; those of small
    corpora come again, until a corpus of n words has a share of all words in proportion to
    n ** temperature (Devlin et al. for multilingual BERT; Conneau et al., 2020, with 0.3).

    paths: Files or folders of files, one for each corpus.
    temperature: From 0, where all corpora are of one size, to 1, where nothing comes twice.
    gold_tokens, gold_sentences, max_tokens, lost_line_breaks: As in `spacy-pretrained.Corpus.v1`.
    """
    if not paths or len(set(map(str, paths))) < len(paths):
        raise ValueError(Errors.MIXED_CORPUS_PATHS.format(paths=", ".join(map(str, paths))))
    if not 0 <= temperature <= 1:
        raise ValueError(Errors.MIXED_CORPUS_TEMPERATURE.format(temperature=temperature))
    corpora = {
        path: build_corpus(path, gold_tokens, gold_sentences, max_tokens, lost_line_breaks)
        for path in paths
    }

    def read(nlp: Language) -> Iterator[Example]:
        parts = {path: list(corpus(nlp)) for path, corpus in corpora.items()}
        for path, examples in parts.items():
            if not examples:
                raise ValueError(Errors.CORPUS_EMPTY.format(path=path))
        words = [sum(len(eg.reference) for eg in examples) for examples in parts.values()]
        passes = count_passes(words, temperature)
        repeated = [list(_repeat(part, n)) for part, n in zip(parts.values(), passes)]
        return _interleave(repeated)

    return read


def count_passes(words: list[int], temperature: float) -> list[float]:
    """How often each corpus is read in one epoch, by their numbers of words; 1 for the largest.

    >>> count_passes([10_000, 1_000], 0.0)
    [1.0, 10.0]
    """
    largest = max(words)
    return [(largest / n) ** (1 - temperature) for n in words]


def _repeat(examples: list[Example], passes: float) -> Iterator[Example]:
    """Whole passes, then a share of the examples, evenly spread."""
    for _ in range(int(passes)):
        yield from examples
    rest = EvenShare(passes % 1)
    yield from (example for example in examples if rest.take())


def _interleave(parts: Iterable[list[Example]]) -> Iterator[Example]:
    """Mixed evenly: whoever reads the beginning alone meets all corpora."""
    places = [((i + 0.5) / len(part), example) for part in parts for i, example in enumerate(part)]
    return (example for _, example in sorted(places, key=lambda place: place[0]))
