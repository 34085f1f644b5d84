"""From a torch backbone to an OpenVINO model with the same inputs and outputs."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from transformers import PreTrainedModel
from transformers.utils import logging as transformers_logging

from .checkpoint import Layout
from .errors import Errors
from .torch_backend import TorchShim

TOLERANCE = 1e-3  # of vectors in fp32; engines add up in another order


class _HiddenStates(torch.nn.Module):
    """The backbone with plain tensors in and out, as a converter wants it."""

    def __init__(self, module: PreTrainedModel):
        super().__init__()
        self.module = module

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        return self.module(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state


def to_openvino(shim: TorchShim) -> Any:
    """An `openvino.Model` in fp32: int64 input_ids and attention_mask (W, L), vectors (W, L, D).

    Raises ValueError where the converted model does not give what torch gives.
    """
    import openvino

    with _quietly():
        module = _HiddenStates(shim.copy().module.cpu())
    name = shim.module.config.model_type
    mask = torch.ones((2, 16), dtype=torch.int64)
    mask[1, 8:] = 0  # a mask of ones alone could be traced away
    example = {"input_ids": torch.ones_like(mask), "attention_mask": mask}
    try:
        with torch.no_grad(), _quietly():
            model = openvino.convert_model(module, example_input=example)
        for port, port_name in zip(model.inputs, example):
            port.get_tensor().set_names({port_name})
            port.get_node().set_friendly_name(port_name)
            port.get_node().set_partial_shape(openvino.PartialShape([-1, -1]))
        model.validate_nodes_and_infer_types()
        difference = _compare(module, model, shim.checkpoint.layout)
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
def _compare(module: torch.nn.Module, model: Any, layout: Layout) -> float:
    """How far vectors of torch and OpenVINO are apart, relative to the largest. Other shapes than
    the traced one show what tracing has frozen."""
    import openvino

    compiled = openvino.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    generator = torch.Generator().manual_seed(0)
    differences = []
    for rows, length in ((1, 5), (3, min(40, layout.max_window))):
        n_pieces = module.module.config.vocab_size
        ids = torch.randint(n_pieces, (rows, length), generator=generator)
        mask = torch.ones_like(ids)
        mask[1:, 3:] = 0
        ids[mask == 0] = layout.pad
        expected = module(ids, mask)
        found = compiled({"input_ids": ids.numpy(), "attention_mask": mask.numpy()})[0]
        difference = (torch.from_numpy(found) - expected)[mask == 1].abs().max()
        differences.append(float(difference / expected.abs().max()))
    return max(differences)
