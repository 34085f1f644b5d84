"""The standard input, copied into the folder of a job, so that the job can go on."""

import shutil
from pathlib import Path
from typing import BinaryIO

from ..runtime.whole_files import whole_file
from .errors import Errors

BLOCK = 2**20  # bytes


def copy_or_compare(stdin: BinaryIO, copy: Path) -> None:
    """Copy the standard input, or see that it is what was copied when the job began. Nothing at
    all, as from /dev/null, will do then; a terminal is not waited for.

    RAISES: ValueError if it is something else, or if there is nothing to copy.
    """
    if copy.exists():
        if not stdin.isatty() and not _is_same(stdin, copy):
            raise ValueError(Errors.STDIN_CHANGED.format(copy=copy, folder=copy.parent))
        return
    with whole_file(copy) as unfinished:
        with unfinished.open("wb") as file:
            shutil.copyfileobj(stdin, file)
        if not unfinished.stat().st_size:  # whatever failed to write it may do so the next time
            raise ValueError(Errors.INPUT_NO_TEXTS.format(paths="the standard input"))


def _is_same(stdin: BinaryIO, copy: Path) -> bool:
    """Whether all of it is; nothing at all is the same, too."""
    with copy.open("rb") as file:
        while block := stdin.read(BLOCK):
            if file.read(len(block)) != block:
                return False
        return file.tell() in (0, copy.stat().st_size)
