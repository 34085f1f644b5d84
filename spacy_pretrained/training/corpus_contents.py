"""What a corpus has, as far as a config depends on it; and which components have nothing to learn
from it."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from spacy.attrs import DEP, ENT_TYPE, HEAD, LEMMA, MORPH, POS, SENT_START, TAG
from spacy.language import Language
from spacy.tokens import DocBin
from thinc.api import Config

from .errors import Errors

# What is annotated: by any of these attributes of tokens. Categories are of whole texts.
CATEGORIES = "categories"
LAYERS = {
    "tags": {TAG, POS, MORPH},
    "dependencies": {DEP},
    "entities": {ENT_TYPE},
    "lemmas": {LEMMA},
}
LOOKED_FOR = set().union(*LAYERS.values())
# What components learn from, by their factories.
LEARNS = {
    "pretrained_tagger": "tags",
    "tagger": "tags",
    "morphologizer": "tags",
    "biaffine_parser": "dependencies",
    "parser": "dependencies",
    "pretrained_ner": "entities",
    "ner": "entities",
    "pretrained_lemmatizer": "lemmas",
    "trainable_lemmatizer": "lemmas",
    "pretrained_textcat": CATEGORIES,
    "few_shot_textcat": CATEGORIES,
    "textcat": CATEGORIES,
    "textcat_multilabel": CATEGORIES,
}
# A treebank may lack these, and is one all the same.
MAY_LACK = {"entities", "lemmas"}
ENCODERS = {"pretrained_encoder", "transformer", "tok2vec"}


@dataclass
class CorpusContents:
    texts: int = 0
    sentences: int = 0  # a text without any counts as one
    words: int = 0
    annotated: set[int] = field(default_factory=set)  # those of LOOKED_FOR that any word has
    has_categories: bool = False

    def has(self, layer: str) -> bool:
        """layer: One of LAYERS, or CATEGORIES."""
        if layer == CATEGORIES:
            return self.has_categories
        return not LAYERS[layer].isdisjoint(self.annotated)


def read_contents(path: Path) -> CorpusContents:
    """Look at a `.spacy` file, or at all in a folder.

    RAISES: ValueError if there are no words, or a file is no such file.
    """
    if not path.exists():
        raise ValueError(Errors.CONFIG_CORPUS_MISSING.format(path=path))
    contents = CorpusContents()
    for file in sorted(path.rglob("*.spacy")) if path.is_dir() else [path]:
        try:
            _add(contents, DocBin().from_disk(file))
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(Errors.CONFIG_CORPUS_BROKEN.format(path=file)) from error
    if not contents.words:
        raise ValueError(Errors.CONFIG_NO_WORDS.format(path=path))
    return contents


def _add(contents: CorpusContents, docs: DocBin) -> None:
    columns = {attr: docs.attrs.index(attr) for attr in LOOKED_FOR if attr in docs.attrs}
    contents.texts += len(docs)
    contents.has_categories |= any(docs.cats)
    for tokens in docs.tokens:
        contents.sentences += max(1, _count_sentences(tokens, docs.attrs))
        contents.words += len(tokens)
        for attr, column in columns.items():
            if attr not in contents.annotated and tokens[:, column].any():
                contents.annotated.add(attr)


def _count_sentences(tokens: np.ndarray, attrs: list[int]) -> int:
    """By their starts, or by the roots of their trees.

    tokens: (N, number of attrs), as a DocBin keeps them.
    """
    if SENT_START in attrs:
        return int((tokens[:, attrs.index(SENT_START)] == 1).sum())
    if HEAD in attrs and DEP in attrs:
        is_root = (tokens[:, attrs.index(HEAD)] == 0) & (tokens[:, attrs.index(DEP)] != 0)
        return int(is_root.sum())
    return 0


def leave_out(short: Config, contents: CorpusContents) -> list[str]:
    """Take components out of a short config that find no entities or lemmas to learn from in a
    corpus, and their scores; not those of a trained pipeline, and not all others.

    RETURNS: A line about each.
    """
    found = {n: layer for n, layer in find_idle(short, contents).items() if layer in MAY_LACK}
    kept = {name: block for name, block in short.get("components", {}).items() if name not in found}
    # None is what a trained pipeline's has: it may be its encoder, too.
    if all(block.get("factory") in {*ENCODERS, None} for block in kept.values()):
        return []
    if found:
        Language()  # imports the modules of all factories, whose meta spaCy does not know before
    for name in found:
        _remove(short, name)
    return [Errors.CONFIG_LEFT_OUT.format(name=n, what=layer) for n, layer in found.items()]


def find_idle(config: Config, contents: CorpusContents) -> dict[str, str]:
    """The components that have nothing to learn from a corpus, and what it lacks for them. Those
    of a trained pipeline count where their settings are filled in."""
    labels = {
        n: "labels" in b for n, b in config.get("initialize", {}).get("components", {}).items()
    }
    found = {}
    for name, block in config.get("components", {}).items():
        layer = LEARNS.get(block.get("factory"))
        # Spans of a group are no entities; labels that are given may be met in a later corpus.
        of_other = block.get("spans_key") or labels.get(name)
        if layer is not None and not contents.has(layer) and not of_other:
            found[name] = layer
    return found


def _remove(short: Config, name: str) -> None:
    factory = short["components"].pop(name)["factory"]
    short.get("initialize", {}).get("components", {}).pop(name, None)
    training = short.get("training", {})
    lists = (
        (short["nlp"], "pipeline"),
        (training, "frozen_components"),
        (training, "annotating_components"),
    )
    for block, key in lists:
        if key in block:
            block[key] = [one for one in block[key] if one != name]
    # spaCy makes the weights of the others sum to 1 again.
    for score in Language.get_factory_meta(factory).default_score_weights:
        training.get("score_weights", {}).pop(score, None)
