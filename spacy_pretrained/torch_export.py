"""From a torch backbone to an OpenVINO model with the same inputs and outputs."""

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from transformers.utils import logging as transformers_logging

from .errors import Errors
from .torch_backend import TorchShim

TOLERANCE = 1e-3  # of vectors in fp32; engines add up in another order


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


def to_openvino(shim: TorchShim) -> Any:
    """An `openvino.Model` in fp32 with the backend's inputs, int64 (W, L) each, and its output,
    such as vectors (W, L, D).

    Raises ValueError where the converted model does not give what torch gives.
    """
    import openvino

    with _quietly():
        module = _Traced(shim.copy())
    name = shim.module.config.model_type
    # A mask of ones alone could be traced away.
    example, *others = shim.example_inputs()
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
def _compare(
    module: torch.nn.Module, model: Any, examples: Iterable[dict[str, torch.Tensor]]
) -> float:
    """How far outputs of torch and OpenVINO are apart, relative to the largest. Other shapes than
    the traced one show what tracing has frozen."""
    import openvino

    compiled = openvino.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    differences = []
    for inputs in examples:
        expected = module(**inputs)
        found = compiled({name: tensor.numpy() for name, tensor in inputs.items()})[0]
        difference = (torch.from_numpy(found) - expected).abs()
        if difference.ndim == 3:  # what padding has does not matter
            difference = difference[inputs["attention_mask"] == 1]
        differences.append(float(difference.max() / expected.abs().max()))
    return max(differences)
