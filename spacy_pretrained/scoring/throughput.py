"""How quick two pipelines are, side by side."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median
from time import perf_counter

from spacy.language import Language
from spacy.tokens import Doc

from ..annotation.bare import bare_copy

N_WORDS = 3000


@dataclass(frozen=True)
class Speeds:
    """Medians of some rounds."""

    before: float  # words a second
    after: float
    ratio: float  # of after to before, in the same round


def compare_speeds(
    before: Language,
    after: Language,
    docs: Iterable[Doc],
    *,
    rounds: int = 3,
    report: Callable[[str], None] = lambda step: None,
) -> Speeds:
    """Let two pipelines take turns on the same words, 3,000 or all, after one round to warm up.
    What else the machine does then slows both, and their ratio is the surest of the figures."""
    blanks, n_words = [], 0
    for doc in docs:
        if n_words >= N_WORDS:
            break
        n_words += len(doc)
        # As bytes, since Docs of one pipeline's vocab are not another's.
        blanks.append(bare_copy(doc).to_bytes())
    measured = []
    for number in range(rounds + 1):
        report(f"Measuring speed: round {number} of {rounds}" if number else "Warming up")
        measured.append(tuple(n_words / _seconds(nlp, blanks) for nlp in (before, after)))
    speeds = measured[1:]
    return Speeds(
        before=round(median(one for one, _ in speeds), 1),
        after=round(median(two for _, two in speeds), 1),
        ratio=round(median(two / one for one, two in speeds), 3),
    )


def _seconds(nlp: Language, docs: list[bytes]) -> float:
    start = perf_counter()
    for _ in nlp.pipe(docs):
        pass
    return perf_counter() - start
