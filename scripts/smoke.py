"""Install a pipeline's wheel in a fresh environment, as a user would, and see that it annotates as
the pipeline did before it was packaged.

    python scripts/smoke.py packages/sample/torch --model training/sample/model-best \\
        --texts corpus/sample/test.spacy

The environment is made anew, in `venv-torch` beside the wheel's folder, and stays for you to try.
It has no pip of its own; `python -m pip --python ENVIRONMENT` works on it. Python compiles there
what is imported. `spacy-pretrained` itself is built from this folder; all else comes from where pip
gets it, in the versions of constraints.txt, or of another file like it.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import venv
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any

import spacy
import typer
from quiet_pip import run_pip
from spacy.tokens import DocBin
from wasabi import msg

from spacy_pretrained.errors import count_of
from spacy_pretrained.packaging.wheel import build_wheel

ROOT = Path(__file__).resolve().parents[1]
WORKER = Path(__file__).with_name("smoke_worker.py")
CONFIDENCE_TOLERANCE = 1e-3
OFFLINE = (
    "pip fetches the packages of this environment like any others. Without a network it takes them "
    "from a folder: fill one with `pip download --dest FOLDER` where there is a network, and set "
    "PIP_NO_INDEX=1 and PIP_FIND_LINKS=FOLDER (an absolute path)."
)


def main(
    folder: Annotated[Path, typer.Argument(help="Folder with the wheel")],
    model: Annotated[Path, typer.Option(help="The pipeline before it was packaged")],
    texts: Annotated[Path, typer.Option(help=".spacy file to annotate")],
    absent: Annotated[
        str, typer.Option(help="Modules that must not be in the environment, with commas")
    ] = "",
    constraint: Annotated[
        str, typer.Option(help="File of this folder with the versions to install")
    ] = "constraints.txt",
    output: Annotated[Path | None, typer.Option(help="JSON file for the figures")] = None,
) -> None:
    wheels = sorted(folder.glob("*.whl"))
    if len(wheels) != 1:
        msg.fail(f"{folder} should hold one wheel, but has {len(wheels)}. Package first.", exits=1)
    environment = folder.parent / f"venv-{folder.name}"
    name = wheels[0].name.split("-")[0]
    docs = DocBin().from_disk(texts).get_docs(spacy.blank("xx").vocab)
    lines = [doc.text for doc in docs]
    with ThreadPoolExecutor() as pool:  # pip uses one core
        expected = pool.submit(annotate, Path(sys.executable), str(model.resolve()), lines)
        python = make_environment(environment.resolve(), wheels[0], constraint)
        before = expected.result()
    msg.info(
        f"Annotating {count_of(len(lines), 'text')} as the pipeline did before it was packaged"
    )
    load(python, name)
    after = annotate(python, name, lines)
    found = [module for module in filter(None, absent.split(",")) if module in after["modules"]]
    if found:
        msg.fail(f"{name} needs none of it, but its environment has {', '.join(found)}.", exits=1)
    if differences := compare(before["docs"], after["docs"]):
        msg.fail(
            f"{name} annotates otherwise than {model}: {len(differences)} differences",
            "\n".join(differences[:10]),
            exits=1,
        )
    figures = {
        "package": name,
        "wheel_mb": round(wheels[0].stat().st_size / 1e6, 1),
        "environment_mb": round(size(environment) / 1e6),
        "words": after["words"],
        "words_per_second": after["words_per_second"],
        "load_seconds": after["load_seconds"],
    }
    if output:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf8")
    msg.table(list(figures.items()))
    msg.good(f"{name} annotates as {model} does: {count_of(after['words'], 'word')}, no difference")
    msg.text(f"To try it: {python} -m spacy info {name}")


def make_environment(path: Path, wheel: Path, constraint: str = "constraints.txt") -> Path:
    """RETURNS: Python of a new environment with the wheel and what it asks for."""
    shutil.rmtree(path, ignore_errors=True)
    venv.create(path)
    python = path / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    own = path / "wheels"
    own.mkdir()
    shutil.rmtree(ROOT / "build", ignore_errors=True)  # setuptools packs what an old one left there
    build_wheel(ROOT, own)
    # The constraints are those of the folder: another path would need a URL if it has spaces.
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-compile"]
    command += ["--constraint", constraint, "--find-links", str(own)]
    command += ["--disable-pip-version-check", str(wheel.resolve())]
    if not run_pip(f"Installing {wheel.name}", command, ROOT):
        msg.text(OFFLINE, exits=1)
    return python


def load(python: Path, name: str) -> None:
    """Load a pipeline once, so that Python has compiled its modules when that is timed."""
    code = f"import spacy; spacy.load({name!r})"
    subprocess.run([str(python), "-I", "-c", code], check=True)


def annotate(python: Path, name: str, texts: list[str]) -> dict[str, Any]:
    """What a pipeline says in an environment; its process sees nothing of this project."""
    with tempfile.TemporaryDirectory() as folder:
        source, output = Path(folder) / "texts.json", Path(folder) / "annotation.json"
        source.write_text(json.dumps(texts), encoding="utf8")
        command = [str(python), "-I", str(WORKER), name, str(source), str(output)]
        subprocess.run(command, check=True, cwd=folder)
        return json.loads(output.read_text(encoding="utf8"))


def compare(before: list[dict], after: list[dict]) -> list[str]:
    """Where the annotation of two runs is not the same, but for the last digits of confidences."""
    differences = []
    for number, (old, new) in enumerate(zip(before, after, strict=True)):
        for name in old:
            for a, b in zip(old[name], new[name], strict=False):
                is_close = isinstance(a, float) and abs(a - b) < CONFIDENCE_TOLERANCE
                if a != b and not is_close:
                    differences.append(f"text {number}, {name}: {a}, after packaging {b}")
            if len(old[name]) != len(new[name]):
                differences.append(f"text {number}, {name}: {old[name]}, then {new[name]}")
    return differences


def size(folder: Path) -> int:
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(path.stat().st_size for path in files)


if __name__ == "__main__":
    typer.run(main)
