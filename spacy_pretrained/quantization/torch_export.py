"""From a torch backbone to an OpenVINO model with the same inputs and outputs."""

import logging
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from transformers.utils import logging as transformers_logging

from ..backends.openvino_backend import PACKED
from ..backends.torch_backend import TorchShim
from ..backends.torch_packing import TOLERANCE, Inputs, Packing, example_rows, relative_difference
from ..runtime.no_telemetry import import_openvino
from .errors import Errors

logger = logging.getLogger("spacy")


class _Traced(torch.nn.Module):
    """A backbone with plain tensors in and out, as a converter wants it."""

    def __init__(self, shim: TorchShim):
        super().__init__()
        self.module = shim.module.cpu()
        self._compute = shim.compute

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        token_type_ids: torch.Tensor | None = None,
    ) -> torch.Tensor:
        inputs = {"input_ids": input_ids, "attention_mask": attention_mask}
        if token_type_ids is not None:
            inputs["token_type_ids"] = token_type_ids
        return self._compute(self.module, **inputs)


class _TracedPacked(_Traced):
    """A backbone that takes rows of several windows, told apart by their numbers in the mask."""

    def __init__(self, shim: TorchShim, packing: Packing):
        super().__init__(shim)
        self._packing = packing

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        return self._compute(self.module, **self._packing.inputs(input_ids, attention_mask))


def to_openvino(shim: TorchShim) -> Any:
    """An `openvino.Model` in fp32 with the backend's inputs, int64 (R, L) each, and its output,
    such as vectors (R, L, D). Where the backbone can be told to keep them apart, it takes rows of
    several windows: see `openvino_backend.is_packed`.

    Raises ValueError where the converted model does not give what torch gives.
    """
    padded = list(shim.example_inputs())
    with _quietly():
        shim = shim.copy()
        packing = shim.packing
    if packing is not None:
        rows = list(example_rows(shim.module, shim.checkpoint.layout))
        try:
            model = _convert(_TracedPacked(shim, packing), [*padded, *rows], shim)
        except ValueError as error:
            logger.debug("A window has a row of its own: %s", error)
        else:
            model.set_rt_info(True, PACKED)
            return model
    return _convert(_Traced(shim), padded, shim)


def _convert(module: _Traced, examples: list[Inputs], shim: TorchShim) -> Any:
    """The module as an `openvino.Model`, traced with the first example, tried with the others:
    a mask of ones alone could be traced away, and other shapes show what tracing has frozen."""
    openvino = import_openvino()
    name = shim.module.config.model_type
    example, *others = examples
    try:
        with torch.no_grad(), _quietly():
            model = openvino.convert_model(module, example_input=example)
        for port, port_name in zip(model.inputs, example):
            port.get_tensor().set_names({port_name})
            port.get_node().set_friendly_name(port_name)
            port.get_node().set_partial_shape(openvino.PartialShape([-1, -1]))
        model.validate_nodes_and_infer_types()
        difference = _compare(module, model, others)
    except Exception as error:  # of the tracer and the converter, without a common base class
        raise ValueError(Errors.EXPORT_FAILED.format(name=name, error=error)) from error
    if not difference < TOLERANCE:
        detail = f"its vectors differ by {difference:.2g}"
        raise ValueError(Errors.EXPORT_FAILED.format(name=name, error=detail))
    return model


@contextmanager
def _quietly() -> Iterator[None]:
    """Without the warnings of the way to OpenVINO: of what is old, and of what tracing may freeze.
    Whether that did harm is seen by what the converted model gives."""
    verbosity = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        transformers_logging.set_verbosity(verbosity)


@torch.no_grad()
def _compare(module: torch.nn.Module, model: Any, examples: Iterable[Inputs]) -> float:
    """How far outputs of torch and OpenVINO are apart, relative to the largest."""
    openvino = import_openvino()
    compiled = openvino.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    differences = []
    for inputs in examples:
        expected = module(**inputs)
        found = torch.from_numpy(compiled({k: t.numpy() for k, t in inputs.items()})[0])
        if found.ndim == 3:  # what padding has does not matter
            inside = inputs["attention_mask"] > 0
            found, expected = found[inside], expected[inside]
        differences.append(relative_difference(found, expected))
    return float(np.max(differences))  # NaN, if one is
