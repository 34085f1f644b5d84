"""Entailment models on torch: Hugging Face models for the classification of pairs of texts."""

import inspect
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import torch
from transformers import AutoModelForSequenceClassification, PreTrainedModel

from ..checkpoints.checkpoint import Checkpoint, Files, read_checkpoint
from ..checkpoints.entailment_labels import find_entailment
from ..windows.pair_plan import PairPlan
from .errors import Errors
from .torch_backend import TorchShim
from .torch_trial import refuse_padded
from .torch_weights import build_module, fill_module, make_checkpoint, open_module

EXAMPLES = (
    (["A man sleeps.", "Nobody is there, they say."], ["Somebody rests."]),
    (["It rains."], ["The weather is bad today."]),
    (["Two dogs run on the beach.", "No.", "They said so."], ["Animals are outside.", "Yes."]),
)


class TorchPairShim(TorchShim):
    """A model that says of pairs of texts whether one follows from the other. It takes batches of
    pairs (see `pair_plan.PairBatch`) and gives the logits (W, C) of its C classes."""

    gives_vectors = False

    @staticmethod
    def compute(module: PreTrainedModel, **inputs: torch.Tensor) -> torch.Tensor:
        return module(**inputs).logits

    @staticmethod
    def load(folder: Path, dropout: float | None) -> tuple[PreTrainedModel, Checkpoint]:
        """From a folder in Hugging Face layout. ValueError if its weights have no head that
        classifies, or its config.json does not say which class is entailment."""
        module, config, missing = open_module(folder, AutoModelForSequenceClassification, dropout)
        if missing:
            raise ValueError(Errors.ENTAILMENT_NO_HEAD.format(folder=folder, tensor=min(missing)))
        find_entailment(config)
        checkpoint = make_checkpoint(
            module, config, folder, width=module.config.num_labels, segments=_takes_segments(module)
        )
        _check_padding(module, checkpoint)
        return module, checkpoint

    @staticmethod
    def read(files: Files, dropout: float | None) -> tuple[PreTrainedModel, Checkpoint]:
        checkpoint = read_checkpoint(files)
        module = build_module(files, AutoModelForSequenceClassification, dropout)
        fill_module(module, files)
        return module, checkpoint

    def example_inputs(self) -> Iterator[dict[str, torch.Tensor]]:
        return _example_inputs(self.checkpoint)


def _takes_segments(module: PreTrainedModel) -> bool:
    """Whether the model is told which of two texts a piece is of. RoBERTa's kin have a table of
    one segment, and their tokenizers all the same may number the second text 1."""
    arguments = inspect.signature(module.forward).parameters
    n_segments = getattr(module.config, "type_vocab_size", 2)  # XLNet has no table
    return "token_type_ids" in arguments and n_segments > 1


def _example_inputs(checkpoint: Checkpoint) -> Iterator[dict[str, torch.Tensor]]:
    """Pairs of texts, since some models (BART) look for special pieces among the ids."""
    for texts, hypotheses in EXAMPLES:
        plan = PairPlan(checkpoint, texts, hypotheses, window=0, max_pieces=10_000)
        for batch in plan.batches():
            yield {name: torch.from_numpy(array) for name, array in batch.inputs.items()}


def _check_padding(module: PreTrainedModel, checkpoint: Checkpoint) -> None:
    """Refuse a model whose logits change with padding."""
    (texts, hypotheses) = EXAMPLES[1]
    (batch,) = PairPlan(checkpoint, texts, hypotheses, window=0, max_pieces=10_000).batches()
    run = partial(TorchPairShim.compute, module)
    refuse_padded(run, torch.from_numpy(batch.ids), checkpoint)
