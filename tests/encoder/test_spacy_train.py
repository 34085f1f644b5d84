"""`spacy train` from beginning to end, with the encoders that docs/encoders.md shows, made tiny."""

import subprocess
import sys

import pytest
import spacy
from doc_blocks import ROOT, parse_config, read_blocks
from spacy.tokens import DocBin
from spacy.util import load_model_from_config
from tiny_pipelines import DOCUMENTS, ENCODER, make_reference

BLOCKS = {
    kind: block.code
    for kind, block in zip(("scratch", "concat"), read_blocks(ROOT / "docs" / "encoders.md", "ini"))
}
BASE = """
[paths]
corpus = null

[nlp]
lang = "en"
pipeline = ["pretrained_encoder", "pretrained_tagger", "pretrained_textcat"]

[components]

[components.pretrained_encoder]
factory = "pretrained_encoder"

[components.pretrained_tagger]
factory = "pretrained_tagger"

[components.pretrained_textcat]
factory = "pretrained_textcat"

[corpora.train]
@readers = "spacy-pretrained.Corpus.v1"
path = ${paths.corpus}

[corpora.dev]
@readers = "spacy-pretrained.Corpus.v1"
path = ${paths.corpus}

[training]
max_steps = 100
eval_frequency = 50
patience = 0
dropout = 0.0

[training.optimizer]
@optimizers = "Adam.v1"
learn_rate = 0.005
use_averages = false

[training.score_weights]
tag_acc = 1.0
"""
MODEL, ORIGIN = f"components.{ENCODER}.model", f"initialize.components.{ENCODER}"


def shrink(kind: str, source: str) -> dict[str, object]:
    """Overrides of a block, so that it trains in seconds."""
    if kind == "scratch":
        sizes = {"layers": 1, "width": 16, "heads": 2}
        return {f"{MODEL}.{name}": size for name, size in sizes.items()} | {
            f"{ORIGIN}.vocabulary_size": 200
        }
    sizes = {"layers": 1, "width": 16}
    return {f"{MODEL}.encoders.domain.{name}": size for name, size in sizes.items()} | {
        f"{ORIGIN}.encoders.domain.vocabulary_size": 200,
        f"{ORIGIN}.encoders.general.source": source,
    }


@pytest.mark.slow
@pytest.mark.parametrize("kind", BLOCKS)
def test_it_learns_is_saved_and_loads(tiny_bert, tmp_path, kind):
    vocab = spacy.blank("xx").vocab
    references = [make_reference(vocab, numbers) for numbers in DOCUMENTS]
    DocBin(docs=references).to_disk(tmp_path / "corpus.spacy")
    config = parse_config(BASE).merge(parse_config(BLOCKS[kind]))
    load_model_from_config(config, auto_fill=True).config.to_disk(tmp_path / "config.cfg")
    overrides = {"paths.corpus": tmp_path / "corpus.spacy"} | shrink(kind, tiny_bert)
    options = [text for name, value in overrides.items() for text in (f"--{name}", str(value))]
    command = [sys.executable, "-m", "spacy", "train", str(tmp_path / "config.cfg")]
    command += ["--output", str(tmp_path / "out"), *options]
    subprocess.run(command, check=True, capture_output=True, text=True)
    (tmp_path / "corpus.spacy").unlink()
    nlp = spacy.load(tmp_path / "out" / "model-last")
    for reference in references:
        assert [t.tag_ for t in nlp(reference.text)] == [t.tag_ for t in reference]
