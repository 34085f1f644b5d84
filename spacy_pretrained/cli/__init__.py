"""`python -m spacy pretrained …`. Each command is a file of this folder: parse, call, print.

Every spacy command imports this folder, which is why its files import next to nothing at their top.
"""

import typer
from spacy.cli._util import app

from .calibrate import calibrate
from .check import check
from .config import config
from .convert import convert
from .download import download
from .evaluate import evaluate
from .info import info
from .models import models
from .package import package
from .plot import plot
from .quantize import quantize

pretrained_cli.command("download")(download)
pretrained_cli.command("info")(info)
pretrained_cli.command("models")(models)
pretrained_cli.command("package")(package)
pretrained_cli.command("plot")(plot)
pretrained_cli.command("quantize")(quantize)
pretrained_cli.command("recommend")(recommend)
pretrained_cli.command("remove")(remove)
