"""A line that shows how far fine-tuning is, where somebody watches it."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

from .training import Step


@contextmanager
def show_progress(name: str) -> Iterator[Callable[[Step], None]]:
    """A function that takes each step and keeps a line of progress on stderr, which is gone at the
    end.

    name: The component's.
    """
    with tqdm(desc=name, unit="batch", leave=False) as line:

        def show(step: Step) -> None:
            line.total = step.n_steps
            line.set_postfix(loss=f"{step.loss:.3f}", refresh=False)
            line.update()

        yield show


def is_watched() -> bool:
    """Whether stderr is a terminal, or the cell of a notebook."""
    return (sys.stderr is not None and sys.stderr.isatty()) or _is_notebook()


def _is_notebook() -> bool:
    if "IPython" not in sys.modules:
        return False
    # The shell of a kernel; IPython in a terminal has another one.
    return type(sys.modules["IPython"].get_ipython()).__name__ == "ZMQInteractiveShell"
