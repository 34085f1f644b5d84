"""Names and meta of packages."""

import json
import re

import pytest
import spacy

from spacy_pretrained.packaging.meta import make_meta


@pytest.fixture
def pipeline(tmp_path):
    """A pipeline whose config says that its encoder runs on torch; nothing here loads it."""
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    folder = tmp_path / "my models" / "model-best"
    folder.mkdir(parents=True)
    nlp.to_disk(folder)
    set_architecture(folder, "spacy-pretrained.TorchEncoder.v1")
    return folder


def set_architecture(folder, name, source="minilm-l6"):
    config = (
        '\n[components.pretrained_encoder]\nfactory = "pretrained_encoder"\n'
        f'\n[components.pretrained_encoder.model]\n@architectures = "{name}"\n'
        f'\n[initialize.components.pretrained_encoder]\nsource = "{source}"\n'
    )
    base = (folder / "config.cfg").read_text().partition("\n[components.pretrained_encoder]")[0]
    (folder / "config.cfg").write_text(base + config)


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"corpus": "sample"}, "sample_minilm_torch"),
        ({}, "pipeline_minilm_torch"),
        (
            {"corpus": "ewt", "encoder": "sentence-transformers/all-mpnet-base-v2"},
            "ewt_all_mpnet_base_v2_torch",
        ),
        (
            {"corpus": "My Corpus", "encoder": "package:some_weights"},
            "my_corpus_some_weights_torch",
        ),
        ({"corpus": "x", "encoder": "models/xlm-roberta--base/"}, "x_xlm_roberta_base_torch"),
        ({"name": "My News", "corpus": "x"}, "my_news"),
        ({"name": "en_news"}, "news"),
    ],
)
def test_names_are_identifiers(pipeline, settings, name):
    meta = make_meta(pipeline, {}, **settings)
    assert meta["name"] == name
    assert f"en_{name}".isidentifier()


def test_paths_are_not_told(pipeline, tmp_path):
    set_architecture(pipeline, "spacy-pretrained.TorchEncoder.v1", tmp_path / "weights")
    meta = make_meta(pipeline, {})
    assert "on the encoder weights." in meta["description"]
    assert [source["name"] for source in meta["sources"]] == ["weights"]


def test_encoders_side_by_side_are_all_sources(pipeline):
    path = pipeline / "config.cfg"
    head, _, _ = path.read_text().partition("\n[initialize.components.pretrained_encoder]")
    blocks = [
        '[initialize.components.pretrained_encoder.encoders.a]\nsource = "minilm-l6"\n',
        "[initialize.components.pretrained_encoder.encoders.b]\nvocabulary_size = 4000\n",
        '[initialize.components.pretrained_encoder.encoders.c]\nsource = "roberta-base"\n',
    ]
    above = "[initialize.components.pretrained_encoder]\n"
    above += "[initialize.components.pretrained_encoder.encoders]\n"
    path.write_text(head + "\n" + above + "\n".join(blocks))
    meta = make_meta(pipeline, {}, corpus="x")
    assert "on the encoder minilm-l6 and roberta-base, trained on x" in meta["description"]
    assert [source["name"] for source in meta["sources"]][1:] == ["FacebookAI/roberta-base"]
    assert all(source["license"] for source in meta["sources"])


def test_a_name_of_nothing(pipeline):
    with pytest.raises(ValueError, match="nothing of '日'"):
        make_meta(pipeline, {}, name="日")


def test_meta(pipeline):
    about = {
        "license": "CC0",
        "author": "me",
        "sources": [{"name": "mine", "url": "https://example.org"}, "another"],
    }
    meta = make_meta(pipeline, about, corpus="mine")
    assert (meta["license"], meta["author"]) == ("CC0", "me")
    assert [source["name"] for source in meta["sources"]] == [
        "mine",
        "another",
        "sentence-transformers/all-MiniLM-L6-v2",
    ]
    assert meta["sources"][2]["license"] == "Apache-2.0"
    assert "trained on mine" in meta["description"] and meta["url"] == "https://example.org"


def test_the_licence_of_an_encoder_of_the_hub_is_that_of_its_card(pipeline, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    set_architecture(pipeline, "spacy-pretrained.TorchEncoder.v1", "owner/name@v1")
    (source,) = make_meta(pipeline, {})["sources"]
    assert (source["name"], source["license"], source["url"]) == ("owner/name@v1", "", "")
    folder = tmp_path / "hub" / "models--owner--name" / "snapshots" / "v1"
    folder.mkdir(parents=True)
    (folder / "README.md").write_text("---\nlicense: cc-by-nc-4.0\n---\n")
    (source,) = make_meta(pipeline, {})["sources"]
    assert (source["name"], source["license"]) == ("owner/name@v1", "cc-by-nc-4.0")
    assert source["url"] == "https://huggingface.co/owner/name"


def test_what_the_pipeline_says_of_itself_stays(pipeline):
    meta = json.loads((pipeline / "meta.json").read_text())
    meta |= {"description": "Mine.", "author": "me"}
    (pipeline / "meta.json").write_text(json.dumps(meta))
    made = make_meta(pipeline, {"author": "you"})
    assert (made["description"], made["author"]) == ("Mine.", "you")


def test_only_torch_asks_for_torch(pipeline):
    def requirements():
        found = make_meta(pipeline, {}).get("requirements", [])
        return {re.match(r"[\w-]+", line)[0] for line in found}

    assert requirements() == {"spacy-pretrained", "torch", "transformers", "safetensors"}
    set_architecture(pipeline, "spacy-pretrained.OpenVinoEncoder.v1")
    assert requirements() == {"spacy-pretrained"}


def test_a_later_version_of_this_package_will_do(pipeline, monkeypatch):
    monkeypatch.setattr("spacy_pretrained.packaging.meta.version", lambda _: "1.4.2")
    meta = json.loads((pipeline / "meta.json").read_text())
    meta["requirements"] = ["spacy-pretrained>=0.1.0,<0.2.0", "jieba"]  # of an older wheel
    (pipeline / "meta.json").write_text(json.dumps(meta))
    set_architecture(pipeline, "spacy-pretrained.OpenVinoEncoder.v1")
    assert make_meta(pipeline, {})["requirements"] == ["jieba", "spacy-pretrained>=1.4.2,<2"]


def test_a_pipeline_without_anything_of_ours_does_not_ask_for_us(tmp_path):
    """Not even if it was trained with our logger."""
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.config["training"]["logger"] = {"@loggers": "spacy-pretrained.TrainingLogger.v1"}
    nlp.to_disk(tmp_path)
    assert make_meta(tmp_path, {})["requirements"] == []


def test_kind_of_a_quantized_pipeline(pipeline):
    set_architecture(pipeline, "spacy-pretrained.OpenVinoEncoder.v1")
    meta = json.loads((pipeline / "meta.json").read_text())
    meta["quantization"] = {"precision": "int8"}
    (pipeline / "meta.json").write_text(json.dumps(meta))
    assert make_meta(pipeline, {}, corpus="x")["name"] == "x_minilm_int8"


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
def test_kind_of_other_pipelines(pipeline, architecture, kind):
    set_architecture(pipeline, architecture)
    meta = make_meta(pipeline, {}, corpus="x")
    assert meta["name"] == f"x_minilm_{kind}"
    assert ("on PyTorch" in meta["description"]) == (kind == "torch")
    assert ("torch" in str(meta.get("requirements"))) == (kind == "torch")
