"""Ways to make a backbone on OpenVINO smaller and quicker, the quickest first."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import numpy as np

from ..backends.openvino_backend import EXACT
from ..runtime.no_telemetry import import_nncf, import_openvino
from ..windows.batches import WindowBatch
from .errors import Errors

INT8, INT8_WEIGHTS = "int8", "int8-weights"
FP32 = "fp32"  # the precision, and the name of the recipe
TORCH = "torch"  # of stock pipelines, which become ones of ours and nothing more
PRECISIONS = (INT8, INT8_WEIGHTS, FP32)
SMOOTHING = (0.7, 0.95)  # strengths of SmoothQuant: how much of outliers goes to the weights
KEPT_SHARE = 0.25  # of the quantized activations, those that harm most
COMPARED_BATCHES = 8


def candidates(
    model: Any, batches: list[WindowBatch], precision: str, report: Callable[[str], None]
) -> Iterator[tuple[str, Any]]:
    """Names of recipes and what they make of an fp32 `openvino.Model`, each made as it is asked
    for and more careful than the last. The model itself is not changed.

    batches: What the model is to run; INT8 ranges come from them, and only "int8" needs some.
    """
    if precision == FP32:
        yield FP32, model
    if precision == INT8:
        tried = []
        for strength in SMOOTHING:
            recipe = f"static INT8, SmoothQuant {strength}"
            report(f"Quantizing: {recipe}")
            tried.append((recipe, quantize_static(model, batches, strength)))
            yield tried[-1]
        report(
            f"Looking for the activations that {KEPT_SHARE:.0%} of the precision is best kept at"
        )
        some = _spread(batches, COMPARED_BATCHES)
        expected = run(model, some)
        recipe, best = min(tried, key=lambda pair: distance(run(pair[1], some), expected))
        kept = keep_sensitive(best, some, expected, report)
        yield f"{recipe}, the most sensitive kept", kept
    if precision in (INT8, INT8_WEIGHTS):
        report("Compressing: INT8 weights only")
        yield "INT8 weights only", compress_weights(model)


def quantize_static(
    model: Any, batches: list[WindowBatch], smoothing: float, *, seven_bits: bool = False
) -> Any:
    """Weights and activations in INT8, by NNCF's recipe for transformers.

    seven_bits: Of the weights; NNCF's remedy for CPUs without VNNI. Only to compare with: the
        backend sees to these CPUs, and needs no other weights.
    """
    nncf = _import_nncf()
    from nncf.quantization.advanced_parameters import (
        AdvancedQuantizationParameters,
        AdvancedSmoothQuantParameters,
    )

    data = [batch.inputs for batch in batches]
    with _quiet_logs():
        return nncf.quantize(
            model.clone(),
            nncf.Dataset(data),
            model_type=nncf.ModelType.TRANSFORMER,
            subset_size=len(data),
            advanced_parameters=AdvancedQuantizationParameters(
                overflow_fix=nncf.OverflowFix.ENABLE if seven_bits else nncf.OverflowFix.DISABLE,
                smooth_quant_alphas=AdvancedSmoothQuantParameters(matmul=smoothing),
            ),
        )


def compress_weights(model: Any) -> Any:
    """Weights in INT8, embeddings too; activations stay as they are."""
    nncf = _import_nncf()
    with _quiet_logs():
        return nncf.compress_weights(model.clone(), mode=nncf.CompressWeightsMode.INT8_ASYM)


def keep_sensitive(
    model: Any,
    batches: list[WindowBatch],
    expected: list[np.ndarray],
    report: Callable[[str], None] = lambda step: None,
) -> Any:
    """Leave a quarter of the activations unquantized: those without which, one at a time, the
    vectors come closest to the expected ones. Weights stay in INT8."""
    names = [node.get_friendly_name() for node in model.get_ops() if _is_quantizer(node)]
    without = {}
    for number, name in enumerate(names, start=1):
        without[name] = distance(run(_drop(model, [name]), batches), expected)
        if number % 10 == 0:
            report(f"Leaving out one of {len(names)} at a time: {number / len(names):.0%}")
    order = sorted(names, key=without.__getitem__)
    return _drop(model, order[: max(1, round(KEPT_SHARE * len(names)))])


def run(model: Any, batches: list[WindowBatch], *, exact: bool = True) -> list[np.ndarray]:
    """What the model gives for the batches, such as vectors (P, D), padding left out.

    exact: Compute the values of INT8 in fp32, as they are on any CPU; else in the CPU's own INT8,
        if it has one.
    """
    openvino = import_openvino()
    settings = {"INFERENCE_PRECISION_HINT": "f32"} | (EXACT if exact else {})
    compiled = openvino.compile_model(model, "CPU", settings)
    return [batch.select(compiled(batch.inputs)[0]) for batch in batches]


def distance(found: list[np.ndarray], expected: list[np.ndarray]) -> float:
    """How far vectors are from others, relative to their length."""
    difference = np.linalg.norm(np.concatenate(found) - np.concatenate(expected))
    return float(difference / np.linalg.norm(np.concatenate(expected)))


def _drop(model: Any, names: list[str]) -> Any:
    """A copy of the model without some of its quantizers."""
    model = model.clone()
    for node in model.get_ops():
        if _is_quantizer(node) and node.get_friendly_name() in names:
            node.output(0).replace(node.input_value(0))
    model.validate_nodes_and_infer_types()
    return model


def _is_quantizer(node: Any) -> bool:
    return node.get_type_name() == "FakeQuantize"


def _spread(batches: list[WindowBatch], n: int) -> list[WindowBatch]:
    chosen = np.linspace(0, len(batches) - 1, min(n, len(batches)))
    return [batches[int(i)] for i in chosen]


def check_installed(precision: str) -> None:
    """RAISES: ModuleNotFoundError if the precision takes a package that is not there."""
    if precision in (INT8, INT8_WEIGHTS) and find_spec("nncf") is None:
        raise ModuleNotFoundError(Errors.NEEDS_NNCF.format(name="nncf"), name="nncf")


def _import_nncf() -> Any:
    """To be called before its logger is asked for, which is one of its own class."""
    try:
        return import_nncf()
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(Errors.NEEDS_NNCF.format(name=error.name)) from error


@contextmanager
def _quiet_logs() -> Iterator[None]:
    """Without NNCF's notes on what it did not find; its bars of progress stay."""
    logger = logging.getLogger("nncf")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
