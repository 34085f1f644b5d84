"""Files of annotated text to spaCy's format: what `python -m spacy pretrained convert` does.

    from spacy_pretrained.corpora.convert import convert_conllu

    report = convert_conllu("train.conllu", "corpus/train.spacy")
    print(report.sentences)

Each function checks that it can write before it reads, reads all of its source before it writes,
and returns what was read and repaired. Of a file that is malformed it tells all faults, up to 20,
and writes nothing.

source: A file; see each function.
output: The file to write, .spacy; its folder is made.
track: Is given the Docs and the name of what they are read from, and gives the Docs: a place to
    show progress.

RAISES: ValueError if the source is not there, malformed or empty, or if the output is not named
    .spacy; OSError if a file cannot be read or written.
"""

import sys
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import spacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from ..runtime.whole_files import check_place, whole_file
from .columns import ColumnsReport, read_columns
from .conllu import ConversionReport, read_conllu
from .dataset import DatasetReport, find_row_layout, read_dataset
from .dataset_source import open_dataset
from .errors import Errors
from .exports import ExportReport, read_export
from .faults import Faults
from .lines import UTF8
from .span_dataset import SpanReport, read_span_dataset
from .splits import SPLITS, Split, Track, read_splits
from .texts import TextReport, open_texts, read_texts

ENDING = ".spacy"


def in_silence(docs: Iterable[Doc], name: str) -> Iterable[Doc]:
    """Show no progress."""
    return docs


def convert_conllu(
    source: str | Path,
    output: str | Path,
    *,
    max_sentences: int = 10,
    multiword: str = "auto",
    encoding: str = UTF8,
    track: Track = in_silence,
) -> ConversionReport:
    """Convert a CoNLL-U file, compressed if its name ends in ".gz". See `conllu.read_conllu`.

    max_sentences: Sentences a Doc, where the file does not mark documents.
    multiword: What becomes of multiword tokens.
    encoding: Of the file.
    """
    output = _check_output(output)
    report = ConversionReport()
    docs = read_conllu(
        source,
        Vocab(),
        max_sentences=max_sentences,
        multiword=multiword,
        encoding=encoding,
        report=report,
    )
    _write_all({output: track(docs, str(source))})
    return report


def convert_folder(
    source: str | Path,
    output: str | Path,
    *,
    max_sentences: int = 10,
    multiword: str = "auto",
    encoding: str = UTF8,
    track: Track = in_silence,
) -> dict[str, Split]:
    """Convert a folder with train, dev and test, of a treebank (.conllu), of entities (.iob2,
    .conll and so on) or of both; see `splits.read_splits`, which also says what is held out.

    output: A folder, for train.spacy and so on.
    max_sentences: Sentences a Doc, where a file does not mark documents.
    multiword: What becomes of multiword tokens, see `conllu.read_conllu`.
    encoding: Of all files.
    RETURNS: For each split that is there, the Docs that were written, and reports.
    """
    output = Path(output)
    if output.suffix == ENDING:
        raise ValueError(Errors.CONVERT_FOLDER.format(source=source, output=output))
    for name in SPLITS:
        _check_place(output / f"{name}{ENDING}")
    splits = read_splits(Path(source), max_sentences, track, multiword, encoding)
    _write_all({output / f"{name}{ENDING}": split.docs for name, split in splits.items()})
    return splits


def convert_columns(
    source: str | Path, output: str | Path, *, track: Track = in_silence, **settings: Any
) -> ColumnsReport:
    """Convert a file with a token and its entity a line, compressed if its name ends in ".gz".

    settings: The columns and so on, as `columns.read_columns` takes them.
    """
    output = _check_output(output)
    report = ColumnsReport()
    docs = read_columns(source, Vocab(), report=report, **settings)
    _write_all({output: track(docs, str(source))})
    return report


def convert_dataset(
    source: str | Path,
    output: str | Path,
    *,
    split: str = "train",
    name: str | None = None,
    limit: int = 0,
    streaming: bool = False,
    revision: str | None = None,
    track: Track = in_silence,
    **settings: Any,
) -> DatasetReport:
    """Convert a Hugging Face dataset of words with labels.

    source: A folder, a file, or a name on the hub. Of it and the arguments see
        `dataset.build_dataset`, which reads it without conversion.
    settings: The columns and so on, as `dataset.find_row_layout` takes them.
    """
    output = _check_output(output)
    report = DatasetReport()
    rows = open_dataset(source, split, name=name, streaming=streaming, revision=revision)
    layout = find_row_layout(rows, **settings)
    docs = read_dataset(rows, layout, Vocab(), limit=limit, report=report, faults=Faults())
    _write_all({output: track(docs, str(source))})
    return report


def convert_span_dataset(
    source: str | Path,
    output: str | Path,
    *,
    split: str = "train",
    text: str = "text",
    spans: str = "entities",
    lang: str = "en",
    name: str | None = None,
    limit: int = 0,
    streaming: bool = False,
    revision: str | None = None,
    track: Track = in_silence,
) -> SpanReport:
    """Convert a Hugging Face dataset of texts with entities by characters.

    source: A folder, a file, or a name on the hub. Of it and the arguments see
        `span_dataset.build_span_dataset`, which reads it without conversion.
    lang: The language whose tokenizer makes the words. ImportError if spaCy does not have it.
    """
    output = _check_output(output)
    report = SpanReport()
    nlp = _make_blank(lang)
    rows = open_dataset(source, split, name=name, streaming=streaming, revision=revision)
    docs = read_span_dataset(
        rows, nlp, text=text, spans=spans, limit=limit, report=report, faults=Faults()
    )
    _write_all({output: track(docs, str(source))})
    return report


def convert_export(
    source: str | Path,
    output: str | Path,
    *,
    text: str = "text",
    spans: str | None = None,
    lang: str = "en",
    encoding: str = UTF8,
    track: Track = in_silence,
) -> ExportReport:
    """Convert texts with entities by characters, as doccano, Label Studio and Prodigy export them.

    source: A file .jsonl or .json, also a compressed one. See `exports.read_export`, also of the
        arguments.
    lang: The language whose tokenizer makes the words. ImportError if spaCy does not have it.
    """
    output = _check_output(output)
    report = ExportReport()
    settings = {"text": text, "spans": spans, "encoding": encoding, "report": report}
    docs = read_export(source, _make_blank(lang), **settings)
    _write_all({output: track(docs, str(source))})
    return report


def convert_texts(
    source: str | Path,
    output: str | Path,
    *,
    columns: list[str] | None = None,
    split: str = "train",
    lang: str = "en",
    quoting: str = "auto",
    encoding: str = UTF8,
    name: str | None = None,
    revision: str | None = None,
    track: Track = in_silence,
    **settings: Any,
) -> TextReport:
    """Convert texts with labels, as categories.

    source: A .csv or .tsv file, or a Hugging Face dataset: see `texts.open_texts`, also of the
        arguments.
    lang: The language whose tokenizer makes the words. ImportError if spaCy does not have it.
    settings: The columns, labels and so on, as `texts.read_texts` takes them.
    """
    output = _check_output(output)
    report = TextReport()
    nlp = _make_blank(lang)
    table = {"columns": columns, "quoting": quoting, "encoding": encoding}
    rows = open_texts(source, split, **table, name=name, revision=revision)
    docs = read_texts(rows, nlp, report=report, **settings)
    _write_all({output: track(docs, str(source))})
    return report


def _make_blank(lang: str) -> Language:
    """Its tokenizer is all that is used: no text is too long for that."""
    nlp = spacy.blank(lang)
    nlp.max_length = sys.maxsize
    return nlp


def _check_output(output: str | Path) -> Path:
    """RAISES: ValueError if it is not named .spacy; OSError if it cannot be written."""
    output = Path(output)
    if output.suffix != ENDING:
        raise ValueError(Errors.CONVERT_OUTPUT.format(output=output))
    _check_place(output)
    return output


def _check_place(output: Path) -> None:
    check_place(output.resolve() if output.is_symlink() else output)


def _write_all(docs: dict[Path, Iterable[Doc]]) -> None:
    """By the file to write. All keep what they have until all are written."""
    with ExitStack() as written:
        for path, found in docs.items():
            # The user data has the words of multiword tokens.
            content = DocBin(docs=found, store_user_data=True).to_bytes()
            target = path.resolve()  # a link stays one
            target.parent.mkdir(parents=True, exist_ok=True)
            written.enter_context(whole_file(target)).write_bytes(content)
