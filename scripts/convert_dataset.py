"""Convert a data set of Hugging Face `datasets` to spaCy's format.

    python scripts/convert_dataset.py data/train.jsonl train.spacy
    python scripts/convert_dataset.py eriktks/conll2003 dev.spacy --split validation --xpos pos_tags
    python scripts/convert_dataset.py texts.jsonl train.spacy --text text --spans entities

The source is a folder that `save_to_disk` wrote, a folder of .parquet, .json or .jsonl files, such
a file, or a name on the hub. Its rows hold words with labels or, with --spans, texts with entities
by characters. `spacy train` can also read it as it is: see the readers spacy-pretrained.Dataset.v1
and spacy-pretrained.SpanDataset.v1.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import spacy
import typer
from convert_columns import save
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab
from wasabi import msg

from spacy_pretrained.corpora.dataset import DatasetReport, find_row_layout, read_dataset
from spacy_pretrained.corpora.dataset_source import Rows, open_dataset
from spacy_pretrained.corpora.span_dataset import SpanReport, read_span_dataset


def main(
    source: Annotated[str, typer.Argument(help="Folder, file, or name on the hub")],
    output: Annotated[Path, typer.Argument(help="File to write, .spacy")],
    split: Annotated[str, typer.Option(help="The part to read")] = "train",
    words: Annotated[str, typer.Option(help="Column of the words")] = "tokens",
    tags: Annotated[str, typer.Option(help='Column of the entities; "" if none')] = "ner_tags",
    upos: Annotated[str, typer.Option(help="Column of the universal tags")] = "",
    xpos: Annotated[str, typer.Option(help="Column of the treebank's tags")] = "",
    spans: Annotated[str, typer.Option(help="Column of entities by characters")] = "",
    text: Annotated[str, typer.Option(help="Column of the text, with --spans")] = "text",
    lang: Annotated[str, typer.Option(help="Language of the tokenizer, with --spans")] = "en",
    name: Annotated[str, typer.Option(help="Configuration of a data set on the hub")] = "",
    label_names: Annotated[
        str, typer.Option(help="Names of integer labels, from 0: O,B-PER,I-PER")
    ] = "",
    scheme: Annotated[str, typer.Option(help="iob1, iob2, bioes, biluo or auto")] = "auto",
    limit: Annotated[int, typer.Option(help="Rows to read; 0 means all")] = 0,
    streaming: Annotated[bool, typer.Option(help="Make no copy of the data set")] = False,
    revision: Annotated[str, typer.Option(help="Version on the hub, such as a commit")] = "",
) -> None:
    """Convert a data set of Hugging Face `datasets` to spaCy's format."""
    report: DatasetReport | SpanReport = SpanReport() if spans else DatasetReport()

    def read(rows: Rows) -> Iterator[Doc]:
        if isinstance(report, SpanReport):
            nlp = spacy.blank(lang)
            return read_span_dataset(rows, nlp, text=text, spans=spans, limit=limit, report=report)
        layout = find_row_layout(
            rows,
            words=words,
            tags=tags or None,
            upos=upos or None,
            xpos=xpos or None,
            label_names=label_names.split(",") if label_names else None,
            scheme=scheme,
        )
        return read_dataset(rows, layout, Vocab(), limit=limit, report=report)

    try:
        rows = open_dataset(
            source, split, name=name or None, streaming=streaming, revision=revision or None
        )
        doc_bin = DocBin(docs=read(rows))
    except ValueError as error:
        msg.fail(str(error), exits=1)
    save(doc_bin, output, report)


if __name__ == "__main__":
    typer.run(main)
