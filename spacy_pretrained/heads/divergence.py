"""How far scores are from what they were: the loss of a rehearsal."""

from thinc.api import Ops
from thinc.types import FloatsXd

from .losses import SMALLEST, sigmoid, softmax


def divergence(
    ops: Ops, scores: FloatsXd, old: FloatsXd, background: int | None = None
) -> tuple[FloatsXd, float]:
    """Gradient, and sum over all rows, of the Kullback-Leibler divergence of softmax(scores) from
    softmax(old), along the last axis; -inf is a probability of 0 in both.

    background: Scores may have more columns (K) than the old ones. What these mean was part of this
        column then, so that its old probability is compared with the sum of its new one and theirs
        (F. Cermelli et al., Modeling the Background for Incremental Learning in Semantic
        Segmentation, 2020, equation 8).
    """
    xp = ops.xp
    gradient, target, n_old = softmax(scores), softmax(old), old.shape[-1]
    found = gradient[..., :n_old]
    if gradient.shape[-1] > n_old:
        found = found.copy()
        found[..., background] += gradient[..., n_old:].sum(axis=-1)
    logs = xp.log(xp.maximum(target, SMALLEST)) - xp.log(xp.maximum(found, SMALLEST))
    loss = float((target * logs).sum())
    if gradient.shape[-1] > n_old:
        # Each member of the sum has its share of the target.
        share = target[..., background] / xp.maximum(found[..., background], SMALLEST)
        gradient[..., n_old:] *= (1 - share)[..., None]
        own = gradient[..., background] * (1 - share)
        gradient[..., :n_old] -= target
        gradient[..., background] = own
    else:
        gradient -= target
    return gradient, loss


def binary_divergence(ops: Ops, scores: FloatsXd, old: FloatsXd) -> tuple[FloatsXd, float]:
    """The same for scores that are yes-or-no questions each."""
    xp = ops.xp
    target = sigmoid(old)
    gradient = sigmoid(scores) - target
    # log sigmoid(x) = -log(1 + exp(-x))
    yes = xp.logaddexp(0, -scores) - xp.logaddexp(0, -old)
    no = xp.logaddexp(0, scores) - xp.logaddexp(0, old)
    return gradient, float((target * yes + (1 - target) * no).sum())
