"""How far scores are from what they were: the loss of a rehearsal."""

from thinc.api import Ops
from thinc.types import FloatsXd

from .losses import bound_logs, sigmoid, softmax, softmax_and_log_sums

# Scores are divided by this before they become probabilities. Of a text that it was trained on, a
# component is certain: its probabilities hardly change while its scores fall by half, and on other
# texts, where they were lower, it has forgotten. At 2 that shows (Z. Li and D. Hoiem, Learning
# without Forgetting, 2016, equation 3).
TEMPERATURE = 2.0


def divergence(
    ops: Ops,
    scores: FloatsXd,
    old: FloatsXd,
    background: int | None = None,
    temperature: float = TEMPERATURE,
) -> tuple[FloatsXd, float]:
    """Gradient, and sum over all rows, of the Kullback-Leibler divergence of softmax(scores) from
    softmax(old), along the last axis; -inf is a probability of 0 in both.

    Scores may have more columns (K) than the old ones, behind them: those of new labels.

    background: What the new columns mean was part of this column then, so that its old probability
        is compared with the sum of its new one and theirs (F. Cermelli et al., Modeling the
        Background for Incremental Learning in Semantic Segmentation, 2020, equation 8). None if it
        was part of any: then the old columns are compared among themselves, and the new ones are
        free (their gradient is 0).
    temperature: What scores are divided by, those of that sum too. Loss and gradient are multiplied
        by its square, so that they do not shrink with it.
    """
    xp = ops.xp
    n_old = old.shape[-1]
    if scores.shape[-1] == n_old:
        return _compare(scores, old, temperature)
    if background is None:
        d_known, loss = _compare(scores[..., :n_old], old, temperature)
        return xp.concatenate([d_known, xp.zeros_like(scores[..., n_old:])], axis=-1), loss
    parts = xp.concatenate([scores[..., [background]], scores[..., n_old:]], axis=-1)
    merged = scores[..., :n_old].copy()
    highest = parts.max(axis=-1)
    totals = xp.exp(parts - highest[..., None]).sum(axis=-1)
    merged[..., background] = highest + xp.log(totals)
    d_merged, loss = _compare(merged, old, temperature)
    # Each member of the sum has its share of the gradient.
    d_parts = d_merged[..., [background]] * softmax(parts)
    d_merged[..., background] = d_parts[..., 0]
    return xp.concatenate([d_merged, d_parts[..., 1:]], axis=-1), loss


def _compare(scores: FloatsXd, old: FloatsXd, temperature: float) -> tuple[FloatsXd, float]:
    scores, old = scores / temperature, old / temperature
    found, log_sums = softmax_and_log_sums(scores)
    target, old_log_sums = softmax_and_log_sums(old)
    logs = bound_logs(old - old_log_sums) - bound_logs(scores - log_sums)
    return temperature * (found - target), temperature**2 * float((target * logs).sum())


def binary_divergence(
    ops: Ops, scores: FloatsXd, old: FloatsXd, temperature: float = TEMPERATURE
) -> tuple[FloatsXd, float]:
    """The same for scores that are yes-or-no questions each."""
    xp = ops.xp
    scores, old = scores / temperature, old / temperature
    target = sigmoid(old)
    gradient = temperature * (sigmoid(scores) - target)
    # log sigmoid(x) = -log(1 + exp(-x))
    yes = xp.logaddexp(0, -scores) - xp.logaddexp(0, -old)
    no = xp.logaddexp(0, scores) - xp.logaddexp(0, old)
    return gradient, temperature**2 * float((target * yes + (1 - target) * no).sum())
