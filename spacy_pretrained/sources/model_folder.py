"""Folders of models in the shapes that hubs have: which of their folders has the encoder, and what
is not supported. All of it is found without torch and transformers."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .errors import Errors
from .hub_files import BIN, INDEX, SAFETENSORS, TRANSFORMER
from .installed import is_installed
from .tensor_names import read_tensor_names

CONFIG = "config.json"
TOKENIZER = "tokenizer.json"
TOKENIZER_CONFIG = "tokenizer_config.json"
TOKENIZERS = ("tokenizer*", "vocab*", "merges.txt", "*.model")  # one has some of these
MODULES = "modules.json"  # the parts of a sentence-transformers model
WITHOUT_WEIGHTS = (".Transformer", ".Pooling", ".Normalize")  # or with those that are read
ADAPTER_CONFIG = "adapter_config.json"
QUANTIZER_CONFIGS = {"quantize_config.json": "GPTQ", "quant_config.json": "AWQ"}
METHODS = {"bitsandbytes": "bitsandbytes", "gptq": "GPTQ", "awq": "AWQ"}
# Kinds of models whose tokenizers are Python programs, unless the folder has a tokenizer.json.
SLOW = {
    "ctrl": "CTRLTokenizer",
    "marian": "MarianTokenizer",
    "flaubert": "FlaubertTokenizer",
    "bert-japanese": "BertJapaneseTokenizer",
}
CACHED_MODEL = "models--"  # begins the name of a model's folder in the hub's cache
BLOBS = "blobs"  # has its files there
WRAPPED = "module."  # before the names of all tensors, if DataParallel was saved with its model


def find_model_folder(folder: Path) -> Path:
    """The folder with the transformer's files: the folder itself, or one in a sentence-transformers
    model, whose other folders have configs and weights of other layers (2_Dense)."""
    if _is_model(folder):
        return folder
    for part in _read_parts(folder):
        if str(part.get("type", "")).endswith(".Transformer"):
            inner = folder / str(part.get("path", ""))
            if not inner.resolve().is_relative_to(folder.resolve()):
                raise ValueError(Errors.FOLDER_OUTSIDE.format(file=folder / MODULES, name=inner))
            if (inner / CONFIG).is_file():
                return inner
    inner = folder / TRANSFORMER
    return inner if (inner / CONFIG).is_file() else folder


def find_layers_left_out(folder: Path) -> list[str]:
    """Folders of layers that a sentence-transformers model has behind its transformer, such as
    2_Dense. Pooling and normalizing have no weights, and are settings of ours.

    folder: The folder with the transformer's files.
    """
    for root in (folder, folder.parent):
        parts = _read_parts(root)
        if any((root / str(part.get("path", ""))).resolve() == folder.resolve() for part in parts):
            others = [p for p in parts if not str(p.get("type", "")).endswith(WITHOUT_WEIGHTS)]
            return [str(part.get("path")) for part in others]
    return []


def find_model_in(root: Path) -> Path | None:
    """The folder with a model's files that is nearest to a root, such as a package's."""
    configs = sorted(root.glob(f"**/{CONFIG}"), key=lambda path: (len(path.parts), path))
    folders = [path.parent for path in configs if _is_model(path.parent)]
    return next((folder for folder in folders if any(folder.glob("*.safetensors"))), None)


def check_descriptions(folder: Path) -> None:
    """Refuse a model that its small files show not to be supported, before its weights are there.

    RAISES: ValueError, saying what was found and what helps.
    """
    config = _read_object(folder / CONFIG)
    if (folder / ADAPTER_CONFIG).is_file() and not config.get("model_type"):
        base = _read_object(folder / ADAPTER_CONFIG).get("base_model_name_or_path") or "not stated"
        raise ValueError(Errors.FOLDER_ADAPTER.format(folder=folder, base=base))
    if not (folder / CONFIG).is_file():
        raise ValueError(Errors.FOLDER_NO_CONFIG.format(folder=folder))
    if not config:
        error = "it is no object with settings"
        raise ValueError(Errors.FOLDER_CONFIG_BROKEN.format(path=folder / CONFIG, error=error))
    if method := _find_quantizer(folder, config):
        raise ValueError(Errors.FOLDER_QUANTIZED.format(folder=folder, method=method))
    if not (folder / TOKENIZER).is_file():
        _check_tokenizer(folder, config)


def check_links(folder: Path) -> None:
    """Refuse links that lead out of a model's folder, but for those within the cache of the model
    hub: `models--OWNER--NAME/snapshots/COMMIT` has links to `models--OWNER--NAME/blobs`, and that
    to `blobs`, which all models share.

    RAISES: ValueError, naming the link.
    """
    root = folder.resolve()
    cached = next((p for p in root.parents if p.name.startswith(CACHED_MODEL)), None)
    allowed = [root] if cached is None else [root, cached / BLOBS, cached.parent / BLOBS]
    for path in sorted(folder.iterdir()):
        target = path.resolve()
        if path.is_symlink() and not any(target.is_relative_to(place) for place in allowed):
            raise ValueError(Errors.FOLDER_LINK.format(path=path, target=target))


def check_weights(folder: Path) -> None:
    """Refuse a folder without complete weights, or with such as the model cannot take.

    RAISES: ValueError, saying what was found and what helps.
    """
    if not has_weights(folder):
        name = find_bin(folder)
        if name is not None and not any(folder.glob("*.safetensors")):
            raise ValueError(Errors.FOLDER_BIN.format(folder=folder, name=name))
        raise ValueError(Errors.FOLDER_NO_WEIGHTS.format(folder=folder))
    names = [name for path in _weights(folder) for name in read_tensor_names(path)]
    if names and all(name.startswith(WRAPPED) for name in names):
        raise ValueError(Errors.FOLDER_WRAPPED.format(folder=folder))


def has_tokenizer(folder: Path) -> bool:
    """Whether a folder has files of a tokenizer. Programs that run the model alone fetch none."""
    return any(path.is_file() for pattern in TOKENIZERS for path in folder.glob(pattern))


def has_weights(folder: Path) -> bool:
    """Whether a folder has weights as safetensors, all parts of them."""
    files = list(_weights(folder))
    return bool(files) and all(path.is_file() for path in files)


def find_bin(folder: Path) -> str | None:
    """The name of weights in pickles, all parts of them."""
    if (folder / BIN).is_file():
        return BIN
    index = folder / (BIN + INDEX)
    parts = list(find_parts(index, ".bin")) if index.is_file() else []
    return index.name if parts and all(path.is_file() for path in parts) else None


def _weights(folder: Path) -> Iterator[Path]:
    index = folder / (SAFETENSORS + INDEX)
    if (folder / SAFETENSORS).is_file() or not index.is_file():
        files = folder.glob("*.safetensors")
        parts = "-of-"  # of weights whose index is not there: they are not complete
        yield from sorted(path for path in files if parts not in path.name)
    else:
        yield from find_parts(index, ".safetensors")


def find_parts(index: Path, ending: str) -> Iterator[Path]:
    """The files of weights that an index names, each once, whether they are there or not.

    RAISES: ValueError if one is not in the index's folder, or has another ending.
    """
    names = _read_object(index).get("weight_map", {})
    names = set(map(str, names.values())) if isinstance(names, dict) else set()
    for name in sorted(names):
        if Path(name).name != name or not name.endswith(ending):
            raise ValueError(Errors.FOLDER_OUTSIDE.format(file=index, name=name))
        yield index.with_name(name)


def _is_model(folder: Path) -> bool:
    """Whether a folder has the config of a transformer. Those of other layers say no model_type,
    nor which classes read them."""
    path = folder / CONFIG
    return path.is_file() and bool(_read_object(path).keys() & {"model_type", "architectures"})


def _find_quantizer(folder: Path, config: dict[str, Any]) -> str | None:
    """What quantized the weights of a folder, as configs beside them say."""
    if settings := config.get("quantization_config"):
        method = settings.get("quant_method") if isinstance(settings, dict) else None
        method = str(method or "bitsandbytes")  # which says none in old files
        return METHODS.get(method, method)
    return next((m for name, m in QUANTIZER_CONFIGS.items() if (folder / name).is_file()), None)


def _check_tokenizer(folder: Path, config: dict[str, Any]) -> None:
    """Refuse a tokenizer that cannot be converted to a tokenizer.json."""
    settings = _read_object(folder / TOKENIZER_CONFIG)
    code = settings.get("auto_map")
    code = code.get("AutoTokenizer") if isinstance(code, dict) else None
    if code:
        code = code if isinstance(code, str) else next(filter(None, code), "")  # slow and fast
        raise ValueError(Errors.TOKENIZER_CODE.format(folder=folder, code=code))
    name = settings.get("tokenizer_class") or config.get("tokenizer_class")
    name = name or SLOW.get(str(config.get("model_type")))
    if name in SLOW.values():
        raise ValueError(Errors.TOKENIZER_SLOW.format(folder=folder, name=name))
    model = next((path.name for path in sorted(folder.glob("*.model"))), None)
    missing = [name for name in ("sentencepiece", "protobuf") if not is_installed(name)]
    if model is not None and missing:
        packages = " and ".join(missing)
        raise ValueError(
            Errors.TOKENIZER_SENTENCEPIECE.format(folder=folder, file=model, packages=packages)
        )


def _read_parts(root: Path) -> list[dict[str, Any]]:
    """Those of a sentence-transformers model; none, if it is no such model."""
    parts = _read_json(root / MODULES) if (root / MODULES).is_file() else []
    return [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []


def _read_object(path: Path) -> dict[str, Any]:
    """An object of a JSON file; {} if there is no such file."""
    value = _read_json(path) if path.is_file() else {}
    return value if isinstance(value, dict) else {}


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf8"))
    except ValueError as error:
        raise ValueError(Errors.FOLDER_CONFIG_BROKEN.format(path=path, error=error)) from error
