"""What is loaded is what was saved: of each component of ours no file is lost, added or changed,
and none is of another save. What people do to pipelines goes on to work."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import spacy
import srsly
from saved_pipelines import SAVED
from spacy.cli.assemble import assemble_cli
from spacy.cli.package import package
from spacy.language import Language
from tiny_pipelines import ENCODER, annotations

from spacy_pretrained.saving.files import digest
from spacy_pretrained.saving.save_mark import KEY

OLD = SAVED / "v0.1.0"  # which has no checksums but of quantized backbones
KINDS = sorted(path.name for path in OLD.iterdir())
SYNTAX = "syntax_int8"
TEXT = "Ada sees the old river in Zürich."
OURS = {
    "syntax": [ENCODER, "pretrained_tagger", "biaffine_parser", "pretrained_ner"],
    "textcat": [ENCODER, "pretrained_textcat"],
    "zero_shot": ["zero_shot_textcat"],
    "few_shot": ["few_shot_textcat"],
}


def names_of(kind: str) -> list[str]:
    return OURS[kind.rpartition("_")[0]]


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> Callable[[str], Path]:
    """A folder with a pipeline of OLD as it is saved today. Tests do not write to it."""
    root = tmp_path_factory.mktemp("saved")

    def save(kind: str) -> Path:
        folder = root / kind
        if not folder.is_dir():
            nlp = spacy.load(OLD / kind / "pipeline")
            for _ in range(2):  # the first save of an old one has no mark
                nlp.to_disk(folder)
        return folder

    return save


@pytest.fixture
def copy(saved, tmp_path) -> Callable[[str], Path]:
    """A copy of such a folder."""
    return lambda kind: Path(shutil.copytree(saved(kind), tmp_path / kind))


def mark_of(folder: Path) -> str:
    return srsly.read_json(folder / "meta.json")[KEY]["save"]


def say(nlp: Language) -> list[tuple]:
    return annotations(nlp(TEXT))


# Checksums


@pytest.mark.parametrize("kind", KINDS)
def test_all_files_of_our_components_are_listed(saved, kind):
    for name in names_of(kind):
        folder = saved(kind) / name
        listed = json.loads((folder / "checksums.json").read_text("utf8"))
        files = {p for p in folder.rglob("*") if p.is_file() and p.name != "checksums.json"}
        assert listed["files"] == {str(p.relative_to(folder)): digest(p) for p in files}
        assert "cfg" in listed["files"]
        assert (folder / "backbone" / "model.bin").is_file() == (
            kind.endswith("int8") and name in (ENCODER, "zero_shot_textcat", "few_shot_textcat")
        )


CHANGES = {
    "changed": lambda content: bytes([*content[:-1], content[-1] ^ 1]),
    "cut short": lambda content: content[: len(content) // 2],
    "empty": lambda content: b"",
}


@pytest.mark.parametrize("kind", KINDS)
def test_no_changed_or_lost_file_is_loaded(copy, kind):
    folder = copy(kind)
    nlp = spacy.load(folder)
    for name in names_of(kind):
        pipe = nlp.get_pipe(name)
        for path in [p for p in (folder / name).rglob("*") if p.is_file()]:
            content = path.read_bytes()
            for change in CHANGES.values():
                path.write_bytes(change(content))
                # White space behind a list of files does no harm.
                if path.name != "checksums.json" or change is not CHANGES["changed"]:
                    with pytest.raises(ValueError, match=path.name):
                        pipe.from_disk(folder / name, exclude=["vocab"])
            path.unlink()
            with pytest.raises(ValueError, match=path.name):
                pipe.from_disk(folder / name, exclude=["vocab"])
            path.write_bytes(content)
        pipe.from_disk(folder / name, exclude=["vocab"])


def test_an_added_file_is_not_loaded_but_for_hidden_ones(copy):
    folder = copy(SYNTAX)
    (folder / ENCODER / "backbone" / ".DS_Store").write_bytes(b"x")
    (folder / "README.md").write_text("What it is")
    spacy.load(folder)
    (folder / ENCODER / "backbone" / "training.json").write_bytes(b"{}")
    with pytest.raises(ValueError, match=r"not saved with it.*backbone/training\.json"):
        spacy.load(folder)


@pytest.mark.parametrize(
    "content", [b"[]", b"{}", b"no json", b'{"save": null, "files": []}', b'{"files": {}}']
)
def test_a_damaged_list_is_named(copy, content):
    folder = copy(SYNTAX)
    (folder / "pretrained_ner" / "checksums.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"pretrained_ner/checksums\.json'.*damaged or changed"):
        spacy.load(folder)


def test_links_that_leave_the_folder_are_not_followed(copy, tmp_path):
    folder = copy(SYNTAX)
    path = folder / "pretrained_ner" / "model"
    path.rename(folder / "elsewhere")
    path.symlink_to("../elsewhere")
    spacy.load(folder)
    path.unlink()
    (folder / "elsewhere").rename(tmp_path / "outside")
    path.symlink_to(tmp_path / "outside")
    with pytest.raises(ValueError, match=r"pretrained_ner/model' is a link to a place outside"):
        spacy.load(folder)
    path.unlink()
    (tmp_path / "outside").rename(path)
    (folder / "pretrained_ner").rename(tmp_path / "ner")
    (folder / "pretrained_ner").symlink_to(tmp_path / "ner")
    with pytest.raises(ValueError, match=r"pretrained_ner' is a link to a place outside"):
        spacy.load(folder)


# One save


def test_each_save_has_a_mark_of_its_own(saved, tmp_path):
    nlp = spacy.load(saved(SYNTAX))
    for name in ("a", "b"):
        nlp.to_disk(tmp_path / name)
    spacy.load(tmp_path / "b").to_disk(tmp_path / "c")
    marks = [mark_of(folder) for folder in (saved(SYNTAX), *map(tmp_path.joinpath, "abc"))]
    assert len(set(marks)) == 4


def test_a_new_pipeline_has_a_mark_before_its_first_save(tmp_path):
    nlp = spacy.blank("xx")
    nlp.add_pipe("zero_shot_textcat", config={"labels": ["the sea", "dogs"]})
    nlp.to_disk(tmp_path)
    assert mark_of(tmp_path)
    assert spacy.load(tmp_path).meta[KEY]["save"] != mark_of(tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_a_pipeline_of_two_saves_is_not_loaded(saved, tmp_path, kind):
    """spaCy writes in this order, over what is there, and may be killed before each."""
    nlp = spacy.load(saved(kind))
    old, new, mixed = (tmp_path / name for name in ("old", "new", "mixed"))
    nlp.to_disk(old)
    nlp.to_disk(new)
    shutil.copytree(old, mixed)
    for name in ("meta.json", "config.cfg", *nlp.component_names):
        if (new / name).is_dir():
            shutil.rmtree(mixed / name)
            shutil.copytree(new / name, mixed / name)
        else:
            shutil.copy(new / name, mixed / name)
        if name != nlp.component_names[-1]:
            with pytest.raises(ValueError, match=r"not of one save.*meta\.json"):
                spacy.load(mixed)
    assert say(spacy.load(mixed)) == say(nlp)


def test_a_component_of_another_pipeline_is_not_loaded(saved, copy, tmp_path):
    spacy.load(saved(SYNTAX)).to_disk(tmp_path / "other")
    folder = copy(SYNTAX)
    shutil.rmtree(folder / "pretrained_ner")
    shutil.copytree(tmp_path / "other" / "pretrained_ner", folder / "pretrained_ner")
    with pytest.raises(ValueError, match="'pretrained_ner' to the save"):
        spacy.load(folder)
    shutil.rmtree(folder / "pretrained_ner")  # and one that an earlier version has saved
    shutil.copytree(OLD / SYNTAX / "pipeline" / "pretrained_ner", folder / "pretrained_ner")
    with pytest.raises(ValueError, match="'pretrained_ner' to the save without a mark"):
        spacy.load(folder)


# What people do


def test_meta_and_config_may_be_edited(copy):
    folder = copy(SYNTAX)
    meta = srsly.read_json(folder / "meta.json")
    srsly.write_json(folder / "meta.json", meta | {"description": "edited"})
    config = (folder / "config.cfg").read_text("utf8")
    (folder / "config.cfg").write_text(config.replace("threads = 0", "threads = 1"), "utf8")
    assert "threads = 0" in config
    nlp = spacy.load(folder)
    assert nlp.meta["description"] == "edited"
    assert nlp.config["components"][ENCODER]["model"]["threads"] == 1


def test_another_meta_says_what_it_lacks(copy):
    folder = copy(SYNTAX)
    mark = mark_of(folder)
    meta = srsly.read_json(folder / "meta.json")
    entry = meta.pop(KEY)
    srsly.write_json(folder / "meta.json", meta)
    with pytest.raises(ValueError, match=f'"{KEY}": {{"save": "{mark}"}}'):
        spacy.load(folder)
    srsly.write_json(folder / "meta.json", meta | {KEY: entry})
    spacy.load(folder)


@pytest.mark.parametrize("is_old", [True, False])
def test_spacys_package(saved, tmp_path, is_old):
    folder = OLD / SYNTAX / "pipeline" if is_old else saved(SYNTAX)
    package(folder, tmp_path, name="x", version="1.0.0", create_sdist=False)
    (packaged,) = tmp_path.glob("en_x-*/en_x/en_x-*")
    assert say(spacy.load(packaged)) == say(spacy.load(folder))


@pytest.mark.slow
def test_assemble_and_sourced_components(saved, tmp_path):
    nlp = spacy.blank("xx")
    source = spacy.load(saved(SYNTAX))
    for name in source.pipe_names:
        nlp.add_pipe(name, source=source)
    nlp.to_disk(tmp_path / "sourced")
    assert say(spacy.load(tmp_path / "sourced")) == say(source)
    config = "".join(
        f'[components.{name}]\nsource = "{saved(SYNTAX)}"\n\n' for name in source.pipe_names
    )
    names = json.dumps(source.pipe_names)
    text = f'[nlp]\nlang = "en"\npipeline = {names}\n\n[components]\n\n{config}'
    (tmp_path / "config.cfg").write_text(text, "utf8")
    context = type("Context", (), {"args": []})()
    assemble_cli(context, tmp_path / "config.cfg", tmp_path / "assembled", None, False)
    assert say(spacy.load(tmp_path / "assembled")) == say(source)


def test_excluded_components_are_neither_saved_nor_loaded(saved, tmp_path):
    nlp = spacy.load(saved(SYNTAX))
    nlp.to_disk(tmp_path, exclude=["pretrained_ner"])
    loaded = spacy.load(tmp_path, exclude=["pretrained_ner"])
    assert "pretrained_ner" not in loaded.pipe_names
    loaded.to_disk(tmp_path)
    assert spacy.load(tmp_path).pipe_names == loaded.pipe_names


def test_a_component_alone(saved, tmp_path):
    """Where no meta.json stands beside it, its save is not asked for; and it may be replaced within
    a pipeline."""
    nlp = spacy.load(saved(SYNTAX))
    nlp.get_pipe("pretrained_ner").to_disk(tmp_path / "ner")
    nlp.get_pipe("pretrained_ner").from_disk(tmp_path / "ner")
    nlp.to_disk(tmp_path / "pipeline")
    nlp.get_pipe("pretrained_ner").to_disk(tmp_path / "pipeline" / "pretrained_ner")
    assert say(spacy.load(tmp_path / "pipeline")) == say(nlp)


@pytest.mark.parametrize("kind", KINDS)
def test_bytes(saved, kind):
    nlp = spacy.load(saved(kind))
    copy = type(nlp).from_config(nlp.config).from_bytes(nlp.to_bytes())
    assert say(copy) == say(nlp)
    assert copy.meta[KEY] != nlp.meta[KEY]


@pytest.mark.slow
def test_earlier_versions_have_no_checksums(caplog):
    for kind in KINDS:
        nlp = spacy.load(OLD / kind / "pipeline")
        assert KEY not in nlp.meta
    assert not caplog.records


# Labels


LABELS = {
    "pretrained_tagger": "pretrained_tagger",
    "pretrained_ner": "pretrained_ner",
    "biaffine_parser": "biaffine_parser",
}


def change_labels(labels: list | dict, change: Callable[[list], list]) -> list | dict:
    if isinstance(labels, dict):
        first = next(iter(labels))
        return labels | {first: change(labels[first])}
    return change(labels)


@pytest.mark.parametrize("name", LABELS)
@pytest.mark.parametrize(
    "change", [lambda x: x[:-1], lambda x: [*x, "NEW"], lambda x: []], ids=["fewer", "more", "none"]
)
def test_labels_that_do_not_fit_the_weights(tmp_path, name, change):
    """In a pipeline without checksums; with them the file has changed."""
    folder = Path(shutil.copytree(OLD / SYNTAX / "pipeline", tmp_path / "pipeline"))
    path = folder / name / "cfg"
    cfg = srsly.read_json(path)
    srsly.write_json(path, cfg | {"labels": change_labels(cfg["labels"], change)})
    with pytest.raises(ValueError, match=f"labels of component '{name}' do not fit its weights"):
        spacy.load(folder)
    path.unlink()
    with pytest.raises(ValueError, match=f"labels of component '{name}' do not fit its weights"):
        spacy.load(folder)


def test_a_label_that_moved_to_another_attribute(copy):
    """The number of all labels stays, so it is the checksums that tell."""
    folder = copy(SYNTAX)
    path = folder / "pretrained_tagger" / "cfg"
    cfg = srsly.read_json(path)
    tags, pos = cfg["labels"]["tag"], cfg["labels"]["pos"]
    cfg["labels"] |= {"tag": tags[:-1], "pos": [*pos, tags[-1]]}
    srsly.write_json(path, cfg)
    with pytest.raises(ValueError, match="pretrained_tagger/cfg' is not the file that was saved"):
        spacy.load(folder)


@pytest.mark.parametrize("name", ["pretrained_tagger", "biaffine_parser", "pretrained_ner"])
@pytest.mark.parametrize("part", ["model", "cfg"])
def test_a_damaged_part_without_checksums_is_named(tmp_path, name, part):
    folder = Path(shutil.copytree(OLD / SYNTAX / "pipeline", tmp_path / "pipeline"))
    path = folder / name / part
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(ValueError, match=f"{name}/{part}', a part of component '{name}'"):
        spacy.load(folder)
