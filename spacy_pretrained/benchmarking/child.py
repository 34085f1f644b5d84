"""Processes of their own, whose memory is theirs alone: arguments in and an answer out, as JSON."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from typing import Any

from .errors import Errors


class ChildFailed(Exception):
    """Says why a process gave no answer."""


def ask(module: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Run a module of this folder, which calls `answer`. What it leaves in its temporary folder, as
    one that is killed does, is removed.

    RAISES: ChildFailed.
    """
    command = [sys.executable, "-m", f"{__package__}.{module}"]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            command,
            input=json.dumps(arguments),
            capture_output=True,
            text=True,
            env=os.environ | {"TMPDIR": folder},
        )
    if done.returncode == -9:  # SIGKILL, which Windows has no name for
        raise ChildFailed(Errors.OUT_OF_MEMORY)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise ChildFailed(lines[-1])
    return json.loads(done.stdout)


def answer(function: Callable[..., dict[str, Any]]) -> None:
    """Call a function with the arguments of `ask`, and give back what it returns. Whatever a
    library prints goes to stderr."""
    arguments = json.load(sys.stdin)
    answers = os.fdopen(os.dup(1), "w", encoding="utf8")
    os.dup2(2, 1)
    json.dump(function(**arguments), answers)
    answers.close()
