"""benchmark_latency.py, benchmark_memory.py and benchmark_confidence.py: what they measure, not how
quick it is."""

import importlib
import json
from pathlib import Path

import pytest
import spacy
from spacy.tokens import Doc, DocBin

ROOT = Path(__file__).parents[2]


@pytest.fixture
def script(monkeypatch):
    """A function from the name of a script to its module."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return importlib.import_module


@pytest.fixture(scope="module")
def texts(tmp_path_factory) -> Path:
    """Sentences of 15 words, of 3, and a document without any."""
    path = tmp_path_factory.mktemp("texts") / "texts.spacy"
    vocab = spacy.blank("en").vocab
    words = [*["Ada", "sees", "rivers"] * 5, *["Robots", "never", "sleep"]]
    starts = [i in (0, 15) for i in range(18)]
    docs = [Doc(vocab, words=words, sent_starts=starts), Doc(vocab, words=["no", "sentences"])]
    DocBin(docs=docs * 3).to_disk(path)
    return path


@pytest.mark.slow
def test_a_cold_start_and_sentences_of_15_words(script, int8_pipeline, texts, tmp_path):
    output = tmp_path / "latency.json"
    script("benchmark_latency").main(str(int8_pipeline), texts, rounds=2, threads=1, output=output)
    found = json.loads(output.read_text())
    start, sentence = found["cold_start"], found["sentence"]
    assert len(start["rounds"]) == 2
    assert start["seconds"] > start["import_seconds"] + start["load_seconds"] > 0
    assert sentence["sentences"] == 3 and sentence["words"] == 15
    assert 0 < sentence["median_milliseconds"] <= sentence["p90_milliseconds"]
    assert len(sentence["medians_of_rounds"]) == 2


@pytest.mark.slow
def test_without_sentences_of_that_length_it_says_so(script, int8_pipeline, tmp_path, capsys):
    DocBin(docs=[Doc(spacy.blank("en").vocab, words=["short"])]).to_disk(tmp_path / "x.spacy")
    module = script("benchmark_latency")
    with pytest.raises(SystemExit):
        module.main(str(int8_pipeline), tmp_path / "x.spacy", rounds=1, threads=1)
    assert "no sentence of 15 words" in " ".join(capsys.readouterr().out.split())


@pytest.mark.slow
def test_memory_of_a_stream(script, int8_pipeline, texts, tmp_path):
    output = tmp_path / "memory.json"
    script("benchmark_memory").main(str(int8_pipeline), texts, n_texts=250, output=output)
    found = json.loads(output.read_text())
    assert found["texts"] == 250 and found["words"] > 250
    assert len(found["mebibytes"]) == 100 and min(found["mebibytes"]) > 50
    expected = 100 * (sum(found["mebibytes"][-10:]) / sum(found["mebibytes"][10:20]) - 1)
    assert found["growth_percent"] == pytest.approx(expected, abs=0.1)


def test_texts_of_a_stream_differ_and_are_the_same_each_time(script):
    module = script("benchmark_memory")
    sentences = [f"Sentence {i}." for i in range(50)]
    one, two = (list(module.islice(module.make_texts(sentences, 0), 200)) for _ in range(2))
    assert one == two and len(set(one)) > 150
    assert {text.count(".") for text in one} == {1, 2, 3, 4}


@pytest.mark.slow
def test_confidences_are_on_where_they_are_measured(script, int8_pipeline, texts, tmp_path):
    module, output = script("benchmark_confidence"), tmp_path / "confidence.json"
    for kind, confident in module.KINDS.items():
        nlp = module.load(Path(int8_pipeline), confident)
        names = [name for name in module.KINDS["all"] if nlp.has_pipe(name)]
        assert names, kind
        assert {name for name in names if nlp.get_pipe(name).confidence} == set(confident) & {
            *names
        }
    module.main(Path(int8_pipeline), texts, rounds=2, words=50, output=output)
    found = json.loads(output.read_text())
    assert found["words"] >= 50 and list(found["of_words_per_second"]) == list(module.KINDS)
    assert found["of_words_per_second"]["none"] == {"median": 1.0, "min": 1.0, "max": 1.0}
