"""Fixtures of all tests: tiny encoders on disk, made once a session."""

from collections.abc import Callable

import pytest
from thinc.api import fix_random_seed


@pytest.fixture(autouse=True)
def same_random_numbers():
    """What is random is the same in every run, whichever tests are in it."""
    fix_random_seed(0)


@pytest.fixture(scope="session")
def tiny_source(tmp_path_factory) -> Callable[[str], str]:
    """A function from a kind of model (see `tiny_models.KINDS`) to a folder that holds a tiny one,
    to be given as `source`. Tests do not write to the folder."""
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
