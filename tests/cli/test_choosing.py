"""`spacy pretrained models`, `info` and `recommend`: tables, JSON, exit codes, and no torch."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span
from spacy.util import load_config
from stand_in_hub import StandInHub
from typer.testing import CliRunner

from spacy_pretrained.backends.learn_rate import choose_rate
from spacy_pretrained.checkpoints.catalogue import CATALOGUE
from spacy_pretrained.cli import pretrained_cli

# The commands run in a process where torch and the hub's library cannot be imported.
SAVED = Path(__file__).parents[1] / "fixtures" / "saved" / "v0.1.0"
WITHOUT_TORCH = """
import sys

class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "transformers", "safetensors", "huggingface_hub"}:
            raise ModuleNotFoundError(f"No module named {name!r} (blocked)", name=name)

sys.meta_path.insert(0, Block())
from typer.testing import CliRunner
from spacy_pretrained.cli import pretrained_cli

for command in (
    ["models"], ["models", "--cached"], ["info", "roberta-base"],
    ["recommend", "--task", "ner"], ["recommend", "--task", "qa"], ["info", sys.argv[1]],
):
    result = CliRunner().invoke(pretrained_cli, command)
    assert result.exit_code == 0, (command, result.output, result.exception)
"""


def run(*args: str, code: int = 0) -> str:
    result = CliRunner().invoke(pretrained_cli, list(args))
    assert result.exit_code == code, result.output
    return result.output


def test_models_as_a_table_and_as_json():
    text = run("models", "--lang", "es", "--task", "ner")
    assert "bert-base-spanish-cased" in text and "camembert" not in text
    rows = json.loads(run("models", "--lang", "es", "--task", "ner", "--json"))
    assert f"{len(rows)} encoders" in text
    assert {"name", "licence", "checked", "training_gb"} <= rows[0].keys()
    assert "Use one of" in run("models", "--size", "huge", code=1)
    assert "Leave an option out" in run("models", "--family", "gpt2", "--task", "ner")


def test_what_is_unchecked_is_shown(monkeypatch):
    from spacy_pretrained.checkpoints.catalogue import CATALOGUE

    monkeypatch.setitem(CATALOGUE, "minilm-l6", CATALOGUE["minilm-l6"] | {"checked": False})
    assert run("models").count("unchecked") == 1
    recommended = run("recommend", "--task", "zero-shot", "--speed", "fast")
    assert "minilm-l6" in recommended and "nobody could look" in recommended
    assert "Nobody could look" in run("info", "minilm-l6")


def test_cached_models_as_a_table_and_as_json(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    (tmp_path / "models--owner--name" / "blobs").mkdir(parents=True)
    (tmp_path / "models--owner--name" / "blobs" / "x.incomplete").write_bytes(b"x" * 2_000_000)
    text = run("models", "--cached")
    assert "owner/name" in text and "2 MB" in text and "incomplete" in text
    rows = {row["source"]: row for row in json.loads(run("models", "--cached", "--json"))}
    assert rows["owner/name"]["size"] == 2_000_000 and not rows["owner/name"]["complete"]
    assert "owner/name" not in run("models", "--cached", "--lang", "en")


def test_info_as_a_table_and_as_json(tiny_bert):
    text = run("info", "roberta-base")
    assert "FacebookAI/roberta-base" in text and "124,055,808" in text
    assert json.loads(run("info", tiny_bert, "--json"))["encoder"]["family"] == "bert"
    assert "is no name in the catalogue" in run("info", "nothing-like-it", code=1)
    assert "licence is not known" in run("info", "finbert")


def test_recommend_says_why_how_and_how_much():
    args = ["--task", "ner", "--lang", "es", "--memory", "8GB", "--speed", "fast"]
    text = run("recommend", *args)
    for part in ("1. multilingual-e5-small", "Why: ", "How: full fine-tuning", "GB to train"):
        assert part in text
    first, *_ = json.loads(run("recommend", *args, "--json"))
    assert first["name"] == "multilingual-e5-small" and first["reasons"]
    assert first["plan"]["training"]["peak"] < 8e9
    assert "no amount of memory" in run("recommend", "--task", "ner", "--memory", "8", code=1)


def test_a_task_may_have_another_name():
    for command in ("recommend", "models"):
        by_name = run(command, "--task", "Named Entities", "--lang", "es", "--json")
        assert by_name == run(command, "--task", "ner", "--lang", "es", "--json")
        unknown = " ".join(run(command, "--task", "Chess", code=1).split())
        assert "Unknown task 'Chess'" in unknown and "parsing, ner, textcat" in unknown


@pytest.mark.parametrize(
    "task, component", [("zero-shot", "zero_shot_textcat"), ("similarity", "pretrained_encoder")]
)
def test_what_needs_no_training_names_its_component(task, component):
    assert f"How: no training is needed: {component} " in run("recommend", "--task", task)


@pytest.mark.parametrize("task", ["summarization", "translation", "generation", "qa"])
def test_three_lines_about_what_is_for_other_tools(task):
    lines = run("recommend", "--task", task).splitlines()
    assert len(lines) == 3 and "spaCy pipelines" in lines[0]
    assert json.loads(run("recommend", "--task", task, "--json"))["elsewhere"] == lines


def test_no_config_of_what_is_for_other_tools(tmp_path):
    path = tmp_path / "no.cfg"
    said = run("recommend", "--task", "translation", "--config", str(path), code=1)
    assert "do not translate" in said and "No config is written" in said and not path.exists()


def test_a_folder_without_weights_says_so(tiny_bert, tmp_path):
    shutil.copy(Path(tiny_bert) / "config.json", tmp_path)
    assert "has no weights" in run("info", str(tmp_path))
    assert "has no weights" not in run("info", str(tiny_bert))


def test_recommend_writes_a_config_and_the_next_command(tmp_path):
    path = tmp_path / "folder" / "out.cfg"
    text = run("recommend", "--task", "ner", "--speed", "fast", "--config", str(path))
    assert path.is_file() and f"python -m spacy train {path}" in " ".join(text.split())
    assert 'source = "minilm-l6"' in path.read_text("utf8")
    no = run("recommend", "--task", "similarity", "--config", str(tmp_path / "no.cfg"), code=1)
    assert "no config for" in no and not (tmp_path / "no.cfg").exists()
    assert "Add the component pretrained_encoder to a pipeline" in " ".join(no.split())


def test_a_corpus_sets_what_is_recommended(tmp_path):
    nlp, train, out = spacy.blank("xx"), tmp_path / "train.spacy", tmp_path / "out.cfg"
    docs = [nlp(f"text {i}") for i in range(60)]
    for i, doc in enumerate(docs):
        doc.cats = {"a": i % 2, "b": 1 - i % 2}
    DocBin(docs=docs, store_user_data=True).to_disk(train)
    corpus = ("--config", str(out), "--train", str(train), "--dev", str(train))
    of_corpus = run("recommend", "--task", "textcat", *corpus)
    assert "few-shot" in of_corpus and "few_shot_textcat" in out.read_text("utf8")
    assert "few-shot" not in run("recommend", "--task", "textcat", "--examples", "5000", *corpus)


@pytest.fixture
def corpus(tmp_path) -> Path:
    """2,000 sentences of 20 words, with all that a task may want."""
    vocab, docs = spacy.blank("xx").vocab, []
    for number in range(400):
        words, heads = ["word"] * 100, [i - i % 20 for i in range(100)]
        deps = ["ROOT" if i % 20 == 0 else "dep" for i in range(100)]
        doc = Doc(vocab, words=words, heads=heads, deps=deps, tags=["X"] * 100)
        doc.ents = [Span(doc, 0, 1, "A")]
        doc.cats = {"a": number % 2, "b": 1 - number % 2}
        docs.append(doc)
    DocBin(docs=docs, store_user_data=True).to_disk(tmp_path / "train.spacy")
    return tmp_path / "train.spacy"


PLANS = (
    r"How: ([\w -]+), ([\d,]+) epochs, batches of ([\d,]+) words \(some ([\d,]+) steps\), (the "
    r"task heads'|the encoder's) learning rate ([\d.e-]+) after a warm-up of 10%(.*)"
)


@pytest.mark.parametrize(
    "memory, device", [(None, "cpu"), ("800MB", "cpu"), ("1.2GB", "cuda"), ("4GB", "cpu")]
)
@pytest.mark.parametrize("task", ["tagging", "parsing", "ner", "textcat"])
@pytest.mark.parametrize("with_corpus", [True, False])
def test_what_is_written_is_what_was_printed(tmp_path, corpus, task, memory, device, with_corpus):
    out = tmp_path / "out.cfg"
    args = ["--task", task, "--device", device, "--config", str(out), "--examples", "2000"]
    args += ["--memory", memory] if memory else []
    args += ["--train", str(corpus)] if with_corpus else []
    said = " ".join(run("recommend", *args).split())
    method, epochs, batch, steps, whose, rate, extras = re.search(PLANS, said).groups()
    config = load_config(out)
    training, model = config["training"], config["components"]["pretrained_encoder"]["model"]
    schedule = training["optimizer"]["learn_rate"]
    assert training["batcher"]["size"] == int(batch.replace(",", ""))
    n_steps = int(steps.replace(",", ""))
    assert training["max_steps"] == schedule["total_steps"] == n_steps
    assert schedule["warmup_steps"] == round(0.1 * n_steps)
    assert model["frozen"] == (method == "frozen encoder") == (whose == "the task heads'")
    if model["frozen"]:
        assert schedule["initial_rate"] == float(rate)
    else:  # by its size, when it is trained
        name = re.search(r"1\. ([\w.-]+)", said)[1]
        outside = CATALOGUE[name]["computed"]["parameters_outside_embeddings"]
        assert model["learn_rate_factor"] is None and choose_rate(outside) == float(rate)
    extras = extras.split(". Memory")[0]
    assert model["mixed_precision"] == ("mixed_precision" in extras) == (device == "cuda")
    assert model["gradient_checkpointing"] == ("gradient_checkpointing" in extras)
    assert f"{steps} steps of {batch} words" in said.split(str(out))[1]
    if with_corpus:
        assert f"40,000 words, {steps} steps" in said and f"(about {epochs} epochs)" in said
        assert abs(n_steps * training["batcher"]["size"] / 40_000 - int(epochs)) < 0.5


@pytest.mark.parametrize("memory", [None, "800MB", "1.2GB"])
def test_few_texts_have_the_length_that_was_printed(tmp_path, corpus, memory):
    out = tmp_path / "out.cfg"
    args = ["--task", "textcat", "--train", str(corpus), "--config", str(out)]
    args += ["--memory", memory] if memory else []
    said = " ".join(run("recommend", *args).split())
    plan = json.loads(run("recommend", *args, "--json"))[0]["plan"]
    config = load_config(out)
    encoder = config["components"]["few_shot_textcat"]["model"]["encoder"]
    assert encoder["frozen"] == ("on a frozen encoder" in said) == plan["frozen"]
    assert encoder["gradient_checkpointing"] == plan["gradient_checkpointing"]
    assert config["training"]["batcher"]["size"] * 100 == plan["batch_words"]
    assert f"{config['training']['max_steps']} steps" in said.split(str(out))[1]


@pytest.mark.parametrize(
    "task, what",
    [("textcat", "categories"), ("ner", "entities"), ("parsing", "dependencies")],
)
def test_a_corpus_that_has_nothing_for_the_task_says_so(tmp_path, task, what):
    train, out = tmp_path / "train.spacy", tmp_path / "out.cfg"
    doc = Doc(spacy.blank("xx").vocab, words=["a", "b"], pos=["DET", "NOUN"])
    doc.ents = []
    DocBin(docs=[doc]).to_disk(train)
    corpus = ("--config", str(out), "--train", str(train))
    for examples in ((), ("--examples", "900")):
        said = " ".join(run("recommend", "--task", task, *corpus, *examples, code=1).split())
        assert f"has no {what}, so there is nothing to learn '{task}' from" in said
        assert "1. " not in said and not out.exists()
    run("recommend", "--task", "tagging", *corpus)
    DocBin(docs=[Doc(doc.vocab, words=["a"])]).to_disk(train)
    assert "has no tags" in " ".join(run("recommend", "--task", "tagging", *corpus, code=1).split())


def test_options_of_the_config_need_one():
    for option in ("--train", "--dev"):
        said = " ".join(run("recommend", "--task", "ner", option, "x.spacy", code=1).split())
        assert f"{option} is for the config that --config writes" in said


def test_a_language_with_its_country_is_the_language():
    args = ("recommend", "--task", "ner", "--json", "--lang")
    assert run(*args, "ES-es") == run(*args, "es")
    assert "no code of a language" in run("recommend", "--task", "ner", "--lang", "spanish", code=1)


@pytest.mark.slow
def test_they_run_where_torch_is_absent(tiny_bert):
    command = [sys.executable, "-c", WITHOUT_TORCH, tiny_bert]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


# For each process, also those that a command starts.
BLOCK_EVERYWHERE = """
import sys

class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "transformers", "safetensors", "nncf"}:
            raise ModuleNotFoundError(f"No module named {name!r} (blocked)", name=name)

sys.meta_path.insert(0, Block())
"""
RUN_ALL = """
import json, sys
from typer.testing import CliRunner
from spacy_pretrained.cli import pretrained_cli

for command, part in json.loads(sys.argv[1]):
    said = " ".join(CliRunner().invoke(pretrained_cli, command).output.split())
    assert part in said, (command, said)
assert "torch" not in sys.modules
"""


@pytest.mark.slow
def test_a_download_its_removal_and_a_benchmark_where_torch_is_absent(tiny_bert, tmp_path):
    pytest.importorskip("huggingface_hub")
    (tmp_path / "sitecustomize.py").write_text(BLOCK_EVERYWHERE)
    models = {"owner/tiny": Path(shutil.copytree(tiny_bert, tmp_path / "tiny"))}
    int8 = str(SAVED / "syntax_int8" / "pipeline")
    commands = (
        (["download", "owner/tiny"], "To train on it"),
        (["models", "--cached"], "owner/tiny"),
        (["remove", "owner/tiny", "--yes"], "are free again"),
        (["benchmark", int8, "--lengths", "8", "--batch", "50"], "int8, OpenVINO"),
        (["benchmark", tiny_bert], "spacy-pretrained[train]"),
    )
    with StandInHub(models) as hub:
        path = os.pathsep.join(filter(None, (str(tmp_path), os.environ.get("PYTHONPATH"))))
        settings = {"HF_ENDPOINT": hub.endpoint, "HF_HOME": str(tmp_path / "hf")}
        done = subprocess.run(
            [sys.executable, "-c", RUN_ALL, json.dumps(commands)],
            capture_output=True,
            text=True,
            env=os.environ | settings | {"PYTHONPATH": path},
        )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_the_commands_import_nothing_of_their_work_before_they_run():
    code = (
        "import sys, spacy_pretrained.cli; "
        "work = ('spacy_pretrained.choosing', 'spacy_pretrained.benchmarking'); "
        "print([m for m in sys.modules if m.startswith(work)])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
