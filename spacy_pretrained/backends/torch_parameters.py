"""Counts of the parameters of a module, inside and outside of its embeddings."""

import torch
from transformers import PreTrainedModel

from .torch_kinds import find_embeddings


def count_parameters(module: PreTrainedModel) -> int:
    return sum(p.numel() for p in module.parameters())


def count_outside_embeddings(module: PreTrainedModel) -> int:
    """The parameters that are no part of an embedding: of wordpieces, positions, segments and the
    like, with the norms that belong to them."""
    return sum(p.numel() for p in _outside_embeddings(module))


def count_outside_in_matrices(module: PreTrainedModel) -> int:
    """Those of them that are in matrices and convolutions: each takes part in one multiplication
    and one addition for a wordpiece."""
    return sum(p.numel() for p in _outside_embeddings(module) if p.ndim > 1)


def _outside_embeddings(module: PreTrainedModel) -> list[torch.nn.Parameter]:
    inside = {id(p) for p in find_embeddings(module).parameters()}
    inside |= {id(p) for name, p in module.named_parameters() if "embed" in name}
    return [p for p in module.parameters() if id(p) not in inside]
