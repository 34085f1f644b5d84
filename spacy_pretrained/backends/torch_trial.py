"""Trials of a model that was just loaded: what cannot work is refused at once, with the reason, and
not by an error of torch in the middle of a training."""

import logging
from collections.abc import Callable
from functools import partial

import torch
from transformers import PreTrainedModel

from ..checkpoints.checkpoint import Checkpoint
from ..checkpoints.wordpieces import PieceTokenizer
from .errors import Errors

logger = logging.getLogger("spacy")

N_PIECES = 4
HINTS = {
    "xmod": " Set default_language in its config.json, such as 'en_XX'.",
    "bros": " It needs the place of each word on a page.",
}


def try_encoder(module: PreTrainedModel, checkpoint: Checkpoint) -> None:
    """Run a model on a short text. It is refused if that fails, if there is not one vector (D) for
    each piece, or if padding changes them; a warning says so if it is causal."""
    tokenizer, name = checkpoint.tokenizer, checkpoint.config["model_type"]
    ids = _example_ids(tokenizer)
    run = partial(_run, module, checkpoint)
    vectors = run(input_ids=ids, attention_mask=torch.ones_like(ids))
    expected = (*ids.shape, checkpoint.layout.width)
    if tuple(vectors.shape) != expected:
        found = {"name": name, "expected": expected, "shape": tuple(vectors.shape)}
        raise ValueError(Errors.MODEL_SHAPE.format(**found))
    if not torch.isfinite(vectors).all():
        raise ValueError(Errors.MODEL_NOT_FINITE.format(name=name))
    refuse_padded(run, ids, checkpoint)
    if not _heeds(run, ids, vectors, checkpoint, changed=0):
        raise ValueError(Errors.MODEL_BLIND.format(name=name))
    if not _heeds(run, ids, vectors, checkpoint, changed=-1):
        logger.warning(Errors.MODEL_CAUSAL.format(name=name))
    elif not tokenizer.n_special:
        logger.warning(Errors.TOKENIZER_NO_SPECIAL.format(name=name))


def _example_ids(tokenizer: PieceTokenizer) -> torch.Tensor:
    """A short text (1, L); of any pieces, where the tokenizer has no Latin letters."""
    (pieces,) = tokenizer.encode(["a b c d"])
    own = list(pieces.ids)
    if len(own) < N_PIECES:
        own = sorted(tokenizer.vocabulary().values())[-N_PIECES:]
    return torch.tensor([[*tokenizer.prefix, *own, *tokenizer.suffix]])


@torch.inference_mode()
def _run(module: PreTrainedModel, checkpoint: Checkpoint, **inputs: torch.Tensor) -> torch.Tensor:
    """The vectors (1, L, D)."""
    name = checkpoint.config["model_type"]
    try:
        output = module(**inputs)
    except Exception as error:  # whatever a model raises of inputs that it does not take
        reason = f"{type(error).__name__}: {error}".strip().split("\n")[0]
        hint = HINTS.get(name, "")
        message = Errors.MODEL_FAILS.format(name=name, error=reason, hint=hint)
        raise ValueError(message) from error
    if not hasattr(output, "last_hidden_state"):
        found = ", ".join(output) if hasattr(output, "keys") else type(output).__name__
        raise ValueError(Errors.MODEL_NO_VECTORS.format(name=name, found=found))
    return output.last_hidden_state


@torch.inference_mode()
def refuse_padded(
    run: Callable[..., torch.Tensor], ids: torch.Tensor, checkpoint: Checkpoint
) -> None:
    """Refuse a model whose output changes with padding, mask or not (some have convolutions).

    run: From input_ids and attention_mask, as keywords, to (W, L, D) or (W, D). ids: (1, L).
    """
    longer = torch.nn.functional.pad(ids, (0, 8), value=checkpoint.layout.pad)
    mask = torch.nn.functional.pad(torch.ones_like(ids), (0, 8))
    alone = run(input_ids=ids, attention_mask=torch.ones_like(ids))
    padded = run(input_ids=longer, attention_mask=mask)
    if padded.ndim == 3:
        padded = padded[:, : ids.shape[1]]
    if not torch.allclose(alone, padded, rtol=0, atol=1e-3 * float(alone.abs().max())):
        raise ValueError(Errors.MODEL_NO_MASK.format(name=checkpoint.config["model_type"]))


def _heeds(
    run: Callable[..., torch.Tensor],
    ids: torch.Tensor,
    vectors: torch.Tensor,
    checkpoint: Checkpoint,
    changed: int,
) -> bool:
    """Whether another piece at a place changes the vectors of other pieces. Tried, since many kinds
    of models may be causal or not, as their config says."""
    taken = {checkpoint.layout.pad, int(ids[0, changed])}
    others = ids.clone()
    others[0, changed] = max(set(checkpoint.tokenizer.vocabulary().values()) - taken)
    is_same = torch.ones(ids.shape[1], dtype=torch.bool)
    is_same[changed] = False
    found = run(input_ids=others, attention_mask=torch.ones_like(ids))
    difference = (found - vectors)[:, is_same].abs().max()
    return float(difference) > 1e-5 * float(vectors.abs().max())


def try_update(update: Callable[[], None], name: str, settings: list[str]) -> None:
    """Refuse settings with which an update fails.

    update: A step of training that leaves nothing behind. name: Of the model's kind.
    settings: Names of those that are on and that not every model can do.
    """
    try:
        update()
    except Exception as error:  # of dtypes that do not go together, and whatever else
        reason = f"{type(error).__name__}: {error}".strip().split("\n")[0]
        message = Errors.SETTING_FAILS.format(
            name=name,
            settings=" and ".join(f"{setting} = true" for setting in settings),
            error=reason,
            instead=" and ".join(f"{setting} = false" for setting in settings),
        )
        raise ValueError(message) from error
