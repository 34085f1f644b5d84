"""Where an encoder's weights come from, as [initialize] says: a source, or the training texts."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from itertools import islice
from os.path import expanduser
from pathlib import Path

from thinc.api import Model

from ..backends.backbone import get_shim
from ..backends.backend import ScratchBackend
from ..checkpoints.checkpoint import TOKENIZER
from ..checkpoints.learn_wordpieces import learn_wordpieces
from ..checkpoints.tokenizer_checks import SAMPLE, refuse_unknown
from ..checkpoints.wordpieces import PieceTokenizer
from .concat_encoder import find_named
from .errors import Errors
from .token_encoder import EncoderModel

VOCABULARY_SIZE = 8000


@dataclass(frozen=True)
class Origin:
    """For one encoder: see `PretrainedEncoder.initialize`."""

    source: str | None = None
    tokenizer: str | Path | None = None
    vocabulary_size: int | None = None

    @property
    def given(self) -> list[str]:
        """The names of what is set."""
        return [field.name for field in fields(self) if getattr(self, field.name) is not None]


SETTINGS = [field.name for field in fields(Origin)]


def is_from_scratch(model: EncoderModel) -> bool:
    return isinstance(get_shim(model), ScratchBackend)


def pair_origins(
    model: Model, name: str, origin: Origin, encoders: dict[str, dict] | None
) -> Iterator[tuple[EncoderModel, Origin]]:
    """Each encoder of a model, with its origin.

    name: The component's, for messages.
    encoders: Settings of an `Origin` for each encoder of several, by their names.
    RAISES: ValueError for settings that are not for such an encoder.
    """
    named = find_named(model)
    if not named:
        if encoders:
            raise ValueError(Errors.ORIGIN_ONE.format(name=name))
        yield _check(model, name, origin)
        return
    if origin.given:
        found = {"name": name, "setting": origin.given[0], "names": ", ".join(named)}
        raise ValueError(Errors.ORIGIN_SEVERAL.format(**found))
    settings = encoders or {}
    if unknown := sorted(set(settings) - set(named)):
        found = {"name": name, "unknown": unknown[0], "names": ", ".join(named)}
        raise ValueError(Errors.ORIGIN_UNKNOWN.format(**found))
    for part, encoder in named.items():
        block, own = f"{name}.encoders.{part}", settings.get(part, {})
        if unknown := sorted(set(own) - set(SETTINGS)):
            found = {"block": block, "setting": unknown[0], "known": ", ".join(SETTINGS)}
            raise ValueError(Errors.ORIGIN_SETTING.format(**found))
        yield _check(encoder, block, Origin(**own))


def _check(encoder: EncoderModel, block: str, origin: Origin) -> tuple[EncoderModel, Origin]:
    """Refuse what the encoder would not heed. block: Its part of [initialize.components]."""
    if is_from_scratch(encoder):
        if origin.source is not None:
            raise ValueError(Errors.SCRATCH_SOURCE.format(block=block, source=origin.source))
        if len(origin.given) == 2:
            raise ValueError(Errors.SCRATCH_VOCABULARY.format(block=block))
    elif others := [setting for setting in origin.given if setting != "source"]:
        raise ValueError(Errors.NOT_FROM_SCRATCH.format(block=block, setting=others[0]))
    return encoder, origin


def make_tokenizer(origin: Origin, texts: Iterable[str]) -> PieceTokenizer:
    """The tokenizer of an encoder from scratch: the given one, or one learnt from all texts.

    RAISES: ValueError if there is none, or it does not know the first of the texts.
    """
    if origin.tokenizer is None:
        size = VOCABULARY_SIZE if origin.vocabulary_size is None else origin.vocabulary_size
        return learn_wordpieces(texts, size)
    path = Path(expanduser(origin.tokenizer))
    file = path / TOKENIZER if path.is_dir() else path
    if not file.is_file():
        raise ValueError(Errors.SCRATCH_TOKENIZER.format(path=path))
    tokenizer = PieceTokenizer(file.read_text("utf8"))
    refuse_unknown(tokenizer, islice(texts, SAMPLE), str(path))
    return tokenizer
