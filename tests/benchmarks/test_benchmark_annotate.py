"""benchmark_annotate.py: what it measures, not how quick it is."""

import importlib
import json
import sys
from pathlib import Path

import pytest
import spacy
from saved_pipelines import SAVED
from spacy.tokens import Doc, DocBin


@pytest.fixture
def scripts(monkeypatch) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")
def test_it_measures_the_command_beside_its_pipeline(tmp_path, scripts):
    words = ["Ada", "sees", "rivers"] * 4
    doc = Doc(spacy.blank("en").vocab, words=words, sent_starts=[i % 6 == 0 for i in range(12)])
    DocBin(docs=[doc]).to_disk(tmp_path / "texts.spacy")
    output = tmp_path / "annotate.json"
    importlib.import_module("benchmark_annotate").main(
        str(SAVED / "v0.1.0" / "syntax_int8" / "pipeline"),
        tmp_path / "texts.spacy",
        n_texts=50,
        workers=2,
        output=output,
    )
    found = json.loads(output.read_text())
    assert found["words_a_text"] == 6
    assert found["seconds"] > 0 < found["seconds_for_one_text"]
    assert len(found["mebibytes_a_worker"]) in (1, 2) and found["pipe_mebibytes"] > 0
    assert 0 < found["records_of_annotating"] < 1
    sizes = found["bytes_a_word"]
    assert sizes["jsonl, all"] > sizes["jsonl, ents"] > 6


def test_sentences_of_both_kinds_of_files(tmp_path, scripts):
    read_sentences = importlib.import_module("sentences").read_sentences
    doc = Doc(
        spacy.blank("en").vocab, words=["Ada", "sleeps", "So", "what"], sent_starts=[1, 0, 1, 0]
    )
    DocBin(docs=[doc]).to_disk(tmp_path / "texts.spacy")
    expected = [("Ada sleeps", 2), ("So what", 2)]
    assert read_sentences(tmp_path / "texts.spacy") == expected
    rows = ["# text = Ada sleeps\n1\tAda\tAda\tPROPN\t_\t_\t2\tnsubj\t_\t_"]
    rows.append("2\tsleeps\tsleep\tVERB\t_\t_\t0\troot\t_\t_\n\n")
    (tmp_path / "texts.conllu").write_text("\n".join(rows))
    assert read_sentences(tmp_path / "texts.conllu") == expected[:1]
