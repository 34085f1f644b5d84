"""A backend of somebody else's: one file and one registered name. Its transformer is a table with a
vector for each wordpiece, to which it adds the mean over all pieces of the window."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import srsly
from spacy import registry
from thinc.api import Optimizer, Shim
from thinc.types import Floats3d

from spacy_pretrained.checkpoints.checkpoint import (
    Checkpoint,
    Files,
    Layout,
    pack,
    read_checkpoint,
    unpack,
)
from spacy_pretrained.checkpoints.wordpieces import PieceTokenizer
from spacy_pretrained.encoder.token_encoder import EncoderModel, build_encoder
from spacy_pretrained.errors import Errors
from spacy_pretrained.windows.batches import WINDOW_A_ROW, WindowBatch

TABLE = "table.msgpack"
WIDTH = 32


@registry.architectures("tests.NumpyEncoder.v1")
def build_numpy_encoder(frozen: bool = False, orth_width: int = 8) -> EncoderModel:
    return build_encoder(NumpyShim(frozen), 32, None, 256, orth_width, frozen)


class NumpyShim(Shim):
    trains = True
    quantizable = False
    reduced_precision = False
    row_shape = WINDOW_A_ROW

    def __init__(self, frozen: bool):
        super().__init__(None)
        self.frozen = frozen
        self.checkpoint: Checkpoint | None = None
        self.table: np.ndarray | None = None

    def predict(self, batches: Iterable[WindowBatch]) -> Iterator[Floats3d]:
        for batch in batches:
            if self.table is None:
                raise ValueError(Errors.NOT_INITIALIZED)
            yield self._mix(batch, self.table[batch.ids])

    def begin_update(self, batch: WindowBatch) -> tuple[Floats3d, Callable[[Floats3d], None]]:
        (vectors,) = self.predict([batch])

        def backprop(d_vectors: Floats3d) -> None:
            if not self.frozen:
                np.add.at(self._gradient, batch.ids, self._mix(batch, d_vectors))

        return vectors, backprop

    @staticmethod
    def _mix(batch: WindowBatch, vectors: Floats3d) -> Floats3d:
        """Add its mean to each window, of which a row has one; it is its own adjoint."""
        mask = (batch.mask > 0)[..., None].astype("float32")
        means = (vectors * mask).sum(axis=1, keepdims=True) / mask.sum(axis=1, keepdims=True)
        return (vectors + means) * mask

    def finish_update(self, optimizer: Optimizer) -> None:
        if self.table is not None and self._gradient.any():
            self.table, _ = optimizer((self.id, TABLE), self.table, self._gradient)
            self._gradient = np.zeros_like(self.table)

    def load_source(self, folder: Path) -> None:
        tokenizer = PieceTokenizer((folder / "tokenizer.json").read_text("utf8"))
        layout = Layout(WIDTH, max_window=64, pad=0)
        checkpoint = Checkpoint(srsly.read_json(folder / "config.json"), tokenizer, layout)
        rng = np.random.default_rng(0)
        self._take(checkpoint, rng.normal(size=(len(tokenizer.vocabulary()), WIDTH)))

    def _take(self, checkpoint: Checkpoint, table: np.ndarray) -> None:
        self.checkpoint, self.table = checkpoint, table.astype("float32")
        self._gradient = np.zeros_like(self.table)

    def to_files(self) -> Files:
        if self.checkpoint is None:
            return {}
        return self.checkpoint.to_files() | {TABLE: srsly.msgpack_dumps(self.table)}

    def from_files(self, files: Files) -> "NumpyShim":
        if files:
            self._take(read_checkpoint(files), srsly.msgpack_loads(files[TABLE]).copy())
        return self

    def to_bytes(self) -> bytes:
        return pack(self.to_files())

    def from_bytes(self, data: bytes) -> "NumpyShim":
        return self.from_files(unpack(data))

    def copy(self) -> "NumpyShim":
        return NumpyShim(self.frozen).from_files(self.to_files())

    def __deepcopy__(self, memo: dict) -> "NumpyShim":
        return self.copy()

    def __reduce__(self):
        return _rebuild, (self.frozen, self.to_files())


def _rebuild(frozen: bool, files: Files) -> NumpyShim:
    return NumpyShim(frozen).from_files(files)
