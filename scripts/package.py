"""Make an installable wheel of a pipeline, by `spacy package`, with all that its meta should say.

    python scripts/package.py training/ewt/model-best packages/ewt/torch \\
        --corpus ewt --encoder minilm-l6

The package is called LANGUAGE_CORPUS_ENCODER_KIND, where the kind is torch, or the precision of a
pipeline that runs on OpenVINO (fp32, int8 …): en_ewt_minilm_torch. What `assets/CORPUS/meta.json`
says of the corpus (author, license, sources, url …) goes into the meta.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import requires
from pathlib import Path
from typing import Annotated, Any

import srsly
import typer
from spacy.cli.package import package
from wasabi import msg

from spacy_pretrained.checkpoints.catalogue import CATALOGUE
from spacy_pretrained.quantization.quantizable import OPENVINO

# What only a pipeline on torch needs; a quantized copy of one does not inherit it.
TRAIN_EXTRA = re.compile(r"""(?P<requirement>[^;]+);\s*extra\s*==\s*["']train["']""")


def main(
    model: Annotated[Path, typer.Argument(help="Pipeline to package")],
    output: Annotated[Path, typer.Argument(help="Folder for the wheel; others in it are removed")],
    corpus: Annotated[str, typer.Option(help="Name of the corpus, of its folder in assets/")],
    encoder: Annotated[str, typer.Option(help="Where the encoder's weights came from")],
    version: Annotated[str, typer.Option(help="Version of the package")] = "0.1.0",
    about: Annotated[
        Path | None, typer.Option(help="JSON file for the meta [assets/CORPUS/meta.json]")
    ] = None,
) -> None:
    if not (model / "meta.json").is_file():
        msg.fail(f"{model} has no meta.json: it is no pipeline. Train one first.", exits=1)
    check_output(output)
    about = about or Path("assets") / corpus / "meta.json"
    meta = make_meta(model, corpus, encoder, srsly.read_json(about) if about.exists() else {})
    with tempfile.TemporaryDirectory() as folder:
        srsly.write_json(Path(folder) / "meta.json", meta)
        package(
            model,
            Path(folder),
            Path(folder) / "meta.json",
            name=meta["name"],
            version=version,
            create_sdist=False,
            require_parent=True,
        )
        source = Path(folder) / f"{meta['lang']}_{meta['name']}-{version}"
        wheel = build_wheel(source, Path(folder) / "wheel")
        shutil.rmtree(output, ignore_errors=True)
        output.mkdir(parents=True)
        wheel = Path(shutil.move(wheel, output))
    msg.good(f"{wheel} ({wheel.stat().st_size / 1e6:.1f} MB)")


def check_output(output: Path) -> None:
    """Refuse a folder with other things than wheels in it: they would be lost."""
    if output.is_file():
        msg.fail(f"{output} is a file: give another folder for the wheel.", exits=1)
    if others := sorted(path.name for path in output.glob("*") if path.suffix != ".whl"):
        what = f"{output} holds other things than wheels ({', '.join(others)})"
        msg.fail(f"{what}: give another folder for the wheel.", exits=1)


def make_meta(model: Path, corpus: str, encoder: str, about: dict[str, Any]) -> dict[str, Any]:
    """The meta of the package: that of the pipeline, of its corpus and of its encoder."""
    meta = srsly.read_json(model / "meta.json")
    kind = kind_of(model, meta)
    entry = CATALOGUE.get(encoder, {})
    short = entry.get("short") or re.split(r"[:/\\]", encoder.rstrip("/\\"))[-1]
    meta["name"] = "_".join(map(slug, (corpus, short, kind)))
    sources = [*about.get("sources", []), encoder_source(encoder, entry)]
    defaults = {
        "description": describe(meta, corpus, encoder, kind),
        "author": "spacy-pretrained",
        "url": sources[0].get("url", ""),
    }
    meta |= defaults | about | {"sources": sources}
    if kind == "torch":
        meta["requirements"] = sorted({*meta.get("requirements", []), *training_requirements()})
    return meta


def kind_of(model: Path, meta: dict[str, Any]) -> str:
    """ "torch", the precision of a pipeline on OpenVINO, or "plain" without a transformer."""
    config = (model / "config.cfg").read_text(encoding="utf8")
    if any(f'"{name}"' in config for name in OPENVINO) or '"spacy-transformers.' in config:
        return "torch"
    on_openvino = any(f'"{name}"' in config for name in OPENVINO.values())
    return meta.get("quantization", {}).get("precision", "openvino") if on_openvino else "plain"


def slug(name: str) -> str:
    """A name as a part of a Python identifier."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def describe(meta: dict[str, Any], corpus: str, encoder: str, kind: str) -> str:
    components = ", ".join(name for name in meta["pipeline"] if name != "pretrained_encoder")
    if kind == "plain":
        return f"{components}, trained on {corpus}."
    engine = "on PyTorch" if kind == "torch" else f"on OpenVINO ({kind}), without PyTorch"
    return f"{components} on the encoder {encoder}, trained on {corpus}. Runs {engine}."


def encoder_source(encoder: str, entry: dict[str, Any]) -> dict[str, str]:
    hub = entry.get("hub", "")
    return {
        "name": hub or encoder,
        "url": f"https://huggingface.co/{hub}" if hub else "",
        "license": entry.get("licence", ""),
        "author": entry.get("author", ""),
    }


def training_requirements() -> list[str]:
    """What spacy-pretrained's extra `train` asks for."""
    found = (TRAIN_EXTRA.fullmatch(line) for line in requires("spacy-pretrained") or [])
    return [match["requirement"].strip() for match in found if match]


def build_wheel(source: Path, output: Path) -> Path:
    """Without isolation: that would fetch setuptools once more, for every wheel.

    output (Path): Folder without other wheels, made if there is none.
    RETURNS (Path): The wheel.
    """
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-cache-dir"]
    command += ["--no-build-isolation", "--wheel-dir", str(output), str(source)]
    subprocess.run(command, check=True)
    (wheel,) = output.glob("*.whl")
    return wheel


if __name__ == "__main__":
    typer.run(main)
