"""Score classification by entailment, without any label, beside that by similarity.

    python scripts/zero_shot_entailment.py corpus/textcat training/nli entailment.json

The model is a Hugging Face folder, such as scripts/train_nli.py makes. Both components know the
names of the labels, and score the same texts of the test part.
"""

import json
import random
import time
from pathlib import Path
from typing import Annotated

import spacy
import typer
from spacy.language import Language
from textcat_labels import TextcatLabels, read_labels
from wasabi import msg
from zero_shot import NAME, find_sets, make_pipeline, read_docs, score


def main(
    corpus: Annotated[Path, typer.Argument(help="Folder of scripts/convert_textcat.py")],
    model: Annotated[Path, typer.Argument(help="Model of entailment, as a folder")],
    output: Annotated[Path, typer.Argument(help="JSON")],
    labels: Annotated[Path, typer.Option(help="Folder with NAME.yml")] = Path("assets/textcat"),
    n_texts: Annotated[int, typer.Option(help="Texts to score, at most")] = 1000,
    only: Annotated[list[str], typer.Option(help="Sets")] = ["ag_news", "sib200"],  # noqa: B006
) -> None:
    """Score classification by entailment, without any label, beside that by similarity."""
    results = {}
    output.parent.mkdir(parents=True, exist_ok=True)
    for name in find_sets(corpus, only):
        known = read_labels(labels / f"{name}.yml")
        test = read_docs(corpus / name / "test.spacy")
        test = random.Random(0).sample(test, min(n_texts, len(test)))
        start = time.process_time()
        by_entailment = score(make_entailment_pipeline(known, model), test)
        seconds = time.process_time() - start
        results[name] = {
            "title": known.title,
            "texts": len(test),
            "entailment": by_entailment | {"cpu_seconds": round(seconds, 1)},
            "similarity": score(make_pipeline(known, {}), test),
        }
        msg.good(f"{name}: {results[name]}")
        output.write_text(json.dumps(results, indent=2) + "\n", encoding="utf8")
    msg.good(f"Written to {output}")


def make_entailment_pipeline(known: TextcatLabels, model: Path) -> Language:
    nlp = spacy.blank("en")
    architecture = {"@architectures": "spacy-pretrained.EntailmentClassifier.v1"}
    config = {"labels": known.names, "templates": [known.template], "model": architecture}
    nlp.add_pipe(NAME, config=config)
    nlp.config["initialize"]["components"][NAME] = {"source": str(model)}
    nlp.initialize()
    return nlp


if __name__ == "__main__":
    typer.run(main)
