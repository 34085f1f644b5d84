"""What stands in for the conversion from torch to OpenVINO where there is no PyTorch: that of the
stand-in's backbone (see `stand_in_torch.py`), so that quantizing is tested there, too."""

from typing import Any

import numpy as np
from numpy_backend import WIDTH, NumpyShim

from spacy_pretrained.runtime.no_telemetry import import_openvino


def to_openvino(shim: NumpyShim) -> Any:
    """An `openvino.Model` with the inputs of a real one. It gives the backend's vectors, turned and
    turned back: these products with weights are there to be quantized."""
    openvino = import_openvino()
    ops = openvino.opset8
    ids = _parameter(ops, "input_ids")
    numbers = _parameter(ops, "attention_mask")
    is_piece = ops.convert(ops.greater(numbers, np.int64(0)), "f32")
    mask = ops.unsqueeze(is_piece, np.int64(2))
    vectors = ops.gather(ops.constant(shim.table), ids, np.int64(0))
    total = ops.reduce_sum(ops.multiply(vectors, mask), np.int64(1), True)
    means = ops.divide(total, ops.reduce_sum(mask, np.int64(1), True))
    mixed = ops.multiply(ops.add(vectors, means), mask)
    random = np.random.default_rng(0).normal(size=(WIDTH, WIDTH))
    rotation = np.linalg.qr(random)[0].astype("float32")
    for weights in (rotation, rotation.T.copy()):
        mixed = ops.matmul(mixed, ops.constant(weights), False, False)
    model = openvino.Model([mixed], [ids, numbers])
    model.set_rt_info(openvino.__version__, ["Runtime_version"])  # as a converter does
    return model


def _parameter(ops: Any, name: str) -> Any:
    parameter = ops.parameter([-1, -1], np.int64, name=name)
    parameter.output(0).set_names({name})
    return parameter
