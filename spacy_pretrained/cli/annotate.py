"""`python -m spacy pretrained annotate`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from wasabi import msg

from ..errors import count_of
from .clear_errors import clear_errors
from .interrupts import INTERRUPTED
from .unused import refuse_unused

if TYPE_CHECKING:
    from ..bulk_annotation.run import Progress


def annotate(
    context: typer.Context,
    pipeline: Annotated[str, typer.Argument(help="Trained pipeline: a folder or a package")],
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT... OUT",
            help="Files with texts: .jsonl, .txt, .csv, .tsv, .parquet, .spacy or CoNLL-U, or - "
            "for the standard input; then the folder for the results",
        ),
    ],
    format: Annotated[
        str | None, typer.Option(help="jsonl, parquet, spacy or conllu; by default jsonl")
    ] = None,
    what: Annotated[
        str | None,
        typer.Option(help="Parts of a record, by default all: tokens,deps,sents,ents,spans,cats"),
    ] = None,
    text_field: Annotated[str, typer.Option(help="Field that has the text")] = "text",
    keep: Annotated[
        str, typer.Option(help="Fields to copy into the results, such as id,date")
    ] = "",
    whole: Annotated[bool, typer.Option("--whole", help="Each .txt file is one text")] = False,
    sentences: Annotated[
        bool,
        typer.Option(
            "--sentences", help="Lines of .txt files are sentences; blank lines end documents"
        ),
    ] = False,
    stdin: Annotated[
        str, typer.Option(help="Format of the standard input: jsonl, txt, csv or tsv")
    ] = "jsonl",
    workers: Annotated[
        int, typer.Option(min=0, help="Processes; 0: one for each core, if memory allows")
    ] = 0,
    shard: Annotated[int, typer.Option(min=1, help="Texts per part")] = 1000,
    max_characters: Annotated[
        int, typer.Option(min=1, help="Longest text, in characters")
    ] = 1_000_000,
    on_long: Annotated[
        str, typer.Option(help="What happens to longer texts: error, skip or cut")
    ] = "error",
    exclude: Annotated[list[str], typer.Option(help="Component to leave out; repeatable")] = [],  # noqa: B006
    silver: Annotated[
        bool, typer.Option("--silver", help="Write .spacy files to train another pipeline on")
    ] = False,
    draw: Annotated[int, typer.Option(min=0, help="Texts to draw at random; 0: all")] = 0,
    seed: Annotated[int, typer.Option(help="Seed of the draw")] = 0,
    code: Annotated[Path | None, typer.Option(help="Python file with components")] = None,
    resume: Annotated[
        bool, typer.Option("--resume/--no-resume", help="Resume a job that was interrupted")
    ] = True,
    gpu_id: Annotated[int, typer.Option("--gpu-id", "-g", help="GPU, or -1 for the CPU")] = -1,
) -> None:
    """Annotate any number of texts, in several processes, into a folder.

    To resume a job that was interrupted, give the same command again: each text comes out once, in
    order. Texts that fail are listed in OUT/errors.jsonl, with the reason, and the exit code is 1.

    Example: python -m spacy pretrained annotate my_pipeline texts.jsonl annotated --keep id
    """
    if len(paths) < 2:
        raise typer.BadParameter("Give at least one file with texts, and a folder.")
    *inputs, output = paths
    with clear_errors():
        from ..bulk_annotation.run import annotate_files

        options = make_options(
            format=format or ("spacy" if silver else "jsonl"),
            what=None if what is None else split(what),
            text_field=text_field,
            keep=split(keep),
            whole=whole,
            sentences=sentences,
            stdin=stdin,
            shard=shard,
            exclude=tuple(exclude),
            code=None if code is None else str(code),
            max_characters=max_characters,
            on_long=on_long,
            silver=silver,
            draw=draw,
            seed=seed,
            gpu_id=gpu_id,
        )
        if options.format in ("spacy", "conllu"):
            refuse_unused(context, {"what"}, f"in .{options.format}, which has all parts")
        if not draw:
            refuse_unused(context, {"seed"}, "without --draw")
        if "-" not in inputs:
            refuse_unused(context, {"stdin"}, "where no input is -, the standard input")
        if whole:
            refuse_unused(context, {"sentences"}, "with --whole")
        names = [f".{stdin}" if path == "-" else path.removesuffix(".gz") for path in inputs]
        if not any(name.endswith(".txt") for name in names):
            refuse_unused(context, {"whole", "sentences"}, "where no input is .txt")
        try:
            with Bar() as bar:
                progress = annotate_files(
                    pipeline,
                    inputs,
                    Path(output),
                    options,
                    workers=workers,
                    resume=resume,
                    report=bar.show,
                )
        except KeyboardInterrupt:
            hint = "The same command resumes the job." if resume else ""
            msg.warn(f"Stopped. {hint}")
            raise typer.Exit(INTERRUPTED) from None
    show_end(progress, Path(output))
    if progress.failed:
        raise typer.Exit(1)


def split(names: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in names.split(",") if name.strip())


def make_options(**given):
    """RAISES: typer.BadParameter for a choice that there is not; ValueError for other mistakes."""
    from typing import get_args

    from ..bulk_annotation.items import OnLong
    from ..bulk_annotation.options import Format, Options, StdinFormat

    choices = {"format": Format, "stdin": StdinFormat, "on_long": OnLong}
    for name, kind in choices.items():
        if given[name] not in get_args(kind):
            option = "--" + name.replace("_", "-")
            known = ", ".join(get_args(kind))
            raise typer.BadParameter(f"'{given[name]}' is none of {known}.", param_hint=option)
    return Options(**{name: value for name, value in given.items() if value is not None})


class Bar:
    """How much of the input is done, how fast it goes and how long it will take. Nothing is shown
    in a file or a pipe."""

    def __enter__(self) -> "Bar":
        from tqdm import tqdm

        form = "{percentage:3.0f}% {bar} {desc} [{elapsed}, left: {remaining}]"
        self._bar = tqdm(total=1.0, bar_format=form, leave=False, disable=None)
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.close()

    def show(self, progress: "Progress") -> None:
        texts = count_of(progress.found + progress.texts, "text")
        speed = f"{progress.words_per_second:,.0f} words/s"
        self._bar.set_description_str(f"{texts}, {speed}", refresh=False)
        self._bar.update(progress.share - self._bar.n)


def show_end(progress: "Progress", output: Path) -> None:
    texts = count_of(progress.found + progress.texts, "text")
    parts = [f"{output}: {texts}"]
    if progress.found:
        parts.append(f"{progress.found:,} of them were there")
    if progress.texts:
        speed = f"{progress.words_per_second:,.0f} words/s"
        parts.append(f"{count_of(progress.words, 'word')} in {progress.seconds:,.0f} s, {speed}")
    parts.append(f"skipped: {progress.skipped:,}, failed: {progress.failed:,}")
    text = "; ".join(parts)
    if progress.skipped or progress.failed:
        text += f" (see {output / 'errors.jsonl'})"
    (msg.warn if progress.failed else msg.good)(text)
