"""What tests/test_serving.py runs: a quantized pipeline in the ways that servers use one, where
torch, transformers and nncf cannot be imported.

    python tests/serving_worker.py SCENE PIPELINE texts.json annotations.json

Children are forked by `os.fork` and end by `sys.exit`, with all that Python does at its end, as
those of a pre-forking server do.
"""

import importlib.abc
import json
import multiprocessing
import os
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

BLOCKED = {"torch", "transformers", "nncf", "safetensors"}
N_CHILDREN = 2  # at a time


class Block(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"No module named {name!r} (blocked)", name=name)


sys.meta_path.insert(0, Block())  # also in processes that are spawned: they import this file

import spacy  # noqa: E402
from tiny_pipelines import annotations  # noqa: E402


def annotate(nlp, texts, **kwargs) -> list:
    return [annotations(doc) for doc in nlp.pipe(texts, **kwargs)]


def annotate_in_threads(nlp, texts) -> list[list]:
    """Two threads with all of the texts each, and one with a text at a time."""
    with ThreadPoolExecutor(3) as pool:
        runs = [pool.submit(annotate, nlp, texts) for _ in range(2)]
        runs.append(pool.submit(lambda: [annotations(nlp(text)) for text in texts]))
        return [run.result() for run in runs]


def fork(work, *args) -> int:
    """RETURNS: The child's process id. It does the work, and ends as any Python does."""
    child = os.fork()
    if child:
        return child
    try:
        work(*args)
    except BaseException:
        traceback.print_exc()
        sys.exit(1)
    sys.exit(0)


def wait_for(children: list[int]) -> None:
    for child in children:
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        if code:
            sys.exit(f"A child ended with {code}.")


def processes(nlp, texts, output: Path, method: str) -> None:
    """`nlp.pipe(n_process=2)`, twice, before and after the parent itself annotates."""
    multiprocessing.set_start_method(method)
    runs = [annotate(nlp, texts, n_process=2, batch_size=2), annotate(nlp, texts)]
    if method == "fork":  # a spawned process takes its seconds
        runs.append(annotate(nlp, texts, n_process=2, batch_size=2))
    output.write_text(json.dumps(runs))


def serve(nlp, texts, output: Path) -> None:
    (output.parent / f"{os.getpid()}.json").write_text(
        json.dumps([*annotate_in_threads(nlp, texts), annotate(nlp, texts)])
    )


def prefork(nlp, texts, output: Path) -> None:
    """Children are forked before the parent has used the pipeline, after, and while one of its
    threads does; all annotate at once, the parent too."""
    runs = []
    children = [fork(serve, nlp, texts, output)]
    for _ in range(2):
        runs.append(annotate(nlp, texts))
        children += [fork(serve, nlp, texts, output) for _ in range(N_CHILDREN)]
        runs += annotate_in_threads(nlp, texts)
        wait_for(children)
        children = []
    stop = threading.Event()
    busy = threading.Thread(target=annotate_until, args=(nlp, texts, stop))
    busy.start()
    children = [fork(serve, nlp, texts, output) for _ in range(N_CHILDREN)]
    wait_for(children)
    stop.set()
    busy.join()
    for path in output.parent.glob("[0-9]*.json"):
        runs += json.loads(path.read_text())
    output.write_text(json.dumps(runs))


def annotate_until(nlp, texts, stop: threading.Event) -> None:
    while not stop.is_set():
        annotate(nlp, texts)


if __name__ == "__main__":
    scene, pipeline, texts, output, *more = sys.argv[1:]
    scenes = {"processes": processes, "prefork": prefork}
    lines = json.loads(Path(texts).read_text())
    scenes[scene](spacy.load(pipeline), lines, Path(output), *more)
