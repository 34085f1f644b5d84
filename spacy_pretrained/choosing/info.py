"""What there is to know of an encoder or a pipeline, from its files. Nothing is loaded, so a look
at a large one costs no more than at a small one, and needs no torch.

A name of the catalogue, a folder in Hugging Face layout, and a pipeline, as a folder or an
installed package, each give a dict of the same shape: a section for each thing that is described.
"""

import difflib
import importlib.util
import json
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from thinc.api import Config

from ..checkpoints.catalogue import CATALOGUE, find_name
from .errors import Errors
from .models import describe
from .on_this_machine import find_cached

LICENCE = re.compile(r"^license:\s*[\"']?([^\s\"']+)", re.MULTILINE)
PRECISIONS = {"F32": "float32", "F16": "float16", "BF16": "bfloat16"}
OF_WINDOWS = ("window", "stride", "max_pieces")
PACKAGES = ("spacy-pretrained", "spacy", "thinc", "openvino", "tokenizers", "torch", "transformers")

Section = dict[str, Any]


def find_info(source: str) -> dict[str, Section]:
    """Sections about a name of the catalogue or its id on the hub, a folder or a pipeline.

    RAISES: ValueError, if it is none of these.
    """
    folder = Path(source).expanduser()
    if find_name(source) is not None and not folder.is_dir():
        return of_entry(find_name(source))
    folder = folder if folder.is_dir() else find_pipeline(source)
    if folder is None:
        near = ", ".join(difflib.get_close_matches(source, CATALOGUE, n=3, cutoff=0.3))
        near = near or next(iter(CATALOGUE))
        raise ValueError(Errors.UNKNOWN_NAME.format(name=source, near=near))
    if (folder / "meta.json").is_file():
        return of_pipeline(folder)
    if (folder / "config.json").is_file():
        return {"encoder": of_folder(folder)}
    raise ValueError(Errors.FOLDER_UNKNOWN.format(folder=folder))


def of_entry(name: str) -> dict[str, Section]:
    entry = CATALOGUE[name]
    here = {one.source: str(one.path) for one in find_cached() if one.name == name}
    facts = {key: value for key, value in entry.items() if key not in ("sources", "short")}
    return {
        "encoder": describe(name, entry) | {key: facts[key] for key in facts if key != "computed"},
        "computed": entry["computed"] or {},
        "on this machine": here,
        "sources": entry["sources"],
    }


def read_config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text("utf8"))
    except ValueError as error:
        raise ValueError(Errors.CONFIG_BROKEN.format(path=path, error=error)) from error
    if not isinstance(config, dict):
        raise ValueError(Errors.CONFIG_BROKEN.format(path=path, error="it is no object"))
    return config


def of_folder(folder: Path) -> Section:
    """An encoder in Hugging Face layout, also one that a pipeline has saved."""
    config = read_config(folder / "config.json")
    found: Section = {"path": str(folder), "family": config.get("model_type")}
    for name, key in (("layers", "num_hidden_layers"), ("width", "hidden_size")):
        found[name] = config.get(key)
    found["vocabulary"] = config.get("vocab_size")
    found["tokenizer.json"] = (folder / "tokenizer.json").is_file()
    weights = [p for p in folder.iterdir() if p.suffix in (".safetensors", ".bin", ".pt")]
    found["weights"] = sorted(path.name for path in weights)
    found["bytes"] = sum(path.stat().st_size for path in weights)
    tensors = [read_safetensors(path) for path in weights if path.suffix == ".safetensors"]
    if tensors:
        found["parameters"] = sum(count for count, _ in tensors)
        precisions = set().union(*(kinds for _, kinds in tensors))
        found["precision"] = ", ".join(sorted(PRECISIONS.get(p, p) for p in precisions))
    card = folder / "README.md"
    licence = LICENCE.search(card.read_text("utf8", "replace")) if card.is_file() else None
    found["licence"] = licence and licence[1]
    return found


def read_safetensors(path: Path) -> tuple[int, set[str]]:
    """The number of parameters in a file, and their types, by its header: 8 bytes that say how
    long it is, and JSON."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
    count, kinds = 0, set()
    for name, tensor in header.items():
        if name != "__metadata__":
            product = 1
            for axis in tensor["shape"]:
                product *= axis
            count += product
            kinds.add(tensor["dtype"])
    return count, kinds


def of_pipeline(folder: Path) -> dict[str, Section]:
    meta = json.loads((folder / "meta.json").read_text("utf8"))
    config = Config().from_disk(folder / "config.cfg", interpolate=False)
    sections: dict[str, Section] = {
        "pipeline": {
            "path": str(folder),
            "name": f"{meta['lang']}_{meta['name']}",
            "version": meta.get("version"),
            "components": meta.get("components", meta.get("pipeline", [])),
            "licence": meta.get("license") or None,
            "sources": [s.get("name") for s in meta.get("sources") or []],
            "spaCy": meta.get("spacy_version"),
            "requirements": meta.get("requirements", []),
            "files": describe_checksums(folder, config),
            "precision": meta.get("quantization", {}).get("precision", "float32"),
            "bytes": sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()),
        }
    }
    origins = config.get("initialize", {}).get("components", {})
    for name, block in config.get("components", {}).items():
        model, origin = block.get("model", {}), origins.get(name, {})
        saved = folder / name / "backbone"
        if (saved / "config.json").is_file():
            sections[name] = of_backbone(saved, model.get("encoder", model), origin)
        for part in sorted((folder / name / "encoders").glob("*")):  # of several side by side
            own_model = model.get("encoders", {}).get(part.name, {})
            own_origin = (origin.get("encoders") or {}).get(part.name, {})
            title = f"{name}: {part.name}"
            sections[title] = of_backbone(part / "backbone", own_model, own_origin)
    sections["labels"] = {name: labels for name, labels in meta.get("labels", {}).items() if labels}
    sections["versions here"] = find_versions()
    return sections


def describe_checksums(folder: Path, config: Config) -> str:
    """Which files of a pipeline are compared with their checksums when it is loaded."""
    if (folder / "files.json").is_file():
        return "all are checked"
    names = [n for n in config.get("components", {}) if (folder / n / "checksums.json").is_file()]
    return f"checked: those of {', '.join(names)}" if names else "not checked"


def of_backbone(folder: Path, model: dict[str, Any], origin: dict[str, Any]) -> Section:
    """A saved encoder, with the settings of its model, and those that it was initialized with."""
    found = of_folder(folder)
    source = origin.get("source")
    known = find_name(source) if source else None
    found["architecture"] = model.get("@architectures")
    found["source"] = source
    if known:
        found["licence"] = found["licence"] or CATALOGUE[known]["licence"]
        found["checked"] = CATALOGUE[known]["checked"]
    runs_on_torch = "OpenVino" not in (found["architecture"] or "")
    found["device"] = model.get("device", "auto") if runs_on_torch else "cpu (OpenVINO)"
    layout = json.loads((folder / "layout.json").read_text("utf8"))
    found["longest_input"] = layout.get("max_window")
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
