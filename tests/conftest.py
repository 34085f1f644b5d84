"""Fixtures of all tests: tiny encoders on disk, made once a session."""

import ast
import os
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
from thinc.api import fix_random_seed

# Tiny models have no work for two threads; where tests run side by side, these would wait for each
# other. Read when torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")


# What is there with PyTorch only. In an environment without it (`make test-pythons`), files that
# import one of these are left out, and tests with an encoder that has to be made are skipped.
NEEDS_TORCH = {"torch", "transformers", "safetensors", "tiny_models", "families"}
NO_TORCH = "there is no PyTorch here to make an encoder with"


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    if find_spec("torch") is not None:
        return None
    # A folder whose fixtures are made with it, or a file.
    path = collection_path / "conftest.py" if collection_path.is_dir() else collection_path
    is_python = path.suffix == ".py" and path.is_file() and path != Path(__file__)
    return True if is_python and imported(path) & NEEDS_TORCH else None


def imported(path: Path) -> set[str]:
    """The packages, or modules of `tests`, that a file imports, at its top or later."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def pytest_addoption(parser):
    text = "write what is found of all families to checkpoints/families.json and docs/encoders.md"
    parser.addoption("--write-families", action="store_true", dest="write_families", help=text)


@pytest.fixture(autouse=True)
def same_random_numbers():
    """What is random is the same in every run, whichever tests are in it."""
    fix_random_seed(0)


@pytest.fixture(scope="session")
def tiny_source(tmp_path_factory) -> Callable[[str], str]:
    """A function from a kind of model (see `tiny_models.KINDS`) to a folder that holds a tiny one,
    to be given as `source`. Tests do not write to the folder."""
    pytest.importorskip("torch", reason=NO_TORCH)
    from tiny_models import save_tiny_model

    root = tmp_path_factory.mktemp("tiny_models")

    def find(kind: str) -> str:
        folder = root / kind
        if not folder.is_dir():
            save_tiny_model(kind, folder)
        return str(folder)

    return find


@pytest.fixture(scope="session")
def tiny_nli(tmp_path_factory) -> Callable[[str], str]:
    """The same for tiny models of entailment; their classes are contradiction, neutral and
    entailment."""
    pytest.importorskip("torch", reason=NO_TORCH)
    from tiny_models import save_tiny_model

    root = tmp_path_factory.mktemp("tiny_nli")

    def find(kind: str) -> str:
        folder = root / kind
        if not folder.is_dir():
            save_tiny_model(kind, folder, ["contradiction", "neutral", "ENTAILMENT"])
        return str(folder)

    return find


@pytest.fixture(scope="session")
def tiny_bert(tiny_source) -> str:
    """A folder with a tiny BERT."""
    return tiny_source("bert")


@pytest.fixture(scope="session")
def int8_pipeline(tiny_bert, tmp_path_factory) -> Path:
    """A folder with a small pipeline in INT8, with components of ours and of spaCy's own. Tests do
    not write to it."""
    pytest.importorskip("nncf", reason="the environment of spacy-transformers has none")
    from tiny_pipelines import LISTENER, make_examples, make_nlp, train

    from spacy_pretrained.quantization.quantize import quantize_pipeline

    stock = [(name, {"model": {"tok2vec": LISTENER}}) for name in ("spancat", "textcat")]
    ours = ("pretrained_tagger", "biaffine_parser", "pretrained_ner")
    nlp = make_nlp(tiny_bert, *ours, *stock)
    examples = make_examples(nlp)
    train(nlp, examples * 2, 20)
    folder = tmp_path_factory.mktemp("int8") / "pipeline"
    quantize_pipeline(nlp, [example.reference for example in examples] * 6).to_disk(folder)
    return folder
