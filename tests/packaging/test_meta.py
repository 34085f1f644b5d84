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
    with pytest.raises(ValueError, match="'日' has no character"):
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
    older = ["spacy-pretrained>=0.1.0,<0.2.0", "spacy_pretrained[train]"]  # of an older wheel
    meta["requirements"] = [*older, "jieba", "spacy-pretrained-heads>=2"]
    (pipeline / "meta.json").write_text(json.dumps(meta))
    set_architecture(pipeline, "spacy-pretrained.OpenVinoEncoder.v1")
    expected = ["jieba", "spacy-pretrained-heads>=2", "spacy-pretrained>=1.4.2,<2"]
    assert make_meta(pipeline, {})["requirements"] == expected


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


def change_meta(folder, **values):
    meta = json.loads((folder / "meta.json").read_text()) | values
    (folder / "meta.json").write_text(json.dumps(meta))


def test_sources_that_the_pipeline_names_stay_and_encoders_come_last(pipeline):
    mine = {"name": "UD", "license": "CC BY-SA 4.0"}
    encoder = "sentence-transformers/all-MiniLM-L6-v2"
    change_meta(pipeline, sources=[mine, "another"])
    made = make_meta(pipeline, {})
    assert [source["name"] for source in made["sources"]] == ["UD", "another", encoder]
    assert made["sources"][0] == mine
    change_meta(pipeline, sources=made["sources"])
    assert make_meta(pipeline, {})["sources"] == made["sources"]  # packaged once more
    known = {"name": encoder, "license": "asked for"}
    told = make_meta(pipeline, {"sources": [known, "UD"]})["sources"]
    assert told == [{"name": "UD"}, known]  # texts of licences are those of the last


def test_only_what_a_meta_says_about_a_pipeline_is_taken(pipeline):
    about = {"name": "x y", "lang": "de", "pipeline": ["ner"], "license": "CC0", "notes": "New."}
    made = make_meta(pipeline, about, name="my_news")
    assert (made["name"], made["lang"], made["pipeline"]) == ("my_news", "en", ["sentencizer"])
    assert (made["license"], made["notes"]) == ("CC0", "New.")


def add_config(folder, text):
    with (folder / "config.cfg").open("a", encoding="utf8") as file:
        file.write(text)


def test_weights_of_every_component_are_sources(pipeline):
    labels = '\n[components.zero_shot_textcat]\nfactory = "zero_shot_textcat"\n'
    labels += '\n[initialize.components.zero_shot_textcat]\nsource = "roberta-base"\n'
    removed = '\n[initialize.components.removed]\nsource = "bert-base-cased"\n'
    add_config(pipeline, labels + removed)
    made = make_meta(pipeline, {}, corpus="x")
    assert made["name"] == "x_minilm_torch"
    assert [source["name"] for source in made["sources"]] == [
        "sentence-transformers/all-MiniLM-L6-v2",
        "FacebookAI/roberta-base",
    ]


def test_a_source_may_be_a_variable_of_the_config(pipeline):
    set_architecture(pipeline, "spacy-pretrained.TorchEncoder.v1", "${paths.encoder}")
    config = (pipeline / "config.cfg").read_text().replace('"${paths.encoder}"', "${paths.encoder}")
    config = config.replace("[paths]\n", '[paths]\nencoder = "roberta-base"\n')
    (pipeline / "config.cfg").write_text(config)
    assert [s["name"] for s in make_meta(pipeline, {})["sources"]] == ["FacebookAI/roberta-base"]


@pytest.mark.parametrize("settings", [{"corpus": "news"}, {}])
def test_a_quantized_copy_of_a_package_does_not_say_that_it_runs_on_torch(pipeline, settings):
    change_meta(pipeline, **make_meta(pipeline, {}, **settings))
    set_architecture(pipeline, "spacy-pretrained.OpenVinoEncoder.v1")
    (path,) = pipeline.glob("config.cfg")
    path.write_text(path.read_text().replace('source = "minilm-l6"', ""))
    on_news = ", trained on news" if settings else ""
    assert make_meta(pipeline, {})["description"] == (
        f"sentencizer on the encoder minilm-l6{on_news}. Runs on OpenVINO (openvino), without "
        "PyTorch."
    )


def test_paths_in_the_home_folder_are_not_told(pipeline):
    set_architecture(pipeline, "spacy-pretrained.TorchEncoder.v1", "~/private/weights")
    made = make_meta(pipeline, {})
    assert [source["name"] for source in made["sources"]] == ["weights"]
    assert "private" not in json.dumps(made)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "Expecting"),
        ("[]", "no object"),
        ('{"lang": "en"}', "lacks name"),
        ('{"name": 3}', "lacks lang and name"),
        ('{"lang": "en", "name": "x", "sources": "UD"}', "sources"),
    ],
)
def test_a_broken_meta_is_named(pipeline, text, message):
    (pipeline / "meta.json").write_text(text)
    with pytest.raises(ValueError, match=rf"meta\.json' is not the meta.*{message}"):
        make_meta(pipeline, {})
