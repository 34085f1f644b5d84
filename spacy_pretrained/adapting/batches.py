"""How many blocks are computed at once, by the memory that there is."""

from dataclasses import dataclass
from math import ceil

from ..choosing.memory import GIGABYTE, estimate_training
from ..choosing.sizes import Sizes
from .errors import Errors
from .masking import CHOSEN

LOGIT_BYTES = 12  # of one number: itself, its probability and its gradient, in float32


@dataclass(frozen=True)
class Batches:
    """A step is `accumulated` batches of `batch` blocks."""

    batch: int
    accumulated: int
    peak: int  # bytes, estimated as `recommend` does


def choose_batches(
    sizes: Sizes,
    vocabulary: int,
    *,
    batch: int,
    length: int,
    bfloat16: bool,
    memory: int | None,
    source: str,
) -> Batches:
    """As many of the blocks of a step at once as fit into memory: all of them if none is said.

    batch: Blocks of a step. memory: Bytes.
    RAISES: ValueError if not even one block fits.
    """

    def peak(blocks: int) -> int:
        pieces = blocks * length
        logits = round(CHOSEN * pieces) * vocabulary * LOGIT_BYTES
        return estimate_training(sizes, pieces, bfloat16=bfloat16).peak + logits

    accumulated = 1
    while memory is not None and peak(ceil(batch / accumulated)) > memory:
        if accumulated >= batch:
            found = {"memory": memory / GIGABYTE, "least": peak(1) / GIGABYTE}
            raise ValueError(Errors.MEMORY_SMALL.format(source=source, length=length, **found))
        accumulated = min(2 * accumulated, batch)
    at_once = ceil(batch / accumulated)
    return Batches(at_once, accumulated, peak(at_once))
