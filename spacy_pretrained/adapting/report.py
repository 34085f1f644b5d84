"""Lines about how far an adaptation is."""

from collections.abc import Callable

from ..choosing.memory import GIGABYTE
from .blocks_of_texts import Data

Report = Callable[[str], None]


def describe_data(data: Data) -> str:
    """What is trained on."""
    line = (
        f"{data.n_texts:,} texts: {len(data.training):,} blocks of {data.training.ids.shape[1]} "
        f"wordpieces to train on, {len(data.held_out):,} held out"
    )
    if data.pairs_left_out:
        line += f"; {data.pairs_left_out:,} pairs of sentences are too long, and left out"
    return line


def describe_memory(peak: int, batch: int, accumulated: int) -> str:
    """How it is computed."""
    times = f", {accumulated} times a step" if accumulated > 1 else ""
    return f"{batch} blocks at once{times}: about {peak / GIGABYTE:.1f} GB of memory"
