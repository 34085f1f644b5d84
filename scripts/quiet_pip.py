"""Run pip with one line a step, and show what pip said only if it fails.

    .venv/bin/python scripts/quiet_pip.py "PyTorch" install --constraint constraints.txt torch

While pip runs, the line counts packages, in a terminal. Needs nothing but Python: it fills the
environment that everything else runs in.
"""

import os
import subprocess
import sys
from pathlib import Path
from time import perf_counter

WIDTH = 79


def main() -> None:
    step, *arguments = sys.argv[1:]
    command = [sys.executable, "-m", "pip", *arguments, "--disable-pip-version-check"]
    if not run_pip(step, command):
        sys.exit(1)


def run_pip(step: str, command: list[str], folder: Path | None = None) -> bool:
    """Run a command of pip's, in a folder if one is given.

    step: What it is for, in a few words: the beginning of the line.
    RETURNS: Whether pip worked.
    """
    start = perf_counter()
    # pip takes what PYTHONPATH names for installed, and leaves it out.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    said, collected = [], 0
    show(f"{step} ...")
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf8",
        errors="replace",
    ) as process:
        for line in process.stdout or []:
            said.append(line)
            if line.startswith("Collecting "):
                collected += 1
                show(f"{step}: {count(collected)} so far, {line.split()[1]}")
            elif line.startswith("Installing collected packages"):
                show(f"{step}: unpacking {count(line.count(',') + 1)}")
    if process.returncode:
        end(f"{step}: pip failed. It said:")
        print("".join(said), end="", flush=True)
        return False
    installed = sum(
        len(line.split()) - 2 for line in said if line.startswith("Successfully installed ")
    )
    what = count(installed) if installed else "nothing new"
    end(f"{step}: {what}, {perf_counter() - start:.0f} s")
    return True


def count(packages: int) -> str:
    return f"{packages} package{'' if packages == 1 else 's'}"


def show(line: str) -> None:
    """Write a line that the next one overwrites. Files and pipes have only the last."""
    if sys.stdout.isatty():
        print(f"\r{line[:WIDTH]:{WIDTH}}", end="", flush=True)


def end(line: str) -> None:
    print(f"\r{line:{WIDTH}}" if sys.stdout.isatty() else line, flush=True)


if __name__ == "__main__":
    main()
