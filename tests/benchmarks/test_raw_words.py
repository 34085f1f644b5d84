"""benchmarks/raw_words.py: nothing is learnt from what is scored, and multiword tokens count."""

import importlib
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
IM_HAUS = """\
# sent_id = {i}
# text = im Haus
1-2\tim\t_\t_\t_\t_\t_\t_\t_\t_
1\tin\tin\tADP\t_\t_\t3\tcase\t_\t_
2\tdem\tder\tDET\t_\t_\t3\tdet\t_\t_
3\tHaus\tHaus\tNOUN\t_\t_\t0\troot\t_\t_

"""
BEIM = IM_HAUS.replace("im", "beim").replace("\tin\tin\t", "\tbei\tbei\t")


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return importlib.import_module("raw_words")


def scores(script, tmp_path, sentences):
    file = tmp_path / "de.conllu"
    file.write_text("".join(s.format(i=i) for i, s in enumerate(sentences)), encoding="utf8")
    script.main([f"de={file}"], sentences=4, output=tmp_path / "words.json")
    return json.loads((tmp_path / "words.json").read_text())["de"]


def test_what_was_learnt_is_expanded(script, tmp_path):
    found = scores(script, tmp_path, [IM_HAUS] * 5)
    assert (found["learnt"], found["ceiling"], found["scored_words"]) == (100, 100, 3)
    assert found["rules"] == 40  # "Haus" alone of 3 words, by 2 tokens


def test_nothing_is_learnt_from_what_is_scored(script, tmp_path):
    found = scores(script, tmp_path, [IM_HAUS] * 4 + [BEIM])
    assert (found["learnt"], found["ceiling"]) == (40, 40)


def test_a_treebank_that_is_too_small(script, tmp_path, capsys):
    with pytest.raises(SystemExit):
        scores(script, tmp_path, [IM_HAUS] * 4)
    said = " ".join(capsys.readouterr().out.split())
    assert "has 4 sentences, no more than --sentences" in said
