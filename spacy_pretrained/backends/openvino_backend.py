"""The backbone on OpenVINO: fp32 or INT8 inference without torch and transformers."""

import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
from thinc.api import Optimizer, Shim, get_current_ops
from thinc.types import Floats3d

from ..checkpoints.checkpoint import CHECKSUMS, Checkpoint, Files, pack, read_checkpoint, unpack
from ..runtime.cores import count_threads
from ..runtime.no_telemetry import import_openvino
from ..windows.batches import WINDOW_A_ROW, RowShape, WindowBatch
from .errors import Errors
from .openvino_session import Session, add_owner, gate

MODEL, WEIGHTS = "model.xml", "model.bin"
NEEDED = {"input_ids", "attention_mask"}
QUANTIZER = b'type="FakeQuantize"'
# INT8 is fast with rows of a multiple of 16 pieces. 64 was the fastest of 48 to 128 (MiniLM-L6, a
# CPU with AMX).
PACKED_ROWS = RowShape(filled_to=64, step=16)
PACKED = ["spacy_pretrained", "packed"]  # where an `openvino.Model` says so of itself

# Compute with the values that INT8 has, but in fp32.
EXACT = {"LP_TRANSFORMS_MODE": False}


class OpenVinoShim(Shim):
    """An OpenVINO model kept as bytes and compiled on first use in each process: compiled models
    do not pickle, and their threads do not survive a fork.

    It is compiled in two ways, each when it is first wanted. Many batches run on a stream for each
    core: streams of one thread beat one stream of many on short windows. A single batch, when
    nothing else is under way, has all cores in one stream: the answer is there sooner.

    threads: Cores to use; 0 means those that this process should (see `runtime/cores.py`).
    """

    trains = False
    quantizable = False
    frozen = True
    reduced_precision = False  # of INT8 the files say so

    def __init__(self, threads: int):
        super().__init__(None)
        self.threads = threads
        self.checkpoint: Checkpoint | None = None
        self._files: Files = {}
        self.forget_sessions()
        add_owner(self)

    @property
    def row_shape(self) -> RowShape:
        has_packed = self.checkpoint is not None and self.checkpoint.layout.packed
        return PACKED_ROWS if has_packed else WINDOW_A_ROW

    def forget_sessions(self) -> None:
        """Compile anew when next asked."""
        self._sessions: dict[int, Session] = {}  # by their number of streams
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
        with self._session(is_single=is_single) as session:
            # A single text does not wait for its turn behind a stream of many.
            for vectors in session.run(chain(first, batches), in_turn=not is_single):
                yield ops.asarray_f(vectors)

    def begin_update(self, batch: WindowBatch) -> tuple[Floats3d, Callable[[Floats3d], None]]:
        """The backbone does not train; what stands beside and behind it does."""
        vectors = next(array.copy() for array in self.predict([batch]))
        return vectors, lambda d_vectors: None

    def finish_update(self, optimizer: Optimizer) -> None:
        """There is nothing to update."""

    @contextmanager
    def _session(self, *, is_single: bool) -> Iterator[Session]:
        with self._lock:
            if not self._n_cores:  # asked once: it reads files
                self._n_cores = self.threads or count_threads()
            is_busy = any(session.n_callers for session in self._sessions.values())
            n_streams = 1 if is_single and not is_busy else self._n_cores
            if n_streams not in self._sessions:
                with gate():
                    self._sessions[n_streams] = self._compile(n_streams)
            session = self._sessions[n_streams]
            session.n_callers += 1
        try:
            yield session
        except RuntimeError:
            # What refused one batch may answer others, which come later, with the same error.
            with self._lock:
                if self._sessions.get(n_streams) is session:
                    del self._sessions[n_streams]
            raise
        finally:
            with self._lock:
                session.n_callers -= 1

    def _compile(self, n_streams: int) -> Session:
        openvino = import_openvino()
        if not self._files:
            raise ValueError(Errors.NOT_INITIALIZED)
        core = openvino.Core()
        settings = {
            "INFERENCE_NUM_THREADS": self._n_cores,
            "NUM_STREAMS": n_streams,
            # Each process would pin its threads to the first cores, the same ones as all others.
            "ENABLE_CPU_PINNING": False,
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
            raise ValueError(_explain(error, self._files)) from error
        _check_inputs(compiled)
        return Session(compiled, n_streams)

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
            # A component has checksums of its own now.
            self._files = {name: file for name, file in files.items() if name != CHECKSUMS}
            self.checkpoint = checkpoint
            self.forget_sessions()
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


def _check_inputs(compiled: Any) -> None:
    """ValueError if a model lacks an input that every one has."""
    found = {name for inputs in compiled.inputs for name in inputs.get_names()}
    if missing := NEEDED - found:
        names = {"found": ", ".join(sorted(found)), "missing": ", ".join(sorted(missing))}
        raise ValueError(Errors.INPUTS_MISSING.format(**names))


def _explain(error: RuntimeError, files: Files) -> str:
    """Why a model cannot be run: it is of a newer OpenVINO than the one at hand, or damaged."""
    openvino = import_openvino()
    model = files[MODEL]
    reason = str(error).strip().splitlines()[-1]  # the others are places in OpenVINO's source
    written_by = re.search(rb'<Runtime_version value="([\d.]+)', model)
    if written_by is not None:
        version = written_by[1].decode().rstrip(".")
        here = re.match(r"[\d.]+", openvino.__version__)[0].rstrip(".")
        if _numbers(version) > _numbers(here):
            return Errors.OPENVINO_TOO_OLD.format(version=version, here=here, error=reason)
    ends = (int(a) + int(b) for a, b in re.findall(rb'offset="(\d+)"[^>]*size="(\d+)"', model))
    is_cut = max(ends, default=0) > len(files[WEIGHTS])
    return Errors.WEIGHTS_BROKEN.format(name=WEIGHTS if is_cut else MODEL, error=reason)


def _numbers(version: str) -> list[int]:
    return [int(number) for number in version.split(".")]


def _rebuild(threads: int, files: Files) -> OpenVinoShim:
    return OpenVinoShim(threads).from_files(files)
