"""The backbone on torch: to train, and to run a pipeline that is not quantized."""

import json
import logging
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from thinc.api import Optimizer, Shim
from thinc.types import Floats3d
from transformers import PreTrainedModel

from ..checkpoints.checkpoint import Checkpoint, Files, pack, unpack
from ..runtime.shared_lock import SharedLock
from ..windows.batches import WINDOW_A_ROW, RowShape, WindowBatch
from . import torch_weights
from .errors import Errors
from .learn_rate import choose_rate
from .torch_arrays import to_array, to_tensor
from .torch_device import check_device, choose_device
from .torch_kinds import compute_layers_again, find_embeddings, freeze_bottom
from .torch_optimizer import TorchOptimizer
from .torch_packing import Packing, find_packing
from .torch_parameters import count_outside_embeddings
from .torch_settings import TorchSettings
from .torch_trial import try_update

logger = logging.getLogger("spacy")

# Saved with the weights: the factor of the learning rate, where the first training chose it.
TRAINING = "training.json"
FACTOR = "learn_rate_factor"

# Rows of 128 were slower in training (MiniLM-L6 in fp32, a CPU with AVX2).
PACKED_ROWS = RowShape(filled_to=64)
HAVE_SPARSE = {"cpu", "cuda"}  # devices; "mps" has no sparse tensors in older versions of torch
DEMANDING = ("mixed_precision", "gradient_checkpointing")  # settings that not every model can do

if hasattr(os, "register_at_fork"):  # not on Windows
    # A child forked after torch used OpenMP hangs in its first parallel region.
    os.register_at_fork(after_in_child=lambda: torch.set_num_threads(1))


class TorchShim(Shim):
    """A Hugging Face encoder with its files and its optimizer (see `TorchOptimizer`)."""

    trains = True
    quantizable = True

    def __init__(self, settings: TorchSettings):
        super().__init__(None)
        self.settings = settings
        self.checkpoint: Checkpoint | None = None
        self.device: torch.device | None = None
        self.optimizer = TorchOptimizer(settings.learn_rate_factor)
        self._packing: Packing | None = None
        self._tried_packing = False
        # A stream that is read ahead makes predictions while the loop around it makes updates.
        self._in_use = SharedLock()

    @property
    def module(self) -> PreTrainedModel:
        if self._model is None:
            raise ValueError(Errors.NOT_INITIALIZED)
        return self._model

    @property
    def frozen(self) -> bool:
        return self.settings.frozen

    @property
    def reduced_precision(self) -> bool:
        return self.settings.mixed_precision

    @property
    def row_shape(self) -> RowShape:
        has_packed = self._model is not None and self.packing is not None
        return PACKED_ROWS if has_packed else WINDOW_A_ROW

    @property
    def packing(self) -> Packing | None:
        """How the model is told several windows of a row apart, if it can be. That is tried when it
        is first asked: not every pipeline that is loaded is run."""
        if not self._tried_packing and self.gives_vectors:
            run = partial(self.compute, self.module)
            settings = {"mixed_precision": self.settings.mixed_precision}
            self._packing = find_packing(self.module, run, self.checkpoint.layout, **settings)
            self._tried_packing = True
        return self._packing

    # Vectors

    def predict(self, batches: Iterable[WindowBatch]) -> Iterator[Floats3d]:
        """Vectors (R, L, D) of each batch of windows, in order. Touches no state, so that threads
        may share the module. An update waits until they are done, and they wait for it."""
        for batch in batches:
            with self._in_use.shared(), torch.inference_mode():
                vectors = self._run(batch)
            yield to_array(vectors)

    def begin_update(self, batch: WindowBatch) -> tuple[Floats3d, Callable[[Floats3d], None]]:
        """Vectors (R, L, D) of one batch, and the callback that takes their gradient."""
        if self.settings.frozen:
            (vectors,) = self.predict([batch])
            return vectors, lambda d_vectors: None
        with self._training():
            check_device(self.settings.device, self.device)
            output = self._run(batch)

        def backprop(d_vectors: Floats3d) -> None:
            if not output.requires_grad:  # all layers are frozen
                return
            # Gradient checkpointing runs the layers again here, and dropout must run with them.
            with self._training():
                output.backward(to_tensor(d_vectors, output.device))

        return to_array(output.detach()), backprop

    gives_vectors = True  # of pieces

    @staticmethod
    def compute(module: PreTrainedModel, **inputs: torch.Tensor) -> torch.Tensor:
        """What is wanted of a module: its vectors (R, L, D)."""
        return module(**inputs).last_hidden_state

    def _run(self, batch: WindowBatch) -> torch.Tensor:
        inputs = {name: torch.from_numpy(array) for name, array in batch.inputs.items()}
        return self._run_inputs(inputs, has_packed_rows=batch.has_packed_rows)

    def _run_inputs(
        self, inputs: dict[str, torch.Tensor], *, has_packed_rows: bool = False
    ) -> torch.Tensor:
        module = self.module
        inputs = {name: tensor.to(self.device) for name, tensor in inputs.items()}
        if has_packed_rows:
            inputs = self.packing.inputs(**inputs)
        enabled = self.settings.mixed_precision
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=enabled):
            return self.compute(module, **inputs).float()

    @contextmanager
    def _training(self):
        with self._in_use.alone():
            self.module.train()
            try:
                yield
            finally:
                self.module.eval()

    # Training

    def finish_update(self, optimizer: Optimizer) -> None:
        with self._in_use.alone():
            self.optimizer.step(self.module, optimizer)

    @contextmanager
    def use_params(self, params: dict) -> Iterator[None]:
        """Run with the moving averages in place of the weights; `params` are the Thinc
        optimizer's averages, whose absence says that there are none."""
        if not params or self._model is None:
            yield
            return
        with self.optimizer.averaged(self._model):
            yield

    # Weights in and out

    # How modules are read, and which inputs try them out; see `TorchPairShim` for others.
    load = staticmethod(torch_weights.load_pretrained)
    read = staticmethod(torch_weights.from_files)

    def example_inputs(self) -> Iterator[dict[str, torch.Tensor]]:
        """Inputs of different shapes, with some padding."""
        generator = torch.Generator().manual_seed(0)
        layout = self.checkpoint.layout
        for rows, length in ((2, 16), (1, 5), (3, min(40, layout.max_window))):
            n_pieces = self.module.config.vocab_size
            ids = torch.randint(n_pieces, (rows, length), generator=generator)
            mask = torch.ones_like(ids)
            mask[1:, 3:] = 0
            ids[mask == 0] = layout.pad
            yield {"input_ids": ids, "attention_mask": mask}

    def load_source(self, folder: Path) -> None:
        """Take pretrained weights from a folder in Hugging Face layout."""
        self._take_new(*self.load(folder, self.settings.dropout))

    def _take_new(self, module: PreTrainedModel, checkpoint: Checkpoint) -> None:
        """Take a module to train; settings that it cannot be trained with are refused."""
        self._take(module, checkpoint, training=True)
        demanding = [name for name in DEMANDING if getattr(self.settings, name)]
        if demanding:
            try_update(self._update_nothing, self._model.config.model_type, demanding)
        if self.optimizer.chooses_factor and not self.frozen:
            n_parameters = count_outside_embeddings(self.module)
            logger.info(
                "Encoder: its learning rate peaks at %g, as fits %.1f M parameters outside the "
                "embeddings (learn_rate_factor = null)",
                *(choose_rate(n_parameters), n_parameters / 1e6),
            )

    def _update_nothing(self) -> None:
        """Run the passes of an update, and forget them."""
        inputs = next(self.example_inputs())
        with torch.random.fork_rng(), self._training():  # the training draws what it would draw
            output = self._run_inputs(inputs)
            if output.requires_grad and not self.settings.frozen:
                output.backward(torch.ones_like(output))
        self.module.zero_grad(set_to_none=True)

    def to_files(self) -> Files:
        if self._model is None:
            return {}
        files = torch_weights.to_files(self._model, self.checkpoint)
        if self.optimizer.chooses_factor and self.optimizer.factor is not None:
            # Another training, of the trained pipeline, is to keep it.
            files[TRAINING] = json.dumps({FACTOR: self.optimizer.factor}).encode("utf8")
        return files

    def from_files(self, files: Files) -> "TorchShim":
        if files:
            self._take(*self.read(files, self.settings.dropout), training=False)
            if self.optimizer.chooses_factor and TRAINING in files:
                self.optimizer.factor = json.loads(files[TRAINING])[FACTOR]
        return self

    def to_bytes(self) -> bytes:
        return pack(self.to_files())

    def from_bytes(self, data: bytes) -> "TorchShim":
        return self.from_files(unpack(data))

    def copy(self) -> "TorchShim":
        copy = type(self)(self.settings).from_files(self.to_files())
        self.optimizer.share_schedule(copy.optimizer)
        return copy

    def __deepcopy__(self, memo: dict) -> "TorchShim":
        return self.copy()

    def __reduce__(self):
        # A schedule cannot be pickled, but the value that it is at.
        settings = self.settings
        if not self.optimizer.chooses_factor:
            settings = replace(settings, learn_rate_factor=self.optimizer.factor)
        return _rebuild, (type(self), settings, self.to_files())

    def to_device(self, device_type: str, device_id: int) -> None:
        if self.settings.device == "auto" and self._model is not None:
            name = f"cuda:{device_id}" if device_type == "gpu" else "cpu"
            self._place(choose_device(name, training=True))

    def _take(self, module: PreTrainedModel, checkpoint: Checkpoint, *, training: bool) -> None:
        if self.settings.freeze_layers:
            freeze_bottom(module, self.settings.freeze_layers)
        if self.settings.gradient_checkpointing:
            compute_layers_again(module)
        self._model, self.checkpoint = module.eval(), checkpoint
        self._packing, self._tried_packing = None, False
        self.optimizer.begin()
        self._place(choose_device(self.settings.device, training=training))

    def _place(self, device: torch.device) -> None:
        if device != self.device:
            logger.info("Encoder (%s) on device %s", self._model.config.model_type, device)
        self.device = device
        self._model.to(device)
        # Gradients of the few pieces of a batch: a dense one would fill, and add, the whole table
        # for every batch of windows. They are dense again before a step.
        find_embeddings(self._model).sparse = device.type in HAVE_SPARSE
        self.optimizer.forget_state()  # it would stay behind


def _rebuild(kind: type[TorchShim], settings: TorchSettings, files: Files) -> TorchShim:
    return kind(settings).from_files(files)
