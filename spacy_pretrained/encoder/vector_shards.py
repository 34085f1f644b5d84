"""Vectors of Docs in a folder: files that are written once and never change.

A shard is a header (magic, number of Docs, checksum of the index), an index (for each Doc its key,
its number of tokens and a checksum) and the Docs' vectors one after another, raw float32. Each
process writes shards of its own, under another name until they are complete, so that any number
may share a folder; what a process finds when it begins is what it knows.
"""

import logging
import os
import struct
import time
import uuid
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
from thinc.types import Floats2d

from ..runtime.whole_files import UNFINISHED, whole_file
from .errors import Errors

logger = logging.getLogger("spacy")

Vectors = dict[bytes, Floats2d]  # by the key of a Doc, KEY_BYTES long; (N, D)

KEY_BYTES = 16
HEADER = struct.Struct("<8sII")
MAGIC = b"SPVEC\x00\x00\x01"  # the last byte is the version
INDEX = np.dtype([("key", f"V{KEY_BYTES}"), ("rows", "<u4"), ("checksum", "<u4")])
SUFFIX = ".vectors"
# A file that is still unfinished after so long was left by a process that ended.
UNFINISHED_SECONDS = 3600
SHARD_BYTES = 32 * 2**20  # what a process that is killed may lose


def write_shard(folder: Path, vectors: Vectors) -> Path:
    """Write the vectors, float32 and contiguous, as a new shard; on an OSError nothing is left."""
    index = np.zeros(len(vectors), dtype=INDEX)
    for row, (key, array) in zip(index, vectors.items()):
        row["key"], row["rows"], row["checksum"] = key, len(array), zlib.crc32(array)
    path = folder / (uuid.uuid4().hex + SUFFIX)
    with whole_file(path) as unfinished, unfinished.open("wb") as file:
        file.write(HEADER.pack(MAGIC, len(index), zlib.crc32(index)))
        file.write(index)
        for array in vectors.values():
            file.write(array)
    return path


def read_shard(path: Path, width: int) -> tuple[Vectors, int]:
    """The vectors, of this width D, mapped into memory, and how many Docs are damaged. A ValueError
    says that nothing can be read."""
    with path.open("rb") as file:
        header = file.read(HEADER.size)
        if len(header) < HEADER.size:
            raise ValueError(Errors.SHARD_BROKEN.format(path=path))
        magic, n_docs, checksum = HEADER.unpack(header)
        if magic != MAGIC or n_docs * INDEX.itemsize > path.stat().st_size:
            raise ValueError(Errors.SHARD_BROKEN.format(path=path))
        content = file.read(n_docs * INDEX.itemsize)
        if zlib.crc32(content) != checksum:
            raise ValueError(Errors.SHARD_BROKEN.format(path=path))
        start = file.tell()
    index = np.frombuffer(content, dtype=INDEX)
    n_rows = (path.stat().st_size - start) // (4 * width)
    data = np.zeros((0, width), dtype="<f4")
    if n_rows:
        data = np.memmap(path, dtype="<f4", mode="r", offset=start, shape=(n_rows, width))
    ends = np.cumsum(index["rows"], dtype="int64")
    vectors = {}
    for row, end in zip(index, ends):
        array = data[end - row["rows"] : end]
        # A plain array on the same memory: slices of a memmap are slow to make.
        array = np.asarray(array)
        if len(array) == row["rows"] and zlib.crc32(array) == row["checksum"]:
            vectors[row["key"].tobytes()] = array
    return vectors, len(index) - len(vectors)


def read_shards(folder: Path, width: int) -> Vectors:
    """The vectors of all shards. A damaged one is written anew without the Docs that are damaged;
    a warning says how many."""
    _remove_unfinished(folder)
    vectors: Vectors = {}
    for path in sorted(folder.glob("*" + SUFFIX)):
        try:
            found, n_damaged = read_shard(path, width)
        except FileNotFoundError:  # another process has written it anew
            continue
        except ValueError as error:
            logger.warning(error)
            with suppress(OSError):  # it is not ours to remove
                path.unlink(missing_ok=True)
            continue
        except OSError as error:  # such as too many files that are open
            logger.warning(Errors.SHARD_NOT_READ.format(path=path, error=error))
            continue
        if n_damaged:
            logger.warning(
                Errors.SHARD_DAMAGED.format(path=path, damaged=n_damaged, kept=len(found))
            )
            with suppress(OSError):  # in a folder that takes no files; on Windows, while it is read
                if found:
                    found, _ = read_shard(write_shard(folder, found), width)
                path.unlink(missing_ok=True)
        vectors |= found
    return vectors


def count_bytes(folder: Path) -> int:
    """The size of all shards."""
    size = 0
    for path in folder.glob("*" + SUFFIX):
        with suppress(FileNotFoundError):  # another process has just written it anew
            size += path.stat().st_size
    return size


def _remove_unfinished(folder: Path) -> None:
    """There is no lock: those that are young may be another process's, which is writing them."""
    for path in folder.glob(f".*{SUFFIX}.*{UNFINISHED}"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > UNFINISHED_SECONDS:
                path.unlink(missing_ok=True)


class ShardWriter:
    """Gathers the vectors that one process computes, and writes them by the shard."""

    def __init__(self, folder: Path, width: int):
        self._folder = folder
        self._width = width
        self._process = os.getpid()
        self._vectors: Vectors = {}
        self._bytes = 0
        self._works = True

    def add(self, key: bytes, vectors: Floats2d) -> Vectors:
        """Take on the vectors (N, D) of a Doc. When that completes a shard, the vectors in it are
        returned, now mapped into memory."""
        self._vectors[key] = vectors
        self._bytes += vectors.nbytes
        return self.flush() if self._bytes >= SHARD_BYTES else {}

    def flush(self) -> Vectors:
        """Write what there is. A folder that cannot be written to any more is no reason to end a
        training: there is a warning, and no other attempt."""
        vectors, self._vectors, self._bytes = self._vectors, {}, 0
        # A child that was forked has what its parent is going to write.
        if not vectors or not self._works or os.getpid() != self._process:
            return {}
        try:
            return read_shard(write_shard(self._folder, vectors), self._width)[0]
        except OSError as error:
            self._works = False
            logger.warning(Errors.CACHE_NOT_WRITTEN.format(folder=self._folder, error=error))
            return {}
