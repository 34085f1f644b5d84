"""The layer that holds a pretrained transformer, on whichever backend, inside of a model."""

from collections.abc import Iterator
from contextlib import contextmanager

from thinc.api import Model

from ..sources.find import find_source
from .backend import Backend, ScratchBackend
from .errors import Errors
from .torch_settings import ScratchSettings, TorchSettings


def Backbone(backend: Backend) -> Model:
    """A layer that has a backend and never runs alone: models call its shim, with batches of
    windows. They keep it as their ref "backbone"."""
    return Model("backbone", forward, shims=[backend])


def forward(model: Model, X, is_train: bool):
    raise NotImplementedError(Errors.BACKBONE_ALONE)


def make_torch_shim(settings: TorchSettings) -> Backend:
    with needs_torch():
        from .torch_backend import TorchShim

    return TorchShim(settings)


def make_scratch_shim(settings: ScratchSettings) -> ScratchBackend:
    with needs_torch():
        from .torch_scratch import ScratchShim

    return ScratchShim(settings)


@contextmanager
def needs_torch() -> Iterator[None]:
    """Around an import of what needs torch: if it is not there, an error says what to install."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(Errors.NEEDS_TORCH.format(name=error.name)) from error


def get_shim(model: Model) -> Backend:
    return model.get_ref("backbone").shims[0]


def share_shim(model: Model, other: Model) -> None:
    """Let a model run on another's backend, with its weights."""
    model.get_ref("backbone").shims[0] = get_shim(other)


def is_frozen(model: Model) -> bool:
    """Whether the backbone stays as it is, whatever is trained."""
    return get_shim(model).frozen


def trains(model: Model) -> bool:
    """Whether the backbone is on a backend that can train it."""
    return get_shim(model).trains


def load_weights(model: Model, source: str, name: str) -> None:
    """Take pretrained weights, for `initialize`.

    source: See `sources.find.find_source`.
    name: Of the component, for messages.
    RAISES: ValueError if the backend does not train, or the source has no such weights.
    """
    if not trains(model):
        raise ValueError(Errors.ENCODER_NOT_TRAINABLE.format(name=name))
    get_shim(model).load_source(find_source(source))


def check_settings(**settings: tuple[int, int]) -> None:
    """Refuse a setting, given with the least value that it may have, that is below it."""
    for name, (value, least) in settings.items():
        if value < least:
            raise ValueError(Errors.SETTING_TOO_SMALL.format(name=name, value=value, least=least))
