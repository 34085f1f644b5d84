"""examples/ray_annotate.py: one worker is killed midway, then the whole program; when it is started
again, each row is there once. docs/scale.md shows its core. `make test-ray` has what it needs."""

import ast
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import spacy
from doc_blocks import ROOT, read_blocks

pytest.importorskip("ray", reason="it has an environment of its own: make test-ray")

N_TEXTS, ROWS = 2000, 100
SECONDS = 900  # for what takes one minute
EXAMPLE = ROOT / "examples" / "ray_annotate.py"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A pipeline, and a table of texts that take a while."""
    import pyarrow as pa
    import pyarrow.parquet

    folder = tmp_path_factory.mktemp("ray")
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "PER", "pattern": "Ada"}])
    nlp.add_pipe("sentencizer")
    nlp.to_disk(folder / "pipeline")
    texts = [f"Ada sees river {i}. " * 300 for i in range(N_TEXTS)]
    texts[7] = None
    table = pa.table({"id": range(N_TEXTS), "text": texts})
    pyarrow.parquet.write_table(table, folder / "texts.parquet")
    return folder


def start(folder: Path) -> subprocess.Popen:
    names = [str(folder / name) for name in ("pipeline", "texts.parquet", "annotated")]
    command = [sys.executable, str(EXAMPLE), *names, "--actors", "2", "--rows", str(ROWS)]
    paths = f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    log = (folder / "log").open("a")
    return subprocess.Popen(
        command,
        env=os.environ | {"PYTHONPATH": paths},
        stdout=log,
        stderr=log,
        start_new_session=True,
    )


def count_files(folder: Path) -> int:
    return len(list((folder / "annotated").glob("*.parquet")))


def find_workers() -> list[int]:
    """Of Linux, the processes that annotate."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if re.match(rb"ray::.*Annotate", path.read_bytes()):
                found.append(int(path.parent.name))
        except OSError:
            pass
    return found


def wait_for(condition, process) -> None:
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, "it takes too long"
        assert process.poll() is None, "it ended before"
        time.sleep(0.1)


def test_each_row_is_there_once(folder):
    import pyarrow.parquet as pq

    process = start(folder)
    wait_for(lambda: count_files(folder) >= 2 and find_workers(), process)
    os.kill(find_workers()[0], signal.SIGKILL)
    n_files = count_files(folder)
    wait_for(lambda: count_files(folder) >= n_files + 3, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    n_files = count_files(folder)
    assert n_files < N_TEXTS / ROWS, "it was done before it was killed"
    time.sleep(5)  # Ray's own processes see that it has gone

    process = start(folder)
    assert process.wait(SECONDS) == 0, (folder / "log").read_text()[-3000:]
    parts = sorted((folder / "annotated").glob("*.parquet"))
    tables = [pq.read_table(part) for part in parts]
    assert len({table.schema for table in tables}) == 1
    ids = [i for table in tables for i in table["id"].to_pylist()]
    assert len(ids) == N_TEXTS and set(ids) == set(range(N_TEXTS))
    errors = {
        row["id"]: row["error"]
        for table in tables
        for row in table.select(["id", "error"]).to_pylist()
        if row["error"]
    }
    assert list(errors) == [7] and "has to be a string" in errors[7]
    ents = tables[0]["ents"].to_pylist()
    assert all(row is None or row[0]["label"] == "PER" for row in ents)

    # Where the rows have been removed, all would count as done.
    (folder / "annotated").rename(folder / "elsewhere")
    assert start(folder).wait(SECONDS) == 2
    assert "annotated.done lists what was written" in (folder / "log").read_text()


def test_the_page_maps_batches_as_the_example_does():
    (block,) = read_blocks(ROOT / "docs" / "scale.md", "python")[:1]
    on_page, in_example = map(find_call, (block.code, EXAMPLE.read_text("utf8")))
    assert [ast.unparse(value) for value in on_page.args] == ["Annotate"]
    names = {keyword.arg for keyword in on_page.keywords}
    assert names == {keyword.arg for keyword in in_example.keywords} - {"batch_size"}


def find_call(code: str) -> ast.Call:
    calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    return next(call for call in calls if getattr(call.func, "attr", "") == "map_batches")
