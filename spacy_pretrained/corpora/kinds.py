"""Which kind of file is to be converted, where its name and first lines leave no doubt."""

from itertools import islice
from pathlib import Path

from .column_layout import SAMPLE, find_layout
from .errors import Errors
from .exports import is_export, read_records
from .lines import UTF8, read_lines
from .splits import COLUMNS, ENTITIES, NAMES, SPLITS, TREEBANK
from .texts import DELIMITERS

KINDS = ("conllu", "columns", "dataset", "spans", "texts")
RECORDS = (".json", ".jsonl")


def find_kind(source: str | Path, encoding: str = UTF8) -> str:
    """One of KINDS.

    encoding: Of a file whose lines decide.

    conllu: A file .conllu, or a folder with train, dev or test in .conllu, .iob2 or the like.
    columns: A file .iob2, .iob, .bio, .bioes, .biluo or .conll with a token and its entity a line.
    spans: A file .json or .jsonl with entities by characters in one of its first records.
    texts: A file .csv or .tsv; one with a token and its entity a line could be both.

    RAISES: ValueError, which names the kinds, if it could be several or none: a dataset may hold
        words or texts. OSError if a file whose lines decide cannot be opened.
    """
    path = Path(source)
    suffixes = [suffix for suffix in path.suffixes[-2:] if suffix != ".gz"]
    suffix = suffixes[-1] if suffixes else ""
    if path.is_dir():
        if _has_splits(path):
            return "conllu"
    elif suffix in TREEBANK:
        return "conllu"
    elif suffix in COLUMNS:
        if _has_token_lines(path, encoding):
            return "columns"
    elif suffix in RECORDS:
        if path.exists() and _has_spans(path, encoding):
            return "spans"
    elif suffix in DELIMITERS and not (path.exists() and _has_token_lines(path, encoding)):
        return "texts"
    raise ValueError(Errors.CONVERT_KIND.format(source=source, kinds=", ".join(KINDS)))


def _has_splits(folder: Path) -> bool:
    names = [f"{n}{e}" for s in SPLITS for n in NAMES[s] for e in (*TREEBANK, *ENTITIES)]
    return any(any(folder.glob(pattern)) for n in names for pattern in (n, f"*-{n}"))


def _has_spans(path: Path, encoding: str) -> bool:
    try:
        return any(is_export(record) for _, record in islice(read_records(path, encoding), SAMPLE))
    except ValueError:  # no objects
        return False


def _has_token_lines(path: Path, encoding: str) -> bool:
    """Whether there are columns of tokens and tags, and, in a table, blank lines between
    sentences."""
    lines = list(islice(read_lines(path, encoding), SAMPLE))
    is_table = Path(str(path).removesuffix(".gz")).suffix in DELIMITERS
    if is_table and not any(not line.strip() for _, line in lines[:-1]):
        return False
    try:
        find_layout(path, lines)
    except ValueError:
        return False
    return True
