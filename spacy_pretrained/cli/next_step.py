"""What `convert` prints at its end: the command to type next."""

import re
import shlex
from pathlib import Path

# Of Universal Dependencies' file names, such as de_gsd-ud-train.conllu.
TREEBANK_NAME = re.compile(r"([a-z]{2,3})_[a-z0-9]+-ud-")
NOT_TO_TRAIN = {"dev", "test", "validation", "valid", "val"}
ENGLISH = "en"  # the language of the configs


def show_next(purpose: str, train: Path, lang: str | None) -> None:
    """Print the command, in which DEV.spacy stands for the other file that a training wants. Nobody
    trains on what is called dev or test.

    lang: That of the texts; None if it is not known.
    """
    if NOT_TO_TRAIN & set(re.split(r"[^a-z]+", train.stem.lower())):
        return
    options = f"--train {shlex.quote(str(train))} --dev DEV.spacy"
    if lang not in (None, ENGLISH):
        options += f" --lang {shlex.quote(lang)}"
    print(f"To train on it: python -m spacy pretrained config {purpose} config.cfg {options}")
    if lang is None:
        print("If the texts are not English, add --lang, such as --lang de.")


def find_lang(source: Path) -> str | None:
    """The language that a treebank's file is named for.

    >>> find_lang(Path("UD_German-GSD/de_gsd-ud-train.conllu"))
    'de'
    """
    named = TREEBANK_NAME.match(source.name)
    return named[1] if named else None
