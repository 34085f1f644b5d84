"""How much the tests of tests/soak try, and what they share.

`SOAK` says how much: 1.0 for all of it, 0.02 for a little.
"""

import os
import signal
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import spacy
from saved_pipelines import SAVED
from spacy.language import Language

SOAK = float(os.environ.get("SOAK", "0.02"))
SEED = 0
KINDS = ("syntax_int8", "syntax_torch")
TEXT = "Ada sees the old river in Zürich."


def times(n: int, least: int = 2) -> int:
    return max(least, round(n * SOAK))


def load(kind: str) -> Language:
    """One of the tiny pipelines that 0.1.0 saved."""
    return spacy.load(SAVED / "v0.1.0" / kind / "pipeline")


def say(nlp: Language, text: str = TEXT) -> list[list]:
    """What each component of ours annotates."""
    return annotation(nlp(text))


def annotation(doc: Any) -> list[list]:
    return [
        [token.tag_ for token in doc],
        [(token.head.i, token.dep_) for token in doc],
        [(ent.text, ent.label_) for ent in doc.ents],
    ]


def in_child(work: Callable[[], None], timeout: int = 120, *, shows_errors: bool = True) -> int:
    """Run in a forked child. RETURNS: 0 if it worked, 1 for an exception, 100 and a signal's number
    if one ended it; that of an alarm if it hangs."""
    child = os.fork()
    if not child:
        signal.alarm(timeout)
        try:
            work()
        except BaseException:
            if shows_errors:
                traceback.print_exc()
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return 100 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}
