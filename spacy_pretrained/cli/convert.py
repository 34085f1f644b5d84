"""`python -m spacy pretrained convert`."""

from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup
from wasabi import msg

from .clear_errors import clear_errors
from .interrupts import ends_when_interrupted
from .listing import Command, WholeSummary
from .next_step import find_lang, show_next
from .unused import refuse_unused

if TYPE_CHECKING:
    from ..corpora.splits import Split

Scheme = Annotated[str, typer.Option(help="iob1, iob2, bioes, biluo or auto")]
SpacyFile = Annotated[Path, typer.Argument(metavar="OUT", help="File to write, .spacy")]
Source = Annotated[
    str, typer.Argument(metavar="IN", help="File, folder, or name of a dataset on the hub")
]
Part = Annotated[str, typer.Option(help="The part of the dataset to read")]
Lang = Annotated[str, typer.Option(help="Language of the tokenizer")]
Configuration = Annotated[str, typer.Option(help="Configuration of a dataset on the hub")]
Limit = Annotated[int, typer.Option(min=0, help="Rows to read; 0 means all")]
Encoding = Annotated[
    str, typer.Option(help="Encoding of the file, as Python names it: utf8, utf-16, cp1252")
]
Revision = Annotated[str, typer.Option(help="Version on the hub, such as a commit")]
# Parameters of `convert dataset`, by what it reads.
OF_WORDS = {"words", "tags", "upos", "xpos", "label_names", "scheme"}
OF_SPANS = {"text", "lang"}


class GuessingGroup(WholeSummary, TyperGroup):
    """Puts the kind of the file before its name, where it is left out."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Without options of the group itself: it has none but --help."""
        return [self.subcommand_metavar]

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args[0] not in self.commands:
            args = [guess(args[0], find_encoding(args)), *args]
        return super().resolve_command(ctx, args)


def find_encoding(args: list[str]) -> str:
    """What the command that is not known yet will be told by --encoding."""
    words = [
        word for arg in args for word in (arg.split("=", 1) if arg.startswith("--") else [arg])
    ]
    return dict(pairwise(words)).get("--encoding", "utf8")


def guess(source: str, encoding: str) -> str:
    from ..corpora.kinds import find_kind

    with clear_errors():
        try:
            return find_kind(source, encoding)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error


convert = typer.Typer(
    cls=GuessingGroup, no_args_is_help=True, subcommand_metavar="[KIND] IN OUT [OPTIONS]"
)


@convert.callback()
def _group() -> None:
    """Convert annotated text to .spacy files, which `spacy train` takes.

    KIND is one of the commands below. You can leave it out if the file leaves no doubt: .conllu,
    .iob2 or .conll with one token per line, .csv or .tsv with texts, .jsonl or .json with entities
    by character offsets, a folder with train, dev and test.

    Example: python -m spacy pretrained convert train.conllu corpus/train.spacy
    """


@convert.command("conllu", cls=Command)
def convert_conllu(
    source: Annotated[
        Path,
        typer.Argument(metavar="IN", help="File .conllu, or folder with train, dev and test"),
    ],
    output: Annotated[
        Path, typer.Argument(metavar="OUT", help="File to write, .spacy; or a folder, if IN is one")
    ],
    max_sentences: Annotated[
        int, typer.Option(min=1, help="Sentences per Doc, if the file does not mark documents")
    ] = 10,
    multiword: Annotated[
        str, typer.Option(help="Multiword tokens: auto, split (as words) or merge (as tokens)")
    ] = "auto",
    encoding: Encoding = "utf8",
) -> None:
    """Convert a CoNLL-U file, or a folder of them with or without files of entities.

    A folder holds train.conllu, dev.conllu and test.conllu (or en_ewt-ud-train.conllu and so on),
    or files with a token and its entity per line (train.iob2, .iob, .bio, .bioes, .biluo, .conll),
    or both. With both, the entities are added to the sentences of the treebank that have the same
    words. If only train has such a layer, the entities of every tenth document go to dev. Instead
    of dev, a file may be called validation, valid or val.

    The words of a multiword token become tokens if they spell it (don't: do n't). If they do not
    (French du: de le), the Doc has one token, which keeps its words.

    Example: python -m spacy pretrained convert conllu treebank/ corpus/
    """
    from ..corpora import convert as corpora
    from ..corpora.conllu import ConversionReport
    from .progress import track

    settings = {"max_sentences": max_sentences, "multiword": multiword, "track": track}
    with clear_errors(), ends_when_interrupted():
        if source.is_dir():
            splits = corpora.convert_folder(source, output, **settings, encoding=encoding)
            show_splits(splits)
            warn_of_others(splits, output)
            warn_of_unused(source)
        else:
            report: ConversionReport = corpora.convert_conllu(
                source, output, **settings, encoding=encoding
            )
            show_report(report)
    msg.good(f"Written to {output}")
    if not source.is_dir():
        show_next("pipeline", output, find_lang(source))


@convert.command("columns", cls=Command)
def convert_columns(
    source: Annotated[
        Path, typer.Argument(metavar="IN", help="File with one token per line", dir_okay=False)
    ],
    output: SpacyFile,
    word: Annotated[int | None, typer.Option(help="Column of the words, from 0")] = None,
    tag: Annotated[int | None, typer.Option(help="Column of the entities; -1 is the last")] = None,
    xpos: Annotated[int | None, typer.Option(help="Column of the treebank's tags")] = None,
    upos: Annotated[int | None, typer.Option(help="Column of the universal tags")] = None,
    separator: Annotated[
        str | None, typer.Option(help="Separator of columns; by default tabs or spaces")
    ] = None,
    scheme: Scheme = "auto",
    doc_sentences: Annotated[
        int, typer.Option(min=1, help="Sentences per Doc, if the file does not mark documents")
    ] = 10,
    encoding: Encoding = "utf8",
) -> None:
    """Convert a file with a token and its entity per line: CoNLL-2003, WNUT-17, Universal NER.

    The contents of the columns are detected if that is safe; otherwise, give them as options.

    Example: python -m spacy pretrained convert columns eng.train train.spacy --xpos 1 --scheme iob1
    """
    from ..corpora import convert as corpora
    from .progress import track

    with clear_errors(), ends_when_interrupted():
        report = corpora.convert_columns(
            source,
            output,
            track=track,
            word=word,
            tag=tag,
            xpos=xpos,
            upos=upos,
            separator=separator,
            scheme=scheme,
            doc_sentences=doc_sentences,
            encoding=encoding,
        )
        show_report(report)
    msg.good(f"Written to {output}")
    show_next("ner", output, find_lang(source))


@convert.command("dataset", cls=Command)
def convert_dataset(
    context: typer.Context,
    source: Source,
    output: SpacyFile,
    split: Part = "train",
    words: Annotated[str, typer.Option(help="Column of the words")] = "tokens",
    tags: Annotated[str, typer.Option(help='Column of the entities; "" if none')] = "ner_tags",
    upos: Annotated[str, typer.Option(help="Column of the universal tags")] = "",
    xpos: Annotated[str, typer.Option(help="Column of the treebank's tags")] = "",
    spans: Annotated[str, typer.Option(help="Column of the entities, by character offsets")] = "",
    text: Annotated[str, typer.Option(help="Column of the text, with --spans")] = "text",
    lang: Annotated[str, typer.Option(help="Language of the tokenizer, with --spans")] = "en",
    name: Configuration = "",
    label_names: Annotated[
        str, typer.Option(help="Names of integer labels, from 0: O,B-PER,I-PER")
    ] = "",
    scheme: Scheme = "auto",
    limit: Limit = 0,
    streaming: Annotated[bool, typer.Option(help="Make no copy of the dataset")] = False,
    revision: Revision = "",
) -> None:
    """Convert a Hugging Face dataset: words with labels or, with --spans, texts with entities.

    IN is a folder that `save_to_disk` wrote, a folder of .parquet, .json or .jsonl files, such a
    file, or a name on the hub. `spacy train` can also read it directly, with the readers
    spacy-pretrained.Dataset.v1 and spacy-pretrained.SpanDataset.v1.

    Example: python -m spacy pretrained convert dataset data.jsonl train.spacy --spans entities
    """
    from ..corpora import convert as corpora
    from .progress import track

    opened = {
        "split": split,
        "name": name or None,
        "limit": limit,
        "streaming": streaming,
        "revision": revision or None,
        "track": track,
    }
    with clear_errors(), ends_when_interrupted():
        if spans:
            refuse_unused(context, OF_WORDS, "with --spans")
            report: Any = corpora.convert_span_dataset(
                source, output, text=text, spans=spans, lang=lang, **opened
            )
        else:
            refuse_unused(context, OF_SPANS, "without --spans")
            report = corpora.convert_dataset(
                source,
                output,
                words=words,
                tags=tags or None,
                upos=upos or None,
                xpos=xpos or None,
                label_names=split_list(label_names) or None,
                scheme=scheme,
                **opened,
            )
        show_report(report)
    msg.good(f"Written to {output}")
    show_next("ner", output, lang if spans else None)


@convert.command("spans", cls=Command)
def convert_spans(
    source: Annotated[
        Path, typer.Argument(metavar="IN", help="File .jsonl or .json", dir_okay=False)
    ],
    output: SpacyFile,
    text: Annotated[str, typer.Option(help="Key of the text")] = "text",
    spans: Annotated[
        str, typer.Option(help="Key of the entities; by default the one that holds some")
    ] = "",
    lang: Lang = "en",
    encoding: Encoding = "utf8",
) -> None:
    """Convert texts with entities by characters: exports of doccano, Label Studio and Prodigy.

    Export JSONL from doccano, JSON or JSON-MIN from Label Studio, and use `db-out` of Prodigy.
    Texts that were rejected, ignored or not annotated are left out, and counted.

    Example: python -m spacy pretrained convert spans admin.jsonl train.spacy
    """
    from ..corpora import convert as corpora
    from .progress import track

    with clear_errors(), ends_when_interrupted():
        report = corpora.convert_export(
            source,
            output,
            text=text,
            spans=spans or None,
            lang=lang,
            encoding=encoding,
            track=track,
        )
        show_report(report)
    msg.good(f"Written to {output}")
    show_next("ner", output, lang)


@convert.command("texts", cls=Command)
def convert_texts(
    source: Source,
    output: SpacyFile,
    text: Annotated[str, typer.Option(help="Column of the text; several are joined")] = "text",
    label: Annotated[str, typer.Option(help="Column of the label or labels")] = "label",
    columns: Annotated[
        str, typer.Option(help="Names of the columns, if a .csv file has no header")
    ] = "",
    separator: Annotated[str, typer.Option(help="Separator of several labels in one string")] = "",
    quoting: Annotated[
        str,
        typer.Option(help="quotes (as spreadsheets write), none, or auto: quotes only in .csv"),
    ] = "auto",
    encoding: Encoding = "utf8",
    labels: Annotated[str, typer.Option(help="All labels, if this file may lack some: a,b,c")] = "",
    split: Part = "train",
    lang: Lang = "en",
    name: Configuration = "",
    limit: Limit = 0,
    revision: Revision = "",
) -> None:
    """Convert texts with labels, as categories.

    IN is a .csv or .tsv file, or what `convert dataset` takes. Each document gets a value for
    each label, 1 or 0. Rows without a label (empty, null, or -1 if the labels of a dataset have
    names) get no values: nothing is learnt from them. Rows without text are left out.

    Example: python -m spacy pretrained convert texts news.csv dev.spacy --text title,body
    """
    from ..corpora import convert as corpora
    from .progress import track

    with clear_errors(), ends_when_interrupted():
        report = corpora.convert_texts(
            source,
            output,
            columns=split_list(columns) or None,
            quoting=quoting,
            encoding=encoding,
            split=split,
            lang=lang,
            name=name or None,
            revision=revision or None,
            text=split_list(text),
            label=label,
            separator=separator,
            labels=split_list(labels) or None,
            limit=limit,
            track=track,
        )
        show_report(report)
    msg.good(f"Written to {output}")
    show_next("textcat", output, lang)


def split_list(value: str) -> list[str]:
    return [part.strip() for part in value.split(",")] if value else []


def show_report(report: Any) -> None:
    """A table of what was read and, if there are labels, one of these. What was not met is left
    out."""
    counts = {name: n for name, n in vars(report).items() if isinstance(n, int) and n}
    labels = sorted(getattr(report, "labels", {}).items(), key=lambda item: -item[1])
    for table in filter(None, (counts, dict(labels))):
        rows = [(name.replace("_", " "), f"{n:,}") for name, n in table.items()]
        msg.table(rows, aligns=("l", "r"))


def warn_of_others(splits: "dict[str, Split]", output: Path) -> None:
    """Scores on a split of another conversion may be scores on training data."""
    from ..corpora.convert import ENDING
    from ..corpora.splits import SPLITS

    for name in SPLITS:
        path = output / f"{name}{ENDING}"
        if name not in splits and path.exists():
            msg.warn(f"{path} was there before, and is not of this conversion.")


def warn_of_unused(folder: Path) -> None:
    """A file with another name may have been meant for a split."""
    from ..corpora.splits import find_unused

    for path in find_unused(folder):
        msg.warn(f"{path} is not read: train, dev and test have other files, or none of that name.")


def show_splits(splits: "dict[str, Split]") -> None:
    """A table of each kind of report: a column a split. What no split has is left out."""
    found = [(name, report) for name, split in splits.items() for report in split.reports]
    for kind in dict.fromkeys(type(report) for _, report in found):
        names, reports = zip(*((name, r) for name, r in found if type(r) is kind))
        counts = [asdict(report) for report in reports]
        rows = [
            (name.replace("_", " "), *(f"{count[name]:,}" for count in counts))
            for name, value in counts[0].items()
            if isinstance(value, int) and any(count[name] for count in counts)
        ]
        msg.table(rows, header=("", *names), aligns=("l", *"r" * len(names)))
