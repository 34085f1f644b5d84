"""The perplexity of masked pieces of held-out texts."""

import math
from collections.abc import Iterable

import torch

from .masking import IGNORED
from .torch_model import MaskedLanguageModel


@torch.inference_mode()
def measure_perplexity(
    model: MaskedLanguageModel, batches: Iterable[dict[str, torch.Tensor]], *, bfloat16: bool
) -> float:
    """The exponential of the mean loss of all masked pieces; infinite if that is beyond a float."""
    was_training = model.training
    model.eval()
    device = next(model.parameters()).device
    total, n_pieces = 0.0, 0
    for batch in batches:
        batch = {name: tensor.to(device) for name, tensor in batch.items()}
        with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
            loss = float(model(**batch)["masked"])
        n = int((batch["labels"] != IGNORED).sum())
        total, n_pieces = total + n * loss, n_pieces + n
    model.train(was_training)
    try:
        return math.exp(total / n_pieces)
    except OverflowError:
        return math.inf
