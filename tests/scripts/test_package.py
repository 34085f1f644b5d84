"""scripts/package.py: names and meta of packages, and the wheel."""

import importlib
import json
import re
import zipfile
from pathlib import Path

import pytest
import spacy

ROOT = Path(__file__).parents[2]


@pytest.fixture
def package(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    return importlib.import_module("package")


@pytest.fixture
def pipeline(tmp_path):
    """A pipeline whose config says that its encoder runs on torch; nothing here loads it."""
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    folder = tmp_path / "my models" / "model-best"
    folder.mkdir(parents=True)
    nlp.to_disk(folder)
    set_architecture(folder, "Torch")
    return folder


def set_architecture(folder, backend):
    config = (
        '\n[components.pretrained_encoder]\nfactory = "pretrained_encoder"\n'
        "\n[components.pretrained_encoder.model]\n"
        f'@architectures = "spacy-pretrained.{backend}Encoder.v1"\n'
    )
    base = (folder / "config.cfg").read_text().partition("\n[components.pretrained_encoder]")[0]
    (folder / "config.cfg").write_text(base + config)


@pytest.mark.parametrize(
    ("corpus", "encoder", "name"),
    [
        ("sample", "minilm-l6", "sample_minilm_torch"),
        ("ewt", "sentence-transformers/all-mpnet-base-v2", "ewt_all_mpnet_base_v2_torch"),
        ("My Corpus", "package:some_weights", "my_corpus_some_weights_torch"),
        ("x", "models/xlm-roberta--base/", "x_xlm_roberta_base_torch"),
    ],
)
def test_names_are_identifiers(package, pipeline, corpus, encoder, name):
    meta = package.make_meta(pipeline, corpus, encoder, {})
    assert meta["name"] == name
    assert f"en_{name}".isidentifier()


def test_meta(package, pipeline):
    about = {
        "license": "CC0",
        "author": "me",
        "sources": [{"name": "mine", "url": "https://example.org"}],
    }
    meta = package.make_meta(pipeline, "mine", "minilm-l6", about)
    assert (meta["license"], meta["author"]) == ("CC0", "me")
    assert [source["name"] for source in meta["sources"]] == [
        "mine",
        "sentence-transformers/all-MiniLM-L6-v2",
    ]
    assert meta["sources"][1]["license"] == "Apache-2.0"
    assert meta["description"] and meta["url"] == "https://example.org"


def test_only_torch_asks_for_torch(package, pipeline):
    def requirements():
        found = package.make_meta(pipeline, "x", "minilm-l6", {}).get("requirements", [])
        return {re.match(r"[\w-]+", line)[0] for line in found}

    assert requirements() == {"torch", "transformers", "safetensors"}
    set_architecture(pipeline, "OpenVino")
    assert requirements() == set()


def test_kind_of_a_quantized_pipeline(package, pipeline):
    set_architecture(pipeline, "OpenVino")
    meta = json.loads((pipeline / "meta.json").read_text())
    meta["quantization"] = {"precision": "int8"}
    (pipeline / "meta.json").write_text(json.dumps(meta))
    assert package.make_meta(pipeline, "x", "minilm-l6", {})["name"] == "x_minilm_int8"


@pytest.mark.parametrize(
    "architecture, kind",
    [
        ("spacy-pretrained.TorchSentenceEncoder.v1", "torch"),
        ("spacy-pretrained.EntailmentClassifier.v1", "torch"),
        ("spacy-pretrained.OpenVinoSentenceEncoder.v1", "openvino"),
        ("spacy-transformers.TransformerModel.v3", "torch"),
        ("spacy.HashEmbedCNN.v2", "plain"),
    ],
)
def test_kind_of_other_pipelines(package, pipeline, architecture, kind):
    config = (pipeline / "config.cfg").read_text()
    config = config.replace("spacy-pretrained.TorchEncoder.v1", architecture)
    (pipeline / "config.cfg").write_text(config)
    meta = package.make_meta(pipeline, "x", "minilm-l6", {})
    assert meta["name"] == f"x_minilm_{kind}"
    assert ("on PyTorch" in meta["description"]) == (kind == "torch")
    assert ("torch" in str(meta.get("requirements"))) == (kind == "torch")


def test_nothing_but_wheels_is_removed(package, pipeline, capsys):
    for output in (pipeline, pipeline.parent, pipeline / "meta.json"):
        with pytest.raises(SystemExit):
            package.main(pipeline, output, "x", "minilm-l6", "1.0.0", None)
        assert "give another folder" in " ".join(capsys.readouterr().out.split())
    assert spacy.blank("en").from_disk(pipeline, exclude=["sentencizer"])


def test_wheel(package, tiny_bert, tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("pretrained_encoder")
    nlp.config["initialize"]["components"]["pretrained_encoder"] = {"source": tiny_bert}
    nlp.initialize()
    pipeline = tmp_path / "model-best"
    nlp.to_disk(pipeline)
    output = tmp_path / "the wheels"
    output.mkdir()
    (output / "old.whl").touch()
    package.main(pipeline, output, "sample", "minilm-l6", "1.2.3", None)
    (wheel,) = output.glob("*.whl")
    assert wheel.name == "en_sample_minilm_torch-1.2.3-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as file:
        (name,) = [name for name in file.namelist() if name.endswith("METADATA")]
        metadata = file.read(name).decode()
        meta = json.loads(file.read("en_sample_minilm_torch/meta.json"))
    required = [line for line in metadata.splitlines() if line.startswith("Requires-Dist")]
    for name in ("torch", "transformers", "spacy-pretrained", "spacy"):
        assert any(line.split(": ")[1].startswith(name) for line in required), name
    assert not any(line.split(": ")[1].startswith("nncf") for line in required)
    assert meta["license"] == json.loads((ROOT / "assets/sample/meta.json").read_text())["license"]


def test_no_pipeline(package, tmp_path, capsys):
    with pytest.raises(SystemExit):
        package.main(tmp_path, tmp_path / "out", "x", "minilm-l6", "1.0.0", None)
    assert "Train one first" in " ".join(capsys.readouterr().out.split())
