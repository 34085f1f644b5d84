"""benchmarks/compare_stock.py: a copy is alike where it annotates alike."""

import json

import pytest
import spacy
from compare_stock import count_alike, main
from spacy.tokens import Doc, DocBin
from tiny_pipelines import CNN, make_examples, make_reference


def test_a_pipeline_is_like_itself(tmp_path):
    nlp = spacy.blank("en")
    for name in ("tagger", "parser", "ner"):
        settings = {"min_action_freq": 1} if name == "parser" else {}
        nlp.add_pipe(name, config={"model": {"tok2vec": CNN}} | settings)
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    nlp.to_disk(tmp_path / "nlp")
    DocBin(docs=[example.reference for example in examples]).to_disk(tmp_path / "dev.spacy")
    copies = [f"one={tmp_path / 'nlp'}", f"two={tmp_path / 'nlp'}"]
    main(tmp_path / "nlp", tmp_path / "dev.spacy", tmp_path / "figures.json", copies)
    report = json.loads((tmp_path / "figures.json").read_text("utf8"))
    assert report["documents"] == len(examples)
    assert list(report["copies"]) == ["one", "two"]
    for copy in report["copies"].values():
        assert copy["scores"] == report["scores"]
        assert set(copy["alike"].values()) == {100.0}
        assert copy["agreement"]["tag"] == copy["agreement"]["heads"] == 100.0


def test_tokens_that_differ_are_counted():
    vocab = spacy.blank("en").vocab
    doc, other = (make_reference(vocab, [1]) for _ in range(2))  # six tokens
    other[0].tag_ = "X"
    other[1].dep_ = "Y"
    other.set_ents([])
    alike = count_alike([doc, Doc(vocab)], [other, Doc(vocab)])
    expected = {"tags": 5 / 6, "heads": 1.0, "labels": 5 / 6, "entities": 5 / 6}
    assert alike == pytest.approx({k: 100 * v for k, v in expected.items()}, abs=1e-4)
