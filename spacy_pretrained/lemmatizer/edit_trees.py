"""The edit trees that lead from a lowercase form to a lowercase lemma (T. Müller et al., Joint
Lemmatization and Morphological Tagging with Lemming, 2015). They are spaCy's own.

A tree is named by a pair that it comes from, ("dogs", "dog"), so that names mean the same in each
process and can be read.
"""

from collections.abc import Iterable

from spacy.pipeline._edit_tree_internals.edit_trees import EditTrees
from spacy.strings import StringStore

Pair = tuple[str, str]
SAME: Pair = ("a", "a")  # leaves a form as it is, and applies to all


class TreeLabels:
    """Numbered trees. Number 0 is that of SAME.

    pairs: One pair for each tree, in lowercase.
    """

    def __init__(self, pairs: Iterable[Pair] = ()):
        self.pairs: list[Pair] = []
        # With strings of its own: those of a vocab may be forgotten with a memory zone.
        self._trees = EditTrees(StringStore())
        self._ids: list[int] = []
        self._numbers: dict[int, int] = {}
        for pair in (SAME, *pairs):
            self.add(*pair)

    def add(self, form: str, lemma: str) -> bool:
        """Add the tree of a pair. RETURNS: Whether it is new."""
        tree = self._trees.add(form, lemma)
        if tree in self._numbers:
            return False
        self._numbers[tree] = len(self.pairs)
        self._ids.append(tree)
        self.pairs.append((form, lemma))
        return True

    def find(self, form: str, lemma: str) -> int:
        """The number of the tree of a pair, -1 if it has none."""
        return self._numbers.get(self._trees.add(form, lemma), -1)

    def apply(self, number: int, form: str) -> str | None:
        """The lemma of a form; None if the tree does not apply to it, or leaves nothing of it."""
        return self._trees.apply(self._ids[number], form) or None


def collect_trees(pairs: Iterable[Pair], min_forms: int) -> list[Pair]:
    """A pair for each tree that applies to at least so many different forms, those of the most
    forms first. It is the shortest pair, the first by alphabet among equals.

    pairs: Forms and lemmas in lowercase.
    """
    trees = EditTrees(StringStore())
    found: dict[int, dict[str, Pair]] = {}
    for form, lemma in sorted(set(pairs), key=_by_length):
        found.setdefault(trees.add(form, lemma), {}).setdefault(form, (form, lemma))
    kept = [(len(forms), next(iter(forms.values()))) for forms in found.values()]
    kept = [(count, pair) for count, pair in kept if count >= min_forms]
    return [pair for count, pair in sorted(kept, key=lambda item: (-item[0], *item[1]))]


def _by_length(pair: Pair) -> tuple[int, Pair]:
    return len(pair[0]) + len(pair[1]), pair
