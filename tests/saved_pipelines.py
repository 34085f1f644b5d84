"""The saved pipelines in `tests/fixtures/saved`: where they are, and what is known of each."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import spacy
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Doc

SAVED = Path(__file__).parent / "fixtures" / "saved"
EXPECTED, TENSORS = "expected.json", "tensors.npz"


@dataclass(frozen=True)
class Annotation:
    """What a pipeline wrote to one Doc of N tokens and S entities."""

    text: str
    tokens: list[str]
    tags: list[str]
    pos: list[str]
    morphs: list[str]
    lemmas: list[str]
    heads: list[int]  # numbers of tokens
    deps: list[str]
    sentence_starts: list[int]  # 1, 0 if unknown, or -1
    entities: list[list]  # (S, 3): first token, last token + 1, label
    cats: dict[str, float]
    tensor: NDArray[np.float32] = field(compare=False)  # (N, D), or empty without an encoder

    def decisions(self) -> dict[str, object]:
        """All that is exact: not the probabilities of categories, nor the vectors."""
        return {name: value for name, value in self.to_json().items() if name != "cats"}

    def to_json(self) -> dict[str, object]:
        values = asdict(self)
        del values["tensor"]
        return values


def read_annotation(doc: Doc) -> Annotation:
    starts = doc.to_array("SENT_START").astype("int64").ravel().tolist()
    return Annotation(
        text=doc.text,
        tokens=[token.text for token in doc],
        tags=[token.tag_ for token in doc],
        pos=[token.pos_ for token in doc],
        morphs=[str(token.morph) for token in doc],
        lemmas=[token.lemma_ for token in doc],
        heads=[token.head.i for token in doc],
        deps=[token.dep_ for token in doc],
        sentence_starts=starts,
        entities=[[span.start, span.end, span.label_] for span in doc.ents],
        cats={label: round(probability, 6) for label, probability in doc.cats.items()},
        tensor=np.asarray(doc.tensor, dtype="float32"),
    )


def save(nlp: Language, folder: Path, texts: list[str]) -> None:
    """Save a pipeline to `folder/pipeline`, and beside it what it says of the texts."""
    annotations = [read_annotation(doc) for doc in nlp.pipe(texts)]
    folder.mkdir(parents=True)
    nlp.to_disk(folder / "pipeline")
    lines = ",\n".join(json.dumps(a.to_json(), ensure_ascii=False) for a in annotations)
    (folder / EXPECTED).write_text(f"[\n{lines}\n]\n", "utf8", newline="\n")
    tensors = {str(number): a.tensor for number, a in enumerate(annotations)}
    np.savez_compressed(folder / TENSORS, **tensors)


def load(folder: Path) -> tuple[Language, list[Annotation]]:
    """The inverse of `save`."""
    rows = json.loads((folder / EXPECTED).read_text("utf8"))
    with np.load(folder / TENSORS) as tensors:
        expected = [Annotation(**row, tensor=tensors[str(i)]) for i, row in enumerate(rows)]
    return spacy.load(folder / "pipeline"), expected


def find_saved() -> Iterator[Path]:
    """The folders of all pipelines of all versions, in order."""
    return (path.parent for path in sorted(SAVED.glob(f"v*/*/{EXPECTED}")))
