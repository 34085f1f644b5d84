"""What there is to know of an encoder or a pipeline, from its files. Nothing is loaded, so a look
at a large one costs no more than at a small one, and needs no torch.

A name of the catalogue, an encoder on this machine, and a pipeline, as a folder or an installed
package, each give a dict of the same shape: a section for each thing that is described.
"""

import importlib.util
from importlib.metadata import PackageNotFoundError, version
from os.path import expanduser
from pathlib import Path
from typing import Any

from thinc.api import Config

from ..checkpoints.catalogue import CATALOGUE, PACKAGE_PREFIX, find_name
from ..sources.download import find_copy
from ..sources.errors import Errors as SourceErrors
from ..sources.find import find_in_package
from ..sources.hub_id import find_nearest, parse_hub_id
from ..sources.model_folder import find_model_folder
from .errors import Errors
from .folder_info import describe_folder, read_object
from .models import describe
from .on_this_machine import find_cached

OF_WINDOWS = ("window", "stride", "max_pieces")
PACKAGES = ("spacy-pretrained", "spacy", "thinc", "openvino", "tokenizers", "torch", "transformers")

Section = dict[str, Any]


def find_info(source: str) -> dict[str, Section]:
    """Sections about a source of weights or a pipeline.

    source: A folder of an encoder or of a pipeline; a name of the catalogue or its id on the hub;
        an installed pipeline; "package:NAME"; or "owner/name" in the hub's cache.
    RAISES: ValueError, if it is none of these, or damaged.
    """
    folder = Path(expanduser(source))
    name = find_name(source)
    if name is not None and not folder.is_dir():
        return of_entry(name)
    folder = folder if source and folder.is_dir() else _find_elsewhere(source)
    if folder is None:
        near = ", ".join(find_nearest(source))
        raise ValueError(Errors.UNKNOWN_NAME.format(name=source, near=near))
    if (folder / "meta.json").is_file():
        return of_pipeline(folder)
    model = find_model_folder(folder)
    if (model / "config.json").is_file():
        return {"encoder": describe_folder(model)}
    raise ValueError(Errors.FOLDER_UNKNOWN.format(folder=folder))


def _find_elsewhere(source: str) -> Path | None:
    """The folder of an installed pipeline or encoder, or of one in the hub's cache."""
    if source.startswith(PACKAGE_PREFIX):
        name = source.removeprefix(PACKAGE_PREFIX)
        found = find_in_package(name)
        if found is None:
            raise ValueError(SourceErrors.SOURCE_PACKAGE.format(source=source, name=name))
        return found
    if hub := parse_hub_id(source):
        copy = find_copy(hub)
        return copy and copy.folder
    return find_pipeline(source)


def of_entry(name: str) -> dict[str, Section]:
    entry = CATALOGUE[name]
    here = {
        one.source: str(one.path) if one.complete else f"{one.path} (incomplete)"
        for one in find_cached()
        if one.name == name
    }
    facts = {key: value for key, value in entry.items() if key not in ("sources", "short")}
    return {
        "encoder": describe(name, entry) | {key: facts[key] for key in facts if key != "computed"},
        "computed": entry["computed"] or {},
        "on this machine": here,
        "sources": entry["sources"],
    }


def of_pipeline(folder: Path) -> dict[str, Section]:
    meta = read_object(folder / "meta.json", Errors.META_BROKEN)
    if missing := sorted({"lang", "name"} - meta.keys()):
        error = f"it lacks {' and '.join(missing)}"
        raise ValueError(Errors.META_BROKEN.format(path=folder / "meta.json", error=error))
    config = _read_config(folder / "config.cfg")
    sections: dict[str, Section] = {
        "pipeline": {
            "path": str(folder),
            "name": f"{meta['lang']}_{meta['name']}",
            "version": meta.get("version"),
            "components": _list(meta.get("components", meta.get("pipeline"))),
            "licence": meta.get("license") or None,
            "sources": [_dict(source).get("name") for source in _list(meta.get("sources"))],
            "spaCy": meta.get("spacy_version"),
            "requirements": _list(meta.get("requirements")),
            "files": describe_checksums(folder, config),
            "precision": _dict(meta.get("quantization")).get("precision", "float32"),
            "bytes": sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()),
        }
    }
    origins = _dict(_dict(config.get("initialize")).get("components"))
    for name, block in _dict(config.get("components")).items():
        model, origin = _dict(_dict(block).get("model")), _dict(origins.get(name))
        saved = folder / name / "backbone"
        if (saved / "config.json").is_file():
            sections[name] = of_backbone(saved, _dict(model.get("encoder", model)), origin)
        for part in sorted((folder / name / "encoders").glob("*")):  # of several side by side
            own_model = _dict(_dict(model.get("encoders")).get(part.name))
            own_origin = _dict(_dict(origin.get("encoders")).get(part.name))
            title = f"{name}: {part.name}"
            sections[title] = of_backbone(part / "backbone", own_model, own_origin)
    labels = _dict(meta.get("labels"))
    sections["labels"] = {name: found for name, found in labels.items() if found}
    sections["versions here"] = find_versions()
    return sections


def _read_config(path: Path) -> Config:
    try:
        return Config().from_disk(path, interpolate=False)
    except ValueError as error:
        reason = " ".join(str(error).split())
        raise ValueError(Errors.PIPELINE_CONFIG.format(path=path, error=reason)) from error


def _dict(value: Any) -> dict[str, Any]:
    """What is no object in a file that somebody has changed has nothing in it."""
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def describe_checksums(folder: Path, config: Config) -> str:
    """Which files of a pipeline are compared with their checksums when it is loaded."""
    if (folder / "files.json").is_file():
        return "all are checked"
    components = _dict(config.get("components"))
    names = [name for name in components if (folder / name / "checksums.json").is_file()]
    return f"checked: those of {', '.join(names)}" if names else "not checked"


def of_backbone(folder: Path, model: dict[str, Any], origin: dict[str, Any]) -> Section:
    """A saved encoder, with the settings of its model, and those that it was initialized with."""
    found = describe_folder(folder)
    source = origin.get("source")
    known = find_name(source) if isinstance(source, str) else None
    found["architecture"] = model.get("@architectures")
    found["source"] = source
    if known:
        found["licence"] = found["licence"] or CATALOGUE[known]["licence"]
        found["checked"] = CATALOGUE[known]["checked"]
    runs_on_torch = "OpenVino" not in str(found["architecture"])
    found["device"] = model.get("device", "auto") if runs_on_torch else "cpu (OpenVINO)"
    layout = read_object(folder / "layout.json", Errors.CONFIG_BROKEN)
    found["longest_input"] = layout.get("max_window")
    if not runs_on_torch:  # there it is tried when the encoder is first run
        found["packed"] = layout.get("packed", False)
    return found | {key: model[key] for key in OF_WINDOWS if key in model}


def find_pipeline(name: str) -> Path | None:
    """The folder of an installed pipeline; it is not imported."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    for root in (spec and spec.submodule_search_locations) or []:
        for meta in sorted(Path(root).glob("*/meta.json")):
            return meta.parent
    return None


def find_versions() -> Section:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    return found
