"""scripts/transfer_data.py and transfer.py: no translation of what is scored is learnt from."""

import importlib
import json
from pathlib import Path

import pytest
import spacy
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab
from thinc.api import Config
from tiny_models import KINDS, save_model

ROOT = Path(__file__).parents[2]
SENTENCE = """\
# newdoc id = {i}
# sent_id = n{i}
# text = {words[0]} {words[1]} {words[2]}
1\t{words[0]}\t_\tDET\t_\t_\t2\tdet\t_\t_
2\t{words[1]}\t_\tNOUN\t_\t_\t3\tnsubj\t_\t_
3\t{words[2]}\t_\tVERB\t_\t_\t0\troot\t_\t_

"""
ENTITIES = """\
# sent_id = {i}
1\tthe\tO\t-\ts
2\t{name}{i}\tB-{kind}\t-\ts

"""
TREEBANKS = {
    "de_pud-ud-test": ("die", "Katze", "sitzt"),
    "fr_pud-ud-test": ("le", "chat", "dort"),
    "fr_sequoia-ud-train": ("la", "mer", "dort"),
}


@pytest.fixture
def scripts(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    data, transfer = (importlib.import_module(n) for n in ("transfer_data", "transfer"))
    monkeypatch.setattr(data, "SIZES", (2, 3, 99))
    monkeypatch.setattr(data, "DRAWS", 2)
    monkeypatch.setattr(data, "OTHER_TREEBANKS", {"fr": "fr_sequoia-ud-train.conllu"})
    monkeypatch.setattr(data, "ENTITY_SIZE", 3)
    sets = {"da": ("da_ddt-ud-train.iob2", "da_ddt-ud-test.iob2"), "hr": (None, "hr.iob2")}
    monkeypatch.setattr(data, "ENTITIES", sets)
    monkeypatch.setattr(transfer, "DRAWS", 2)
    monkeypatch.setattr(transfer, "JOINT_WITH", ("fr",))
    return data, transfer


@pytest.fixture
def assets(tmp_path):
    folder = tmp_path / "assets"
    folder.mkdir()
    for name, words in TREEBANKS.items():
        # Each word says which sentence it is of.
        numbered = [SENTENCE.format(i=i, words=[f"{w}{i}" for w in words]) for i in range(8)]
        (folder / f"{name}.conllu").write_text("".join(numbered), encoding="utf8")
    for name, kinds in (("da_ddt-ud-train", "PER"), ("da_ddt-ud-test", "PER"), ("hr", "OTH")):
        rows = [ENTITIES.format(i=i, name=name, kind="LOC" if i % 2 else kinds) for i in range(6)]
        (folder / f"{name}.iob2").write_text("".join(rows), encoding="utf8")
    return folder


@pytest.fixture
def corpus(scripts, assets, tmp_path):
    scripts[0].main(assets, tmp_path / "corpus")
    return tmp_path / "corpus"


def read(path):
    return list(DocBin().from_disk(path).get_docs(spacy.blank("xx").vocab))


def words_of(docs):
    return {token.text for doc in docs for token in doc}


def test_what_is_learnt_from_is_no_translation_of_what_is_scored(corpus):
    scored = (corpus / "de" / "test.conllu").read_text("utf8")
    assert [f"Katze{i}\t" in scored for i in range(8)] == [True, False] * 4
    assert words_of(read(corpus / "de" / "train.spacy")) == {
        f"{word}{i}" for word in TREEBANKS["de_pud-ud-test"] for i in (1, 3, 5, 7)
    }
    assert all(word.startswith(("la", "mer", "dort")) for word in words_of(
        read(corpus / "fr" / "train.spacy")
    ))  # fmt: skip


def test_draws_are_nested_and_differ(corpus):
    draws = {
        name: words_of(read(corpus / "fr" / f"{name}.spacy")) for name in ("2-0", "3-0", "3-1")
    }
    assert len(draws["2-0"]) == 6 and draws["2-0"] < draws["3-0"] != draws["3-1"]
    assert not list(corpus.glob("*/99-*.spacy"))  # there are not so many


def test_treebanks_that_are_not_parallel(scripts, assets, tmp_path):
    file = assets / "fr_pud-ud-test.conllu"
    file.write_text(file.read_text("utf8").replace("sent_id = n3", "sent_id = n9"), "utf8")
    with pytest.raises(ValueError, match="has other sentences than"):
        scripts[0].treebanks(assets)


def test_entities_of_other_kinds_are_left_out(corpus):
    labels = [e.label_ for doc in read(corpus / "hr" / "entities.spacy") for e in doc.ents]
    assert labels == ["LOC"] * 3
    assert not list((corpus / "hr").glob("entities-*"))
    assert len(list((corpus / "da").glob("entities-3-*.spacy"))) == 2


def test_runs(scripts, corpus):
    _, transfer = scripts
    without = {(run.lang, run.task) for run in transfer.runs_without(corpus)}
    assert without == {
        ("de", "treebank"),
        ("fr", "treebank"),
        ("da", "entities"),
        ("hr", "entities"),
    }
    few, entities = (
        {(run.lang, run.task, run.sentences, run.draw) for run in runs}
        for runs in (
            transfer.runs_with(corpus, ["de"], [2, 7]),
            transfer.runs_with_entities(corpus),
        )
    )
    assert few == {("de", "treebank", 2, draw) for draw in range(2)}
    assert entities == {("da", "entities", 3, draw) for draw in range(2)}


def test_runs_of_other_settings_are_not_mixed(scripts, tmp_path):
    _, transfer = scripts
    path, settings = tmp_path / "scores.json", {"encoder": "one", "steps": 2}
    found = transfer.read_results(path, settings)
    assert found == settings | {"runs": []}
    path.write_text(json.dumps(found), "utf8")
    assert transfer.read_results(path, settings) == found
    with pytest.raises(ValueError, match="encoder = one, and these would have two"):
        transfer.read_results(path, settings | {"encoder": "two"})
    with pytest.raises(ValueError, match=r"mixed_precision = not recorded, .* True"):
        transfer.read_results(path, settings | {"mixed_precision": True})


def test_a_pipeline_of_another_config_is_trained_again(scripts, tmp_path, monkeypatch):
    _, transfer = scripts
    commands = []
    monkeypatch.setattr(transfer.subprocess, "run", lambda command, check: commands.append(command))
    trainer = transfer.Trainer(tmp_path, tmp_path, tmp_path / "training", "one", False, -1)
    first, second = (Config({"training": {"max_steps": steps}}) for steps in (1, 2))
    for config in (first, first, second, second):
        trainer._train("english", config, "model-best")
    assert len(commands) == 2


@pytest.mark.slow
def test_trained_scored_and_summed_up(scripts, corpus, tmp_path, monkeypatch, caplog):
    _, transfer = scripts
    source, english = save_model(*KINDS["bert"], tmp_path / "source"), tmp_path / "english"
    few = [
        corpus / name
        for name in ("fr/train", "de/2-0", "de/2-1", "da/entities-3-0", "da/entities-3-1")
    ]
    english.mkdir()
    doc = Doc(
        Vocab(),
        words=["The", "fox", "jumps"],  # that the tiny tokenizer knows
        pos=["DET", "NOUN", "VERB"],
        deps=["det", "nsubj", "ROOT"],
        heads=[1, 2, 2],
        ents=["O", "B-PER", "O"],
    )
    for path in (english / "train", english / "dev", *few):
        DocBin(docs=[doc]).to_disk(path.with_suffix(".spacy"))
    output = tmp_path / "scores.json"
    settings = {
        "english": english,
        "english_test": corpus / "de" / "test.conllu",
        "encoder": str(source),
        "training": tmp_path / "training",
        "langs": "de",
        "sizes": "2",
        "steps": 2,
        "few_steps": 2,
        "entities": True,
        "joint": True,
        "mixed_precision": "false",
        "gpu_id": -1,
    }
    transfer.main(corpus, output, **settings)
    found = json.loads(output.read_text("utf8"))
    assert found["mixed_precision"] is False and found["few_steps"] == 2
    summary = {(s["kind"], s["lang"], s["task"]): s for s in found["summary"]}
    assert summary["few", "de", "treebank"]["draws"] == 2
    assert set(summary["none", "de", "treebank"]["mean"]) == {
        *transfer.MEASURES, *(f"{name}, all" for name in transfer.MEASURES)
    }  # fmt: skip
    assert {lang for kind, lang, _ in summary if kind == "joint"} == {"en", "fr"}
    left = {path.name for path in (tmp_path / "training").iterdir()}
    assert left == {"english", "joint"}
    monkeypatch.setattr(transfer.subprocess, "run", None)  # nothing is trained again
    transfer.main(corpus, output, **settings)
    assert json.loads(output.read_text("utf8")) == found
    # What is scored has shapes and case, as what was learnt from.
    assert "bare Vocab" not in caplog.text
