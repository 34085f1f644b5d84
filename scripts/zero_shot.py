"""Score classification without any label on the sets in corpus/textcat.

    python scripts/zero_shot.py corpus/textcat metrics/textcat/zero-shot.json

With three kinds of knowledge: the names of the labels; a description of each, too; and texts
without labels to calibrate on, too, drawn from those to train on. Scored are the texts of the test
part; with names alone, which have seen nothing of it, also all texts of AG News.
"""

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import spacy
import typer
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from textcat_labels import TextcatLabels, read_labels
from textcat_readers import READERS
from thinc.types import Floats1d
from wasabi import msg

from spacy_pretrained.encoder.backbone_pipe import DEFAULT_SOURCE
from spacy_pretrained.encoder.text_encoder import SentenceEncoder

TEXTCAT_NOT_CONVERTED = (
    "'{folder}' has no converted set ({names}). Run scripts/convert_textcat.py first."
)
NAME = "zero_shot_textcat"
Vectors = dict[str, Floats1d]
# Sets of one file: half of it serves as the texts to train on.
OF_ONE_FILE = ("ag_news",)


@dataclass(frozen=True)
class Reading:
    """How texts are read: the encoder's weights, what is put before each text, the language."""

    source: str = DEFAULT_SOURCE
    prefix: str = ""
    lang: str = "en"


DEFAULT_READING = Reading()


def main(
    corpus: Annotated[Path, typer.Argument(help="Folder of scripts/convert_textcat.py")],
    output: Annotated[Path, typer.Argument(help="JSON")],
    labels: Annotated[Path, typer.Option(help="Folder with NAME.yml")] = Path("assets/textcat"),
    n_texts: Annotated[int, typer.Option(help="Texts to calibrate on, at most")] = 2500,
    only: Annotated[list[str], typer.Option(help="Sets; by default all")] = [],  # noqa: B006
) -> None:
    """Score classification without any label on the sets in corpus/textcat."""
    results = json.loads(output.read_text("utf8")) if only and output.exists() else {}
    output.parent.mkdir(parents=True, exist_ok=True)
    for name in find_sets(corpus, only):
        known = read_labels(labels / f"{name}.yml")
        train, test = (read_docs(corpus / name / f"{part}.spacy") for part in ("train", "test"))
        results[name] = {"title": known.title, "labels": len(known.names), "texts": len(test)}
        drawn = random.Random(0).sample(train, min(n_texts, len(train)))
        everything = train + test if name in OF_ONE_FILE else []
        results[name] |= evaluate(known, drawn, test, everything)
        msg.good(f"{name}: {results[name]}")
        output.write_text(json.dumps(results, indent=2) + "\n", encoding="utf8")
    msg.good(f"Written to {output}")


def find_sets(corpus: Path, only: list[str]) -> list[str]:
    there = [name for name in READERS if (corpus / name / "test.spacy").exists()]
    missing = [name for name in only if name not in there]
    if missing or not there:
        names = ", ".join(missing or READERS)
        msg.fail(TEXTCAT_NOT_CONVERTED.format(folder=corpus, names=names), exits=1)
    return only or there


def evaluate(
    known: TextcatLabels,
    unlabelled: list[Doc],
    test: list[Doc],
    everything: list[Doc],
    reading: Reading = DEFAULT_READING,
) -> dict[str, Any]:
    """Scores of the three ways; if there is everything, also of names on that."""
    vectors: Vectors = {}
    nlp = make_pipeline(known, {}, reading)
    keep_vectors(nlp.get_pipe(NAME).model.get_ref("encoder"), everything or test, vectors)
    found: dict[str, Any] = {"names": score(nlp, test)}
    if everything:
        found["names, all texts"] = score(nlp, everything) | {"texts": len(everything)}
    nlp = make_pipeline(known, known.descriptions, reading)
    keep_vectors(nlp.get_pipe(NAME).model.get_ref("encoder"), test, vectors)
    found["descriptions"] = score(nlp, test)
    nlp.get_pipe(NAME).calibrate(unlabelled)
    found["descriptions, calibrated"] = score(nlp, test) | {"calibrated_on": len(unlabelled)}
    return found


def keep_vectors(encoder: SentenceEncoder, docs: list[Doc], vectors: Vectors) -> None:
    """Let a frozen encoder look up the vectors of these Docs, which are the same each time. Others
    it computes as ever, so that what a fit takes is not hidden.

    vectors: Filled by the first that uses it.
    """
    if not vectors:
        texts = [doc.text for doc in docs]
        vectors.update(zip(texts, encoder.predict(texts)))
    forward = encoder._func

    def look_up(model: SentenceEncoder, texts: list[str], is_train: bool) -> tuple:
        if not all(text in vectors for text in texts):
            return forward(model, texts, is_train)
        return model.ops.xp.stack([vectors[text] for text in texts]), lambda d_vectors: []

    encoder._func = look_up


def make_pipeline(
    known: TextcatLabels, descriptions: dict[str, str], reading: Reading = DEFAULT_READING
) -> Language:
    nlp = spacy.blank(reading.lang)
    settings = {"labels": known.names, "descriptions": descriptions, "templates": [known.template]}
    nlp.add_pipe(NAME, config=settings | {"model": {"encoder": {"prefix": reading.prefix}}})
    nlp.config["initialize"]["components"][NAME] = {"source": reading.source}
    nlp.initialize()
    return nlp


def read_docs(path: Path) -> list[Doc]:
    return list(DocBin().from_disk(path).get_docs(spacy.blank("en").vocab))


def score(nlp: Language, docs: list[Doc]) -> dict[str, float]:
    """Accuracy and macro-averaged F1, percent. The category of a text is that of the best score."""
    scores = nlp.evaluate([Example(nlp.make_doc(doc.text), doc) for doc in docs])
    return {
        "accuracy": round(100 * scores["cats_micro_f"], 2),
        "macro_f": round(100 * scores["cats_macro_f"], 2),
    }


if __name__ == "__main__":
    typer.run(main)
