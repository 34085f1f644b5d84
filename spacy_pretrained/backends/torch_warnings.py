"""What transformers logs."""

from collections.abc import Iterator
from contextlib import contextmanager

from transformers import logging as hf_logging


@contextmanager
def without_warnings() -> Iterator[None]:
    """While a model is loaded, transformers reports weights that are missing and advises to train
    them, also those of a pooler that is taken away. Weights that are needed have errors of ours."""
    level = hf_logging.get_verbosity()
    hf_logging.set_verbosity_error()
    try:
        yield
    finally:
        hf_logging.set_verbosity(level)
