"""The whole way: a trained pipeline is quantized, packaged and installed where there is no torch.
There it annotates the same whichever way it is asked: by `nlp.pipe`, and by the server."""

import json
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest
from hard_texts import HARD_TEXTS
from serving_client import Client, serve_in_processes

from spacy_pretrained.packaging.package import package_pipeline
from spacy_pretrained.packaging.wheel import build_wheel

ROOT = Path(__file__).parents[1]
TEXTS = [text for text in HARD_TEXTS if text] + ["Ada sees the old river. Robots never sleep!"] * 9
NAME = "en_whole_way"
PIPE = """
import json, spacy, sys
from importlib.util import find_spec
from spacy_pretrained.records import to_record

assert not any(map(find_spec, ("torch", "transformers", "nncf")))
texts = json.load(open(sys.argv[2]))
print(json.dumps([to_record(doc) for doc in spacy.load(sys.argv[1]).pipe(texts)]))
"""


@pytest.fixture(scope="module")
def python(int8_pipeline, tmp_path_factory) -> Path:
    """Python of an environment with nothing but the pipeline's wheel and the server."""
    folder = tmp_path_factory.mktemp("whole_way")
    wheel = package_pipeline(int8_pipeline, folder / "wheels", name=NAME.removeprefix("en_"))
    own = build_wheel(ROOT, folder / "own")
    venv.create(folder / "venv")
    python = folder / "venv" / "bin" / "python"
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    command += ["--constraint", "constraints.txt", "--find-links", str(own.parent)]
    subprocess.run([*command, str(wheel), "spacy-pretrained[serve]"], cwd=ROOT, check=True)
    return python


def by_pipe(python: Path, folder: Path) -> list[dict]:
    (folder / "texts.json").write_text(json.dumps(TEXTS))
    command = [str(python), "-I", "-c", PIPE, NAME, str(folder / "texts.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder)
    return json.loads(done.stdout)


def by_server(python: Path, folder: Path) -> list[dict]:
    with serve_in_processes(folder, NAME, python=python) as server:
        client = Client(server.port)
        alone = client.annotate({"text": TEXTS[0]}).json["docs"]
        rest = client.annotate({"texts": TEXTS[1:]}).json["docs"]
        client.close()
    return alone + rest


def numbers(value: object) -> Iterator[float]:
    """Confidences and scores, whose last digits depend on the batch."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from numbers(item)
    elif isinstance(value, float):
        yield value


def without_numbers(value: object) -> object:
    if isinstance(value, dict):
        return {key: without_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_numbers(item) for item in value]
    return float if isinstance(value, float) else value


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the server's processes are not those of Linux")
def test_the_same_annotations_whichever_way(python, tmp_path):
    expected = by_pipe(python, tmp_path)
    assert len(expected) == len(TEXTS) and any(record["ents"] for record in expected)
    found = by_server(python, tmp_path)
    assert without_numbers(found) == without_numbers(expected)
    assert list(numbers(found)) == pytest.approx(list(numbers(expected)), abs=1e-3)
