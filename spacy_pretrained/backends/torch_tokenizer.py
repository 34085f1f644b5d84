"""The tokenizer that goes with a model, from the model's folder."""

import json
import logging
from pathlib import Path

from tokenizers import Tokenizer
from transformers import AutoTokenizer, PreTrainedModel

from ..checkpoints.checkpoint import TOKENIZER
from ..checkpoints.tokenizer_checks import describe_conflicts, refuse_ignorant
from ..checkpoints.wordpieces import PieceTokenizer
from .errors import Errors
from .torch_kinds import find_embeddings

logger = logging.getLogger("spacy")

# Nothing is fetched; and without the second, a user is asked whether code of the folder may run.
LOCAL = {"local_files_only": True, "trust_remote_code": False}
VOCABULARIES = ("vocab*", "*.model", "merges.txt")  # of tokenizers without a tokenizer.json
SETTINGS = "tokenizer_config.json"
FEWEST = 0.5  # pieces for each vector of a model


def read_tokenizer(folder: Path, module: PreTrainedModel) -> PieceTokenizer:
    """The tokenizer in a folder, if it can be that of the folder's model. Warnings say where it is
    at odds with its settings, or with the model.

    RAISES: ValueError if there is none, or if it knows no words.
    """
    tokenizer = PieceTokenizer(_read_definition(folder))
    refuse_ignorant(tokenizer, str(folder))
    _check_vocabulary(module, tokenizer, folder)
    if (folder / TOKENIZER).is_file():
        for warning in describe_conflicts(tokenizer, read_settings(folder), str(folder)):
            logger.warning(warning)
    return tokenizer


def read_settings(folder: Path) -> dict:
    """What tokenizer_config.json says; nothing if there is none."""
    path = folder / SETTINGS
    return json.loads(path.read_text("utf8")) if path.is_file() else {}


def _read_definition(folder: Path) -> str:
    path = folder / TOKENIZER
    if path.is_file():
        return path.read_text("utf8")
    if not any(file for pattern in VOCABULARIES for file in folder.glob(pattern)):
        # transformers would make up one that knows no words
        raise ValueError(Errors.TOKENIZER_MISSING.format(source=folder))
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, **LOCAL)
    except Exception as error:
        raise ValueError(Errors.MODEL_BROKEN.format(source=folder, error=error)) from error
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if not isinstance(backend, Tokenizer):
        name = type(tokenizer).__name__
        raise ValueError(Errors.TOKENIZER_NOT_FAST.format(source=folder, name=name))
    return backend.to_str()


def _check_vocabulary(module: PreTrainedModel, tokenizer: PieceTokenizer, folder: Path) -> None:
    """Refuse a tokenizer with pieces that the model has no vectors of: a text with one would end in
    an IndexError, some day. One that has far fewer than there are vectors gets a warning."""
    n_vectors = len(find_embeddings(module).weight)
    vocabulary = tokenizer.vocabulary()
    piece, largest = max(vocabulary.items(), key=lambda item: item[1])
    if largest >= n_vectors:
        known = {"source": folder, "piece": piece, "number": largest, "n_vectors": n_vectors}
        raise ValueError(Errors.TOKENIZER_TOO_LARGE.format(**known))
    if len(vocabulary) < FEWEST * n_vectors:
        known = {"source": folder, "n_pieces": len(vocabulary), "n_vectors": n_vectors}
        logger.warning(Errors.TOKENIZER_SMALL.format(**known))
