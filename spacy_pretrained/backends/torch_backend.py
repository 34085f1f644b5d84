"""The backbone on torch: to train, and to run a pipeline that is not quantized."""

import logging
import os
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from thinc.api import CupyOps, Optimizer, Shim, get_current_ops, torch2xp, xp2torch
from thinc.types import Floats3d
from transformers import PreTrainedModel

from ..checkpoints.checkpoint import Checkpoint, Files, pack, unpack
from ..windows.batches import WindowBatch
from . import torch_weights
from .errors import Errors
from .torch_device import check_device, choose_device

logger = logging.getLogger("spacy")

if hasattr(os, "register_at_fork"):  # not on Windows
    # A child forked after torch used OpenMP hangs in its first parallel region.
    os.register_at_fork(after_in_child=lambda: torch.set_num_threads(1))


@dataclass(frozen=True)
class TorchSettings:
    """How the backbone runs and trains: see `spacy-pretrained.TorchEncoder.v1`."""

    frozen: bool = False
    freeze_layers: int = 0
    dropout: float | None = None
    mixed_precision: bool = False
    gradient_checkpointing: bool = False
    device: str = "auto"


class TorchShim(Shim):
    """A Hugging Face encoder with its files and its optimizer.

    The optimizer is torch's of the kind of the pipeline's own Thinc optimizer (Adam, RAdam or SGD),
    with its numbers (learn_rate, beta1, beta2, eps, L2, grad_clip), but: the learning rate is
    multiplied by `learn_rate_factor`, gradients are clipped by their global norm (Thinc clips each
    tensor), and norms and biases do not decay. When the Thinc optimizer keeps moving averages, so
    does this. Another Thinc optimizer begins anew.
    """

    trains = True

    def __init__(self, settings: TorchSettings, learn_rate_factor: float | Generator):
        super().__init__(None)
        self.settings = settings
        self.learn_rate_factor = learn_rate_factor
        self.checkpoint: Checkpoint | None = None
        self.device: torch.device | None = None
        self._factor = 1.0 if isinstance(learn_rate_factor, Generator) else learn_rate_factor
        self._thinc_optimizer: Optimizer | None = None  # that the torch one was built by
        self._averages: dict[str, torch.Tensor] = {}
        self._n_updates = 0
        self._dense_gradient: torch.Tensor | None = None

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

    # Vectors

    def predict(self, batches: Iterable[WindowBatch]) -> Iterator[Floats3d]:
        """Vectors (W, L, D) of each batch of windows, in order. Touches no state, so that threads
        may share the module: it always is in evaluation mode but within an update."""
        for batch in batches:
            with torch.inference_mode(), self._autocast():
                vectors = self._run(batch)
            yield _to_array(vectors)

    def begin_update(self, batch: WindowBatch) -> tuple[Floats3d, Callable[[Floats3d], None]]:
        """Vectors (W, L, D) of one batch, and the callback that takes their gradient."""
        if self.settings.frozen:
            (vectors,) = self.predict([batch])
            return vectors, lambda d_vectors: None
        check_device(self.settings.device, self.device)
        with self._training(), self._autocast():
            output = self._run(batch)

        def backprop(d_vectors: Floats3d) -> None:
            if not output.requires_grad:  # all layers are frozen
                return
            # Gradient checkpointing runs the layers again here, and dropout must run with them.
            with self._training():
                output.backward(xp2torch(d_vectors).to(output.device))

        return _to_array(output.detach()), backprop

    gives_vectors = True  # of pieces

    @staticmethod
    def compute(module: PreTrainedModel, **inputs: torch.Tensor) -> torch.Tensor:
        """What is wanted of a module: its vectors (W, L, D)."""
        return module(**inputs).last_hidden_state

    def _run(self, batch: WindowBatch) -> torch.Tensor:
        inputs = {name: torch.from_numpy(x).to(self.device) for name, x in batch.inputs.items()}
        return self.compute(self.module, **inputs).float()

    @contextmanager
    def _training(self):
        self.module.train()
        try:
            yield
        finally:
            self.module.eval()

    def _autocast(self):
        enabled = self.settings.mixed_precision
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=enabled)

    # Training

    def finish_update(self, optimizer: Optimizer) -> None:
        parameters = [p for p in self.module.parameters() if p.grad is not None]
        if not parameters:
            return
        for parameter in parameters:
            if parameter.grad.is_sparse:
                parameter.grad = self._make_dense(parameter.grad)
        norm = torch.nn.utils.clip_grad_norm_(parameters, optimizer.grad_clip or float("inf"))
        if not torch.isfinite(norm):
            raise ValueError(Errors.GRADIENT_NOT_FINITE.format(norm=float(norm)))
        if self._thinc_optimizer is not optimizer:
            self._thinc_optimizer, self._optimizer = optimizer, None
            self._averages, self._n_updates = {}, 0
        if self._optimizer is None:
            self._optimizer = _build_optimizer(self.module, optimizer, self.device)
        settings = {
            "lr": optimizer.learn_rate * self._next_factor(),
            "betas": (optimizer.b1, optimizer.b2),
            "eps": optimizer.eps,
        }
        for group, decay in zip(self._optimizer.param_groups, (optimizer.L2, 0.0)):
            group.update({k: v for k, v in settings.items() if k in group}, weight_decay=decay)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        if optimizer.averages is not None:
            self._update_averages()

    def _make_dense(self, gradient: torch.Tensor) -> torch.Tensor:
        """A gradient of the embeddings, in memory that is kept: new pages in every step (47 MB for
        MiniLM) took 5 % of a training in small batches."""
        if self._dense_gradient is None:
            self._dense_gradient = torch.zeros_like(gradient, layout=torch.strided)
        return self._dense_gradient.zero_().add_(gradient)

    def _next_factor(self) -> float:
        if isinstance(self.learn_rate_factor, Generator):
            # One that ends stays at its last value, as Thinc's do.
            self._factor = float(next(self.learn_rate_factor, self._factor))
        return self._factor

    @torch.no_grad()
    def _update_averages(self) -> None:
        self._n_updates += 1
        # The formula of Thinc's Ops.update_averages.
        decay = min(0.9999, (1 + self._n_updates) / (10 + self._n_updates))
        for name, parameter in self.module.named_parameters():
            if parameter.requires_grad:
                average = self._averages.setdefault(name, torch.zeros_like(parameter))
                average.lerp_(parameter, 1 - decay)

    @contextmanager
    def use_params(self, params: dict):
        """Run with the moving averages in place of the weights; `params` are the Thinc
        optimizer's averages, whose absence says that there are none."""
        own = dict(self.module.named_parameters()) if params and self._averages else {}
        weights = {name: own[name].data for name in self._averages if name in own}
        for name in weights:
            own[name].data = self._averages[name]
        try:
            yield
        finally:
            for name, weight in weights.items():
                own[name].data = weight

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
        self._take(*self.load(folder, self.settings.dropout), training=True)

    def to_files(self) -> Files:
        if self._model is None:
            return {}
        return torch_weights.to_files(self._model, self.checkpoint)

    def from_files(self, files: Files) -> "TorchShim":
        if files:
            self._take(*self.read(files, self.settings.dropout), training=False)
        return self

    def to_bytes(self) -> bytes:
        return pack(self.to_files())

    def from_bytes(self, data: bytes) -> "TorchShim":
        return self.from_files(unpack(data))

    def copy(self) -> "TorchShim":
        return type(self)(self.settings, self.learn_rate_factor).from_files(self.to_files())

    def __deepcopy__(self, memo: dict) -> "TorchShim":
        return self.copy()

    def __reduce__(self):
        # A schedule cannot be pickled, but the value that it is at.
        return _rebuild, (type(self), self.settings, self._factor, self.to_files())

    def to_device(self, device_type: str, device_id: int) -> None:
        if self.settings.device == "auto" and self._model is not None:
            name = f"cuda:{device_id}" if device_type == "gpu" else "cpu"
            self._place(choose_device(name, training=True))

    def _take(self, module: PreTrainedModel, checkpoint: Checkpoint, *, training: bool) -> None:
        if self.settings.freeze_layers:
            torch_weights.freeze_bottom(module, self.settings.freeze_layers)
        if self.settings.gradient_checkpointing:
            module.gradient_checkpointing_enable({"use_reentrant": False})
        # Gradients of the few pieces of a batch: a dense one would fill, and add, the whole table
        # for every batch of windows. They are dense again before a step.
        module.get_input_embeddings().sparse = True
        self._model, self.checkpoint = module.eval(), checkpoint
        self._averages, self._n_updates = {}, 0
        self._place(choose_device(self.settings.device, training=training))

    def _place(self, device: torch.device) -> None:
        if device != self.device:
            logger.info("Encoder (%s) on device %s", self._model.config.model_type, device)
        self.device = device
        self._model.to(device)
        # Their state would stay behind.
        self._optimizer, self._dense_gradient = None, None


def _build_optimizer(
    module: PreTrainedModel, optimizer: Optimizer, device: torch.device
) -> torch.optim.Optimizer:
    """Of the same kind, for two groups: matrices, and what does not decay. Its numbers are set
    before each step, for they may be schedules."""
    trained = [p for p in module.parameters() if p.requires_grad]
    groups = [{"params": [p for p in trained if p.ndim > 1]}]
    groups.append({"params": [p for p in trained if p.ndim <= 1]})
    if optimizer.use_radam:
        decoupled = optimizer.L2_is_weight_decay
        return torch.optim.RAdam(groups, decoupled_weight_decay=decoupled)
    if not (optimizer.b1 and optimizer.b2):  # Thinc's SGD, which has no momentum
        return torch.optim.SGD(groups, lr=0.0)
    kind = torch.optim.AdamW if optimizer.L2_is_weight_decay else torch.optim.Adam
    return kind(groups, lr=0.0, fused=device.type in ("cpu", "cuda"))


def _to_array(vectors: torch.Tensor) -> Floats3d:
    """A numpy array, or a cupy one when that is where spaCy works and the vectors are there."""
    if vectors.is_cuda and isinstance(get_current_ops(), CupyOps):
        return torch2xp(vectors)
    return vectors.cpu().numpy()


def _rebuild(
    kind: type[TorchShim], settings: TorchSettings, learn_rate_factor: float, files: Files
) -> TorchShim:
    return kind(settings, learn_rate_factor).from_files(files)
