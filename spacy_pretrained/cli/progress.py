"""A bar for what takes long, where somebody looks at a screen."""

import sys
from collections.abc import Iterable

from spacy.tokens import Doc
from wasabi import msg


def track(docs: Iterable[Doc], name: str) -> Iterable[Doc]:
    """Show how many Docs have been taken. Nothing is shown in a file or a pipe."""
    from tqdm import tqdm

    return tqdm(docs, desc=name, unit=" docs", leave=False, disable=None)


def say(line: str) -> None:
    """A line that is seen at once, in a file, too."""
    msg.info(line)
    sys.stdout.flush()
