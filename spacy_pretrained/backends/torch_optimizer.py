"""Step the weights of a torch module as a Thinc optimizer says."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from itertools import tee

import torch
from thinc.api import Optimizer

from .errors import Errors
from .learn_rate import choose_rate, find_peak
from .torch_parameters import count_outside_embeddings


class TorchOptimizer:
    """Steps a module with torch's optimizer of the kind of the pipeline's own Thinc optimizer
    (Adam, RAdam or SGD), with its numbers (learn_rate, beta1, beta2, eps, L2, grad_clip), but: the
    learning rate is multiplied by `learn_rate_factor`, gradients are clipped by their global norm
    (Thinc clips each tensor), and norms and biases do not decay. When the Thinc optimizer keeps
    moving averages, so does this. Another Thinc optimizer begins anew.

    learn_rate_factor: A number, or a schedule, which is asked once a step; or None for a rate that
        fits the module's size: the first step fixes a number.
    """

    def __init__(self, learn_rate_factor: float | Generator | None):
        is_schedule = isinstance(learn_rate_factor, Generator)
        self.factor = 1.0 if is_schedule else learn_rate_factor  # that the last step had
        self.chooses_factor = learn_rate_factor is None
        self._schedule: Iterator[float] | None = learn_rate_factor if is_schedule else None
        self._source: Optimizer | None = None  # that the torch one was built by
        self.torch_optimizer: torch.optim.Optimizer | None = None
        self._averages: dict[str, torch.Tensor] = {}
        self._n_updates = 0
        self._dense_gradient: torch.Tensor | None = None

    def share_schedule(self, copy: "TorchOptimizer") -> None:
        """Let a copy go on with the schedule from here, on its own."""
        if self._schedule is not None:
            self._schedule, copy._schedule = tee(self._schedule)
            copy.factor = self.factor

    def begin(self) -> None:
        """Begin anew, as for other weights."""
        self.forget_state()
        self._averages, self._n_updates = {}, 0
        if self.chooses_factor:
            self.factor = None

    def forget_state(self) -> None:
        """Begin the moments of gradients anew, as on another device."""
        self.torch_optimizer, self._dense_gradient = None, None

    def step(self, module: torch.nn.Module, source: Optimizer) -> None:
        """Step with the gradients of a module and drop them; without any, do nothing.

        source: The pipeline's optimizer.
        RAISES: ValueError if they are not finite. They are dropped then, too: the next step would
            have them in its sum.
        """
        parameters = [p for p in module.parameters() if p.grad is not None]
        if not parameters:
            return
        for parameter in parameters:
            if parameter.grad.is_sparse:
                parameter.grad = self._make_dense(parameter.grad)
        norm = torch.nn.utils.clip_grad_norm_(parameters, source.grad_clip or float("inf"))
        if not torch.isfinite(norm):
            module.zero_grad(set_to_none=True)
            raise ValueError(Errors.GRADIENT_NOT_FINITE.format(norm=float(norm)))
        if self._source is not source:
            self._source, self.torch_optimizer = source, None
            self._averages, self._n_updates = {}, 0
        if self.torch_optimizer is None:
            self.torch_optimizer = _build(module, source)
        if self.factor is None:
            self._choose_factor(module, source)
        self._take_numbers(self.torch_optimizer, source)
        self.torch_optimizer.step()
        self.torch_optimizer.zero_grad(set_to_none=True)
        if source.averages is not None:
            self._update_averages(module)

    def _make_dense(self, gradient: torch.Tensor) -> torch.Tensor:
        """A gradient of the embeddings, in memory that is kept: new pages in every step (47 MB for
        MiniLM) took 5 % of a training in small batches."""
        if self._dense_gradient is None:
            self._dense_gradient = torch.zeros_like(gradient, layout=torch.strided)
        return self._dense_gradient.zero_().add_(gradient)

    def _take_numbers(self, optimizer: torch.optim.Optimizer, source: Optimizer) -> None:
        """Before each step, for they may be schedules."""
        settings = {
            "lr": source.learn_rate * self._next_factor(),
            "betas": (source.b1, source.b2),
            "eps": source.eps,
        }
        for group, decay in zip(optimizer.param_groups, (source.L2, 0.0)):
            group.update({k: v for k, v in settings.items() if k in group}, weight_decay=decay)

    def _choose_factor(self, module: torch.nn.Module, source: Optimizer) -> None:
        """Fix the factor by which the rate peaks where it should. A step at a rate of 0 fixes
        nothing: it learns nothing either."""
        if source.learn_rate:
            rate = choose_rate(count_outside_embeddings(module))
            self.factor = rate / find_peak(source)

    def _next_factor(self) -> float:
        if self._schedule is not None:
            # One that ends stays at its last value, as Thinc's do.
            self.factor = float(next(self._schedule, self.factor))
        return self.factor or 0.0

    @torch.no_grad()
    def _update_averages(self, module: torch.nn.Module) -> None:
        self._n_updates += 1
        # The formula of Thinc's Ops.update_averages.
        decay = min(0.9999, (1 + self._n_updates) / (10 + self._n_updates))
        for name, parameter in module.named_parameters():
            if parameter.requires_grad:
                average = self._averages.setdefault(name, torch.zeros_like(parameter))
                average.lerp_(parameter, 1 - decay)

    @contextmanager
    def averaged(self, module: torch.nn.Module) -> Iterator[None]:
        """Let a module have the moving averages in place of its weights, if there are some."""
        own = dict(module.named_parameters()) if self._averages else {}
        weights = {name: own[name].data for name in self._averages if name in own}
        for name in weights:
            own[name].data = self._averages[name]
        try:
            yield
        finally:
            for name, weight in weights.items():
                own[name].data = weight


def _build(module: torch.nn.Module, source: Optimizer) -> torch.optim.Optimizer:
    """Of the same kind, for two groups: matrices, and what does not decay."""
    trained = [p for p in module.parameters() if p.requires_grad]
    groups = [{"params": [p for p in trained if p.ndim > 1]}]
    groups.append({"params": [p for p in trained if p.ndim <= 1]})
    if source.use_radam:
        decoupled = source.L2_is_weight_decay
        return torch.optim.RAdam(groups, decoupled_weight_decay=decoupled)
    if not (source.b1 and source.b2):  # Thinc's SGD, which has no momentum
        return torch.optim.SGD(groups, lr=0.0)
    kind = torch.optim.AdamW if source.L2_is_weight_decay else torch.optim.Adam
    return kind(groups, lr=0.0, fused=trained[0].device.type in ("cpu", "cuda"))
