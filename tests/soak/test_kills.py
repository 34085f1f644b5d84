"""A process is killed while it saves a pipeline over an older one: what is loaded then is the old
one or the new one, never parts of both."""

import os
import random
import shutil
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import spacy
from saved_pipelines import SAVED
from soak_sizes import SEED, load, say, times
from spacy.language import Language
from spacy.tokens import DocBin
from spacy.training import loop
from spacy.training.initialize import init_nlp
from thinc.api import Config
from tiny_pipelines import CNN, make_examples

from spacy_pretrained import save
from spacy_pretrained.quantization.command import Job, run_job

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of forks with threads
]
KILLS = times(50)
OURS = ("pretrained_tagger", "biaffine_parser", "pretrained_ner")
WRITES = os.O_WRONLY | os.O_RDWR
# What changes a folder, beside opening a file to write.
CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir"}


def load_old() -> Language:
    return load("syntax_int8")


def make_new() -> Language:
    """Another pipeline: each of its components annotates otherwise."""
    nlp = load_old()
    for name in OURS:
        for node in nlp.get_pipe(name).model.walk():
            for parameter in node.param_names:
                if node.has_param(parameter):
                    node.set_param(parameter, -np.roll(node.get_param(parameter), 1))
    return nlp


def run_and_kill(
    work: Callable[[], None], at: int | None, changes: set[str] = frozenset(["os.rename"])
) -> int:
    """Run in a child, which is killed just before it opens file `at` to write, or changes a folder.
    RETURNS: How many such moments it has had; of a killed child, `at`."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if not child:
        count = 0

        def watch(event: str, arguments: tuple) -> None:
            nonlocal count
            is_write = event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITES
            if is_write or event in changes:
                if count == at:
                    os.kill(os.getpid(), signal.SIGKILL)
                count += 1

        sys.dont_write_bytecode = True  # which the first child alone would do
        signal.alarm(300)
        sys.addaudithook(watch)
        try:
            work()
            os.write(write_end, str(count).encode())
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)
    os.close(write_end)
    _, status = os.waitpid(child, 0)
    with os.fdopen(read_end) as answer:
        said = answer.read()
    assert not os.WIFSIGNALED(status) or os.WTERMSIG(status) == signal.SIGKILL, "it hangs"
    assert os.WIFSIGNALED(status) == (at is not None)
    return at if at is not None else int(said)


@pytest.fixture(scope="module")
def pipelines(tmp_path_factory) -> tuple[Path, Language, list, list]:
    """A folder with the old one; the new one; what each of them says."""
    old, new = tmp_path_factory.mktemp("old") / "pipeline", make_new()
    spacy.load(SAVED / "v0.1.0" / "syntax_int8" / "pipeline").to_disk(old)
    # Copies annotate: an engine that has run would have to be waited for in each fork.
    copy = tmp_path_factory.mktemp("new") / "pipeline"
    new.to_disk(copy)
    old_says, new_says = say(spacy.load(old)), say(spacy.load(copy))
    assert all(one != other for one, other in zip(old_says, new_says))
    return old, new, old_says, new_says


@pytest.mark.parametrize("way", ["to_disk", "save"])
def test_killed_while_it_saves(pipelines, tmp_path, way):
    old, new, old_says, new_says = pipelines
    folder = tmp_path / "pipeline"

    def write() -> None:
        if way == "save":
            save(new, folder)
        else:
            new.to_disk(folder)

    def begin() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(old, folder)

    begin()
    n_moments = run_and_kill(write, None)
    assert say(spacy.load(folder)) == new_says
    moments = random.Random(SEED).sample(range(n_moments), min(KILLS, n_moments))
    n_refused = 0
    for at in moments:
        begin()
        run_and_kill(write, at)
        try:
            nlp = spacy.load(folder)
        except (ValueError, OSError):
            n_refused += 1
            continue
        assert say(nlp) in (old_says, new_says), f"a mix of two saves: killed at {at}"
    print(f"{way}: killed at {len(moments)} of {n_moments} moments, refused to load: {n_refused}")
    if way == "save":
        # Between its two renames there is no pipeline, until the next process puts it back.
        assert n_refused <= 1
        save(new, folder)
        assert say(spacy.load(folder)) == new_says
        assert [path.name for path in tmp_path.iterdir()] == ["pipeline"]


def test_killed_while_it_quantizes(pipelines, tmp_path):
    """Over an older pipeline, from one on torch."""
    old, _, old_says, _ = pipelines
    folder = tmp_path / "pipeline"

    def quantize() -> None:
        job = Job(
            str(SAVED / "v0.1.0" / "syntax_torch" / "pipeline"),
            folder,
            texts=None,
            gold=None,
            max_drop=None,
            strict=False,
            agreement={},
            precision="fp32",
            n_texts=None,
            seed=0,
        )
        run_job(job, report=lambda text: None)

    shutil.copytree(old, folder)
    n_moments = run_and_kill(quantize, None, CHANGES)
    new_says = say(spacy.load(folder))
    moments = random.Random(SEED).sample(range(n_moments), min(KILLS, n_moments))
    n_absent = 0
    for at in moments:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(old, folder)
        run_and_kill(quantize, at, CHANGES)
        if folder.exists():
            assert say(spacy.load(folder)) in (old_says, new_says), f"killed at {at}"
        else:  # between two renames; the next process puts it back
            n_absent += 1
    save(load_old(), folder)
    assert [path.name for path in tmp_path.iterdir()] == ["pipeline"]
    print(f"quantize: killed at {len(moments)} of {n_moments} moments, absent: {n_absent}")
    assert n_absent <= 1


TRAINING = """
[training]
max_steps = 6
eval_frequency = 2
[training.score_weights]
ents_f = 1.0
[training.optimizer]
@optimizers = "Adam.v1"
[training.before_to_disk]
@callbacks = "spacy-pretrained.whole_saves.v1"
"""


def test_killed_while_it_trains(tmp_path):
    """`spacy train` with the callback of our configs: from its first save on there is a whole
    pipeline in model-last or model-best, and no other loads."""
    nlp = spacy.blank("en")
    ner = {"model": {"@architectures": "spacy-pretrained.Ner.v1", "tok2vec": CNN}}
    nlp.add_pipe("pretrained_ner", config=ner)
    docs = [example.reference for example in make_examples(nlp)]
    DocBin(docs=docs).to_disk(tmp_path / "docs.spacy")
    paths = {"train": str(tmp_path / "docs.spacy"), "dev": str(tmp_path / "docs.spacy")}
    config = nlp.config.merge(Config().from_str(TRAINING)).merge({"paths": paths})
    output = tmp_path / "output"

    def work() -> None:
        with open(os.devnull, "w") as log:
            loop.train(init_nlp(config), output, stdout=log, stderr=log)

    def find_whole() -> list[str]:
        found = []
        for name in ("model-last", "model-best"):
            try:
                spacy.load(output / name)
            except (ValueError, OSError):
                continue
            # A file that spaCy reads if it is there must not be lost unnoticed.
            assert (output / name / "files.json").is_file(), name
            assert (output / name / "vocab" / "strings.json").is_file(), name
            found.append(name)
        return found

    def begin() -> None:
        shutil.rmtree(output, ignore_errors=True)
        output.mkdir()

    begin()
    n_moments = run_and_kill(work, None, CHANGES)
    assert find_whole() == ["model-last", "model-best"]
    n_before_the_first = 0
    moments = random.Random(SEED).sample(range(n_moments), min(KILLS, n_moments))
    for at in moments:
        begin()
        run_and_kill(work, at, CHANGES)
        if not find_whole():
            # Nothing had taken its place.
            assert not (output / "model-last").exists() and not (output / "model-best").exists()
            assert not list(output.glob(".model-last-*/old")), f"killed at {at}"
            n_before_the_first += 1
    print(
        f"spacy train: killed at {len(moments)} of {n_moments} moments, "
        f"before the first save: {n_before_the_first}"
    )
