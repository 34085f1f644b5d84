"""Weights in pickles become safetensors: the same tensors, once each, and nothing else is read."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from transformers import AutoModelForMaskedLM

from spacy_pretrained.backends.torch_weights import load_pretrained
from spacy_pretrained.sources import hub_client
from spacy_pretrained.sources.convert import convert_bin
from spacy_pretrained.sources.download import download
from spacy_pretrained.sources.find import find_source
from spacy_pretrained.sources.hub_id import HubId
from spacy_pretrained.sources.torch_convert import compare, convert, drop_tied

BIN = HubId("owner/bin")
EMBEDDINGS = "bert.embeddings.word_embeddings.weight"
TIED = "cls.predictions.decoder.weight"


def test_a_source_with_pickles_only_says_the_command(hub):
    with pytest.raises(ValueError, match="python -m spacy pretrained download owner/bin"):
        find_source("owner/bin")
    assert "pytorch_model.bin" not in hub.files_sent()


@pytest.mark.slow
def test_the_command_makes_it_a_source(hub, bin_model):
    found = download(BIN)
    assert found.converted and not download(BIN).converted
    assert find_source("owner/bin") == found.folder
    original = torch.load(bin_model / "pytorch_model.bin", weights_only=True)
    written = load_file(found.folder / "model.safetensors")
    assert original.keys() - written.keys() == {TIED, "cls.predictions.decoder.bias"}
    assert all(torch.equal(original[name], tensor) for name, tensor in written.items())
    module, _ = load_pretrained(found.folder, None)
    table = module.get_input_embeddings().weight
    assert torch.equal(table, original[EMBEDDINGS])


def test_the_head_is_tied_again_when_it_is_loaded(bin_model):
    expected = torch.load(bin_model / "pytorch_model.bin", weights_only=True)[TIED]
    convert(bin_model)
    (bin_model / "pytorch_model.bin").unlink()
    module = AutoModelForMaskedLM.from_pretrained(bin_model)
    assert torch.equal(module.get_output_embeddings().weight, expected)


def test_a_cached_pickle_says_the_command_without_a_network(hub, in_process, monkeypatch):
    monkeypatch.setattr(hub_client, "PATIENCE", 0.2)  # the client tries again some times
    folder = download(BIN).folder
    (folder / "model.safetensors").unlink()
    hub.status = 503
    with pytest.raises(ValueError, match="python -m spacy pretrained download owner/bin"):
        find_source("owner/bin")
    assert download(BIN).converted


def test_parts(bin_model):
    tensors = torch.load(bin_model / "pytorch_model.bin", weights_only=True)
    names = sorted(tensors)
    parts = [names[::2], names[1::2]]
    weight_map = {}
    for i, part in enumerate(parts, 1):
        file = f"pytorch_model-0000{i}-of-00002.bin"
        torch.save({name: tensors[name].clone() for name in part}, bin_model / file)
        weight_map |= dict.fromkeys(part, file)
    (bin_model / "pytorch_model.bin").unlink()
    index = bin_model / "pytorch_model.bin.index.json"
    index.write_text(json.dumps({"weight_map": weight_map}))
    convert(bin_model)
    assert find_source(str(bin_model)) == bin_model
    written = {}
    for path in bin_model.glob("*.safetensors"):
        written |= load_file(path)
    assert written.keys() == tensors.keys()
    load_pretrained(bin_model, None)


class Evil:
    def __reduce__(self):
        return os.system, ("touch was_run",)


@pytest.mark.slow
def test_nothing_in_a_pickle_is_run(hub, bin_model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"x": torch.zeros(1), "evil": Evil()}, bin_model / "pytorch_model.bin")
    with pytest.raises(ValueError, match=r"could not be converted.*Nothing in it was run"):
        download(BIN)
    assert not (tmp_path / "was_run").exists()


KILLED = """#!{python}
import os, pathlib, signal, sys
pathlib.Path(sys.argv[-1], f".model.safetensors.{{os.getpid()}}.tmp").write_bytes(b"...")
print("so far so good", file=sys.stderr)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_program_that_is_killed_leaves_nothing_and_it_is_said_why(tmp_path, monkeypatch):
    program, folder = tmp_path / "program", tmp_path / "model"
    program.write_text(KILLED.format(python=sys.executable))
    program.chmod(0o755)
    folder.mkdir()
    (folder / ".model.safetensors.1.tmp").write_bytes(b"of a process that is at work")
    monkeypatch.setattr(sys, "executable", str(program))
    with pytest.raises(ValueError, match=r"killed .* memory was not enough"):
        convert_bin(folder, BIN)
    assert [path.name for path in folder.iterdir()] == [".model.safetensors.1.tmp"]


def test_what_is_not_tensors_by_name(bin_model):
    path = bin_model / "pytorch_model.bin"
    for content, what in (
        ([torch.zeros(2)], "holds a list"),
        ({"state_dict": {"x": torch.zeros(2)}, "step": 3}, "holds state_dict, step"),
        ({}, "holds nothing"),
    ):
        torch.save(content, path)
        with pytest.raises(ValueError, match=what):
            convert(bin_model)
    path.write_bytes(b"cut short")
    with pytest.raises(ValueError, match="or it is damaged"):
        convert(bin_model)
    assert not any(bin_model.glob("*.safetensors")) and not any(bin_model.glob(".*"))


def test_views_of_one_memory_are_kept_and_equal_ones_are_one():
    whole = torch.arange(12.0).reshape(3, 4)
    tensors = {"lm_head.weight": whole, "wte.weight": whole, "row": whole[1], "turned": whole.T}
    own, dropped = drop_tied(tensors)
    assert dropped == {"lm_head.weight": "wte.weight"}
    assert all(torch.equal(own[name], tensors[name]) for name in own)
    assert all(tensor.is_contiguous() for tensor in own.values()) and len(own) == 3


def test_the_shared_table_of_an_encoder_and_a_decoder_is_kept():
    table = torch.ones(2, 2)
    names = ("decoder.embed_tokens.weight", "encoder.embed_tokens.weight", "lm_head.weight")
    own, dropped = drop_tied(dict.fromkeys((*names, "shared.weight"), table))
    assert set(own) == {"shared.weight"} and set(dropped) == set(names)


def test_a_tensor_that_changed_on_the_way_is_found(bin_model):
    convert(bin_model)
    path = bin_model / "model.safetensors"
    tensors = load_file(path)
    tensors["nan"] = torch.tensor([float("nan")])
    own = dict(tensors)
    del own["nan"]
    compare(own, path, "x.bin")
    own[EMBEDDINGS] = own[EMBEDDINGS] * 1.0001
    with pytest.raises(ValueError, match=f"'{EMBEDDINGS}' differs"):
        compare(own, path, "x.bin")


def test_dtypes_and_nan(tmp_path):
    tensors = {
        "half": torch.tensor([1.5, float("nan")], dtype=torch.float16),
        "bfloat16": torch.tensor(2.5, dtype=torch.bfloat16),
        "ids": torch.arange(4),
        "empty": torch.zeros(0, 3),
        "none": torch.zeros(0, 3),
        "flag": torch.tensor([True]),
    }
    torch.save(tensors, tmp_path / "pytorch_model.bin")
    convert(tmp_path)
    with safe_open(tmp_path / "model.safetensors", "pt") as file:
        assert set(file.keys()) == tensors.keys()
        assert all(file.get_tensor(name).dtype == tensors[name].dtype for name in tensors)


def test_without_torch_it_says_so_before_it_downloads(hub, monkeypatch):
    from spacy_pretrained.sources import download as module

    monkeypatch.setattr(module, "is_installed", lambda package: package != "torch")
    with pytest.raises(ValueError, match="has to be converted, which needs torch"):
        download(BIN)
    assert "pytorch_model.bin" not in hub.files_sent()


def test_a_wrapped_model_is_named_as_what_it_is(bin_model):
    path = bin_model / "pytorch_model.bin"
    tensors = torch.load(path, weights_only=True)
    torch.save({f"module.{name}": tensor for name, tensor in tensors.items()}, path)
    folder = Path(shutil.copytree(bin_model, bin_model.with_name("wrapped")))
    convert(folder)
    with pytest.raises(ValueError, match=r"begin with 'module\.'.*model\.module\.save"):
        find_source(str(folder))


@pytest.mark.parametrize("name", ["../model.pt", "../pytorch_model.bin", "{folder}/model.pt"])
def test_an_index_that_names_files_of_others(tmp_path, name):
    """A hub's model could have any file of tensors on this machine written over."""
    victim = tmp_path / "model.pt"
    torch.save({"mine": torch.ones(2)}, victim)
    shutil.copy(victim, tmp_path / "pytorch_model.bin")
    folder = tmp_path / "evil"
    folder.mkdir()
    index = folder / "pytorch_model.bin.index.json"
    index.write_text(json.dumps({"weight_map": {"mine": name.format(folder=tmp_path)}}))
    before = sorted(path.name for path in tmp_path.iterdir()), victim.read_bytes()
    with pytest.raises(ValueError, match="read from its own folder only"):
        convert(folder)
    assert before == (sorted(path.name for path in tmp_path.iterdir()), victim.read_bytes())
