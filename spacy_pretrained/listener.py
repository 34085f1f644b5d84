"""What components that share the encoder have in its place."""

from spacy.pipeline.tok2vec import Tok2VecListener

from .errors import Errors


def build_encoder_listener(upstream: str = "pretrained_encoder") -> Tok2VecListener:
    """Build spaCy's own listener, with its width left open until the encoder knows it.

    upstream: Name of the encoder's component. Never "*": that would also listen to any other
        tok2vec in the pipeline.
    """
    if upstream == "*":
        raise ValueError(Errors.LISTENER_WILDCARD)
    listener = Tok2VecListener(upstream_name=upstream, width=None)
    listener.init = _check_upstream
    return listener


def _check_upstream(listener: Tok2VecListener, X=None, Y=None) -> None:
    if not listener.has_dim("nO"):
        raise ValueError(Errors.LISTENER_ALONE.format(upstream=listener.upstream_name))
