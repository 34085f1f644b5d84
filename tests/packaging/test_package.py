"""Wheels of pipelines: what is in them, and what is refused before anything is lost."""

import json
import shutil
import stat
import zipfile
from pathlib import Path

import pytest
import spacy

from spacy_pretrained.packaging.package import build, package_pipeline, read_about
from spacy_pretrained.packaging.wheel import build_wheel


@pytest.fixture(scope="module")
def pipeline(tiny_bert, tmp_path_factory):
    nlp = spacy.blank("en")
    nlp.add_pipe("pretrained_encoder")
    nlp.add_pipe("pretrained_ner").add_label("GPE")
    nlp.config["initialize"]["components"]["pretrained_encoder"] = {"source": tiny_bert}
    nlp.initialize()
    nlp.meta["performance"] = {"ents_f": 0.875}
    folder = tmp_path_factory.mktemp("my models") / "model-best"
    nlp.to_disk(folder)
    return folder


@pytest.mark.slow
def test_wheel(pipeline, tmp_path):
    output, about = tmp_path / "the wheels", tmp_path / "about"
    output.mkdir()
    others = {output / name for name in ("notes.txt", "en_sample_minilm_int8-1.0-py3-none-any.whl")}
    for path in (*others, output / "en_sample_minilm_torch-1.0-py3-none-any.whl"):
        path.touch()
    about.mkdir()
    source = {"name": "Sample", "url": "https://example.org", "license": "CC0"}
    (about / "meta.json").write_text(json.dumps({"license": "CC0", "sources": [source]}))
    settings = {"corpus": "sample", "encoder": "minilm-l6", "about": about, "version": "1.2.3"}
    wheel = package_pipeline(pipeline, output, **settings)
    assert wheel.name == "en_sample_minilm_torch-1.2.3-py3-none-any.whl"
    assert set(output.iterdir()) == {*others, wheel}  # without the older one of the package
    with zipfile.ZipFile(wheel) as file:
        (name,) = [name for name in file.namelist() if name.endswith("METADATA")]
        metadata = file.read(name).decode()
        meta = json.loads(file.read("en_sample_minilm_torch/meta.json"))
    required = [line for line in metadata.splitlines() if line.startswith("Requires-Dist")]
    for name in ("torch", "transformers", "spacy-pretrained", "spacy"):
        assert any(line.split(": ")[1].startswith(name) for line in required), name
    assert not any(line.split(": ")[1].startswith("nncf") for line in required)
    assert meta["license"] == "CC0" and meta["version"] == "1.2.3"
    for part in (
        f"pip install {wheel.name}",
        'spacy.load("en_sample_minilm_torch")',
        "doc.ents",
        "trained on sample",
        "[Sample](https://example.org)",
        "`CC0`",
        "87.50",
        "`GPE`",
    ):
        assert part in metadata, part


@pytest.fixture
def with_licence(pipeline, tiny_bert, tmp_path):
    """A copy of the pipeline, made of an encoder with the text of its licence."""
    encoder = Path(shutil.copytree(tiny_bert, tmp_path / "encoder"))
    (encoder / "LICENSE.txt").write_text("Do with it what you like.")
    copy = Path(shutil.copytree(pipeline, tmp_path / "pipeline"))
    config = (copy / "config.cfg").read_text()
    (copy / "config.cfg").write_text(config.replace(tiny_bert, str(encoder)))
    return copy


@pytest.mark.slow
def test_the_licence_of_the_encoder_is_in_the_wheel(with_licence, tmp_path):
    source = {"name": "Sample", "url": "https://example.org", "license": "CC0"}
    (tmp_path / "meta.json").write_text(json.dumps({"sources": [source]}))
    with zipfile.ZipFile(package_pipeline(with_licence, tmp_path / "out", about=tmp_path)) as file:
        name = next(name for name in file.namelist() if name.endswith("LICENSES_SOURCES"))
        text = file.read(name).decode()
        (name,) = [name for name in file.namelist() if name.endswith("METADATA")]
        metadata = file.read(name).decode()
    assert text.startswith("Sample\nhttps://example.org\nCC0\n")
    assert text.strip().endswith("encoder\n\nDo with it what you like.")
    assert "- [Sample](https://example.org): CC0" in metadata
    assert "- encoder: licence not known" in metadata


@pytest.mark.slow
def test_licences_of_the_pipelines_own_are_kept(with_licence, tmp_path):
    (with_licence / "LICENSES_SOURCES").write_text("Mine alone.")
    with zipfile.ZipFile(package_pipeline(with_licence, tmp_path / "wheels")) as file:
        name = next(name for name in file.namelist() if name.endswith("LICENSES_SOURCES"))
        assert file.read(name).decode() == "Mine alone."


@pytest.mark.slow
def test_a_readme_of_the_pipelines_own_is_kept(pipeline, tmp_path):
    copy = tmp_path / "pipeline"
    shutil.copytree(pipeline, copy)
    (copy / "README.md").write_text("Mine alone.")
    with zipfile.ZipFile(package_pipeline(copy, tmp_path / "wheels")) as file:
        (name,) = [name for name in file.namelist() if name.endswith("METADATA")]
        assert file.read(name).decode().strip().endswith("Mine alone.")


def test_a_pipeline_stays_as_it_is(pipeline):
    before = sorted(pipeline.rglob("*"))
    for output in (pipeline, pipeline / "meta.json", pipeline / "wheels"):
        with pytest.raises(ValueError, match="give another folder"):
            package_pipeline(pipeline, output)
    assert sorted(pipeline.rglob("*")) == before


NO_SOURCES = ["UD", {"name": "UD"}, None, [1], [{"license": "CC0"}], [{"name": 3}]]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"version": "new"}, "'new' is no version"),
        ({"about": "list.json"}, "JSON file with one object"),
        ({"about": "broken.json"}, "JSON file with one object"),
        ({"about": "nothing.json"}, "nothing.json"),
        ({"about": "license.json"}, "license"),
        *(({"about": f"sources{i}.json"}, "list of names") for i in range(len(NO_SOURCES))),
    ],
)
def test_what_is_refused(pipeline, tmp_path, settings, message, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files = {"list": "[]", "broken": "{", "license": '{"license": 3}'}
    files |= {f"sources{i}": json.dumps({"sources": s}) for i, s in enumerate(NO_SOURCES)}
    for name, text in files.items():
        (tmp_path / f"{name}.json").write_text(text)
    output = tmp_path / "wheels"
    output.mkdir()
    (output / "old.whl").touch()
    with pytest.raises((ValueError, OSError), match=message):
        package_pipeline(pipeline, output, **settings)
    assert (output / "old.whl").exists()


def test_about_may_begin_with_a_byte_order_mark(tmp_path):
    (tmp_path / "about.json").write_text('{"license": "CC0"}', encoding="utf-8-sig")
    assert read_about(tmp_path / "about.json") == {"license": "CC0"}


def test_files_for_reading_only_may_be_written_in_the_copy(tmp_path, monkeypatch):
    """Root may write them anyway, so it is the modes that are compared."""
    nlp = spacy.blank("xx")
    nlp.to_disk(tmp_path / "pipeline")
    for path in (tmp_path / "pipeline").rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    monkeypatch.setattr("spacy_pretrained.packaging.package.build_wheel", lambda source, _: source)
    meta = nlp.meta | {"name": "test", "version": "1.0.0"}
    copy = build(tmp_path / "pipeline", meta, tmp_path, []) / "xx_test"
    files = list(copy.rglob("*"))
    assert any(path.name == "tokenizer" for path in files)
    assert all(path.stat().st_mode & stat.S_IWUSR for path in files)


def test_no_pipeline(tmp_path):
    with pytest.raises(ValueError, match="Train one first"):
        package_pipeline(tmp_path / "nothing", tmp_path / "out")


def test_what_pip_says_is_shown(tmp_path):
    (tmp_path / "setup.py").write_text("raise RuntimeError('on purpose')")
    with pytest.raises(ValueError, match=r"(?s)could not build.*on purpose"):
        build_wheel(tmp_path, tmp_path / "wheel")
