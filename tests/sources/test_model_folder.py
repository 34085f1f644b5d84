"""Folders in the shapes that hubs have: the encoder's is found, and what is not supported is named
with the one step that helps."""

import json
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from tensor_files import dump_tensor
from tiny_models import write_json

from spacy_pretrained.sources import model_folder as module
from spacy_pretrained.sources.find import check_source, find_in_package, find_source
from spacy_pretrained.sources.hub_files import choose_files
from spacy_pretrained.sources.tensor_names import read_tensor_names

TRANSFORMER = {"idx": 0, "name": "0", "type": "sentence_transformers.models.Transformer"}
DENSE = {"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.models.Dense"}


@pytest.fixture
def folder(tiny_bert, tmp_path) -> Path:
    return Path(shutil.copytree(tiny_bert, tmp_path / "model"))


def load_pretrained(folder: Path):
    """The module and the checkpoint that torch makes of it."""
    from spacy_pretrained.backends import torch_weights

    return torch_weights.load_pretrained(folder, None)


def change(path: Path, **values) -> None:
    known = json.loads(path.read_text("utf8")) if path.is_file() else {}
    write_json(path, known | values)


def make_sentence_model(root: Path, tiny_bert: str, place: str) -> Path:
    """A sentence-transformers model with a dense layer, which has a config and weights, too."""
    inner = Path(shutil.copytree(tiny_bert, root / place, dirs_exist_ok=True))
    write_json(root / "modules.json", [TRANSFORMER | {"path": place}, DENSE])
    (root / "2_Dense").mkdir()
    write_json(root / "2_Dense" / "config.json", {"in_features": 32, "out_features": 8})
    shutil.copy(inner / "model.safetensors", root / "2_Dense")
    return inner


@pytest.mark.parametrize("place", ["", "0_Transformer", "first"])
def test_the_encoder_of_a_sentence_transformers_folder(tiny_bert, tmp_path, place):
    inner = make_sentence_model(tmp_path / "st", tiny_bert, place)
    assert find_source(str(tmp_path / "st")).samefile(inner)
    load_pretrained(find_source(str(tmp_path / "st")))


@pytest.mark.parametrize("place", ["", "0_Transformer"])
def test_a_dense_layer_is_left_out_with_a_warning(tiny_bert, tmp_path, place, caplog):
    make_sentence_model(tmp_path / "st", tiny_bert, place)
    with caplog.at_level("WARNING", "spacy"):
        find_source(str(tmp_path / "st"))
        (record,) = caplog.records
        assert "2_Dense" in record.getMessage() and "left out" in record.getMessage()
        caplog.clear()
        pooling = {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}
        write_json(tmp_path / "st" / "modules.json", [TRANSFORMER | {"path": place}, pooling])
        find_source(str(tmp_path / "st"))
        # The list of another model's parts, in the folder above.
        write_json(tmp_path / "modules.json", [TRANSFORMER | {"path": "other"}, DENSE])
        find_source(str(tmp_path / "st"))
        assert not caplog.records


def test_without_a_list_of_its_parts(tiny_bert, tmp_path):
    inner = make_sentence_model(tmp_path / "st", tiny_bert, "0_Transformer")
    (tmp_path / "st" / "modules.json").unlink()
    assert find_source(str(tmp_path / "st")) == inner


@pytest.mark.parametrize("place", ["", "0_Transformer", "zzz"])
def test_a_dense_layer_in_a_package_is_not_taken_for_the_encoder(
    tiny_bert, tmp_path, place, monkeypatch
):
    inner = make_sentence_model(tmp_path / "holds_sentences" / "model", tiny_bert, place)
    (tmp_path / "holds_sentences" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    assert find_in_package("holds_sentences").samefile(inner)
    assert find_source("package:holds_sentences").samefile(inner)


def test_an_adapter(folder):
    (folder / "config.json").unlink()
    write_json(folder / "adapter_config.json", {"base_model_name_or_path": "owner/base"})
    with pytest.raises(ValueError, match=r"adapter of PEFT for .*'owner/base'.*merge_and_unload"):
        find_source(str(folder))


@pytest.mark.parametrize(
    "settings, method",
    [
        ({"quant_method": "bitsandbytes", "load_in_4bit": True}, "bitsandbytes"),
        ({"load_in_8bit": True}, "bitsandbytes"),
        ({"quant_method": "gptq", "bits": 4}, "GPTQ"),
        ({"quant_method": "awq"}, "AWQ"),
        ({"quant_method": "new_one"}, "new_one"),
    ],
)
def test_quantized_weights(folder, settings, method):
    change(folder / "config.json", quantization_config=settings)
    with pytest.raises(ValueError, match=f"quantized by {method}.*original model.*quantize"):
        find_source(str(folder))


@pytest.mark.parametrize(
    "file, method", [("quantize_config.json", "GPTQ"), ("quant_config.json", "AWQ")]
)
def test_quantized_weights_of_older_programs(folder, file, method):
    write_json(folder / file, {"bits": 4})
    with pytest.raises(ValueError, match=f"quantized by {method}"):
        find_source(str(folder))


@pytest.mark.parametrize("model_type", ["not_in_transformers", "bert"])
def test_code_of_the_model(folder, model_type):
    code = {"AutoConfig": "configuration_x.XConfig", "AutoModel": "modeling_x.XModel"}
    change(folder / "config.json", model_type=model_type, auto_map=code, architectures=["XModel"])
    with pytest.raises(ValueError, match=r"modeling_x\.XModel.*trust_remote_code.*such as BERT"):
        load_pretrained(find_source(str(folder)))


def test_code_that_transformers_has_itself_by_now(folder):
    code = {"AutoModel": "modeling_x.BertModel"}
    change(folder / "config.json", auto_map=code, architectures=["BertModel"])
    load_pretrained(find_source(str(folder)))


@pytest.mark.parametrize(
    "name, file, settings",
    [
        ("CTRLTokenizer", "config.json", {"model_type": "ctrl"}),
        ("MarianTokenizer", "config.json", {"model_type": "marian"}),
        ("FlaubertTokenizer", "config.json", {"model_type": "flaubert"}),
        ("BertJapaneseTokenizer", "config.json", {"tokenizer_class": "BertJapaneseTokenizer"}),
        ("MarianTokenizer", "tokenizer_config.json", {"tokenizer_class": "MarianTokenizer"}),
    ],
)
def test_slow_tokenizers(folder, name, file, settings):
    change(folder / file, **settings)
    find_source(str(folder))  # it has a tokenizer.json
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").unlink(missing_ok=True)
    change(folder / file, **settings)
    with pytest.raises(ValueError, match=rf"is {name}, .*not supported.*has a tokenizer\.json"):
        find_source(str(folder))


def test_code_of_the_tokenizer(folder):
    code = {"AutoTokenizer": ["tokenization_x.XTokenizer", None]}
    change(folder / "tokenizer_config.json", auto_map=code)
    find_source(str(folder))
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ValueError, match=r"\(tokenization_x\.XTokenizer\).*trust_remote_code"):
        find_source(str(folder))


@pytest.mark.parametrize("missing", [["sentencepiece", "protobuf"], ["protobuf"]])
def test_a_sentencepiece_model_says_what_to_install(folder, monkeypatch, missing):
    (folder / "spm.model").write_bytes(b"sentences")
    monkeypatch.setattr(module, "is_installed", lambda package: package not in missing)
    find_source(str(folder))
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ValueError, match=rf"\(spm\.model\).*{missing[-1]} must be") as error:
        find_source(str(folder))
    assert "pip install 'spacy-pretrained[train]'" in str(error.value)
    assert "tiktoken" not in str(error.value)


def test_parts_of_weights_that_are_missing(folder):
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    with pytest.raises(ValueError, match="not all parts"):
        find_source(str(folder))
    files = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    index = {"weight_map": dict(zip("ab", files))}
    write_json(folder / "model.safetensors.index.json", index)
    with pytest.raises(ValueError, match="not all parts"):
        find_source(str(folder))
    shutil.copy(folder / files[0], folder / files[1])
    assert find_source(str(folder)) == folder


def test_a_config_that_is_no_json(folder):
    (folder / "config.json").write_text("{")
    with pytest.raises(ValueError, match=r"config\.json' cannot be read"):
        find_source(str(folder))


# Names of tensors


@pytest.mark.parametrize("content", ["[]", "{}", "null", '"bert"', "3"])
def test_a_config_that_is_no_object(folder, content):
    (folder / "config.json").write_text(content)
    with pytest.raises(ValueError, match=r"config\.json' cannot be read: it is no object"):
        find_source(str(folder))


@pytest.mark.parametrize("content", ["[]", "3", '["x", {"type": 1, "path": 2}]', "{}", "null"])
def test_other_files_that_are_odd(folder, content):
    """They say nothing, and keep nobody from reading the model."""
    (folder / "modules.json").write_text(content)
    (folder / "tokenizer_config.json").write_text(content)
    assert find_source(str(folder)) == folder
    (folder / "tokenizer.json").rename(folder / "vocab.json")
    (folder / "tokenizer_config.json").write_text('{"auto_map": "x", "tokenizer_class": []}')
    assert find_source(str(folder)) == folder


def test_names_of_tensors_are_those_of_the_library(folder):
    from safetensors import safe_open

    path = folder / "model.safetensors"
    with safe_open(path, "pt") as file:
        assert set(read_tensor_names(path)) == set(file.keys())


@pytest.mark.parametrize("length", [0, 5, 100, -1])
def test_damaged_weights(folder, length):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(ValueError, match="damaged or cut short"):
        find_source(str(folder))


def test_weights_that_were_saved_with_a_wrapper(folder):
    weights = dump_tensor("module.embeddings", np.zeros((2, 3)))
    (folder / "model.safetensors").write_bytes(weights)
    with pytest.raises(ValueError, match=r"begin with 'module\.'.*model\.module\.save"):
        find_source(str(folder))


def test_weights_in_pickles_alone(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ValueError, match=r"pytorch_model\.bin"):
        find_source(str(folder))


# Files on the hub


def test_the_files_that_are_chosen():
    names = [
        *("config.json", "tokenizer.json", "vocab.txt", "spiece.model", "README.md", "LICENSE"),
        *("model.safetensors", "model.fp16.safetensors", "pytorch_model.bin", "tf_model.h5"),
        *("onnx/model.onnx", "onnx/config.json", "1_Pooling/config.json", "training_args.bin"),
    ]
    files = choose_files(names)
    assert files.weights == ["model.safetensors"] and not files.is_bin
    assert set(files.descriptions) == set(names[:6])
    files = choose_files(name for name in names if "safetensors" not in name)
    assert files.weights == ["pytorch_model.bin"] and files.is_bin
    assert not choose_files(["config.json", "training_args.bin"]).weights


def test_the_files_of_a_model_in_a_folder():
    names = ["0_Transformer/config.json", "0_Transformer/model.safetensors", "modules.json"]
    files = choose_files([*names, "2_Dense/config.json", "2_Dense/model.safetensors"])
    assert files.weights == ["0_Transformer/model.safetensors"]
    assert files.descriptions == ["0_Transformer/config.json", "modules.json"]


# What is hostile: nothing is read outside of a model's folder


@pytest.mark.parametrize("name", ["../model.safetensors", "/etc/passwd", "weights.bin", "a/../b"])
def test_an_index_that_names_files_elsewhere(folder, name):
    (folder / "model.safetensors").rename(folder.parent / "model.safetensors")
    write_json(folder / "model.safetensors.index.json", {"weight_map": {"x": name}})
    with pytest.raises(ValueError, match=f"index.json' names '{re.escape(name)}'"):
        find_source(str(folder))


def test_parts_of_a_sentence_transformers_folder_that_are_elsewhere(tiny_bert, tmp_path):
    shutil.copytree(tiny_bert, tmp_path / "elsewhere")
    (tmp_path / "st").mkdir()
    write_json(tmp_path / "st" / "modules.json", [TRANSFORMER | {"path": "../elsewhere"}])
    with pytest.raises(ValueError, match=r"modules\.json' names"):
        find_source(str(tmp_path / "st"))


def test_links_out_of_a_folder(folder, tmp_path):
    weights = folder / "model.safetensors"
    weights.rename(folder / "elsewhere.bin")
    weights.symlink_to("elsewhere.bin")
    assert find_source(str(folder)) == folder
    weights.unlink()
    (folder / "elsewhere.bin").rename(tmp_path / "outside")
    weights.symlink_to(tmp_path / "outside")
    with pytest.raises(ValueError, match=r"model\.safetensors' is a link to a place outside"):
        find_source(str(folder))


def test_links_to_what_models_of_the_cache_share(folder, tmp_path):
    """huggingface_hub 2.4 keeps files that came by Xet once for all models."""
    cache = tmp_path / "hub"
    repo, shared = cache / "models--owner--tiny", cache / "blobs" / "ab" / "abcd"
    snapshot = repo / "snapshots" / "0123"
    for new in (repo / "blobs", shared.parent, snapshot.parent):
        new.mkdir(parents=True)
    folder.rename(snapshot)
    weights = snapshot / "model.safetensors"
    weights.rename(shared)
    (repo / "blobs" / "4567").symlink_to("../../blobs/ab/abcd")
    weights.symlink_to("../../blobs/4567")
    assert find_source(str(snapshot)) == snapshot


def test_links_within_the_cache_of_the_hub(folder, tmp_path):
    """As huggingface_hub lays it out."""
    model = tmp_path / "hub" / "models--owner--name"
    snapshot = model / "snapshots" / "0123abcd"
    snapshot.mkdir(parents=True)
    (model / "blobs").mkdir()
    for number, path in enumerate(sorted(folder.iterdir())):
        path.rename(model / "blobs" / str(number))
        (snapshot / path.name).symlink_to(f"../../blobs/{number}")
    assert find_source(str(snapshot)) == snapshot
    load_pretrained(snapshot)
    (tmp_path / "secret").write_text("{}")
    (snapshot / "tokenizer_config.json").unlink(missing_ok=True)
    (snapshot / "tokenizer_config.json").symlink_to(tmp_path / "secret")
    with pytest.raises(ValueError, match="is a link to a place outside"):
        find_source(str(snapshot))


def test_a_folder_within_a_package_is_found_without_an_import(tiny_bert, tmp_path, monkeypatch):
    inner = tmp_path / "outer_package" / "inner"
    shutil.copytree(tiny_bert, inner / "model")
    for package in (inner.parent, inner):
        (package / "__init__.py").write_text("raise SystemExit('it was imported')")
    monkeypatch.syspath_prepend(tmp_path)
    for find in (find_source, check_source):
        find("package:outer_package.inner")
    assert find_in_package("outer_package.other") is None
    assert "outer_package" not in sys.modules


@pytest.mark.parametrize("value", ["owner/name", {"": "owner/name"}])
def test_a_config_does_not_choose_program_code(folder, value):
    """transformers would fetch it from the model hub."""
    from spacy_pretrained.backends.torch_weights import from_files, to_files

    change(folder / "config.json", attn_implementation=value)
    module, checkpoint = load_pretrained(folder)
    assert module.config._attn_implementation in ("sdpa", "eager")
    assert "attn_implementation" not in checkpoint.config
    files = to_files(module, checkpoint)
    config = json.loads(files["config.json"]) | {"attn_implementation": value}
    module, _ = from_files(files | {"config.json": json.dumps(config).encode()}, None)
    assert module.config._attn_implementation in ("sdpa", "eager")
