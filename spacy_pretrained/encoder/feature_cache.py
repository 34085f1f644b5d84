"""Vectors of Docs that a frozen encoder has computed once: in memory, or in files between runs."""

import logging
import os
import threading
import weakref
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path

import numpy as np
import srsly
from spacy.attrs import ORTH, SPACY
from spacy.tokens import Doc
from thinc.api import Model, Ops, serialize_attr
from thinc.types import Floats2d

from ..checkpoints.checkpoint import Checkpoint
from ..errors import count_of
from ..windows.doc_arrays import DocArrays
from .errors import Errors
from .vector_shards import KEY_BYTES, ShardWriter, Vectors, count_bytes, read_shards

logger = logging.getLogger("spacy")

CACHE_BYTES = 2 * 2**30  # 1.4 million words of width 384

# Adds the vectors of the N tokens of some Docs to an array (N, D) of zeros.
Encode = Callable[[list[Doc], Floats2d], None]


class FeatureCache:
    """The vectors (N, D) of Docs, by what they depend on: words, spaces and where sentences start.

    What does not fit into `limit` bytes is computed every time: an epoch reads its Docs in a
    circle, and a cache that made room for the latest would never have the next.

    checkpoint: Of the encoder, whose vectors these are.
    folder: Where to keep vectors between runs, for this encoder alone; None to keep none. Vectors
        that are there when the cache is made are used, whatever their size, and count.
    name: Of the encoder's component, for messages.
    """

    def __init__(self, checkpoint: Checkpoint, limit: int, folder: Path | None, name: str):
        self.checkpoint = checkpoint
        self._width = width = checkpoint.layout.width
        self._limit = limit
        self._name = name
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._vectors: Vectors = {}
        self._bytes = 0
        self._is_full = False  # has been said
        self._writer: ShardWriter | None = None
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            self._vectors = read_shards(folder, width)
            self._bytes = count_bytes(folder)
            self._writer = ShardWriter(folder, width)
            weakref.finalize(self, self._writer.flush)  # at the latest when Python ends

    def __len__(self) -> int:
        """The number of Docs."""
        return len(self._vectors)

    def fill(
        self, ops: Ops, docs: list[Doc], arrays: DocArrays, out: Floats2d, encode: Encode
    ) -> None:
        """Write the vectors of the Docs into out (N, D); those not known are computed together."""
        keys = [make_key(doc, a) for doc, a in zip(docs, arrays.by_doc())]
        missing = {key: i for i, key in enumerate(keys) if key not in self._vectors}
        computed = self._compute(ops, [docs[i] for i in missing.values()], encode)
        new = dict(zip(missing, computed))
        low = 0
        for doc, key in zip(docs, keys):
            vectors = new[key] if key in new else ops.asarray2f(self._vectors[key])
            out[low : low + len(doc)] = vectors
            low += len(doc)
        for key, vectors in new.items():
            self._put(key, ops.to_numpy(vectors))

    def _compute(self, ops: Ops, docs: list[Doc], encode: Encode) -> list[Floats2d]:
        if not docs:
            return []
        bounds = np.cumsum([len(doc) for doc in docs])
        out = ops.alloc2f(int(bounds[-1]), self._width)
        encode(docs, out)
        return ops.xp.split(out, bounds[:-1].tolist())

    def _put(self, key: bytes, vectors: Floats2d) -> None:
        # A child that was forked uses what its parent had, and leaves the rest to it.
        if os.getpid() != self._process:
            return
        with self._lock:
            if key in self._vectors:  # another thread was faster
                return
            if self._bytes + vectors.nbytes > self._limit:
                self._say_full()
                return
            self._bytes += vectors.nbytes
            # A copy: a Doc that is kept must not keep the vectors of all its batch.
            self._vectors[key] = vectors.copy()
            if self._writer is not None:
                self._vectors |= self._writer.add(key, self._vectors[key])

    def _say_full(self) -> None:
        if not self._is_full:
            self._is_full = True
            used, limit = self._bytes / 2**20, self._limit / 2**20
            message = Errors.CACHE_FULL.format(
                name=self._name,
                documents=count_of(len(self), "document"),
                used=used,
                limit=limit,
            )
            logger.warning(message)

    # A copy of a model trains on its own, and neither it nor a saved one has a cache.

    def __deepcopy__(self, memo: dict) -> None:
        return None

    def __reduce__(self):
        return type(None), ()


@serialize_attr.register(FeatureCache)
def _serialize(_, cache: FeatureCache, name: str, model: Model) -> bytes:
    return srsly.msgpack_dumps(None)


def make_key(doc: Doc, arrays: DocArrays) -> bytes:
    """A digest of all that the vectors of a Doc depend on, the encoder given. Hashes of words are
    the same in every process."""
    digest = blake2b(doc.to_array([ORTH, SPACY]).tobytes(), digest_size=KEY_BYTES)
    digest.update(arrays.sentence_like.tobytes())
    return digest.digest()
