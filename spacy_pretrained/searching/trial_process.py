"""A training in a process of its own: `python -m spacy_pretrained.searching.trial_process`.

It ends when the search that began it does, however that ends: a pipe that nobody holds any more is
closed by the system.
"""

import json
import os
import sys
import threading
from pathlib import Path

ENDED = 3
STDIN = 0


def end_with_parent() -> None:
    """End this process when the other end of its standard input is closed."""

    def wait() -> None:
        while os.read(STDIN, 1):  # a buffered read would hold a lock when Python ends
            pass
        os._exit(ENDED)

    threading.Thread(target=wait, daemon=True).start()


def run(config: str, output: str, gpu_id: int, code: str | None) -> None:
    """What `spacy train` does."""
    from spacy.cli._util import import_code
    from spacy.cli.train import train

    import_code(code and Path(code))
    train(Path(config), Path(output), use_gpu=gpu_id)


if __name__ == "__main__":
    end_with_parent()
    run(**json.loads(sys.argv[1]))
