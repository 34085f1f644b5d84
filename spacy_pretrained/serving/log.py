"""The server's log: a line a request, and no word of any text."""

import logging
import sys
import time
import traceback
import warnings

# Which of the innermost places of an error are named.
PLACES = 4


logger = logging.getLogger(__package__)


def say_where(error: BaseException) -> str:
    """The type of an error and where it was raised. Its message is left out: it may quote a text.

    >>> say_where(error)
    'ValueError at pipe.py:88 in predict < language.py:1044 in __call__'
    """
    frames = traceback.extract_tb(error.__traceback__)[-PLACES:]
    places = [f"{frame.filename.split('/')[-1]}:{frame.lineno} in {frame.name}" for frame in frames]
    return f"{type(error).__name__} at {' < '.join(reversed(places))}"


class Formatter(logging.Formatter):
    """Times in UTC; of an error, no more than `say_where` says."""

    converter = time.gmtime

    def __init__(self):
        super().__init__("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%SZ")

    def formatException(self, info: tuple) -> str:
        return "" if info[1] is None else say_where(info[1])

    def formatStack(self, stack: str) -> str:
        return ""


def set_up_log() -> None:
    """Let this folder and uvicorn write to standard error, once a process."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Formatter())
    for name, level in ((__package__, logging.INFO), ("uvicorn.error", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(level)


def silence_others() -> None:
    """Warnings and loggers of components may quote the texts that they are about. Not before the
    pipelines are loaded: what is said of them is of use."""
    warnings.simplefilter("ignore")
    logging.getLogger("spacy").setLevel(logging.CRITICAL + 1)
