"""The files of a saved backbone. Only the weights differ between backends.

A pipeline's encoder folder holds them as `backbone/`, a folder in Hugging Face layout; in
`to_bytes` the same bytes travel in one dict.
"""

import hashlib
import json
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from typing import get_type_hints

import srsly

from .errors import Errors
from .wordpieces import PieceTokenizer

Files = dict[str, bytes]

CONFIG = "config.json"
TOKENIZER = "tokenizer.json"
LAYOUT = "layout.json"
CHECKSUMS = "checksums.json"

# Keys of a config.json by which transformers chooses its program code.
KERNELS = {"attn_implementation", "experts_implementation"}


@dataclass(frozen=True)
class Layout:
    """What the wordpiece side needs to know of a backbone, without torch or transformers."""

    width: int  # D, of the vectors; of a classifier, the number of its classes
    max_window: int  # most pieces in a window, special ones included
    pad: int  # id of the padding piece
    segments: bool = False  # whether it takes token_type_ids: which of two texts a piece belongs to
    packed: bool = False  # in OpenVINO's files: whether the model tells windows of one row apart


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
    config = without_kernels(_read_object(files, CONFIG))
    try:
        definition = files[TOKENIZER].decode("utf8")
    except ValueError as error:
        raise ValueError(Errors.FILE_BROKEN.format(name=TOKENIZER, error=error)) from error
    tokenizer = PieceTokenizer(definition)
    layout = _read_layout(_read_object(files, LAYOUT))
    _check_sizes(config, tokenizer, layout)
    return Checkpoint(config, tokenizer, layout)


def without_kernels(config: dict) -> dict:
    """A config without what has transformers fetch program code from the model hub, as it does for
    an implementation of attention by a name such as "owner/name". It chooses one itself then."""
    return {
        key: without_kernels(value) if isinstance(value, dict) else value
        for key, value in config.items()
        if key.strip("_").removesuffix("_internal") not in KERNELS
    }


def _read_object(files: Files, name: str) -> dict:
    try:
        value = json.loads(files[name])
        if not isinstance(value, dict):
            raise ValueError("it has to be an object")
    except ValueError as error:
        raise ValueError(Errors.FILE_BROKEN.format(name=name, error=error)) from error
    return value


def _read_layout(values: dict) -> Layout:
    """RAISES: ValueError for other keys, or values of other kinds."""
    kinds = get_type_hints(Layout)
    needed = {field.name for field in fields(Layout) if field.default is MISSING}
    wrong = [f"it lacks '{name}'" for name in sorted(needed - values.keys())]
    wrong += [f"it has an unknown '{name}'" for name in sorted(values.keys() - kinds.keys())]
    for name in sorted(kinds.keys() & values.keys()):
        if type(values[name]) is not kinds[name]:  # a bool is an int, too
            wrong.append(f"'{name}' is {values[name]!r}, not of the kind {kinds[name].__name__}")
    if wrong:
        raise ValueError(Errors.FILE_BROKEN.format(name=LAYOUT, error="; ".join(wrong)))
    return Layout(**values)


def _check_sizes(config: dict, tokenizer: PieceTokenizer, layout: Layout) -> None:
    """RAISES: ValueError if the numbers in files that have to fit each other do not."""
    least = tokenizer.n_special + 2
    n_vectors = config.get("vocab_size")
    n_vectors = n_vectors if isinstance(n_vectors, int) else None
    wrong = None
    if layout.width < 1:
        wrong = f"'width' is {layout.width}"
    elif layout.max_window < least:
        wrong = f"'max_window' is {layout.max_window}, and has to be at least {least}"
    elif layout.pad < 0 or (n_vectors is not None and layout.pad >= n_vectors):
        wrong = f"'pad' is {layout.pad}, which is the number of no wordpiece"
    if wrong:
        raise ValueError(Errors.FILE_BROKEN.format(name=LAYOUT, error=wrong))
    if n_vectors is not None and tokenizer.n_pieces > n_vectors:
        sizes = {"n_pieces": tokenizer.n_pieces, "n_vectors": n_vectors}
        raise ValueError(Errors.PIECES_BEYOND.format(**sizes))


def _check(files: Files) -> None:
    """Compare files with their checksums, if they have some: a quantized backbone of 0.1.0 has.
    Later ones have those of their component (see `saving/checked_pipe.py`)."""
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
    paths = (path for path in sorted(folder.iterdir()) if not path.name.startswith("."))
    return {path.name: path.read_bytes() for path in paths if path.is_file()}


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
