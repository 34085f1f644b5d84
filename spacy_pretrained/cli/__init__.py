"""`python -m spacy pretrained …`. Each command is a file of this folder: parse, call, print.

Every spacy command imports this folder, so its files import next to nothing at their top.
"""

import typer
from spacy.cli._util import app

from .adapt import adapt
from .annotate import annotate
from .benchmark import benchmark
from .calibrate import calibrate
from .check import check
from .config import config
from .convert import convert
from .download import download
from .evaluate import evaluate
from .info import info
from .listing import Command, Commands
from .models import models
from .package import package
from .plot import plot
from .quantize import quantize
from .recommend import recommend
from .remove import remove
from .search import search
from .serve import serve

pretrained_cli = typer.Typer(
    name="pretrained",
    cls=Commands,
    help="Pipelines with pretrained transformers.",
    no_args_is_help=True,
)
app.add_typer(pretrained_cli)


@pretrained_cli.callback()
def _group() -> None:
    """Pipelines with pretrained transformers."""


pretrained_cli.add_typer(convert, name="convert")
for command in (
    *(models, info, recommend, download, remove, benchmark, adapt),
    *(check, config, search, plot, evaluate, calibrate, quantize, package, annotate, serve),
):
    pretrained_cli.command(command.__name__, cls=Command)(command)
