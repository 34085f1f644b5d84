"""Convert a file with a token a line and its entity in a column to spaCy's format.

    python scripts/convert_columns.py train.conll train.spacy
    python scripts/convert_columns.py eng.train train.spacy --xpos 1 --scheme iob1

It reads the files of CoNLL-2003, WNUT-17, Universal NER and the like, gzip-compressed if they end
in .gz. What the columns hold is found from the file where that is safe, and else has to be said:
columns are counted from 0.
"""

from pathlib import Path
from typing import Annotated, Any

import typer
from spacy.tokens import DocBin
from spacy.vocab import Vocab
from wasabi import msg

from spacy_pretrained.corpora.columns import ColumnsReport, read_columns


def main(
    source: Annotated[Path, typer.Argument(help="File with a token a line", dir_okay=False)],
    output: Annotated[Path, typer.Argument(help="File to write, .spacy")],
    word: Annotated[int | None, typer.Option(help="Column of the words, from 0")] = None,
    tag: Annotated[int | None, typer.Option(help="Column of the entities; -1 is the last")] = None,
    xpos: Annotated[int | None, typer.Option(help="Column of the treebank's tags")] = None,
    upos: Annotated[int | None, typer.Option(help="Column of the universal tags")] = None,
    scheme: Annotated[str, typer.Option(help="iob1, iob2, bioes, biluo or auto")] = "auto",
    doc_sentences: Annotated[
        int, typer.Option(help="Sentences a Doc, where the file does not mark documents")
    ] = 10,
) -> None:
    """Convert a file with a token a line and its entity in a column to spaCy's format."""
    report = ColumnsReport()
    try:
        docs = read_columns(
            source,
            Vocab(),
            word=word,
            tag=tag,
            xpos=xpos,
            upos=upos,
            scheme=scheme,
            doc_sentences=doc_sentences,
            report=report,
        )
        doc_bin = DocBin(docs=docs)
    except (ValueError, OSError) as error:
        msg.fail(str(error), exits=1)
    save(doc_bin, output, report)


def save(doc_bin: DocBin, output: Path, report: Any) -> None:
    """Write the file, and show what was read."""
    output.parent.mkdir(parents=True, exist_ok=True)
    doc_bin.to_disk(output)
    show(report)
    msg.good(f"Written to {output}")


def show(report: Any) -> None:
    """A table of what was read, and one of the labels."""
    counts = {name: n for name, n in vars(report).items() if isinstance(n, int)}
    labels = dict(sorted(report.labels.items(), key=lambda item: -item[1]))
    for table in (counts, labels):
        rows = [(name.replace("_", " "), f"{n:,}") for name, n in table.items()]
        msg.table(rows, aligns=("l", "r"))


if __name__ == "__main__":
    typer.run(main)
