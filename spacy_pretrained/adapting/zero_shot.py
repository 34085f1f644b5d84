"""What a sentence encoder loses: the accuracy of categories that are found by their names alone."""

from pathlib import Path

import spacy
from spacy.tokens import Doc, DocBin
from spacy.training import Example

from .errors import Errors

NAME = "zero_shot_textcat"
MOST_TEXTS = 1000


def read_labelled(path: Path) -> list[Doc]:
    """The first Docs of a .spacy file that have categories.

    RAISES: ValueError if there are none.
    """
    docs = find_labelled(path)
    if not docs:
        raise ValueError(Errors.LABELLED_NONE.format(path=path))
    return docs


def find_labelled(path: Path) -> list[Doc]:
    """The same, of whatever file there is; none if it has none."""
    if not path.is_file() or path.suffix != ".spacy":
        return []
    try:
        found = DocBin().from_disk(path).get_docs(spacy.blank("xx").vocab)
        return [doc for doc in found if any(doc.cats.values())][:MOST_TEXTS]
    except Exception:  # of zlib, msgpack and what they hold
        return []


def measure_zero_shot(source: str, docs: list[Doc]) -> float:
    """Percent of the texts whose category is the nearest by its name. Nothing is learnt."""
    nlp = spacy.blank("xx")
    labels = sorted({label for doc in docs for label in doc.cats})
    nlp.add_pipe(NAME, config={"labels": labels})
    nlp.config["initialize"]["components"][NAME] = {"source": source}
    nlp.initialize()
    scores = nlp.evaluate([Example(nlp.make_doc(doc.text), doc) for doc in docs])
    return 100 * scores["cats_micro_f"]
