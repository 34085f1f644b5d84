"""What components that share the encoder have in its place."""

import math
import weakref

from spacy.pipeline.tok2vec import Tok2VecListener

from .errors import Errors


def build_encoder_listener(
    upstream: str = "pretrained_encoder", loss_weight: float = 1.0
) -> Tok2VecListener:
    """Build spaCy's own listener, with its width left open until the encoder knows it.

    upstream: Name of the encoder's component. Never "*": that would also listen to any other
        tok2vec in the pipeline.
    loss_weight: Multiplies the component's gradient on its way into the encoder, next to those of
        the other components; with 0 the component does not train it. That is all the weight of a
        loss comes to: a component's own optimizer is Adam, whose steps do not grow with the loss.
    """
    if upstream == "*":
        raise ValueError(Errors.LISTENER_WILDCARD)
    if not 0 <= loss_weight < math.inf:  # nor NaN
        raise ValueError(Errors.LOSS_WEIGHT.format(upstream=upstream, loss_weight=loss_weight))
    listener = Tok2VecListener(upstream_name=upstream, width=None)
    listener.init = _check_upstream
    # No attr of the model, for these are saved with the weights and would outdo the config.
    listener.loss_weight = loss_weight
    return listener


def _check_upstream(listener: Tok2VecListener, X=None, Y=None) -> None:
    if not listener.has_dim("nO"):
        raise ValueError(Errors.LISTENER_ALONE.format(upstream=listener.upstream_name))


class EncoderLink:
    """Leads from a listener to its encoder's component: `link()` is that, or None where there is
    none any more. Copies of a listener, in this process or another, have links that lead nowhere,
    and not a copy of the encoder.
    """

    def __init__(self, encoder: object | None = None):
        self._find = (lambda: None) if encoder is None else weakref.ref(encoder)

    def __call__(self) -> object | None:
        return self._find()

    def __reduce__(self):
        return EncoderLink, ()
