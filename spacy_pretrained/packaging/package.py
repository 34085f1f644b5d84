"""An installable wheel of a pipeline, by spaCy's own `package`.

>>> package_pipeline("training/model-best", "wheels", corpus="news")
PosixPath('wheels/en_news_minilm_torch-0.1.0-py3-none-any.whl')
"""

import json
import shutil
import stat
import tempfile
from pathlib import Path
from typing import Any

import srsly
from packaging.version import InvalidVersion, Version
from spacy.cli.package import package
from spacy.schemas import ModelMetaSchema, validate

from ..runtime.whole_files import whole_file
from ..saving.whole_folder import write_whole_folder
from .errors import Errors
from .licences import LICENCES, find_encoder_licence, make_licences
from .meta import are_sources, find_encoder_names, make_meta
from .readme import make_readme
from .wheel import build_wheel


def package_pipeline(
    pipeline: str | Path,
    output: str | Path,
    *,
    name: str | None = None,
    version: str = "0.1.0",
    about: str | Path | None = None,
    corpus: str | None = None,
    encoder: str | None = None,
) -> Path:
    """Make a wheel of a trained pipeline, with all that its meta should say.

    pipeline: Folder of the pipeline.
    output: Folder for the wheel. Older wheels of the same package in it are removed.
    name: The package is called LANGUAGE_NAME. By default the name is CORPUS_ENCODER_KIND, where the
        kind is torch, or the precision of a pipeline that runs on OpenVINO: ewt_minilm_int8.
    version: Of the package.
    about: JSON file for the meta: license, author, email, url, description, notes, sources (of the
        corpus; a list of objects with name, url, license and author). Other keys are not read. Or a
        folder that may have it, as meta.json.
    corpus: What the pipeline was trained on, for its name and description.
    encoder: Where the encoder's weights came from, if the pipeline's config does not know.
    RETURNS: The wheel.
    RAISES: ValueError or OSError, saying what does not fit; nothing is removed then.
    """
    pipeline, output = Path(pipeline), Path(output)
    if not all((pipeline / file).is_file() for file in ("meta.json", "config.cfg")):
        raise ValueError(Errors.PACKAGE_NO_PIPELINE.format(path=pipeline))
    check_output(output, pipeline)
    try:
        version = str(Version(version))
    except InvalidVersion as error:
        raise ValueError(Errors.PACKAGE_VERSION.format(version=version)) from error
    meta = make_meta(pipeline, read_about(about), name=name, corpus=corpus, encoder=encoder)
    meta["version"] = version
    if errors := validate(ModelMetaSchema, meta):
        raise ValueError(Errors.PACKAGE_META.format(errors="; ".join(map(str, errors))))
    with tempfile.TemporaryDirectory() as folder:
        encoders = [encoder] if encoder else find_encoder_names(pipeline)
        wheel = build(pipeline, meta, Path(folder), list(map(find_encoder_licence, encoders)))
        output.mkdir(parents=True, exist_ok=True)
        return _replace_older(wheel, output, f"{meta['lang']}_{meta['name']}-*.whl")


def _replace_older(wheel: Path, output: Path, pattern: str) -> Path:
    """Move a wheel to a folder, and only then remove those of the pattern that it had."""
    older = set(output.glob(pattern))
    made = output / wheel.name
    with whole_file(made) as unfinished:
        shutil.copyfile(wheel, unfinished)
    for old in older - {made}:
        old.unlink()
    return made


def check_output(output: Path, pipeline: Path) -> None:
    """Refuse a file, and a folder inside the pipeline."""
    if output.is_file():
        raise ValueError(Errors.PACKAGE_FILE.format(path=output))
    if pipeline.resolve() in (output.resolve(), *output.resolve().parents):
        raise ValueError(Errors.PACKAGE_INSIDE.format(path=output, pipeline=pipeline))


def read_about(path: str | Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    path = Path(path)
    if path.is_dir():
        path = path / "meta.json"
        if not path.exists():
            return {}
    try:
        about = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise ValueError(Errors.PACKAGE_ABOUT.format(path=path)) from error
    if not isinstance(about, dict):
        raise ValueError(Errors.PACKAGE_ABOUT.format(path=path))
    if "sources" in about and not are_sources(about["sources"]):
        raise ValueError(Errors.PACKAGE_SOURCES.format(path=path))
    return about


def build(pipeline: Path, meta: dict[str, Any], folder: Path, licences: list[str | None]) -> Path:
    """
    licences: The texts of the encoders', as far as they are known. They stand in a file of the
        wheel, with the names and licences of all sources; a file that the pipeline has by itself
        stays.
    RETURNS: The wheel, somewhere in the folder.
    """
    file = folder / "meta.json"
    srsly.write_json(file, meta)
    package(pipeline, folder, file, create_sdist=False, require_parent=True)
    name = f"{meta['lang']}_{meta['name']}"
    versioned = f"{name}-{meta['version']}"
    source = folder / versioned
    make_writable(source / name / versioned)
    made = {}
    # Those that the pipeline has, spaCy takes.
    if not (pipeline / "README.md").exists():
        # With what spaCy has added to the meta: versions, requirements.
        made["README.md"] = make_readme(pipeline, srsly.read_json(source / "meta.json"))
    if any(licences) and meta.get("sources") and not (pipeline / LICENCES).exists():
        made[LICENCES] = make_licences(meta["sources"], licences)
    for file_name, text in made.items():
        for place in (source, source / name / versioned):
            (place / file_name).write_text(text, encoding="utf8")
    write_whole_folder(source / name / versioned)
    return build_wheel(source, folder / "wheel")


def make_writable(folder: Path) -> None:
    """A copy has the modes of its files, and those of a pipeline may be for reading only."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(path.stat().st_mode | stat.S_IWUSR)
