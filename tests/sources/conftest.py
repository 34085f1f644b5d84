"""A stand-in for the model hub, and tiny models for it."""

import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest
from stand_in_hub import StandInHub

CARD = "---\nlanguage: en\nlicense: apache-2.0\n---\n\n# A model\n"


@pytest.fixture
def model(tiny_bert, tmp_path) -> Path:
    """A folder with a tiny BERT and its card."""
    folder = Path(shutil.copytree(tiny_bert, tmp_path / "on_the_hub" / "tiny"))
    (folder / "README.md").write_text(CARD)
    (folder / "flax_model.msgpack").write_bytes(b"not needed")
    return folder


@pytest.fixture
def bin_model(model) -> Path:
    """The same with random weights of a masked language model as a pickle, where the embeddings
    have two names."""
    import torch
    from transformers import AutoConfig, AutoModelForMaskedLM

    folder = Path(shutil.copytree(model, model.with_name("bin")))
    (folder / "model.safetensors").unlink()
    module = AutoModelForMaskedLM.from_config(AutoConfig.from_pretrained(folder))
    torch.save(module.state_dict(), folder / "pytorch_model.bin")
    return folder


@pytest.fixture
def hub(model, cache, monkeypatch, request):
    """With both models; without PyTorch, which makes the second, with the first."""
    from huggingface_hub import constants

    models = {"owner/tiny": model}
    if find_spec("torch") is not None:
        models["owner/bin"] = request.getfixturevalue("bin_model")
    with StandInHub(models) as hub:
        url = hub.endpoint + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "ENDPOINT", hub.endpoint)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", url)
        yield hub


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """The hub's cache. huggingface_hub has read its variables when it was imported."""
    from huggingface_hub import constants

    folder = tmp_path / "home" / "hub"
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_TOKEN", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(folder.parent))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(folder.parent / "token"))
    return folder


@pytest.fixture
def in_process(monkeypatch) -> None:
    """Convert weights in this process, which has torch already: quicker than in one of its own."""
    from spacy_pretrained.sources import download
    from spacy_pretrained.sources.torch_convert import convert

    monkeypatch.setattr(download, "convert_bin", lambda folder, hub: convert(folder))
