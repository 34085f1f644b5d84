"""Models that come with Python code of their own, which is never run."""

import json
from pathlib import Path

import transformers

from ..checkpoints.checkpoint import CONFIG
from .errors import Errors


def refuse_remote_code(folder: Path) -> None:
    """Refuse a model that only its own code can compute. Some models with code are of a kind that
    transformers has by now; those are loaded by its classes.

    RAISES: ValueError, naming the code.
    """
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf8"))
    except ValueError as error:
        raise ValueError(Errors.MODEL_BROKEN.format(source=folder, error=error)) from error
    code = config.get("auto_map") or {}
    if not code:
        return
    is_known = config.get("model_type") in transformers.CONFIG_MAPPING
    classes = config.get("architectures") or []
    if not is_known or not all(hasattr(transformers, name) for name in classes):
        name = code.get("AutoModel") or next(iter(code.values()))
        raise ValueError(Errors.MODEL_REMOTE_CODE.format(source=folder, code=name))
