"""What the components share that have a backbone, of their own or that of an encoder before them:
whose weights it runs on, how it is saved, and how a stream of Docs goes through it."""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar

from spacy.tokens import Doc
from spacy.util import SimpleFrozenList, from_bytes, from_disk, to_bytes, to_disk
from spacy.vocab import Vocab
from thinc.api import Model

from ..backends.backbone import get_shim, load_weights, share_shim
from ..checkpoints.catalogue import describe_misfit
from ..checkpoints.checkpoint import pack, read_folder, unpack, write_folder
from ..checkpoints.families import describe_conversion
from ..checkpoints.tokenizer_checks import refuse_unknown
from ..runtime.doc_stream import annotate_ahead, batch_docs
from ..saving.checked_pipe import CheckedPipe, describe_part_error
from ..saving.save_mark import renew_after_bytes
from .errors import Errors

DEFAULT_SOURCE = "minilm-l6"
logger = logging.getLogger("spacy")

Result = TypeVar("Result")


@dataclass(frozen=True)
class Part:
    """A part of a component that is saved: a file or a folder, or bytes."""

    to_disk: Callable[[Path], Any]
    from_disk: Callable[[Path], Any]
    to_bytes: Callable[[], bytes]
    from_bytes: Callable[[bytes], Any]


def make_file_part(to_bytes: Callable[[], bytes], from_bytes: Callable[[bytes], Any]) -> Part:
    """A part that is a file with the same bytes."""
    return Part(
        lambda path: path.write_bytes(to_bytes()),
        lambda path: from_bytes(path.read_bytes()),
        to_bytes,
        from_bytes,
    )


def make_backbone_part(model: Model) -> Part:
    """The backbone of a model, whichever it has by then: a folder in Hugging Face layout."""
    return Part(
        lambda path: write_folder(path, get_shim(model).to_files()),
        lambda path: get_shim(model).from_files(read_folder(path)),
        lambda: pack(get_shim(model).to_files()),
        lambda data: get_shim(model).from_files(unpack(data)),
    )


class BackbonePipe(CheckedPipe):
    """A base beside one of spaCy's components, which has to stand behind it. The component's model
    has a ref "backbone"."""

    vocab: Vocab
    model: Model
    name: str
    upstream: str | None = None  # the encoder whose backbone it runs on; None if it has its own
    _shares_backbone = False
    # Whether streams are read ahead. Not behind an encoder that does so already.
    reads_ahead = True

    # The backbone

    def share_backbone(self, encoder: Model) -> None:
        """Run on the weights of the encoder's model from now on; it is the one named `upstream`."""
        share_shim(self.model, encoder)
        self._shares_backbone = True

    def _load_weights(
        self, source: str, texts: Iterable[str] = (), model: Model | None = None
    ) -> None:
        """Take pretrained weights, for `initialize`. Warnings say so if they are not for the
        pipeline's language, or cannot be converted to OpenVINO; see also `backbone.load_weights`.

        texts: Some of those that it is trained on. ValueError if the tokenizer does not know them.
        model: That takes them; None for the component's own.
        """
        model = self.model if model is None else model
        load_weights(model, source, self.name)
        checkpoint = get_shim(model).checkpoint
        refuse_unknown(checkpoint.tokenizer, texts, source)
        if warning := describe_misfit(source, self.vocab.lang, self.name):
            logger.warning(warning)
        if warning := describe_conversion(checkpoint.config["model_type"], self.name):
            logger.warning(warning)

    @property
    def _has_weights(self) -> bool:
        return get_shim(self.model).checkpoint is not None

    def _check_weights(self) -> None:
        if self.upstream is not None and not self._shares_backbone:
            raise ValueError(Errors.UPSTREAM_MISSING.format(name=self.name, upstream=self.upstream))
        if not self._has_weights:
            raise ValueError(Errors.NOT_INITIALIZED)

    # Prediction

    def _annotate_ahead(
        self,
        stream: Iterable[Doc],
        batch_size: int,
        predict: Callable[[list[Doc]], Result],
        annotate: Callable[[list[Doc], Result], None],
    ) -> Iterator[Doc]:
        """Annotate a stream of Docs; in order. While a batch of them is with the components behind
        this one, the next two are predicted in threads of their own, so that up to three batches
        are held. With a batch_size of 1 each Doc is yielded before the next one is read: whoever
        gives the texts may wait for each answer.

        batch_size: Docs in a batch; fewer where they are long.
        """
        yield from annotate_ahead(
            batch_docs(stream, batch_size),
            predict,
            annotate,
            partial(self.get_error_handler(), self.name, self),
            ahead=self.reads_ahead and batch_size > 1 and self.model.ops.device_type == "cpu",
        )

    # Weights in and out

    def _saved_parts(self, exclude: Iterable[str]) -> dict[str, Part]:
        """What is saved, by the names of files and folders; subclasses have more."""
        vocab = self.vocab
        parts = {
            "vocab": Part(
                partial(vocab.to_disk, exclude=exclude),
                partial(vocab.from_disk, exclude=exclude),
                partial(vocab.to_bytes, exclude=exclude),
                partial(vocab.from_bytes, exclude=exclude),
            )
        }
        if self.upstream is None:
            parts["backbone"] = make_backbone_part(self.model)
        return parts

    def _write_folder(self, folder: Path, exclude: list[str]) -> None:
        """The backbone, unless it is another's, is `backbone/`, in Hugging Face layout."""
        parts = self._saved_parts(exclude)
        to_disk(folder, {name: part.to_disk for name, part in parts.items()}, exclude)

    def _read_folder(self, folder: Path, exclude: list[str]) -> None:
        for name, part in self._saved_parts(exclude).items():
            if name == "backbone":  # whose errors are clear
                from_disk(folder, {name: part.from_disk}, exclude)
                continue
            try:
                from_disk(folder, {name: part.from_disk}, exclude)
            except FileNotFoundError:
                raise  # it names the file
            except Exception as error:  # of JSON, of msgpack and of Thinc
                message = describe_part_error(folder, name, self.name, error)
                raise ValueError(message) from error

    def to_bytes(self, *, exclude: Iterable[str] = SimpleFrozenList()) -> bytes:
        parts = self._saved_parts(exclude)
        return to_bytes({name: part.to_bytes for name, part in parts.items()}, exclude)

    def from_bytes(self, data: bytes, *, exclude: Iterable[str] = SimpleFrozenList()) -> Self:
        parts = self._saved_parts(exclude)
        from_bytes(data, {name: part.from_bytes for name, part in parts.items()}, exclude)
        renew_after_bytes(self)
        return self
