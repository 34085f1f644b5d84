"""The files of a saved backbone. Only the weights differ between backends.

A pipeline's encoder folder holds them as `backbone/`, a folder in Hugging Face layout; in
`to_bytes` the same bytes travel in one dict.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import srsly

from .errors import Errors
from .wordpieces import PieceTokenizer

Files = dict[str, bytes]

CONFIG = "config.json"
TOKENIZER = "tokenizer.json"
LAYOUT = "layout.json"
CHECKSUMS = "checksums.json"


@dataclass(frozen=True)
class Layout:
    """What the wordpiece side needs to know of a backbone, without torch or transformers."""

    width: int  # D, of the vectors; of a classifier, the number of its classes
    max_window: int  # most pieces in a window, special ones included
    pad: int  # id of the padding piece
    segments: bool = False  # whether it takes token_type_ids: which of two texts a piece belongs to
    packed: bool = False  # whether it tells windows of one row apart, by their numbers in the mask


@dataclass
class Checkpoint:
    """A backbone without its weights."""

    config: dict  # the model's config.json
    tokenizer: PieceTokenizer
    layout: Layout

    def to_files(self) -> Files:
        return {
            CONFIG: _dump(self.config),
            TOKENIZER: self.tokenizer.definition.encode("utf8"),
            LAYOUT: _dump(asdict(self.layout)),
        }


def read_checkpoint(files: Files) -> Checkpoint:
    for name in (CONFIG, TOKENIZER, LAYOUT):
        if name not in files:
            raise ValueError(Errors.CHECKPOINT_MISSING.format(name=name))
    _check(files)
    return Checkpoint(
        config=json.loads(files[CONFIG]),
        tokenizer=PieceTokenizer(files[TOKENIZER].decode("utf8")),
        layout=Layout(**json.loads(files[LAYOUT])),
    )


def with_checksums(files: Files) -> Files:
    """The files and one more, with the SHA-256 of each as `sha256sum` gives it. For weights that do
    not change any more: one changed byte would change the vectors, and nothing would show it."""
    digests = {name: _digest(content) for name, content in files.items()}
    return files | {CHECKSUMS: _dump(digests)}


def _check(files: Files) -> None:
    """Compare files with their checksums, if they have some."""
    if CHECKSUMS not in files:
        return
    try:
        expected = json.loads(files[CHECKSUMS]).items()
    except (ValueError, AttributeError) as error:
        raise ValueError(Errors.WEIGHTS_BROKEN.format(name=CHECKSUMS, error=error)) from error
    for name, digest in expected:
        if name not in files:
            raise ValueError(Errors.CHECKPOINT_MISSING.format(name=name))
        if _digest(files[name]) != digest:
            raise ValueError(Errors.CHECKSUM.format(name=name))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def read_folder(folder: Path) -> Files:
    if not folder.is_dir():
        raise ValueError(Errors.CHECKPOINT_FOLDER.format(folder=folder))
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def write_folder(folder: Path, files: Files) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    # Weights that another backend saved here before must not stay.
    for path in folder.iterdir():
        if path.is_file() and path.name not in files:
            path.unlink()
    for name, content in files.items():
        (folder / name).write_bytes(content)


def pack(files: Files) -> bytes:
    return srsly.msgpack_dumps(files)


def unpack(data: bytes) -> Files:
    return srsly.msgpack_loads(data)


def _dump(value: dict) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode("utf8")
