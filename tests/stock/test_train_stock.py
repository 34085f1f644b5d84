"""benchmarks/train_stock.py: what `make stock-trained` trains can be converted."""

from importlib.util import find_spec
from pathlib import Path

import pytest
import spacy
from spacy.tokens import DocBin
from tiny_pipelines import make_reference

from spacy_pretrained.stock.reader import read_stock

PACKAGES = {
    "transformer": "spacy_transformers",
    "curated_transformer": "spacy_curated_transformers",
}


@pytest.mark.parametrize("factory", PACKAGES)
def test_a_pipeline_is_trained_and_saved(factory, tiny_bert, tmp_path):
    if not find_spec(PACKAGES[factory]):
        pytest.skip(f"{PACKAGES[factory]} not installed: see `make test-trf`, `make test-curated`")
    from train_stock import main

    corpus = tmp_path / "corpus.spacy"
    vocab = spacy.blank("en").vocab
    docs = [make_reference(vocab, [i % 4, (i + 1) % 4]) for i in range(40)]
    DocBin(docs=docs).to_disk(corpus)
    output = tmp_path / "stock" / "pipeline"
    main(factory, output, train=corpus, dev=corpus, source=Path(tiny_bert), uas=0.0, steps=2)
    nlp = spacy.load(output)
    assert nlp.pipe_names == [factory, "tagger", "parser", "ner"]
    assert 0 <= nlp.meta["performance"]["dep_uas"] <= 1
    assert all(token.tag_ for token in nlp("Ada sees the old river."))
    assert read_stock(nlp).pipe.name == factory
