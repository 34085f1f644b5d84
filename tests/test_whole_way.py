"""The whole way: a trained pipeline is quantized, packaged and installed where there is no torch.
There it annotates the same whichever way it is asked: by `nlp.pipe`, by `annotate`, which is killed
and goes on, and by the server."""

import json
import os
import subprocess
import sys
import time
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
NAME = "xx_whole_way"
SECONDS = 400  # for what takes a few, on a machine that has much else to do
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
    wheel = package_pipeline(int8_pipeline, folder / "wheels", name=NAME.removeprefix("xx_"))
    own = build_wheel(ROOT, folder / "own")
    venv.create(folder / "venv")
    python = folder / "venv" / "bin" / "python"
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    command += ["--constraint", "constraints.txt", "--find-links", str(own.parent)]
    # pip takes what PYTHONPATH names for installed.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command += [str(wheel), "spacy-pretrained[serve]"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    return python


def by_pipe(python: Path, folder: Path) -> list[dict]:
    (folder / "texts.json").write_text(json.dumps(TEXTS))
    command = [str(python), "-I", "-c", PIPE, NAME, str(folder / "texts.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder)
    return json.loads(done.stdout)


def by_command(python: Path, folder: Path) -> list[dict]:
    """A text a part. The command is killed with the first one written, and what more it has written
    by then is lost, but for every third part."""
    lines = [json.dumps({"text": text}) + "\n" for text in TEXTS]
    (folder / "texts.jsonl").write_text("".join(lines))
    command = [str(python), "-I", "-m", "spacy", "pretrained", "annotate", NAME]
    command += ["texts.jsonl", "annotated", "--shard", "1", "--workers", "1"]

    def parts() -> list[Path]:
        return sorted((folder / "annotated").glob("part-??????.jsonl"))

    process = subprocess.Popen(command, cwd=folder)
    end = time.monotonic() + SECONDS
    while not parts():
        assert process.poll() is None and time.monotonic() < end
        time.sleep(0.01)
    process.kill()
    process.wait()
    for number, part in enumerate(parts()):
        if number % 3:
            part.unlink()
    subprocess.run(command, cwd=folder, check=True, timeout=SECONDS)
    return [json.loads(part.read_text(encoding="utf8")) for part in parts()]


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
    for way in (by_command, by_server):
        found = way(python, tmp_path)
        assert without_numbers(found) == without_numbers(expected)
        assert list(numbers(found)) == pytest.approx(list(numbers(expected)), abs=1e-3)
