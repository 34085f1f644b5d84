"""Questions that a corpus answers again and again."""

from collections import Counter, defaultdict
from collections.abc import Hashable
from typing import Any


class Votes:
    """How often a corpus answers each question in each way.

    min_count: How often it has to be asked before the answer counts.
    min_share: The share of the most frequent answer, at least.
    """

    def __init__(self, min_count: int, min_share: float):
        self.min_count = min_count
        self.min_share = min_share
        self._answers: defaultdict[Hashable, Counter] = defaultdict(Counter)

    def add(self, question: Hashable, answer: Hashable, n: int) -> None:
        """The corpus gives this answer `n` times."""
        self._answers[question][answer] += n

    def decide(self) -> dict[Any, Any]:
        """The answer to each question that the corpus decides."""
        decided = {}
        for question, answers in self._answers.items():
            answer, n = answers.most_common(1)[0]
            total = answers.total()
            if total >= self.min_count and n >= self.min_share * total:
                decided[question] = answer
        return decided
