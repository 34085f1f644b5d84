"""Pipelines to measure: an encoder with a tagger, and what trains them."""

import zlib
from collections.abc import Iterable
from pathlib import Path

import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import registry
from thinc.api import Optimizer

from ..training.config import read_short

ENCODER, TAGGER = "pretrained_encoder", "pretrained_tagger"
# A text is one window, if the encoder takes one so long; the defaults otherwise.
MODEL = {"@architectures": "spacy-pretrained.TorchEncoder.v1", "window": 0}
N_TAGS = 17  # as many as there are universal parts of speech


def make_pipeline(source: Path) -> Language:
    """An encoder with a tagger behind it, which is small and quick. It has no weights yet."""
    nlp = spacy.blank("en")
    nlp.add_pipe(ENCODER, config={"model": MODEL})
    nlp.add_pipe(TAGGER)
    nlp.config["initialize"]["components"][ENCODER] = {"source": str(source)}
    return nlp


def make_examples(nlp: Language, texts: Iterable[str]) -> list[Example]:
    """Texts with a tag for each word, which follows from its letters."""
    examples = []
    for text in texts:
        doc = nlp.make_doc(text)
        tags = [f"T{zlib.crc32(token.lower_.encode()) % N_TAGS}" for token in doc]
        words = [token.text for token in doc]
        examples.append(Example(doc, Doc(nlp.vocab, words=words, tags=tags)))
    return examples


def annotate_examples(nlp: Language, texts: Iterable[str]) -> list[Example]:
    """Texts with what the pipeline itself says of them as gold annotation."""
    return [Example(nlp.make_doc(doc.text), doc) for doc in nlp.pipe(texts)]


def make_optimizer() -> Optimizer:
    """That of the configs which are installed with the package."""
    block = read_short("tagger")["training"]["optimizer"]
    return registry.resolve({"optimizer": block})["optimizer"]
