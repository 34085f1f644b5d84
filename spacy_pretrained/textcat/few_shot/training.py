"""How the few-shot classifier learns: a batch (as `spacy train` asks), or all of few examples.

Of few examples, the head is fitted first. Then the encoder learns to give vectors for which that
head is right, and, by the contrastive loss, vectors that are alike where labels are: in the manner
of SetFit (L. Tunstall et al., Efficient Few-Shot Learning Without Prompts, 2022), whose encoder
sees pairs alone. At last the head is fitted anew, to the vectors as they are then.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from thinc.api import Adam, Optimizer, fix_random_seed, warmup_linear
from thinc.types import Ints2d

from ...backends.backbone import is_frozen
from ...heads.losses import cross_entropy
from ..gold import make_targets
from .batches import draw_batches
from .contrastive import contrastive_loss, count_in_common
from .head import find_precision, fit_head
from .model import FewShot, get_head, set_head

# Batches, if nothing else is asked for: so many times through all examples, within bounds.
EPOCHS, FEWEST_STEPS, MOST_STEPS = 5, 30, 120
WEIGHT_DECAY = 0.01
WARMUP_SHARE = 0.1


@dataclass(frozen=True)
class FitSettings:
    """How all of few examples are learnt: see `FewShotTextcat.fit`."""

    fine_tune: bool
    n_steps: int | None
    batch_size: int
    learn_rate: float
    seed: int


@dataclass(frozen=True)
class Step:
    """A step of fine-tuning, for those who watch."""

    number: int  # from 1 to n_steps
    n_steps: int
    loss: float  # of an example, on average over the batch


@dataclass(frozen=True)
class Task:
    """What is told apart, and how it is learnt."""

    multi_label: bool
    contrast: float  # what the contrastive loss counts beside the cross-entropy


def fit(
    model: FewShot,
    texts: list[str],
    known: Ints2d,
    task: Task,
    settings: FitSettings,
    check: Callable[[float], None],
    watchers: Iterable[Callable[[Step], None]] = (),
) -> int:
    """Learn from N texts, none of them blank.

    known: What is known of their labels (N, K), of each text something, as
        `textcat_gold.read_cats` gives it.
    check: See `accumulate`.
    watchers: Get to hear each step of fine-tuning.
    RETURNS: The number of these steps.
    """
    prior, precision = get_head(model), find_precision(len(texts))

    def refit() -> None:
        vectors = model.ops.to_numpy(model.get_ref("vectors").predict(texts))
        head = fit_head(vectors, known, prior, precision, multi_label=task.multi_label)
        set_head(model, head)

    refit()
    if not settings.fine_tune:
        return 0
    n_steps = settings.n_steps or count_steps(len(texts), settings.batch_size)
    optimizer = _make_optimizer(settings.learn_rate, n_steps)
    fix_random_seed(settings.seed)  # of dropout
    batches = draw_batches(known, n_steps, settings.batch_size, settings.seed)
    for number, rows in enumerate(batches, start=1):
        loss = accumulate(model, [texts[row] for row in rows], known[rows], task, check)
        model.finish_update(optimizer)
        optimizer.step_schedules()
        for watcher in watchers:
            watcher(Step(number, n_steps, loss / len(rows)))
    refit()
    return n_steps


def count_steps(n_examples: int, batch_size: int) -> int:
    wanted = EPOCHS * n_examples // batch_size
    return min(max(wanted, FEWEST_STEPS), MOST_STEPS)


def accumulate(
    model: FewShot,
    texts: list[str],
    known: Ints2d,
    task: Task,
    check: Callable[[float], None],
) -> float:
    """Add the gradients of a batch of B texts. RETURNS: Its loss, summed over the texts: the
    cross-entropy, and, where the encoder learns, the contrastive loss of all pairs in the batch.

    known: What is known of their labels (B, K).
    check: Raises an error if the loss is not finite; called before any gradient is added.
    """
    vectors, backprop_vectors = model.get_ref("vectors").begin_update(texts)
    logits, backprop_logits = model.get_ref("output").begin_update(vectors)
    targets = make_targets(known, multi_label=task.multi_label)
    d_logits, loss = cross_entropy(model.ops, logits, targets, multi_label=task.multi_label)
    d_contrast = None
    if task.contrast and not is_frozen(model):
        d_contrast, contrast = contrastive_loss(model.ops, vectors, count_in_common(known))
        loss += task.contrast * contrast
    check(loss)
    d_vectors = backprop_logits(d_logits)
    if d_contrast is not None:
        d_vectors += task.contrast * d_contrast
    backprop_vectors(d_vectors)
    return loss


def _make_optimizer(learn_rate: float, n_steps: int) -> Optimizer:
    return Adam(
        warmup_linear(learn_rate, max(1, round(WARMUP_SHARE * n_steps)), n_steps),
        L2=WEIGHT_DECAY,
        L2_is_weight_decay=True,
        grad_clip=1.0,
        use_averages=False,
    )
