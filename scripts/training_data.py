"""Count what a pipeline was trained on, for its model card.

    python scripts/training_data.py metrics/ewt/training-data.json \\
        --texts "UD English-EWT 2.16=corpus/ewt/train.spacy"

The name before "=" is that of a source in the pipeline's meta. tests/test_pipelines.py looks for
texts of test sets in the files that are named here.
"""

import json
from pathlib import Path
from typing import Annotated

import spacy
import typer
from spacy.tokens import DocBin
from wasabi import msg


def main(
    output: Annotated[Path, typer.Argument(help="JSON file to write")],
    texts: Annotated[
        list[str], typer.Option(help="NAME=FILE: a source, and its .spacy file; repeatable")
    ],
) -> None:
    found = {}
    for entry in texts:
        name, _, file = entry.rpartition("=")
        if not name or not Path(file).is_file():
            msg.fail(f"'{entry}' has to be NAME=FILE, of a .spacy file that is there", exits=1)
        found[name] = {"file": file, **count(Path(file))}
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf8")
    msg.good(str(output))


def count(path: Path) -> dict[str, int]:
    """Sentences and entities are those that are annotated."""
    counts = dict.fromkeys(("texts", "sentences", "tokens", "entities"), 0)
    for doc in DocBin().from_disk(path).get_docs(spacy.blank("xx").vocab):
        counts["texts"] += 1
        counts["tokens"] += len(doc)
        counts["entities"] += len(doc.ents)
        counts["sentences"] += len(list(doc.sents)) if doc.has_annotation("SENT_START") else 0
    return counts


if __name__ == "__main__":
    typer.run(main)
