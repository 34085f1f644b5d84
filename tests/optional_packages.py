"""Hooks of pytest: a test that fails for want of an optional package is skipped, and says so."""

from importlib.util import find_spec
from pathlib import Path
from traceback import extract_tb

import pytest

# Packages of extras (see setup.cfg), or of this project's tools. Those of `make test-pythons` lack
# PyTorch and its kin.
OPTIONAL = {
    *("torch", "transformers", "safetensors", "nncf", "accelerate", "optuna", "sentencepiece"),
    *("datasets", "matplotlib", "pandas", "pyarrow", "fastapi", "uvicorn", "starlette"),
    *("huggingface_hub", "udtools"),
}
# Modules of the package whose names say what they import at their tops.
NAMED_AFTER = ("torch_", "fastapi_", "uvicorn_")
ROOT = Path(__file__).parents[1]


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    report = yield
    return skip_for_want(report, collector.path, report.call.excinfo)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    return skip_for_want(report, item.path, call.excinfo)


def skip_for_want(report, path: Path, failure: pytest.ExceptionInfo | None):
    name = find_wanted(failure.value) if report.failed and failure else None
    if name is not None:
        report.outcome = "skipped"
        report.longrepr = (str(path), None, f"needs {name}, which is not installed")
    return report


def find_wanted(error: BaseException) -> str | None:
    """The optional package that a test failed for want of: either the test itself imports it, or
    this package says, in an error of its own, what to install. If this package imports it without
    a word, or anything else is wrong, the test fails."""
    chain = [error]
    while chain[-1].__cause__ is not None:
        chain.append(chain[-1].__cause__)
    name = (getattr(chain[-1], "name", None) or "").partition(".")[0]
    is_absent = isinstance(chain[-1], ModuleNotFoundError) and name in OPTIONAL
    if not is_absent or find_spec(name) is not None:
        return None
    is_explained = len(chain) > 1 and isinstance(chain[-2], ImportError)
    return name if is_explained or not is_imported_by_package(chain[-1]) else None


def is_imported_by_package(error: ModuleNotFoundError) -> bool:
    """Whether it is the package that imports it, or a module named after it, and not a test."""
    files = [Path(frame.filename) for frame in extract_tb(error.__traceback__)]
    ours = [file for file in files if ROOT in file.parents and "site-packages" not in file.parts]
    asking = [file for file in ours if not file.name.startswith(NAMED_AFTER)]
    return bool(asking) and ROOT / "spacy_pretrained" in asking[-1].parents
