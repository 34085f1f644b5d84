"""Where pretrained weights come from: a name in the catalogue, a folder, a package or a hub."""

import difflib
import importlib.util
import json
import re
from os.path import expanduser
from pathlib import Path

from .errors import Errors

CATALOGUE = json.loads(Path(__file__).with_suffix(".json").read_text("utf8"))
PACKAGE_PREFIX = "package:"
MULTILINGUAL = "multilingual"
ANY_LANGUAGE = {"", "xx", "mul"}  # of a pipeline; "" is that of a vocab without a language
HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
HUB_FILES = [
    "config.json",
    "*.safetensors",
    "*.safetensors.index.json",
    "tokenizer*",
    "vocab*",
    "merges.txt",
    "special_tokens_map.json",
    "*.model",
]


def find_source(source: str) -> Path:
    """Find the folder, in Hugging Face layout, that a source stands for.

    source: One of, in this order:
        - a name in the catalogue whose weights are an installed package, such as "minilm-l6";
        - a path to a folder;
        - any other name in the catalogue, such as "roberta-base": the hub's id that belongs to it;
        - "package:NAME", an installed Python package that holds such a folder;
        - "owner/name" on the model hub, downloaded once (or taken from the local cache).
    RETURNS: A folder with at least config.json and one .safetensors file.
    RAISES: ValueError, naming the source, the nearest names and what to do.
    """
    entry = CATALOGUE.get(source)
    if entry and entry["package"]:
        folder = find_in_package(entry["package"])
        if folder is None:
            raise ValueError(Errors.SOURCE_NOT_INSTALLED.format(source=source, **entry))
    elif source.startswith(PACKAGE_PREFIX):
        name = source.removeprefix(PACKAGE_PREFIX)
        folder = find_in_package(name)
        if folder is None:
            raise ValueError(Errors.SOURCE_PACKAGE.format(source=source, name=name))
    elif source and Path(expanduser(source)).is_dir():
        folder = Path(expanduser(source))
    elif entry:
        folder = _download(entry["hub"])
    elif HUB_ID.fullmatch(source) and source[0] not in "./":
        folder = _download(source)
    else:
        raise ValueError(_unknown(source))
    _check(folder)
    return folder


def find_languages(source: str) -> list[str]:
    """Codes of the languages that a source is for, as its model card says; none if that is not
    known, or if it is for any. A model of the catalogue is known by its package and hub, too."""
    name = find_name(source)
    languages = CATALOGUE[name]["languages"] if name else None
    return [] if not languages or MULTILINGUAL in languages else languages


def find_name(source: str) -> str | None:
    """The name in the catalogue of a source: that name, its package or its id on the hub."""
    for name, entry in CATALOGUE.items():
        package = entry["package"] and PACKAGE_PREFIX + entry["package"]
        if source in (name, entry["hub"], package):
            return name
    return None


def describe_misfit(source: str, lang: str, name: str) -> str | None:
    """A warning, if a source is known not to be for a pipeline's language.

    lang: Code of that language. name: The component that takes the weights.
    """
    languages = find_languages(source)
    if not languages or lang in ANY_LANGUAGE or lang in languages:
        return None
    return Errors.SOURCE_LANGUAGE.format(
        name=name, source=source, languages=", ".join(languages), lang=lang
    )


def find_in_package(name: str) -> Path | None:
    """The folder with weights that an installed Python package holds, if there is one."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):  # no name of a module, or of one within a missing package
        return None
    for root in (spec and spec.submodule_search_locations) or []:
        for config in sorted(Path(root).glob("**/config.json")):
            if any(config.parent.glob("*.safetensors")):
                return config.parent
    return None


def _download(source: str) -> Path:
    try:
        from huggingface_hub import snapshot_download

        return Path(snapshot_download(source, allow_patterns=HUB_FILES))
    except Exception as error:  # the hub client's errors have no common base class
        reason = str(error).strip().split("\n")[0]
        raise ValueError(Errors.SOURCE_HUB.format(source=source, error=reason)) from error


def _check(folder: Path) -> None:
    if not (folder / "config.json").is_file():
        raise ValueError(Errors.SOURCE_NO_CONFIG.format(folder=folder))
    if not any(folder.glob("*.safetensors")):
        raise ValueError(Errors.SOURCE_NO_WEIGHTS.format(folder=folder))


def _unknown(source: str) -> str:
    near = difflib.get_close_matches(source, CATALOGUE, n=3, cutoff=0.4)
    default = next(iter(CATALOGUE))  # the one that configs take, which a package brings
    names = ", ".join(dict.fromkeys([*near, default]))
    return Errors.SOURCE_UNKNOWN.format(source=source, near=names, n_names=len(CATALOGUE))
