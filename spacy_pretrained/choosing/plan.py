"""How to train on an encoder: by what fits into memory, and by how many examples there are."""

from dataclasses import dataclass
from math import ceil

from ..backends.learn_rate import choose_rate
from .memory import (
    PIECES_PER_WORD,
    Memory,
    estimate_inference,
    estimate_training,
    most_pieces,
)
from .query import WITHOUT_TRAINING, Query
from .sizes import Sizes

FULL, FROZEN, FEW_SHOT, NONE = "full fine-tuning", "frozen encoder", "few-shot", "no training"
FEW_EXAMPLES = 500  # up to here a text classifier learns more by few-shot learning
BATCH_WORDS = 1500  # as in our configs
LEAST_WORDS = 200
LEAST_STEPS = 500  # smaller batches, where there would be fewer
FEW_SHOT_TEXTS = 32  # of a batch
WORDS = {"textcat": 50}  # of an example; a guess, which a corpus replaces
SENTENCE_WORDS = 20
HEAD_RATE = 1e-3
SMALL = 60e6  # parameters outside the embeddings
# Up to so many examples: epochs on a small encoder, and on one of base size or more.
EPOCHS = ((1_000, 20, 8), (5_000, 15, 4), (20_000, 8, 4), (50_000, 4, 3), (float("inf"), 3, 2))
WARMUP = 0.1


@dataclass(frozen=True)
class Plan:
    """How to train; where nothing is trained, its numbers are None."""

    method: str
    epochs: int | None
    batch_words: int | None
    steps: int | None
    learn_rate: float | None  # the encoder's highest; of a frozen one, that of the task heads
    warmup: float | None  # share of the steps
    mixed_precision: bool
    gradient_checkpointing: bool
    frozen: bool
    training: Memory | None
    inference: Memory  # in float32
    inference_int8: Memory


def make_plan(query: Query, sizes: Sizes) -> Plan | None:
    """None if there is no way to train in that memory."""
    running = (estimate_inference(sizes), estimate_inference(sizes, int8=True))
    if query.task in WITHOUT_TRAINING:
        if query.memory is not None and running[0].peak > query.memory:
            return None
        return Plan(NONE, None, None, None, None, None, False, False, False, None, *running)
    bfloat16 = query.device == "cuda"
    is_few = query.task == "textcat" and query.examples <= FEW_EXAMPLES
    wanted = FEW_SHOT_TEXTS * WORDS["textcat"] if is_few else BATCH_WORDS
    epochs = choose_epochs(query.examples, sizes)
    if not is_few:
        in_least_steps = count_words(query) * epochs // LEAST_STEPS // 50 * 50
        wanted = min(wanted, max(LEAST_WORDS, in_least_steps))
    for frozen, checkpointing in ((False, False), (False, True), (True, False)):
        settings = {"bfloat16": bfloat16, "gradient_checkpointing": checkpointing, "frozen": frozen}
        words = wanted
        if query.memory is not None:
            words = min(words, int(most_pieces(sizes, query.memory, **settings) / PIECES_PER_WORD))
        if words < LEAST_WORDS:
            continue
        memory = estimate_training(sizes, round(words * PIECES_PER_WORD), **settings)
        words = min(wanted, words // 50 * 50)
        rate = HEAD_RATE if frozen else choose_rate(sizes.outside)
        length = (epochs, words, count_steps(query, epochs, words), rate, WARMUP)
        method = FROZEN if frozen else FULL
        if is_few:  # which has a length and rates of its own
            method, length = FEW_SHOT, (None, words, None, None, None)
        return Plan(method, *length, bfloat16, checkpointing, frozen, memory, *running)
    return None


def choose_epochs(examples: int, sizes: Sizes) -> int:
    """Base size: 2 to 4 epochs, more only where there are few examples. Small encoders start from
    less, and need more."""
    for most, small, base in EPOCHS:
        if examples <= most:
            return small if sizes.outside <= SMALL else base
    raise AssertionError


def count_steps(query: Query, epochs: int, words: int) -> int:
    return max(1, ceil(epochs * count_words(query) / words))


def count_words(query: Query) -> int:
    """Of all examples."""
    return query.examples * WORDS.get(query.task, SENTENCE_WORDS)
