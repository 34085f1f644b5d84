"""The meta of a package: that of the pipeline, of its corpus and of its encoder."""

import json
import os
import re
from importlib.metadata import distribution, requires, version
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import Version
from spacy.util import load_config, walk_dict

from ..checkpoints.catalogue import CATALOGUE, find_name
from ..quantization.quantizable import OPENVINO
from ..sources.hub_cache import find_snapshot
from ..sources.hub_id import parse_hub_id
from ..sources.licence import read_licence
from ..sources.model_folder import find_model_folder
from .errors import Errors
from .licences import as_object

OWN = "spacy-pretrained"
# What only a pipeline on torch needs; a quantized copy of one does not inherit it.
TRAIN_EXTRA = re.compile(r"""(?P<requirement>[^;]+);\s*extra\s*==\s*["']train["']""")
PACKAGE = re.compile(r"[\w.-]*")  # its name, which a requirement begins with
# What of a meta somebody may say about a pipeline. All else is that of what is packaged.
ABOUT = ("license", "author", "email", "url", "description", "sources", "notes")
# What `describe` makes, behind the names of the components.
DESCRIBED = re.compile(
    r"( on the encoder (?P<encoder>.+?))?(, trained on (?P<corpus>.+?))?\."
    r"( Runs on (PyTorch|OpenVINO \(\w+\), without PyTorch)\.)?"
)
FOR_SOURCES = ("huggingface_hub", "sentencepiece", "protobuf")  # a trained pipeline reads none


def make_meta(
    pipeline: Path,
    about: dict[str, Any],
    *,
    name: str | None = None,
    corpus: str | None = None,
    encoder: str | None = None,
) -> dict[str, Any]:
    """See `package_pipeline`. What `about` says is taken first, then what the pipeline's own meta
    says, then what can be found out."""
    meta = read_meta(pipeline / "meta.json")
    about = {key: about[key] for key in ABOUT if key in about}
    kind = kind_of(pipeline, meta)
    encoders = [encoder] if encoder else find_encoder_names(pipeline)
    short = shorten(encoders[0]) if encoders else ""
    parts = (name,) if name else (corpus or meta["name"], short, kind)
    meta["name"] = "_".join(filter(None, map(slug, parts))).removeprefix(f"{meta['lang']}_")
    if not meta["name"]:
        raise ValueError(Errors.PACKAGE_NAME.format(name=name))
    sources = list(map(as_object, (about if "sources" in about else meta).get("sources") or []))
    entries = [CATALOGUE.get(find_name(name), {}) for name in encoders]
    # Nobody else has a folder that is here.
    encoders = [
        shorten(name) if os.path.isabs(os.path.expanduser(name)) or Path(name).is_dir() else name
        for name in encoders
    ]
    sources = add_encoders(sources, list(map(encoder_source, encoders, entries)))
    made = match_description(meta)
    corpus = corpus or (made["corpus"] if made else None)
    encoder = " and ".join(encoders) or (made["encoder"] if made else None) or ""
    found = {
        "description": describe(meta, corpus, encoder, kind),
        "url": next((source["url"] for source in sources if source.get("url")), ""),
    }
    own = {key: meta[key] for key in found if meta.get(key) and not (made and key == "description")}
    meta |= found | own | about | {"sources": sources}
    requirements = {r for r in meta.get("requirements", []) if not is_own(r)}
    requirements |= set(own_requirement(pipeline))
    if kind == "torch":
        requirements |= set(training_requirements())
    meta["requirements"] = sorted(requirements)
    return meta


def read_meta(path: Path) -> dict[str, Any]:
    """RAISES: ValueError, naming the file, if it is not the meta of a pipeline."""
    try:
        meta = json.loads(path.read_text(encoding="utf8"))
    except ValueError as error:
        raise ValueError(Errors.META_BROKEN.format(path=path, error=error)) from error
    if not isinstance(meta, dict):
        raise ValueError(Errors.META_BROKEN.format(path=path, error="it is no object"))
    if missing := [key for key in ("lang", "name") if not isinstance(meta.get(key), str)]:
        error = f"it lacks {' and '.join(missing)}"
        raise ValueError(Errors.META_BROKEN.format(path=path, error=error))
    if meta.get("sources") and not are_sources(meta["sources"]):
        error = "its sources are no list of names, or of objects with a name"
        raise ValueError(Errors.META_BROKEN.format(path=path, error=error))
    return meta


def are_sources(value: Any) -> bool:
    """Whether it is a list of names, or of objects with a name."""
    return isinstance(value, list) and all(
        isinstance(source.get("name") if isinstance(source, dict) else source, str)
        for source in value
    )


def add_encoders(
    sources: list[dict[str, Any]], encoders: list[dict[str, str]]
) -> list[dict[str, Any]]:
    """Sources, with those of encoders last, where `make_licences` looks for them. What is said of
    an encoder already, such as by the meta of a packaged pipeline, stays."""
    said = {source["name"]: source for source in sources}
    names = {source["name"] for source in encoders}
    others = [source for source in sources if source["name"] not in names]
    return others + [said.get(source["name"], source) for source in encoders]


def match_description(meta: dict[str, Any]) -> re.Match[str] | None:
    """Of a description that an earlier package of the pipeline was given by `describe`: what it
    says of the engine may be so no more."""
    description, names = str(meta.get("description") or ""), list_components(meta)
    own = description.startswith(names)
    return DESCRIBED.fullmatch(description.removeprefix(names)) if own else None


def find_encoder_names(pipeline: Path) -> list[str]:
    """Where the weights of components came from, as the config that the pipeline was trained by
    says: the encoder, or several side by side, and what others have of their own."""
    config = load_config(pipeline / "config.cfg", interpolate=True)
    found = []
    for name, block in config.get("initialize", {}).get("components", {}).items():
        if name in config.get("components", {}):  # blocks of components that were removed stay
            parts = [block, *(block.get("encoders") or {}).values()]
            found += [part["source"] for part in parts if part.get("source")]
    return list(dict.fromkeys(found))


def shorten(encoder: str) -> str:
    """What an encoder is called in the name of a package."""
    entry = CATALOGUE.get(find_name(encoder), {})
    return entry.get("short") or re.split(r"[:/\\]", encoder.rstrip("/\\"))[-1]


def kind_of(pipeline: Path, meta: dict[str, Any]) -> str:
    """ "torch", the precision of a pipeline on OpenVINO, or "plain" without a transformer."""
    config = (pipeline / "config.cfg").read_text(encoding="utf8")
    if any(f'"{name}"' in config for name in OPENVINO) or '"spacy-transformers.' in config:
        return "torch"
    on_openvino = any(f'"{name}"' in config for name in OPENVINO.values())
    return meta.get("quantization", {}).get("precision", "openvino") if on_openvino else "plain"


def slug(name: str) -> str:
    """A name as a part of a Python identifier."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def describe(meta: dict[str, Any], corpus: str | None, encoder: str, kind: str) -> str:
    """
    >>> describe({"pipeline": ["pretrained_ner"]}, "news", "minilm-l6", "torch")
    'pretrained_ner on the encoder minilm-l6, trained on news. Runs on PyTorch.'
    """
    description = list_components(meta)
    if encoder and kind != "plain":
        description += f" on the encoder {encoder}"
    if corpus:
        description += f", trained on {corpus}"
    engine = "on PyTorch" if kind == "torch" else f"on OpenVINO ({kind}), without PyTorch"
    return f"{description}." if kind == "plain" else f"{description}. Runs {engine}."


def list_components(meta: dict[str, Any]) -> str:
    return ", ".join(name for name in meta.get("pipeline", ()) if name != "pretrained_encoder")


def encoder_source(encoder: str, entry: dict[str, Any]) -> dict[str, str]:
    """What is known of an encoder: by the catalogue, or by its card in the model hub's cache."""
    hub = parse_hub_id(encoder) or parse_hub_id(entry.get("hub") or "")
    snapshot = find_snapshot(hub) if hub else None
    if not entry and snapshot is None:
        hub = None  # it may be a folder's name that looks like one
    card = read_licence(find_model_folder(snapshot)) if snapshot else None
    return {
        "name": str(hub or encoder),
        "url": f"https://huggingface.co/{hub.name}" if hub else "",
        "license": entry.get("licence") or card or "",
        "author": entry.get("author") or "",
    }


def own_requirement(pipeline: Path) -> list[str]:
    """This package, if the pipeline has anything of it: from the version here to the next major
    one. spaCy would ask for the same minor version, but later ones load older pipelines, too."""
    config = load_config(pipeline / "config.cfg", interpolate=False)
    registered = {entry.name for entry in distribution(OWN).entry_points}
    values = (v for part in ("nlp", "components") for _, v in walk_dict(config.get(part, {})))
    if not any(isinstance(value, str) and value in registered for value in values):
        return []
    here = Version(version(OWN))
    return [f"{OWN}>={here.public},<{here.major + 1}"]


def is_own(requirement: str) -> bool:
    """Whether it asks for this package, not for one whose name begins alike."""
    return canonicalize_name(PACKAGE.match(requirement)[0]) == OWN


def training_requirements() -> list[str]:
    """What spacy-pretrained's extra `train` asks for, but for what only reads a source."""
    found = (TRAIN_EXTRA.fullmatch(line) for line in requires(OWN) or [])
    requirements = [match["requirement"].strip() for match in found if match]
    return [r for r in requirements if not r.replace("-", "_").startswith(FOR_SOURCES)]
