"""benchmark_serve.py: what it measures, not how quick it is."""

import importlib
import json
import sys
from pathlib import Path

import pytest
import spacy
from serving_client import find_free_port, find_pipeline, needs_extra
from spacy.tokens import Doc, DocBin


@pytest.mark.slow
@needs_extra
@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")
def test_it_measures_the_server_beside_its_pipeline(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    words = ["Ada", "sees", "rivers"] * 5
    doc = Doc(spacy.blank("en").vocab, words=words, sent_starts=[i == 0 for i in range(15)])
    DocBin(docs=[doc]).to_disk(tmp_path / "texts.spacy")
    output = tmp_path / "serve.json"
    importlib.import_module("benchmark_serve").main(
        str(find_pipeline("syntax_int8")),
        tmp_path / "texts.spacy",
        clients=4,
        n_texts=80,
        n_requests=40,
        n_reloaded=40,
        port=find_free_port(),
        output=output,
    )
    found = json.loads(output.read_text())
    assert found["words_a_text"] == 15
    assert set(found["ratio"]) == {"1 a request", "8 a request"}
    assert len(found["mebibytes"]) == 2 and all(found["mebibytes"])
    assert found["latency_ms"] > 0 < found["alone_ms"]
    reload = found["reload"]
    assert reload["answered"] >= 40 and reload["unanswered"] == 0 and reload["generations"] == 2
