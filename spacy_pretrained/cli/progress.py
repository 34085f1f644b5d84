"""A bar for what takes long, where somebody looks at a screen."""

from collections.abc import Iterable

from spacy.tokens import Doc


def track(docs: Iterable[Doc], name: str) -> Iterable[Doc]:
    """Show how many Docs have been taken. Nothing is shown in a file or a pipe."""
    from tqdm import tqdm

    return tqdm(docs, desc=name, unit=" docs", leave=False, disable=None)
