"""From a torch backbone to an OpenVINO model with the same inputs and outputs."""

from typing import Any

import torch
from transformers import PreTrainedModel

from .torch_backend import TorchShim


class _HiddenStates(torch.nn.Module):
    """The backbone with plain tensors in and out, as a converter wants it."""

    def __init__(self, module: PreTrainedModel):
        super().__init__()
        self.module = module

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        return self.module(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state


def to_openvino(shim: TorchShim) -> Any:
    """An `openvino.Model` in fp32: int64 input_ids and attention_mask (W, L), vectors (W, L, D)."""
    import openvino

    module = shim.copy().module.cpu()
    ids = torch.ones((2, 16), dtype=torch.int64)
    mask = torch.ones_like(ids)
    mask[1, 8:] = 0  # a mask of ones alone could be traced away
    with torch.no_grad():
        model = openvino.convert_model(
            _HiddenStates(module), example_input={"input_ids": ids, "attention_mask": mask}
        )
    for port, name in zip(model.inputs, ("input_ids", "attention_mask")):
        port.get_tensor().set_names({name})
        port.get_node().set_friendly_name(name)
        port.get_node().set_partial_shape(openvino.PartialShape([-1, -1]))
    model.validate_nodes_and_infer_types()
    return model
