"""The first hour of somebody who has pip and a file with entities, and no checkout.

An environment with nothing but `pip install spacy-pretrained[train,quantize]`, from a built wheel;
from there on what the screen says to type next is typed.
"""

import random
import re
import shlex
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PARTS = ("spacy_pretrained", "configs", "setup.cfg", "pyproject.toml", "README.md", "LICENSE")
NAMES = {
    "PER": ["Ada", "Boris", "Chen", "Dora", "Emil", "Farah", "Gita", "Hugo", "Ines", "Jan"],
    "LOC": [
        "Lisbon",
        "Oslo",
        "Quito",
        "Cairo",
        "Delhi",
        "Kyoto",
        "Lagos",
        "Turin",
        "Perth",
        "Riga",
    ],
    "ORG": ["Acme", "Globex", "Initech", "Umbrella", "Hooli"],
}
TEMPLATES = [
    "PER moved from LOC to LOC last year .",
    "ORG hired PER in LOC .",
    "In LOC , PER met the board of ORG .",
    "PER and PER work for ORG .",
    "Nobody in LOC knows ORG .",
]


def write_columns(path: Path, n_sentences: int, labels: set[str], seed: int) -> None:
    """A token and its entity a line; names of other kinds than labels are no entities."""
    draw = random.Random(seed)
    sentences = []
    for _ in range(n_sentences):
        rows = []
        for word in draw.choice(TEMPLATES).split():
            name = draw.choice(NAMES[word]) if word in NAMES else word
            rows.append(f"{name} B-{word}" if word in labels else f"{name} O")
        sentences.append("\n".join(rows) + "\n")
    path.write_text("\n".join(sentences), "utf8")


class Terminal:
    """A folder and a Python; what is run there, and the hints on its screen."""

    def __init__(self, folder: Path, python: Path):
        self.folder, self.python, self.screen = folder, python, ""

    def run(self, command: str, *, ok: bool = True) -> str:
        python, *words = shlex.split(command)
        assert python == "python"
        done = subprocess.run(
            [self.python, "-I", *words],  # -I: nothing of the checkout is seen
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.screen = done.stdout
        assert (done.returncode == 0) == ok, f"{command}\n{done.stdout[-3000:]}"
        if "spacy pretrained" in command:  # `spacy train` shows where an error was raised
            assert "Traceback" not in done.stdout, done.stdout[-3000:]
        return done.stdout

    def hint(self, begin: str, **files: str) -> str:
        """The command that the screen says to type, with names in place of words in capitals."""
        (command,) = re.findall(rf"({re.escape(begin)}.*)", self.screen)
        for word, name in files.items():
            command = command.replace(f"{word}.spacy", name)
        return command


@pytest.fixture(scope="module")
def python(tmp_path_factory) -> Path:
    """A Python with the package and its extras, as pip installs them, and nothing else."""
    folder = tmp_path_factory.mktemp("environment")
    source = folder / "source"  # setuptools would leave its build in the checkout
    source.mkdir()
    for name in PARTS:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    venv.create(folder / "venv", with_pip=True)
    made = folder / "venv" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    pip = [made, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", folder, source], check=True)
    (wheel,) = folder.glob("*.whl")
    install = [*pip, "install", "--constraint", ROOT / "constraints.txt"]
    subprocess.run([*install, "torch"], check=True)
    subprocess.run([*install, f"{wheel}[train,quantize]"], check=True)
    return made


@pytest.mark.slow
def test_from_columns_to_an_installed_wheel(python, tmp_path):
    write_columns(tmp_path / "train.conll", 50, set(NAMES), seed=0)
    write_columns(tmp_path / "dev.conll", 15, set(NAMES), seed=1)
    terminal = Terminal(tmp_path, python)
    terminal.run("python -m spacy pretrained convert dev.conll dev.spacy")
    terminal.run("python -m spacy pretrained convert train.conll train.spacy")
    terminal.run(terminal.hint("python -m spacy pretrained config", DEV="dev.spacy"))
    train = terminal.hint("python -m spacy train")
    # The default encoder is a package of its own: the error says how to get it.
    terminal.run(train, ok=False)
    (install,) = re.findall(r"Run: (pip install .*) - or", " ".join(terminal.screen.split()))
    terminal.run(f"python -m {install}")
    terminal.run(train)
    terminal.run("python -m spacy pretrained evaluate training/model-best dev.spacy --json f.json")
    quantize = "python -m spacy pretrained quantize training/model-best int8 --texts train.spacy"
    terminal.run(f"{quantize} --eval dev.spacy", ok=False)
    assert "--doc-sentences 1" in " ".join(terminal.screen.split())
    terminal.run("python -m spacy pretrained convert dev.conll dev.spacy --doc-sentences 1")
    terminal.run(f"{quantize} --eval dev.spacy")
    terminal.run(terminal.hint("python -m spacy pretrained package"))
    install = terminal.hint("python -m pip install")
    terminal.run(install)
    package = Path(install).name.partition("-")[0]
    program = (
        f"import {package}, sys; doc = {package}.load()('Ada moved from Oslo to Lagos last year.');"
        "print([(ent.text, ent.label_) for ent in doc.ents])"
    )
    said = terminal.run(f"python -c {shlex.quote(program)}")
    assert "('Ada', 'PER'), ('Oslo', 'LOC'), ('Lagos', 'LOC')" in said


@pytest.mark.slow
def test_twenty_sentences_and_one_label(python, tmp_path):
    write_columns(tmp_path / "train.conll", 20, {"PER"}, seed=0)
    write_columns(tmp_path / "dev.conll", 5, {"PER"}, seed=1)
    terminal = Terminal(tmp_path, python)
    for name in ("dev", "train"):
        terminal.run(f"python -m spacy pretrained convert {name}.conll {name}.spacy")
    terminal.run(terminal.hint("python -m spacy pretrained config", DEV="dev.spacy"))
    terminal.run(terminal.hint("python -m spacy train") + " --training.max_steps 20")
    terminal.run("python -m spacy pretrained evaluate training/model-best dev.spacy")
    # Five sentences are too few to score on; twenty are just enough to calibrate on.
    terminal.run("python -m spacy pretrained quantize training/model-best int8 --texts train.spacy")
    terminal.run(terminal.hint("python -m spacy pretrained package"))
