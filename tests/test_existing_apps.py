"""docs/existing-apps.md, followed to the letter: a stock pipeline becomes a torch-free package."""

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import spacy
from doc_blocks import ROOT, read_blocks
from stock_heads import MEAN
from stock_pipelines import TEXTS, add_heads, short_source, train

pytest.importorskip(
    "spacy_transformers",
    reason="spacy_transformers not installed: `make test-trf` has it",
    exc_type=ImportError,
)

PAGE = ROOT / "docs" / "existing-apps.md"
COMMANDS = [
    line
    for block in read_blocks(PAGE, "bash")
    for line in block.code.strip().splitlines()
    if block.mark == "run by" and Path(block.argument).name == Path(__file__).name
]
# Of a pipeline that has learnt four documents, one annotation more or less is several percent.
ANY_AGREEMENT = ["--min-tags", "0", "--min-heads", "0", "--min-entities", "0"]


@pytest.fixture(scope="module")
def folder(tiny_bert, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("app")
    nlp = spacy.blank("en")
    source = short_source(tiny_bert, path / "source")
    nlp.add_pipe("transformer", config={"model": {"name": source}})
    listener = {"@architectures": "spacy-transformers.TransformerListener.v1", "pooling": MEAN}
    add_heads(nlp, listener)
    train(nlp, "transformer")
    nlp.to_disk(path / "my_pipeline")
    words = ("Ada", "Robots", "Zürich", "hearing", "river", "issue")
    lines = [f"{one} sees the old {two}." for one in words for two in words]
    (path / "texts.txt").write_text("\n".join(lines), "utf8")
    return path


def test_the_page_has_commands():
    assert len(COMMANDS) >= 5


def test_every_command_works(folder):
    pytest.importorskip("nncf")
    for command in COMMANDS:
        program, *arguments = shlex.split(command)
        assert program == "python"
        if "quantize" in arguments and "torch" not in arguments:
            arguments += ANY_AGREEMENT
        result = subprocess.run(
            [sys.executable, *arguments], cwd=folder, capture_output=True, text=True
        )
        assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    original, exact = (spacy.load(folder / name) for name in ("my_pipeline", "my_pipeline_fp32"))
    for text in TEXTS:
        one, two = original(text), exact(text)
        assert [t.tag_ for t in one] == [t.tag_ for t in two]
        assert [(t.head.i, t.dep_) for t in one] == [(t.head.i, t.dep_) for t in two]
        assert [(e.start, e.end, e.label_) for e in one.ents] == [
            (e.start, e.end, e.label_) for e in two.ents
        ]
    assert list((folder / "wheels").rglob("*.whl"))
    shutil.rmtree(folder / "wheels")
