import json
import subprocess
import sys
from pathlib import Path

import numpy
import pytest
import spacy
from spacy.tokens import Doc, DocBin
from spacy.training import Example

SCRIPT = Path(__file__).parent.parent / "scripts" / "benchmark.py"
WORDS = ["The", "small", "dog", "saw", "a", "very", "old", "cat", "."]
TAGS = ["DET", "ADJ", "NOUN", "VERB", "DET", "ADV", "ADJ", "NOUN", "PUNCT"]
HEADS = [2, 2, 3, 3, 7, 6, 7, 3, 3]
DEPS = ["det", "amod", "nsubj", "ROOT", "det", "advmod", "amod", "obj", "punct"]
N_DOCS = 30


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Two stock pipelines with small backbones put beside them, one of torch and one of OpenVINO,
    and a file of annotated documents."""
    folder = tmp_path_factory.mktemp("benchmark")
    nlp = spacy.blank("en")
    for name in ("tagger", "parser"):
        nlp.add_pipe(name)
    docs = [Doc(nlp.vocab, WORDS, tags=TAGS, heads=HEADS, deps=DEPS) for _ in range(N_DOCS)]
    nlp.initialize(lambda: [Example(nlp.make_doc(doc.text), doc) for doc in docs])
    for engine, component in (("torch", "pretrained_encoder"), ("openvino", "zero_shot_textcat")):
        nlp.to_disk(folder / engine)
        write_backbone(folder / engine / component / "backbone", engine)
    DocBin(docs=docs).to_disk(folder / "docs.spacy")
    return folder


def write_backbone(folder: Path, engine: str) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers

    folder.mkdir(parents=True)
    vocab = {word: i for i, word in enumerate(["[UNK]", *sorted(set(WORDS))])}
    tokenizer = Tokenizer(models.WordLevel(vocab, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.enable_truncation(5)  # the benchmark counts every piece
    tokenizer.save(str(folder / "tokenizer.json"))
    if engine == "torch":
        from transformers import BertConfig, BertModel

        sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
        config = BertConfig(vocab_size=len(vocab), intermediate_size=8, **sizes)
        BertModel(config).save_pretrained(folder)
    else:
        import openvino
        from openvino import opset13 as ops

        ids = ops.parameter([-1, -1], numpy.int64, name="input_ids")
        mask = ops.parameter([-1, -1], numpy.int64, name="attention_mask")
        model = openvino.Model([ops.multiply(ids, mask)], [ids, mask], "identity")
        for node, name in zip(model.inputs, ("input_ids", "attention_mask")):
            node.get_tensor().set_names({name})
        openvino.save_model(model, folder / "model.xml")


def run(*arguments: object) -> subprocess.CompletedProcess:
    command = [sys.executable, SCRIPT, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def test_pipelines_and_bare_backbones_are_compared(folder):
    models = [f"--model={engine}={folder / engine}" for engine in ("torch", "openvino")]
    docs, output = folder / "docs.spacy", folder / "metrics" / "benchmark.json"
    data = ("--texts", docs, "--train", docs, "--rounds", 1, "--batches", 2, "--threads", 1)
    done = run(*models, *data, "--output", output)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "torch (ceiling)" in done.stdout

    report = json.loads(output.read_text())
    results = report["results"]
    assert report["baseline"] == "torch" and report["threads"] == 1
    n_words = N_DOCS * len(WORDS)
    for engine in ("torch", "openvino"):
        pipeline, ceiling = results[engine], results[f"{engine} (ceiling)"]
        assert pipeline["load_seconds"] > 0
        assert pipeline["environment"]["versions"]["spacy"] == spacy.__version__
        assert pipeline["infer"]["components"] == ["tagger", "parser"]
        assert pipeline["infer"]["words"] == [n_words]
        assert 50 < pipeline["infer"]["peak_mebibytes"] < 5000
        assert ceiling["infer"]["pieces"] == n_words
        speeds = [part["infer"]["words_per_second"] for part in (pipeline, ceiling)]
        assert pipeline["infer"]["of_ceiling"] == pytest.approx(speeds[0] / speeds[1])
    assert results["torch"]["infer"]["ratio"] == 1
    assert results["torch"]["train"]["words"] == [2 * n_words]  # all docs make one batch
    assert "train" not in results["openvino"]


def test_plain_text_is_read_by_paragraphs(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(SCRIPT.parent)
    from benchmark_worker import read_texts

    (tmp_path / "texts.txt").write_text("One text,\non two lines.\n\n \nAnother.\n")
    assert read_texts(tmp_path / "texts.txt") == ["One text,\non two lines.", "Another.\n"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--texts", "nowhere.spacy"], "no file nowhere.spacy"),
        (["--texts", __file__], "give --stock or --model"),
        (["--texts", __file__, "--model", "unnamed"], "wants NAME=PATH"),
        (["--texts", __file__, "--model", "a=nowhere"], "no folder of a spaCy pipeline"),
        (["--texts", __file__, "--python", "a=python"], "names what no --model does"),
    ],
)
def test_what_is_missing_is_said(arguments, message):
    done = run(*arguments)
    assert done.returncode == 1
    assert message in " ".join(done.stdout.split())


def test_an_error_of_a_pipeline_is_shown(folder, tmp_path):
    (tmp_path / "meta.json").write_text("{}")
    done = run(f"--model=broken={tmp_path}", "--texts", folder / "docs.spacy")
    assert done.returncode == 1
    assert "load failed for pipeline" in done.stdout and "Traceback" in done.stderr


def test_names_are_unique(folder):
    model = f"--model=a={folder / 'torch'}"
    done = run(model, model, "--texts", folder / "docs.spacy")
    assert done.returncode == 1 and "have one name" in done.stdout
