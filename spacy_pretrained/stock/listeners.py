"""The listeners of a stock transformer, and how they are replaced by spaCy's own."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from spacy.language import Language
from spacy.pipeline.tok2vec import Tok2VecListener
from spacy.util import replace_model_node
from thinc.api import Model

from .errors import Errors
from .find import CURATED, SPACY_TRANSFORMERS, StockPipe, package_of

logger = logging.getLogger("spacy")

POOLINGS = {"reduce_mean": "mean", "reduce_sum": "sum"}
ARCHITECTURES = {
    SPACY_TRANSFORMERS: "spacy-transformers.TransformerListener.v1",
    CURATED: "spacy-curated-transformers.LastTransformerLayerListener.v1",
}
LAST_LAYER = "last_transformer_layer_listener"  # the name of such a node of the second package


@dataclass(frozen=True)
class Listener:
    """A node of a component's model that gives vectors of tokens, pooled."""

    component: str
    node: Model
    pooling: str  # the name of its layer
    grad_factor: float


def find_listeners(nlp: Language, stock: StockPipe) -> list[Listener]:
    """All listeners of the transformer. A warning names each that weights its gradient.

    RAISES: ValueError if there are none, or if there is anything else of the package.
    """
    found = []
    for name, pipe in nlp.components:
        model = getattr(pipe, "model", None)
        if isinstance(model, Model) and pipe is not stock.pipe:
            found += _find_in(name, model, stock)
    if not found:
        raise ValueError(Errors.STOCK_ALONE.format(name=stock.name))
    poolings = {listener.pooling: listener.component for listener in found}
    for pooling, component in poolings.items():
        if pooling not in POOLINGS:
            about = {"component": component, "pooling": pooling}
            raise ValueError(Errors.LISTENER_POOLING.format(**about))
    if len(poolings) > 1:
        shown = ", ".join(f"'{component}' by {pooling}" for pooling, component in poolings.items())
        raise ValueError(Errors.POOLINGS_DIFFER.format(poolings=shown))
    for listener in found:
        if listener.grad_factor != 1.0:
            about = {"component": listener.component, "grad_factor": listener.grad_factor}
            logger.warning(Errors.GRAD_FACTOR.format(**about))
    return found


def _find_in(component: str, model: Model, stock: StockPipe) -> list[Listener]:
    nodes = list(model.walk())
    if any(hasattr(shim, "_hfmodel") for node in nodes for shim in node.shims) or any(
        node.name == "transformer_model" for node in nodes
    ):
        raise ValueError(Errors.LISTENER_REPLACED.format(component=component))
    found = [
        listener for node in nodes if (listener := _as_listener(component, node, stock)) is not None
    ]
    inside = {id(node) for listener in found for node in listener.node.walk()}
    for node in nodes:
        is_part = id(node) in inside and node is not model  # not a component that only listens
        package = package_of(type(node)) or package_of(node._func)
        if id(node) in inside and node is model:
            package = stock.package
        if package is not None and not is_part:
            about = {"component": component, "package": package, "part": node.name}
            supported = ARCHITECTURES[stock.package]
            raise ValueError(
                Errors.LISTENER_UNKNOWN.format(supported=supported, name=stock.name, **about)
            )
    return found


def _as_listener(component: str, node: Model, stock: StockPipe) -> Listener | None:
    names = ("*", stock.name)
    if stock.package == CURATED:
        if node.name != LAST_LAYER or node.attrs.get("_upstream_name") not in names:
            return None
        return Listener(component, node, node.get_ref("pooling").name, node.attrs["grad_factor"])
    first, *others = node.layers or [None]
    upstream = getattr(first, "upstream_name", None)
    if upstream not in names or package_of(type(first)) is None or len(others) != 1:
        return None
    (pooled,) = others
    if pooled.name != "trfs2arrays":
        return None
    return Listener(component, node, pooled.layers[0].name, pooled.attrs["grad_factor"])


@contextmanager
def replaced(nlp: Language, listeners: list[Listener], name: str, width: int) -> Iterator[None]:
    """The components' models with spaCy's listeners in place of these; afterwards all is as it was.
    A config alone cannot do this: what is saved of a model has to have its nodes."""
    done: list[tuple[Model, Model, Model]] = []
    try:
        for listener in listeners:
            model = nlp.get_pipe(listener.component).model
            new = Tok2VecListener(upstream_name=name, width=width)
            replace_model_node(model, listener.node, new)
            done.append((model, new, listener.node))
        yield
    finally:
        for model, new, old in done:
            replace_model_node(model, new, old)


def replace_blocks(config: dict[str, Any], stock: StockPipe, width: int) -> tuple[Any, int]:
    """The block of a component's config with each listener's block replaced, and how many were."""
    if config.get("@architectures") == ARCHITECTURES[stock.package]:
        new = {"@architectures": "spacy.Tok2VecListener.v1", "width": width}
        return new | {"upstream": stock.name}, 1
    new, n_replaced = {}, 0
    for key, value in config.items():
        if isinstance(value, dict):
            value, n = replace_blocks(value, stock, width)
            n_replaced += n
        new[key] = value
    return new, n_replaced
