"""How to train on an encoder: by what fits into memory, and by how many examples there are."""

from dataclasses import dataclass
from math import ceil

from ..backends.learn_rate import choose_rate
from ..training.length import LEAST_STEPS, WARMUP, count_epochs
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
BATCH_STEP = 50  # words, of which batches are multiples
FEW_SHOT_TEXTS = 32  # of a batch
WORDS = {"textcat": 50}  # of an example; a guess, which a corpus replaces
SENTENCE_WORDS = 20
HEAD_RATE = 1e-3
SMALL = 60e6  # parameters outside the embeddings
# Up to so many examples: epochs on a small encoder, and on one of base size or more.
EPOCHS = ((1_000, 20, 8), (5_000, 15, 4), (20_000, 8, 4), (50_000, 4, 3), (float("inf"), 3, 2))


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
    unit = words_of_text(query) if is_few else BATCH_STEP
    epochs = choose_epochs(query.examples, sizes)
    if is_few:
        wanted, least = FEW_SHOT_TEXTS * unit, max(LEAST_WORDS, unit)
    else:
        in_least_steps = count_words(query) * epochs // LEAST_STEPS // unit * unit
        wanted, least = min(BATCH_WORDS, max(LEAST_WORDS, in_least_steps)), LEAST_WORDS
    for frozen, checkpointing in ((False, False), (False, True), (True, False)):
        settings = {"bfloat16": bfloat16, "gradient_checkpointing": checkpointing, "frozen": frozen}
        words = wanted
        if query.memory is not None:
            words = min(words, int(most_pieces(sizes, query.memory, **settings) / PIECES_PER_WORD))
        if words < min(least, wanted):
            continue
        words = words // unit * unit
        memory = estimate_training(sizes, round(words * PIECES_PER_WORD), **settings)
        rate = HEAD_RATE if frozen else choose_rate(sizes.outside)
        longer, steps = choose_length(count_words(query), epochs, words)
        length = (longer, words, steps, rate, WARMUP)
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


def choose_length(n_words: int, epochs: int, batch: int) -> tuple[int, int]:
    """Epochs and steps of a training in batches of so many words: more epochs than were chosen
    where they would make too few steps.

    >>> choose_length(100_000, 4, 800), choose_length(1_000, 8, 200)
    ((4, 500), (100, 500))
    """
    steps = max(LEAST_STEPS, ceil(epochs * n_words / batch))
    return max(epochs, count_epochs(n_words, steps, batch)), steps


def count_words(query: Query) -> int:
    """Of all examples."""
    if query.corpus is not None:
        return query.corpus.words
    return query.examples * WORDS.get(query.task, SENTENCE_WORDS)


def words_of_text(query: Query) -> int:
    """Of a text with categories, on average."""
    if query.corpus is not None:
        return max(1, round(query.corpus.words / query.corpus.examples))
    return WORDS["textcat"]
