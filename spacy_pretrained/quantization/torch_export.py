"""From a torch backbone to an OpenVINO model with the same inputs and outputs."""

import inspect
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
from ..runtime.no_telemetry import import_openvino
from .errors import Errors

logger = logging.getLogger("spacy")

TOLERANCE = 1e-3  # of vectors in fp32; engines add up in another order
# Of windows side by side in a row. The long one shows which models look no further than so far.
EXAMPLE_WINDOWS = ((300,), (9, 20, 5), (2, 30))

Inputs = dict[str, torch.Tensor]


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
    """A backbone that takes rows of several windows, told apart by their numbers in the mask: each
    piece sees those of its own window alone, and its position is that within the window.

    Packing without contamination: M. M. Krell et al., Efficient Sequence Packing without
    Cross-contamination, 2021.

    first_position: Of a window; RoBERTa and its kin begin behind the padding's. They have that for
        a padding piece in the text, too, and do not count it.
    """

    first_position = 0

    def __init__(self, shim: TorchShim):
        super().__init__(shim)
        self.pad = shim.checkpoint.layout.pad
        self.takes_positions = "position_ids" in inspect.signature(self.module.forward).parameters

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        is_same = attention_mask[:, :, None] == attention_mask[:, None, :]
        # What attention's scores are added, with an axis for the heads.
        scores = torch.where(is_same, 0.0, torch.finfo(torch.float32).min)[:, None]
        inputs = {"input_ids": input_ids, "attention_mask": scores}
        if self.takes_positions:
            place = torch.arange(input_ids.shape[1])
            is_before = is_same & (place[None, :] < place[:, None])
            if not self.first_position:
                positions = is_before.sum(-1)
            else:
                counts = input_ids != self.pad
                positions = (is_before & counts[:, None, :]).sum(-1) + self.first_position
                positions = torch.where(counts, positions, self.first_position - 1)
            inputs["position_ids"] = positions
        return self._compute(self.module, **inputs)


def to_openvino(shim: TorchShim) -> Any:
    """An `openvino.Model` in fp32 with the backend's inputs, int64 (R, L) each, and its output,
    such as vectors (R, L, D). Where the backbone can be told to keep them apart, it takes rows of
    several windows: see `openvino_backend.is_packed`.

    Raises ValueError where the converted model does not give what torch gives.
    """
    with _quietly():
        plain = _Traced(shim.copy())
        packed = _find_packed(plain, shim) if shim.gives_vectors else None
    padded, rows = list(shim.example_inputs()), list(_example_rows(shim))
    if packed is not None:
        try:
            model = _convert(packed, [*padded, *rows], shim)
        except ValueError as error:
            logger.debug("A window has a row of its own: %s", error)
        else:
            model.set_rt_info(True, PACKED)
            return model
    return _convert(plain, padded, shim)


def _find_packed(plain: _Traced, shim: TorchShim) -> _TracedPacked | None:
    """A backbone for rows of several windows, if these come out as each does alone. What one model
    heeds the next takes no notice of, so that this is tried and not looked up."""
    packed = _TracedPacked(shim.copy())
    for first_position in (0, shim.checkpoint.layout.pad + 1):
        packed.first_position = first_position
        try:
            if all(_is_as_alone(packed, plain, row) for row in _example_rows(shim)):
                return packed
        except Exception as error:  # whatever it says of a mask of a shape that it does not know
            logger.debug("It does not take several windows in a row: %s", error)
    return None


@torch.no_grad()
def _is_as_alone(packed: _TracedPacked, plain: _Traced, row: Inputs) -> bool:
    together, ids, mask = packed(**row)[0], row["input_ids"], row["attention_mask"]
    for number in range(1, int(mask.max()) + 1):
        alone = plain(ids[mask == number][None], torch.ones(1, int((mask == number).sum())).long())
        if not _difference(together[mask[0] == number], alone[0]) < TOLERANCE:
            return False
    return True


def _example_rows(shim: TorchShim) -> Iterator[Inputs]:
    generator = torch.Generator().manual_seed(0)
    layout, n_pieces = shim.checkpoint.layout, shim.module.config.vocab_size
    for lengths in EXAMPLE_WINDOWS:
        numbers = [number for number, n in enumerate(lengths, start=1) for _ in range(n)]
        mask = torch.tensor([numbers + [0] * 3])[:, : layout.max_window]
        ids = torch.randint(n_pieces, mask.shape, generator=generator)
        ids[ids == layout.pad] = layout.pad + 1  # some models know padding by it
        ids[mask == 0] = layout.pad
        yield {"input_ids": ids, "attention_mask": mask}


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
        differences.append(_difference(found, expected))
    return float(np.max(differences))  # NaN, if one is


def _difference(found: torch.Tensor, expected: torch.Tensor) -> float:
    return float((found - expected).abs().max() / expected.abs().max())
