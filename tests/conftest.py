"""Fixtures of all tests: tiny encoders on disk, made once a session."""

import os
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import catalogue
import pytest
import time_limit
from optional_packages import pytest_make_collect_report, pytest_runtest_makereport  # noqa: F401
from thinc.api import fix_random_seed

# Tiny models have no work for two threads; where tests run side by side, these would wait for each
# other. Read when torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# spaCy looks through the entry points of all packages whenever a name is looked up, which takes
# nearly half of the time of `spacy.blank("xx")`.
catalogue.AVAILABLE_ENTRY_POINTS = {
    group: tuple(catalogue.AVAILABLE_ENTRY_POINTS.select(group=group))
    for group in catalogue.AVAILABLE_ENTRY_POINTS.groups
}


def pytest_addoption(parser):
    text = "write what is found of all families to checkpoints/families.json and docs/encoders.md"
    parser.addoption("--write-families", action="store_true", dest="write_families", help=text)
    time_limit.add_option(parser)


def pytest_configure(config):
    time_limit.begin(config)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    time_limit.skip_late(item)


@pytest.fixture(autouse=True)
def same_random_numbers():
    """What is random is the same in every run, whichever tests are in it."""
    fix_random_seed(0)


@pytest.fixture(scope="session", autouse=True)
def some_backend():
    """Where there is no PyTorch, another backend stands in for the one on it."""
    if find_spec("torch") is not None:
        yield
        return
    from stand_in_torch import stand_in

    with stand_in():
        yield


@pytest.fixture(scope="session")
def needs_torch():
    """For tests of real weights, and of commands in processes of their own."""
    pytest.importorskip("torch", reason="needs torch, which is not installed")


@pytest.fixture(scope="session")
def tiny_source(tmp_path_factory) -> Callable[[str], str]:
    """A function from a kind of model (see `tiny_models.KINDS`) to a folder that holds a tiny one,
    to be given as `source`. Tests do not write to the folder."""
    if find_spec("torch") is not None:
        from tiny_models import save_tiny_model as save
    else:
        from stand_in_torch import save_source as save

    root = tmp_path_factory.mktemp("tiny_models")

    def find(kind: str) -> str:
        folder = root / kind
        if not folder.is_dir():
            save(kind, folder)
        return str(folder)

    return find


@pytest.fixture(scope="session")
def tiny_nli(tmp_path_factory) -> Callable[[str], str]:
    """The same for tiny models of entailment; their classes are contradiction, neutral and
    entailment."""
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
