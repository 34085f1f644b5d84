"""The public Python interface: all that docs/api.md lists, and nothing else; old paths work."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import spacy_pretrained

PAGE = Path(__file__).parents[1] / "docs" / "api.md"
OLD = {
    "quantize": ["quantize_pipeline", "quantize_within"],
    "quantization_gate": ["Refused"],
    "noun_chunks": ["noun_chunks_ud"],
    "lemmatizer_trees": ["restore_lemmatizer_trees"],
}


def test_the_page_lists_what_is_public():
    listed = re.findall(r"^\| `(\w+)", PAGE.read_text("utf8"), re.M)
    assert sorted(listed) == sorted(spacy_pretrained.__all__)


@pytest.mark.parametrize("name", spacy_pretrained.__all__)
def test_every_name_is_there_and_explained(name):
    value = getattr(spacy_pretrained, name)
    assert name in dir(spacy_pretrained)
    assert value.__doc__


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'quantise'"):
        spacy_pretrained.quantise  # noqa: B018


@pytest.mark.parametrize("module", OLD)
def test_old_paths_warn_and_work(module):
    sys.modules.pop(f"spacy_pretrained.{module}", None)
    with pytest.warns(DeprecationWarning, match="from `spacy_pretrained` itself") as caught:
        old = importlib.import_module(f"spacy_pretrained.{module}")
    assert len(caught) == 1
    for name in OLD[module]:
        assert getattr(old, name) is getattr(spacy_pretrained, name)


@pytest.mark.slow
def test_the_warning_is_at_the_line_that_imports(tmp_path):
    script = tmp_path / "old.py"
    script.write_text(
        "import sys\nfrom spacy_pretrained.noun_chunks import noun_chunks_ud\n", "utf8"
    )
    command = [sys.executable, "-W", "always::DeprecationWarning", str(script)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    assert f"{script}:2: DeprecationWarning: `spacy_pretrained.noun_chunks`" in said


def test_importing_the_package_imports_nothing_else():
    program = "import sys, spacy_pretrained; print(*(m for m in sys.modules if 'spacy' in m))"
    command = [sys.executable, "-c", program]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert [name for name in loaded if "__editable__" not in name] == ["spacy_pretrained"]
