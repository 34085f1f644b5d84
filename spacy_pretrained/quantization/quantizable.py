"""Which backbones on torch a pipeline has, who runs on them, and where its config says so."""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from spacy.language import Language
from spacy.pipeline.tok2vec import Tok2Vec
from spacy.tokens import Doc
from spacy.util import registry
from thinc.api import Model, Shim

from ..backends.backbone import get_shim
from ..backends.backend import Backend
from ..encoder.concat_encoder import find_named
from ..stock.proof import run_before
from .errors import Errors

# Architectures that run on torch, and the same on OpenVINO, whose settings are among theirs.
OPENVINO = {
    "spacy-pretrained.TorchEncoder.v1": "spacy-pretrained.OpenVinoEncoder.v1",
    "spacy-pretrained.TransformerFromScratch.v1": "spacy-pretrained.OpenVinoEncoder.v1",
    "spacy-pretrained.TorchSentenceEncoder.v1": "spacy-pretrained.OpenVinoSentenceEncoder.v1",
    "spacy-pretrained.EntailmentClassifier.v1": "spacy-pretrained.OpenVinoEntailmentClassifier.v1",
}


@dataclass(frozen=True)
class TorchBackbone:
    """A backbone on torch, and the components that run on it: several, if they share it."""

    shim: Shim
    names: list[str]

    def plan_batches(self, nlp: Language, docs: list[Doc]) -> list[Any]:
        """The batches that it gets to see for these Docs."""
        return list(chain.from_iterable(nlp.get_pipe(n).plan_batches(docs) for n in self.names))

    def plan_as_it_runs(self, nlp: Language, texts: list[str | Doc]) -> list[Any]:
        """The batches that it gets to see for texts, or the tokens of Docs. Nothing else of the
        Docs counts, as where the pipeline runs: windows of an encoder begin where the components
        before it find sentences, not where gold annotation has them. Components that read whole
        texts do not ask what was found in them, and nothing is run for these."""
        is_encoder = {name: isinstance(pipe, Tok2Vec) for name, pipe in nlp.components}
        encoders = [name for name in nlp.component_names if name in self.names and is_encoder[name]]
        first = (encoders or nlp.component_names)[0]
        return self.plan_batches(nlp, [run_before(nlp, first, text) for text in texts])


def find_backbones(nlp: Language) -> list[TorchBackbone]:
    """All of the pipeline's. RAISES: ValueError if there is none, or one that is not a component's
    own but part of a stock component."""
    found: dict[int, TorchBackbone] = {}
    has_any = False
    for name, pipe in nlp.components:
        model = getattr(pipe, "model", None)
        if isinstance(model, Model) and (encoders := find_named(model)):
            known = {"name": name, "encoders": ", ".join(encoders)}
            raise ValueError(Errors.SEVERAL_ENCODERS.format(**known))
        own = get_shim(model) if isinstance(model, Model) and model.has_ref("backbone") else None
        if any(is_on_torch(shim) and shim is not own for shim in find_shims(pipe)):
            raise ValueError(Errors.ENCODER_OF_ITS_OWN.format(name=name))
        has_any |= own is not None
        if own is not None and is_on_torch(own):
            if own.checkpoint is None:
                raise ValueError(Errors.NOT_INITIALIZED)
            found.setdefault(id(own), TorchBackbone(own, [])).names.append(name)
    if not found:
        message = Errors.QUANTIZED_ALREADY if has_any else Errors.NO_BACKBONE
        raise ValueError(message.format(pipes=", ".join(nlp.pipe_names)))
    return list(found.values())


def find_shims(pipe: Any) -> Iterator[Shim]:
    model = getattr(pipe, "model", None)
    layers = model.walk() if hasattr(model, "walk") else ()
    return chain.from_iterable(layer.shims for layer in layers)


def is_on_torch(shim: Shim) -> bool:
    """Whether a backend is ours, and on torch."""
    return isinstance(shim, Backend) and shim.quantizable


def to_openvino_block(block: dict[str, Any]) -> dict[str, Any]:
    """The block of a config with every architecture on torch, at whatever depth, replaced by its
    counterpart on OpenVINO, which keeps those settings that it has, but for how much is run at
    once: of that it has a default of its own."""
    block = {
        name: to_openvino_block(value) if isinstance(value, dict) else value
        for name, value in block.items()
    }
    architecture = OPENVINO.get(block.get("@architectures"))
    if architecture is None:
        return block
    taken = inspect.signature(registry.get("architectures", architecture)).parameters
    taken = set(taken) - {"max_pieces"}
    return {"@architectures": architecture} | {k: v for k, v in block.items() if k in taken}
