"""Modules as they were called in 0.1.0: `spacy_pretrained.quantize` is `old_paths/quantize.py`.

They go with version 1.0. The package's `__init__.py` adds this folder to its path.
"""

import warnings


def warn_of(module: str, names: str) -> None:
    """Say where the names are now, at the line that imports the old module."""
    warnings.warn(
        f"`{module}` is an old path that version 1.0 will not have: import {names} from "
        "`spacy_pretrained` itself.",
        DeprecationWarning,
        stacklevel=3,
    )
