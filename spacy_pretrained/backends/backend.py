"""What a backend is: the one place that says so.

A backend runs a pretrained transformer: it is given batches of windows and gives vectors. Models
keep it as the shim of their layer "backbone" (see `backbone.py`). A backend of one's own is a
`thinc.api.Shim` with the members below and a registered architecture that hands it to
`encoder.token_encoder.build_encoder` or `encoder.text_encoder.build_sentence_encoder`.

Axes: R rows, L wordpieces of a row, D width. A row holds one window or, if the backend's
`row_shape` says so, several, with their numbers in the mask. Padding may have any vector.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Protocol, Self, runtime_checkable

from thinc.api import Optimizer
from thinc.types import Floats3d

from ..checkpoints.checkpoint import Checkpoint, Files
from ..checkpoints.wordpieces import PieceTokenizer
from ..windows.batches import RowShape, WindowBatch


@runtime_checkable
class Backend(Protocol):
    """Runs, and may train, a pretrained transformer.

    A model that classifies pairs of texts has a backend as well. It takes `pair_plan.PairBatch`es
    and gives the logits (R, C) of C classes wherever this says vectors.
    """

    @property
    def checkpoint(self) -> Checkpoint | None:
        """The configuration, the tokenizer and the layout that belong to the weights; None before
        there are weights. Other weights come with another object."""

    @property
    def trains(self) -> bool:
        """Whether this kind of backend can train, and take weights that others have pretrained."""

    @property
    def quantizable(self) -> bool:
        """Whether `quantization.torch_export` can make an OpenVINO model of it."""

    @property
    def frozen(self) -> bool:
        """Whether the weights stay as they are when a pipeline is trained."""

    @property
    def reduced_precision(self) -> bool:
        """Whether it computes in fewer bits than its weights have, so that its vectors are others
        than those that the same files give elsewhere."""

    @property
    def row_shape(self) -> RowShape:
        """How windows are to be laid into rows. Several may share one if the model tells them apart
        by their numbers in the mask. Without weights, any."""

    def predict(self, batches: Iterable[WindowBatch]) -> Iterator[Floats3d]:
        """The vectors (R, L, D) of each batch, float32, in order. Batches are taken as they are
        needed, perhaps some ahead. An array is valid until the next one is asked for. Several
        threads may predict at the same time. Of no batches nothing is asked, not even weights.

        RAISES: ValueError if there are no weights yet.
        """

    def begin_update(self, batch: WindowBatch) -> tuple[Floats3d, Callable[[Floats3d], None]]:
        """The vectors (R, L, D) of one batch, and a callback that takes their gradient (R, L, D)
        and adds to the gradients of the weights; where these are frozen, it does nothing.

        RAISES: ValueError if there are no weights yet.
        """

    def finish_update(self, optimizer: Optimizer) -> None:
        """Step with the gradients so far, and drop them; without any, do nothing.

        RAISES: ValueError if they are not finite. They are dropped then, too.
        """

    def load_source(self, folder: Path) -> None:
        """Take pretrained weights from a folder in Hugging Face layout.

        RAISES: ValueError if they cannot be read, NotImplementedError if the backend does not
        train. Components call `backbone.load_weights`, which says so in their name.
        """

    def to_files(self) -> Files:
        """The weights and what goes with them, by file names; nothing if there are none yet."""

    def from_files(self, files: Files) -> Self:
        """The inverse of `to_files`; of nothing, nothing changes. RETURNS: Itself.

        RAISES: ValueError if a file is missing or damaged.
        """

    def to_bytes(self) -> bytes:
        """The files in one piece, for Thinc."""

    def from_bytes(self, data: bytes) -> Self:
        """The inverse of `to_bytes`."""

    def copy(self) -> Self:
        """Another one with the same settings and weights. It shares nothing that training
        changes. Pickling and `copy.deepcopy` give the same."""


@runtime_checkable
class ScratchBackend(Backend, Protocol):
    """A backend whose weights are not pretrained, but random at first."""

    def make_weights(self, tokenizer: PieceTokenizer) -> None:
        """Take new random weights, with a vector for each piece of a tokenizer."""
