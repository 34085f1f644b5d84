"""A config that trains for some seconds, and a space to search."""

import pytest
import spacy
from doc_blocks import parse_config
from spacy.tokens import DocBin
from spacy.util import load_model_from_config
from tiny_pipelines import DOCUMENTS, make_reference

SPACE = """
[search]
metric = "tag_acc"

[search.space]
training.dropout = {"low": 0.0, "high": 0.5}
training.optimizer.learn_rate = {"low": 1e-3, "high": 0.1, "log": true}
"""
# Of spaCy's own components, whose processes start in half the time.
CONFIG = """
[nlp]
lang = "en"
pipeline = ["tagger"]

[components.tagger]
factory = "tagger"

[components.tagger.model]
@architectures = "spacy.Tagger.v2"

[components.tagger.model.tok2vec]
@architectures = "spacy.HashEmbedCNN.v2"
width = 16
depth = 1
embed_size = 100
window_size = 1
maxout_pieces = 2
subword_features = true
pretrained_vectors = null

[corpora]

[corpora.train]
@readers = "spacy.Corpus.v1"

[corpora.dev]
@readers = "spacy.Corpus.v1"

[training]
max_steps = 6
eval_frequency = 2

[training.optimizer]
@optimizers = "Adam.v1"
learn_rate = 0.01
"""


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    """A config that trains for some seconds, and a space."""
    folder = tmp_path_factory.mktemp("search")
    vocab = spacy.blank("xx").vocab
    docs = [make_reference(vocab, numbers) for numbers in DOCUMENTS]
    DocBin(docs=docs).to_disk(folder / "corpus.spacy")
    short = parse_config(CONFIG)
    for split in ("train", "dev"):
        short["corpora"][split]["path"] = str(folder / "corpus.spacy")
    load_model_from_config(short, auto_fill=True).config.to_disk(folder / "config.cfg")
    (folder / "space.cfg").write_text(SPACE, "utf8")
    return folder
