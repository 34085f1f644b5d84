"""`python -m spacy pretrained search`."""

import shlex
from pathlib import Path
from typing import Annotated

import typer
from wasabi import msg

from .clear_errors import clear_errors
from .interrupts import INTERRUPTED
from .progress import say


def search(
    config: Annotated[
        Path, typer.Argument(help="Complete config for spacy train, with the paths of its corpora")
    ],
    space: Annotated[
        str, typer.Argument(help="What to try: a .cfg with [search.space], or ner or pipeline")
    ],
    out: Annotated[Path, typer.Argument(help="Folder: a new one, or that of a search to resume")],
    n_trials: Annotated[int, typer.Option(help="Trials in all, earlier ones included")] = 20,
    timeout: Annotated[
        float | None, typer.Option(help="Minutes after which no new trial begins")
    ] = None,
    jobs: Annotated[int, typer.Option(help="Trials at once, which share the cores")] = 1,
    storage: Annotated[
        str | None, typer.Option(help="URL of a database; by default study.db in OUT")
    ] = None,
    prune: Annotated[bool, typer.Option("--prune/--no-prune", help="End bad trials early")] = True,
    seeds: Annotated[
        int,
        typer.Option(help="How often the best config and the default are trained at the end; or 0"),
    ] = 3,
    seed: Annotated[int, typer.Option(help="Seed of what is drawn from the space")] = 0,
    gpu_id: Annotated[int, typer.Option(help="GPU, as in spacy train; -1 for the CPU")] = -1,
    code: Annotated[
        Path | None, typer.Option(help="Python file with registered functions, as in spacy train")
    ] = None,
) -> None:
    """Search settings of a training config, and compare the best with the default.

    Each trial is a training in a process of its own. To resume a search that was stopped or killed,
    give the same command again. Several processes may work in one folder.

    Example: python -m spacy pretrained search config.cfg ner found --n-trials 20
    """
    with clear_errors():
        from ..searching.errors import Errors
        from ..searching.options import SearchOptions
        from ..searching.search import describe_counts
        from ..searching.search import search as run

        options = SearchOptions(
            n_trials=n_trials,
            timeout=timeout,
            jobs=jobs,
            storage=storage,
            prune=prune,
            seeds=seeds,
            seed=seed,
            gpu_id=gpu_id,
            code=code,
        )
        try:
            found = run(config, space, out, options, report=say, warn=msg.warn)
        except KeyboardInterrupt:
            msg.warn(Errors.STOPPED.format(out=out), exits=INTERRUPTED)
    rows = [
        (name, str(value), f"{found.importance[name]:.2f}" if name in found.importance else "")
        for name, value in found.values.items()
    ]
    msg.table(rows, header=("SETTING", "BEST", "IMPORTANCE"), divider=True, max_col=70)
    msg.text(f"{describe_counts(found)}. The best is trial {found.number}: {100 * found.score:.2f}")
    if found.comparison is not None:
        (msg.good if found.comparison.is_better else msg.warn)(found.comparison.explain())
    best = out / "best.cfg"
    msg.good(f"Saved {best}")
    more = f" --code {shlex.quote(str(code))}" if code else ""
    more += f" --gpu-id {gpu_id}" if gpu_id >= 0 else ""
    print(f"To train: python -m spacy train {shlex.quote(str(best))} --output training{more}")
