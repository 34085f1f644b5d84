"""The backbone on OpenVINO: fp32 or INT8 inference without torch and transformers."""

import os
import re
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
from thinc.api import Optimizer, Shim, get_current_ops
from thinc.types import Floats3d

from ..checkpoints.checkpoint import Checkpoint, Files, pack, read_checkpoint, unpack
from ..runtime.cores import count_cores
from ..runtime.no_telemetry import import_openvino
from ..windows.batches import WindowBatch
from .errors import Errors

MODEL, WEIGHTS = "model.xml", "model.bin"
QUANTIZER = b'type="FakeQuantize"'
PACKED = ["spacy_pretrained", "packed"]  # where an `openvino.Model` says so of itself

# Seconds that a thread waits at most for its turn: more than a batch of Docs takes.
LONGEST_TURN = 5.0

# Compute with the values that INT8 has, but in fp32.
EXACT = {"LP_TRANSFORMS_MODE": False}

_sessions: weakref.WeakSet = weakref.WeakSet()
_shims: weakref.WeakSet = weakref.WeakSet()
_inherited: list = []
_gate = threading.RLock()  # held while an engine is given work, and while the process forks


def _before_fork() -> None:
    """The engine has locks of its own. A child that is forked while a thread of it holds one finds
    that shut for ever: so it is waited for until all that is under way is done."""
    _gate.acquire()
    for session in list(_sessions):
        for request in list(session.under_way):
            with suppress(RuntimeError):  # whoever asked for it hears of it
                request.wait()


def _after_fork() -> None:
    """In a child. It has no threads of its parent's compiled models, and to let go of one would
    abort it. Nor has it the thread that may have held a lock, which would stay shut for ever."""
    global _gate
    _gate = threading.RLock()
    _inherited.extend(_sessions)
    for shim in _shims:
        shim._begin_again()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=lambda: _gate.release(),
        after_in_child=_after_fork,
    )


@dataclass(eq=False)
class _Session:
    """A compiled model of one process, with requests to be used again."""

    compiled: Any
    n_streams: int
    n_callers: int = 0
    idle: deque = field(default_factory=deque)
    under_way: list = field(default_factory=list)
    turn: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self):
        _sessions.add(self)

    def run(self, batches: Iterable[WindowBatch]) -> Iterator[np.ndarray]:
        """As many batches are under way as there are streams, and one more."""
        running: deque = deque()
        try:
            for batch in batches:
                running.append(self._start(batch))
                if len(running) > self.n_streams:
                    with self._finished(running.popleft()) as vectors:
                        yield vectors
            while running:
                with self._finished(running.popleft()) as vectors:
                    yield vectors
        finally:  # where it ends early
            for request in running:
                with self._finished(request):
                    pass

    def in_turn(self, batches: Iterable[WindowBatch]) -> Iterator[WindowBatch]:
        """The same batches. Other threads wait for theirs until the last of these is under way: if
        two batches of Docs shared the engine, the heads would wait for both.

        Nobody waits for ever: a caller may hold on to a prediction and never ask for the rest.
        """
        has_turn = self.turn.acquire(timeout=LONGEST_TURN)
        try:
            yield from batches
        finally:
            if has_turn:
                self.turn.release()

    def _start(self, batch: WindowBatch) -> Any:
        try:
            request = self.idle.pop()
        except IndexError:
            request = self.compiled.create_infer_request()
        with _gate:
            request.start_async(batch.inputs)
            self.under_way.append(request)
        return request

    @contextmanager
    def _finished(self, request: Any) -> Iterator[np.ndarray]:
        """Wait for a request and lend its output; then the request is idle again."""
        try:
            request.wait()
        finally:
            self.under_way.remove(request)
        try:
            yield request.get_output_tensor(0).data
        finally:  # also where nobody wants the rest
            self.idle.append(request)


class OpenVinoShim(Shim):
    """An OpenVINO model kept as bytes and compiled on first use in each process: compiled models
    do not pickle, and their threads do not survive a fork.

    It is compiled in two ways, each when it is first wanted. Many batches run on a stream for each
    core: streams of one thread beat one stream of many on short windows. A single batch, when
    nothing else is under way, has all cores in one stream: the answer is there sooner.

    threads: Cores to use; 0 means those that this process may use (see `runtime/cores.py`).
    """

    trains = False
    frozen = True
    reduced_precision = False  # of INT8 the files say so

    def __init__(self, threads: int):
        super().__init__(None)
        self.threads = threads
        self.checkpoint: Checkpoint | None = None
        self._files: Files = {}
        self._begin_again()
        _shims.add(self)

    def _begin_again(self) -> None:
        self._sessions: dict[int, _Session] = {}  # by their number of streams
        self._n_cores = 0
        # Reentrant: garbage collection may end a prediction in a thread that just begins one.
        self._lock = threading.RLock()

    def predict(self, batches: Iterable[WindowBatch]) -> Iterator[Floats3d]:
        """Vectors (R, L, D) of each batch of windows, in order; an array is valid until the next
        one is asked for."""
        batches = iter(batches)
        first = list(islice(batches, 2))
        if not first:  # nothing to compile for
            return
        ops = get_current_ops()
        is_single = len(first) == 1
        batches = chain(first, batches)
        with self._session(is_single=is_single) as session:
            # A single text does not wait for its turn behind a stream of many.
            for vectors in session.run(batches if is_single else session.in_turn(batches)):
                yield ops.asarray_f(vectors)

    def begin_update(self, batch: WindowBatch) -> tuple[Floats3d, Callable[[Floats3d], None]]:
        """The backbone does not train; what stands beside and behind it does."""
        vectors = next(array.copy() for array in self.predict([batch]))
        return vectors, lambda d_vectors: None

    def finish_update(self, optimizer: Optimizer) -> None:
        """There is nothing to update."""

    @contextmanager
    def _session(self, *, is_single: bool) -> Iterator[_Session]:
        with self._lock:
            if not self._n_cores:  # asked once: it reads files
                self._n_cores = self.threads or count_cores()
            is_busy = any(session.n_callers for session in self._sessions.values())
            n_streams = 1 if is_single and not is_busy else self._n_cores
            if n_streams not in self._sessions:
                with _gate:
                    self._sessions[n_streams] = self._compile(n_streams)
            session = self._sessions[n_streams]
            session.n_callers += 1
        try:
            yield session
        finally:
            with self._lock:
                session.n_callers -= 1

    def _compile(self, n_streams: int) -> _Session:
        openvino = import_openvino()
        if not self._files:
            raise ValueError(Errors.NOT_INITIALIZED)
        core = openvino.Core()
        settings = {
            "INFERENCE_NUM_THREADS": self._n_cores,
            "NUM_STREAMS": n_streams,
            # Some CPUs would run what is not quantized in bfloat16: other answers there than here.
            "INFERENCE_PRECISION_HINT": "f32",
            # Nor are activations quantized as they come, where only weights are: some CPUs would.
            "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0,
        }
        if QUANTIZER in self._files[MODEL] and saturates():
            settings |= EXACT
        try:
            weights = np.frombuffer(self._files[WEIGHTS], dtype="uint8")
            model = core.read_model(self._files[MODEL], openvino.Tensor(weights))
            compiled = core.compile_model(model, "CPU", settings)
        except RuntimeError as error:
            raise ValueError(_explain(error, self._files[MODEL])) from error
        return _Session(compiled, n_streams)

    # Weights in and out

    def load_source(self, folder: Path) -> None:
        raise NotImplementedError(Errors.BACKEND_DOES_NOT_TRAIN)

    def to_files(self) -> Files:
        return self._files

    def from_files(self, files: Files) -> "OpenVinoShim":
        if files:
            checkpoint = read_checkpoint(files)
            for name in (MODEL, WEIGHTS):
                if name not in files:
                    raise ValueError(Errors.CHECKPOINT_MISSING.format(name=name))
            self._files, self.checkpoint = files, checkpoint
            self._begin_again()
        return self

    def to_bytes(self) -> bytes:
        return pack(self.to_files())

    def from_bytes(self, data: bytes) -> "OpenVinoShim":
        return self.from_files(unpack(data))

    def copy(self) -> "OpenVinoShim":
        return OpenVinoShim(self.threads).from_files(self._files)

    def __deepcopy__(self, memo: dict) -> "OpenVinoShim":
        return self.copy()

    def __reduce__(self):
        return _rebuild, (self.threads, self._files)

    def to_device(self, device_type: str, device_id: int) -> None:
        """The backbone stays on the CPU."""


def is_packed(model: Any) -> bool:
    """Whether an `openvino.Model` takes rows of several windows, as `Layout.packed` says."""
    return model.has_rt_info(PACKED)


@cache
def saturates() -> bool:
    """Whether INT8 products are wrong on this CPU. Without VNNI, pairs of them are added up in 16
    bits and cut off there; then a model of INT8 is run in fp32, with the same answers as it has on
    other CPUs. Seen by the largest products there are, since no flag tells on all platforms."""
    openvino = import_openvino()
    opset8 = openvino.opset8
    low, high, width = np.float32(0), np.float32(1), 64
    inputs = opset8.parameter([-1, width], np.float32)
    weights = opset8.multiply(
        opset8.convert(opset8.constant(np.full((width, width), 127, dtype="int8")), "f32"),
        opset8.constant(np.full((width, 1), 1 / 127, dtype="float32")),
    )
    model = openvino.Model(
        [
            opset8.matmul(
                opset8.fake_quantize(inputs, low, high, low, high, 256), weights, False, True
            )
        ],
        [inputs],
    )
    compiled = openvino.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    found = compiled(np.ones((width, width), dtype="float32"))[0]
    return not np.allclose(found, width, rtol=0.01)


def _explain(error: RuntimeError, model: bytes) -> str:
    """Why a model cannot be run: it is of a newer OpenVINO than the one at hand, or damaged."""
    openvino = import_openvino()
    reason = str(error).strip().splitlines()[-1]  # the others are places in OpenVINO's source
    written_by = re.search(rb'<Runtime_version value="([\d.]+)', model)
    if written_by is not None:
        version = written_by[1].decode().rstrip(".")
        here = re.match(r"[\d.]+", openvino.__version__)[0].rstrip(".")
        if _numbers(version) > _numbers(here):
            return Errors.OPENVINO_TOO_OLD.format(version=version, here=here, error=reason)
    return Errors.WEIGHTS_BROKEN.format(name=MODEL, error=reason)


def _numbers(version: str) -> list[int]:
    return [int(number) for number in version.split(".")]


def _rebuild(threads: int, files: Files) -> OpenVinoShim:
    return OpenVinoShim(threads).from_files(files)
