"""Where spaCy is on a GPU, components train and annotate as on the CPU. No GPU is needed: CuPy and
torch's tensors on a GPU have stand-ins."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from thinc.api import CupyOps

from spacy_pretrained.backends import torch_arrays
from spacy_pretrained.backends.torch_arrays import to_array, to_tensor
from spacy_pretrained.backends.torch_device import choose_device

TESTS = Path(__file__).parent
SCENES = (
    "learn_and_annotate",
    "learn_more",
    "learn_from_a_teacher",
    "keep_a_frozen_encoder",
    "use_another_encoder",
    "classify_from_few_examples",
    "classify_without_examples",
    "run_quantized",
)


@pytest.fixture(scope="module")
def found(tiny_bert, tiny_nli, tmp_path_factory) -> dict[str, dict]:
    """What gpu_worker.py finds in each scene, on the CPU and on a stand-in of a GPU."""
    folder = tmp_path_factory.mktemp("gpu")
    environment = os.environ | {"PYTHONPATH": str(TESTS.parent)}
    results = {}
    for device in ("cpu", "gpu"):
        output = folder / f"{device}.json"
        command = [sys.executable, TESTS / "gpu_worker.py", device, tiny_bert, tiny_nli("bert")]
        subprocess.run([*command, output], check=True, env=environment)
        results[device] = json.loads(output.read_text("utf8"))
    return results


@pytest.mark.slow
@pytest.mark.parametrize("scene", SCENES)
def test_all_is_as_on_the_cpu(found, scene):
    on_cpu, on_gpu = found["cpu"][scene], found["gpu"][scene]
    assert not isinstance(on_cpu, str), on_cpu  # a traceback
    assert not isinstance(on_gpu, str), on_gpu
    ours, theirs = list(flatten(on_cpu)), list(flatten(on_gpu))
    assert [one for one in ours if not isinstance(one, float)] == [
        one for one in theirs if not isinstance(one, float)
    ]
    numbers = [[one for one in side if isinstance(one, float)] for side in (ours, theirs)]
    assert_allclose(*numbers, rtol=0.02, atol=0.02)  # Adam makes much of the smallest gradients


def flatten(value: object) -> Iterator[object]:
    """What is in lists and dicts within each other, with the keys."""
    if isinstance(value, dict):
        value = [part for item in value.items() for part in item]
    if not isinstance(value, list):
        yield value
        return
    for one in value:
        yield from flatten(one)


def test_every_scene_is_looked_at():
    text = (TESTS / "gpu_worker.py").read_text("utf8")
    _, _, listed = text.partition("\nSCENES = (\n")
    assert listed.partition("\n)")[0].replace(" ", "").rstrip(",").split(",\n") == list(SCENES)


def test_cupy_gets_a_tensor_itself_and_no_capsule(monkeypatch):
    """CuPy 13.4 and later take no capsules."""
    taken = []
    ops = CupyOps()
    ops.xp = SimpleNamespace(from_dlpack=lambda tensor: taken.append(tensor) or "an array")
    monkeypatch.setattr(torch_arrays, "get_current_ops", lambda: ops)
    tensor = SimpleNamespace(is_cuda=True)
    assert to_array(tensor) == "an array" and taken == [tensor]


def test_torch_gets_an_array_itself_too(monkeypatch):
    """Capsules that CuPy 14 makes by itself are of a version that torch does not take."""
    monkeypatch.setattr(torch, "from_dlpack", lambda array: SimpleNamespace(to=lambda to: array))
    array = object()
    assert to_tensor(array, SimpleNamespace(type="cuda")) is array


def test_an_array_and_its_tensor_share_memory():
    values = np.arange(6, dtype="float32").reshape(2, 3)
    found = to_tensor(values, torch.device("cpu"))
    assert found.data_ptr() == values.ctypes.data and torch.equal(found, torch.tensor(values))


def test_a_tensor_that_is_elsewhere_becomes_a_numpy_array():
    tensor = torch.arange(6.0).reshape(2, 3)
    assert np.array_equal(to_array(tensor), tensor.numpy())


def test_a_gpu_without_a_number_is_that_of_the_thread_that_chose(monkeypatch):
    """Other threads, in which streams are predicted, have another current GPU."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 1)
    assert choose_device("cuda", training=True) == torch.device("cuda", 1)
    assert choose_device("cuda:0", training=True) == torch.device("cuda", 0)
