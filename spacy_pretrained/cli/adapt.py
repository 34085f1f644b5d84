"""`python -m spacy pretrained adapt`."""

import shlex
from pathlib import Path
from typing import Annotated

import typer
from wasabi import msg

from .clear_errors import clear_errors
from .interrupts import INTERRUPTED
from .progress import say


def adapt(
    source: Annotated[
        str,
        typer.Argument(
            help="Pretrained weights: a name such as minilm-l6, a folder, package:NAME, or "
            "owner/name on the model hub"
        ),
    ],
    texts: Annotated[
        Path,
        typer.Argument(
            help="Texts: .txt (one per line), .jsonl, .csv, .tsv, .parquet, .spacy, .conllu, or a "
            "folder of these"
        ),
    ],
    out: Annotated[
        Path,
        typer.Argument(
            help="Folder for the adapted encoder: a new one, or that of a run to resume"
        ),
    ],
    epochs: Annotated[float, typer.Option(help="How often all texts are read")] = 3.0,
    minutes: Annotated[
        float | None,
        typer.Option(help="Train for at most this long, and read the texts less often"),
    ] = None,
    batch: Annotated[int, typer.Option(help="Blocks per step")] = 32,
    length: Annotated[int, typer.Option(help="Wordpieces per block")] = 128,
    rate: Annotated[
        float | None,
        typer.Option(help="Highest learning rate; the default depends on the encoder's size"),
    ] = None,
    whole_words: Annotated[bool, typer.Option("--whole-words", help="Mask whole words")] = False,
    next_sentence: Annotated[
        bool,
        typer.Option(
            "--next-sentence", help="Train on pairs of sentences, too; for BERT and its like"
        ),
    ] = False,
    bfloat16: Annotated[
        bool, typer.Option("--bfloat16", help="Compute in bfloat16 where that is safe")
    ] = False,
    memory: Annotated[
        str | None,
        typer.Option(help="Available memory, such as 8GB; a step is split to fit into it"),
    ] = None,
    interval: Annotated[
        int, typer.Option(help="Steps between two checkpoints; 0 means a tenth of the training")
    ] = 0,
    patience: Annotated[
        int, typer.Option(help="Stop after this many checkpoints without a better one")
    ] = 3,
    text_field: Annotated[
        str, typer.Option(help="Field of the text, in .jsonl, .csv and .parquet")
    ] = "text",
    labelled: Annotated[
        Path | None,
        typer.Option(
            help="Texts with categories (.spacy): zero-shot accuracy is measured before and after"
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of random choices")] = 0,
) -> None:
    """Train an encoder further on raw texts of your own, by masked language modelling.

    The result is a folder that you can name as the source of an encoder. If a run was stopped or
    killed, the same command resumes it from its last checkpoint.

    Example: python -m spacy pretrained adapt minilm-l6 texts.txt adapted --minutes 10
    """
    with clear_errors():
        from ..adapting.adapt import adapt as run
        from ..adapting.checkpoints import find_whole
        from ..adapting.errors import Errors
        from ..adapting.options import AdaptOptions
        from ..adapting.work import WORK
        from ..choosing.query import read_memory

        options = AdaptOptions(
            epochs=epochs,
            minutes=minutes,
            batch=batch,
            length=length,
            rate=rate,
            whole_words=whole_words,
            next_sentence=next_sentence,
            bfloat16=bfloat16,
            memory=None if memory is None else read_memory(memory),
            interval=interval,
            patience=patience,
            text_field=text_field,
            labelled=labelled,
            seed=seed,
        )
        try:
            found = run(source, texts, out, options, report=say, warn=msg.warn)
        except KeyboardInterrupt:
            has_any = any(find_whole(folder) for folder in (out / WORK).glob("*"))
            stopped = Errors.STOPPED.format(folder=out / WORK) if has_any else Errors.STOPPED_EARLY
            msg.warn(stopped, exits=INTERRUPTED)
    rows = [("held-out perplexity", f"{found.before:.2f}", f"{found.after:.2f}")]
    if found.zero_shot is not None:
        zero_shot = (found.zero_shot[name] for name in ("before", "after"))
        rows.append(("zero-shot accuracy, %", *(f"{value:.2f}" for value in zero_shot)))
    msg.table(rows, header=("", "before", "after"), divider=True, aligns=("l", "r", "r"))
    if found.fresh_head:
        print("Before: with a head of its own, trained alone on the same texts.")
    if not found.head_settled:
        msg.warn(Errors.HEAD_NOT_SETTLED)
    msg.good(f"Saved {out}")
    name = shlex.quote(str(out))
    print(f"To train on it: python -m spacy pretrained config ner config.cfg --encoder {name}")
