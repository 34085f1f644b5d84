"""From a source of weights, as configs name it, to a folder."""

import importlib.machinery
import importlib.util
import logging
from os.path import expanduser
from pathlib import Path

from ..checkpoints.catalogue import CATALOGUE, PACKAGE_PREFIX
from .errors import Errors
from .hub_id import HubId, find_nearest, parse_hub_id
from .model_folder import (
    check_descriptions,
    check_links,
    check_weights,
    find_layers_left_out,
    find_model_folder,
    find_model_in,
)

logger = logging.getLogger("spacy")


def find_source(source: str) -> Path:
    """Find the folder, in Hugging Face layout, that a source stands for.

    source: One of, in this order:
        - a name in the catalogue whose weights are an installed package, such as "minilm-l6";
        - a path to a folder, also that of a sentence-transformers model;
        - "package:NAME", an installed Python package that holds such a folder;
        - any other name in the catalogue, or "owner/name", a model on the hub, downloaded once
          (or taken from the local cache); both with "@revision" behind them, if wanted.
    RETURNS: A folder with at least config.json and .safetensors files.
    RAISES: ValueError, naming the source and what to do.
    """
    package = CATALOGUE.get(source, {}).get("package")
    if package:
        folder = find_in_package(package)
        if folder is None:
            raise ValueError(Errors.SOURCE_NOT_INSTALLED.format(source=source, **CATALOGUE[source]))
    elif source.startswith(PACKAGE_PREFIX):
        name = source.removeprefix(PACKAGE_PREFIX)
        folder = find_in_package(name)
        if folder is None:
            raise ValueError(Errors.SOURCE_PACKAGE.format(source=source, name=name))
    elif source and Path(expanduser(source)).is_dir():
        folder = find_model_folder(Path(expanduser(source)))
    elif hub := parse_hub_id(source):
        folder = _find_on_hub(hub)
    else:
        raise ValueError(_unknown(source))
    check_links(folder)
    check_descriptions(folder)
    check_weights(folder)
    if layers := find_layers_left_out(folder):
        names = ", ".join(layers)
        logger.warning(Errors.LAYERS_LEFT_OUT.format(source=source, names=names))
    return folder


def check_source(source: str) -> None:
    """Refuse a source that certainly leads to nothing. Nothing is imported or downloaded: names of
    the catalogue and of the hub may be installed later, or be there where the training runs.

    RAISES: ValueError, as `find_source`.
    """
    if source in CATALOGUE:
        return
    if source.startswith(PACKAGE_PREFIX):
        name = source.removeprefix(PACKAGE_PREFIX)
        if not find_in_package(name):
            raise ValueError(Errors.SOURCE_PACKAGE.format(source=source, name=name))
    elif source and Path(expanduser(source)).is_dir():
        check_descriptions(find_model_folder(Path(expanduser(source))))
    elif parse_hub_id(source) is None:
        raise ValueError(_unknown(source))


def find_in_package(name: str) -> Path | None:
    """The folder with weights that an installed Python package holds, if there is one. Nothing is
    imported, not even the packages around one ("a" of "a.b")."""
    top, *inner = name.split(".")
    try:
        spec = importlib.util.find_spec(top)
        for part in inner:
            roots = (spec and spec.submodule_search_locations) or []
            spec = importlib.machinery.PathFinder.find_spec(f"{top}.{part}", list(roots))
            top = f"{top}.{part}"
    except (ImportError, ValueError):  # no name of a module
        return None
    roots = (spec and spec.submodule_search_locations) or []
    return next(filter(None, (find_model_in(Path(root)) for root in roots)), None)


def _find_on_hub(hub: HubId) -> Path:
    from .download import fetch

    try:
        found = fetch(hub)
    except (ValueError, OSError, ImportError) as error:
        raise ValueError(Errors.SOURCE_HUB.format(source=hub, error=error)) from error
    if found.pickle is not None:
        raise ValueError(Errors.HUB_BIN.format(hub=hub, name=found.pickle))
    return found.folder


def _unknown(source: str) -> str:
    default = next(iter(CATALOGUE))  # the one that configs take, which a package brings
    names = ", ".join(dict.fromkeys([*find_nearest(source), default]))
    return Errors.SOURCE_UNKNOWN.format(source=source, near=names, n_names=len(CATALOGUE))
