"""Adaptation from beginning to end, with tiny encoders: what comes out, stopped and killed."""

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from spacy.tokens import DocBin
from tiny_models import KINDS, save_model
from transformers import AutoModelForMaskedLM, BertForMaskedLM
from typer.testing import CliRunner

pytest.importorskip("accelerate", reason="the extra `adapt` is not installed")

from spacy_pretrained.adapting import adapt as module
from spacy_pretrained.adapting.adapt import adapt
from spacy_pretrained.adapting.checkpoints import find_whole
from spacy_pretrained.adapting.options import AdaptOptions
from spacy_pretrained.adapting.torch_model import open_masked_lm
from spacy_pretrained.backends.torch_weights import load_pretrained
from spacy_pretrained.cli import pretrained_cli

QUICK = {"length": 32, "epochs": 1.0, "batch": 16, "interval": 4}
OPTIONS = AdaptOptions(**QUICK)
LONGER = AdaptOptions(**QUICK | {"epochs": 6.0, "whole_words": True})
SLOW = pytest.mark.slow
REFUSED = {"xlnet"}  # trained on permutations, not on masks


def weights(folder):
    return load_pretrained(Path(folder), None)[0].state_dict()


@pytest.fixture(scope="module")
def with_head(tmp_path_factory):
    """A BERT with a head for masked pieces."""
    folder = tmp_path_factory.mktemp("with_head") / "bert"
    return save_model(*KINDS["bert"], folder, kind_of_model=BertForMaskedLM)


def test_what_comes_out(with_head, texts_file, tmp_path):
    said = []
    found = adapt(str(with_head), texts_file, tmp_path / "out", OPTIONS, report=said.append)
    assert not found.fresh_head and not found.head_curve and found.after < found.before
    assert [one["step"] for one in found.curve][:2] == [4, 8]
    assert found.after == min(one["perplexity"] for one in found.curve)
    assert any("held-out perplexity" in line for line in said)
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "adapt.json"} <= names
    assert "adapt" not in names  # the checkpoints
    before, after = weights(with_head), weights(tmp_path / "out")
    assert before.keys() == after.keys()
    assert any(not torch.equal(before[name], after[name]) for name in before)
    written = json.loads((tmp_path / "out" / "adapt.json").read_text("utf8"))
    assert written["after"] == found.after and written["options"]["length"] == 32
    again = open_masked_lm(tmp_path / "out", "out", pairs=False, seed=0)
    assert not again.is_fresh  # the head is kept, to go on with other texts
    with pytest.raises(ValueError, match="adapted encoder already"):
        adapt(str(with_head), texts_file, tmp_path / "out", OPTIONS)


def test_the_loss_is_that_of_transformers(with_head):
    """Though the head sees masked pieces only."""
    opened = open_masked_lm(with_head, "x", pairs=False, seed=0)
    theirs = AutoModelForMaskedLM.from_pretrained(with_head).eval()
    ids = torch.randint(10, 100, (3, 12))
    labels = torch.full_like(ids, -100)
    labels[0, 2] = labels[1, 5:8] = 33
    mask = torch.ones_like(ids)
    mask[2, 6:] = 0
    inputs = {"input_ids": ids, "attention_mask": mask, "labels": labels}
    ours = opened.model.eval()(**inputs)["loss"]
    torch.testing.assert_close(ours, theirs(**inputs).loss)
    ours.backward()
    theirs(**inputs).loss.backward()
    for (name, parameter), other in zip(theirs.named_parameters(), opened.model.parameters()):
        if parameter.grad is not None:
            torch.testing.assert_close(parameter.grad, other.grad, msg=name)


@pytest.mark.slow
def test_a_fresh_head_is_trained_alone_first(tiny_bert, texts_file, tmp_path):
    warned = []
    found = adapt(tiny_bert, texts_file, tmp_path / "out", LONGER, warn=warned.append)
    assert found.fresh_head and found.head_curve and not warned
    best_of_head = min(one["perplexity"] for one in found.head_curve)
    assert found.before == pytest.approx(best_of_head)
    assert found.head_curve[0]["perplexity"] > found.before > found.after


def test_a_head_that_had_too_little_time(tiny_bert, texts_file, tmp_path, monkeypatch):
    monkeypatch.setattr("spacy_pretrained.adapting.torch_adapt.HEAD_SHARE", 0.0)
    arguments = ["adapt", tiny_bert, texts_file, tmp_path / "out", "--minutes", "0.05"]
    result = CliRunner().invoke(pretrained_cli, [*map(str, arguments), "--length", "32"])
    assert result.exit_code == 0, result.output
    assert "some of the difference is the head's" in " ".join(result.output.split())
    found = json.loads((tmp_path / "out" / "adapt.json").read_text("utf8"))
    assert len(found["head_curve"]) == 1 and not found["head_settled"]


@pytest.mark.parametrize(
    "perplexities, is_settled",
    [((), False), ((9.0, 8.0, 7.0), False), ((9.0, 8.0, 8.0), False), ((9.0, 8.95, 8.93), True)],
)
def test_when_a_head_has_settled(perplexities, is_settled):
    from spacy_pretrained.adapting.torch_train import Evaluation, has_settled

    curve = [Evaluation(i, value, 0.0) for i, value in enumerate(perplexities)]
    assert has_settled(curve, patience=2, least_fall=0.01) == is_settled


def test_a_course_whose_time_is_over_is_not_gone_on_with(with_head, texts_file, tmp_path):
    """However often its process is killed between its end and what comes behind it."""
    from spacy_pretrained.adapting.blocks_of_texts import make_data
    from spacy_pretrained.adapting.torch_train import Course, run_course

    settings = {"rate": 1e-3, "max_steps": 9, "interval": 9, "patience": 9, "batch": 4}
    settings |= {"accumulated": 1, "bfloat16": False, "seed": 0, "seconds": 0.0}
    course = Course(tmp_path / "head", **settings)

    def run():
        opened = open_masked_lm(with_head, "x", pairs=False, seed=0)
        data = make_data(texts_file, opened.checkpoint, OPTIONS)
        blocks = data.training, data.held_out
        return run_course(course, opened.model, *blocks, opened.vocabulary, lambda line: None)

    curve = run()
    assert [one.step for one in curve] == [1]
    assert run() == curve


class Stop(Exception):
    """As Ctrl-C, or whatever."""


@pytest.mark.slow
@pytest.mark.parametrize(
    "where", ["step 8 ", *(pytest.param(w, marks=SLOW) for w in ("head alone, step", "step 4 "))]
)
def test_stopped_and_gone_on_with(where, tiny_bert, texts_file, tmp_path):
    """As if it had not been stopped: the same curve, the same weights."""
    whole = adapt(tiny_bert, texts_file, tmp_path / "whole", OPTIONS)

    def stop(line):
        if line.startswith(where):
            raise Stop

    with pytest.raises(Stop):
        adapt(tiny_bert, texts_file, tmp_path / "out", OPTIONS, report=stop)
    found = adapt(tiny_bert, texts_file, tmp_path / "out", OPTIONS)
    for name in ("curve", "head_curve"):
        ours, theirs = getattr(found, name), getattr(whole, name)
        assert [one["step"] for one in ours] == [one["step"] for one in theirs]
        perplexities = [one["perplexity"] for one in theirs]
        assert [one["perplexity"] for one in ours] == pytest.approx(perplexities, rel=1e-5)
    for name, tensor in weights(tmp_path / "whole").items():
        torch.testing.assert_close(tensor, weights(tmp_path / "out")[name])


@pytest.mark.slow
def test_killed_at_random_moments(with_head, texts_file, tmp_path):
    """Each costs one interval at most."""
    out, lengthy = tmp_path / "out", QUICK | {"epochs": 40.0, "patience": 1000}
    command = [sys.executable, "-m", "spacy", "pretrained", "adapt"]
    command += map(str, [with_head, texts_file, out])
    for name, value in lengthy.items():
        command += [f"--{name}", str(value)]
    rng = random.Random(0)
    last = 0
    for _ in range(5):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        begun = time.monotonic()
        while process.poll() is None and step_of(out) == last and time.monotonic() < begun + 120:
            time.sleep(0.02)
        time.sleep(0.5 * rng.random())
        process.kill()
        said = process.communicate()[0].decode()
        if process.returncode == 0:  # it was quicker
            break
        assert step_of(out) > last, said
        # What was reported is evaluated, and then saved: one interval may be on its way.
        reported = [int(line.split("step ")[1].split(" of")[0]) for line in said.splitlines()
                    if "held-out perplexity" in line and "step" in line]  # fmt: skip
        assert max(reported, default=0) - step_of(out) <= QUICK["interval"]
        last = step_of(out)
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 or "already" in done.stdout + done.stderr
    curve = json.loads((out / "adapt.json").read_text("utf8"))["curve"]
    steps = [one["step"] for one in curve]
    assert steps == sorted(set(steps))
    assert steps[:-1] == list(range(4, steps[-1], 4))  # none is missing


def step_of(out):
    found = find_whole(out / "adapt" / "all")
    return int(found[-1].name.removeprefix("checkpoint-")) if found else 0


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_kinds_of_encoders(kind, tiny_source, texts_file, tmp_path, monkeypatch):
    # On a random encoder, a head that has settled knows nearly all there is to learn.
    monkeypatch.setattr("spacy_pretrained.adapting.torch_adapt.HEAD_LEAST_STEPS", 20)
    if kind in REFUSED:
        with pytest.raises(ValueError, match="no masked-language model"):
            adapt(tiny_source(kind), texts_file, tmp_path / "out", LONGER)
        return
    found = adapt(tiny_source(kind), texts_file, tmp_path / "out", LONGER)
    assert found.after < found.before
    assert load_pretrained(tmp_path / "out", None)


@pytest.mark.slow
def test_pairs_of_sentences(tiny_bert, texts, tmp_path):
    path = tmp_path / "texts.txt"
    parts = ["\n".join(texts[start : start + 4]) for start in range(0, len(texts), 4)]
    path.write_text("\n\n".join(parts), "utf8")
    options = AdaptOptions(**QUICK | {"next_sentence": True, "length": 64})
    found = adapt(tiny_bert, path, tmp_path / "out", options)
    assert found.texts == len(parts) and found.head_curve
    assert set(weights(tmp_path / "out")) == set(weights(tiny_bert))


@pytest.mark.parametrize("kind", ["roberta", "distilbert"])
def test_pairs_are_for_bert_and_its_like(kind, tiny_source, texts_file, tmp_path):
    options = AdaptOptions(**QUICK | {"next_sentence": True})
    with pytest.raises(ValueError, match=f"{kind}.*--next-sentence"):
        adapt(tiny_source(kind), texts_file, tmp_path / "out", options)


@pytest.mark.parametrize("length", [3, 65])
def test_a_length_that_does_not_fit(length, tiny_bert, texts_file, tmp_path):
    with pytest.raises(ValueError, match="from 4 to 64"):
        options = AdaptOptions(**QUICK | {"length": length})
        adapt(tiny_bert, texts_file, tmp_path / "out", options)
    assert not (tmp_path / "out").exists()  # so that the command may be given again


@pytest.mark.parametrize("lines, interval", [(160, 25), (40_000, 26)])
def test_a_head_has_enough_steps_of_few_texts(lines, interval, tiny_bert, tmp_path, monkeypatch):
    from spacy_pretrained.adapting import torch_adapt
    from spacy_pretrained.adapting.torch_train import Evaluation
    from spacy_pretrained.adapting.work import Work

    courses = []

    def run(course, *_):
        courses.append(course)
        return [Evaluation(1, 9.0, 0.0)]

    monkeypatch.setattr(torch_adapt, "run_course", run)
    texts = [f"the quick brown fox {number}" for number in range(lines)]
    (tmp_path / "texts.txt").write_text("\n".join(texts), "utf8")
    options = AdaptOptions(length=32)
    prepared = torch_adapt.prepare(
        tiny_bert, Path(tiny_bert), tmp_path / "texts.txt", options, lambda line: None
    )
    parts = (prepared.opened, prepared.data, prepared.batches)
    work = Work(tmp_path / "out")
    work.folder.mkdir(parents=True)
    torch_adapt._train_head(*parts, work, options, lambda line: None)
    (course,) = courses
    per_epoch = torch_adapt._steps_per_epoch(prepared.data, prepared.batches)
    assert course.interval == max(25, -(-per_epoch // 4)) >= interval
    assert course.max_steps == 20 * course.interval >= 500


def test_too_little_text(tiny_bert, tmp_path):
    (tmp_path / "texts.txt").write_text("A few words.\n", "utf8")
    with pytest.raises(ValueError, match="too little to train on"):
        adapt(tiny_bert, tmp_path / "texts.txt", tmp_path / "out", OPTIONS)


def test_early_stopping(with_head, texts_file, tmp_path):
    """At a rate at which nothing gets better, after as many evaluations as patience says."""
    options = AdaptOptions(**QUICK | {"epochs": 50.0, "rate": 3.0, "interval": 1, "patience": 2})
    found = adapt(str(with_head), texts_file, tmp_path / "out", options)
    best = min(found.curve, key=lambda one: one["perplexity"])
    assert found.curve[-1]["step"] == best["step"] + 2


@pytest.mark.slow
def test_sentence_encoders(tiny_bert, texts_file, tmp_path, monkeypatch):
    """A warning, and zero-shot accuracy before and after."""
    import spacy

    monkeypatch.setattr(module, "is_sentence_encoder", lambda *_: True)
    nlp = spacy.blank("xx")
    docs = [nlp("the quick fox"), nlp("sea shells")]
    for doc, label in zip(docs, ("animals", "sea")):
        doc.cats = {name: float(name == label) for name in ("animals", "sea")}
    DocBin(docs=docs).to_disk(tmp_path / "labelled.spacy")
    warned = []
    options = AdaptOptions(**QUICK | {"labelled": tmp_path / "labelled.spacy"})
    found = adapt(tiny_bert, texts_file, tmp_path / "out", options, warn=warned.append)
    assert set(found.zero_shot) == {"before", "after"}
    assert all(0 <= value <= 100 for value in found.zero_shot.values())
    assert len(warned) == 1 and "sentence encoder" in warned[0]
    options = AdaptOptions(**QUICK | {"labelled": texts_file})
    with pytest.raises(ValueError, match="texts with categories"):
        adapt(tiny_bert, texts_file, tmp_path / "other", options)


def test_the_command(with_head, texts_file, tmp_path):
    arguments = ["adapt", with_head, texts_file, tmp_path / "out", "--minutes", "0.05"]
    options = ["--length", "32", "--batch", "16", "--memory", "8GB", "--bfloat16"]
    result = CliRunner().invoke(pretrained_cli, [*map(str, arguments), *options])
    assert result.exit_code == 0, result.output
    assert "held-out perplexity" in result.output and "To train on it" in result.output
    result = CliRunner().invoke(pretrained_cli, [*map(str, arguments), *options])
    assert result.exit_code == 1 and "already" in " ".join(result.output.split())
