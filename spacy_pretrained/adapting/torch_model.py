"""An encoder with a head that says which pieces were masked: its own, or a fresh one."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import cross_entropy
from transformers import (
    MODEL_FOR_MASKED_LM_MAPPING,
    AutoConfig,
    AutoModelForMaskedLM,
    PreTrainedModel,
)
from transformers.utils import ModelOutput

from ..backends.torch_remote_code import refuse_remote_code
from ..backends.torch_tokenizer import LOCAL
from ..backends.torch_weights import NOT_NEEDED, make_checkpoint, open_module, refuse_misfits
from ..checkpoints.checkpoint import Checkpoint
from ..checkpoints.wordpieces import SPECIAL
from .errors import Errors
from .masking import IGNORED, Vocabulary

MASK_PIECES = ("[MASK]", "<mask>")


class MaskedLanguageModel(torch.nn.Module):
    """Computes losses of masked pieces and, with a head for it, of next sentences.

    The head of masked pieces runs on these alone: with all pieces it would cost a small encoder as
    much as the encoder itself.
    """

    def __init__(self, masked_lm: PreTrainedModel, *, pairs: bool):
        super().__init__()
        self.masked_lm = masked_lm
        width = masked_lm.config.hidden_size
        # BERT's pooler and its head of two classes in one. The task alone needs them.
        self.pair_head = (
            torch.nn.Sequential(
                torch.nn.Linear(width, width), torch.nn.Tanh(), torch.nn.Linear(width, 2)
            )
            if pairs
            else None
        )
        self._is_frozen = False
        self._chosen: torch.Tensor | None = None
        self._first: torch.Tensor | None = None
        masked_lm.base_model.register_forward_hook(self._keep_chosen)

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        labels: torch.Tensor,
        token_type_ids: torch.Tensor | None = None,
        is_next: torch.Tensor | None = None,
    ) -> dict[str, torch.Tensor]:
        """Losses, each a mean: "loss" is their sum, "masked" that of masked pieces.

        input_ids, attention_mask, labels, token_type_ids: (R, L). is_next: (R,).
        """
        inputs = {"input_ids": input_ids, "attention_mask": attention_mask}
        if token_type_ids is not None:
            inputs["token_type_ids"] = token_type_ids
        self._chosen = labels != IGNORED  # for the hook `_keep_chosen`, between encoder and head
        logits = self.masked_lm(**inputs).logits[0]  # (M, V)
        masked = cross_entropy(logits.float(), labels[self._chosen])
        losses = {"loss": masked, "masked": masked}
        if self.pair_head is not None:
            scores = self.pair_head(self._first)
            losses["loss"] = masked + cross_entropy(scores.float(), is_next)
        return losses

    def _keep_chosen(
        self, module: torch.nn.Module, args: tuple, output: ModelOutput | tuple
    ) -> ModelOutput | tuple:
        """Leave the vectors (1, M, D) of the masked pieces to the head, of all (R, L, D)."""
        vectors = output[0]
        self._first = vectors[:, 0]
        chosen = vectors[self._chosen][None]
        if isinstance(output, tuple):
            return (chosen, *output[1:])
        output["last_hidden_state"] = chosen
        return output

    def freeze_encoder(self, frozen: bool) -> None:
        """Leave the encoder, its table of embeddings included, as it is, without dropout."""
        self._is_frozen = frozen
        for parameter in self.masked_lm.base_model.parameters():
            parameter.requires_grad_(not frozen)

    def train(self, mode: bool = True) -> "MaskedLanguageModel":
        super().train(mode)
        if self._is_frozen:
            self.masked_lm.base_model.eval()
        return self


@dataclass(frozen=True)
class Opened:
    model: MaskedLanguageModel
    checkpoint: Checkpoint
    vocabulary: Vocabulary
    is_fresh: bool  # whether the head of masked pieces is


def open_masked_lm(folder: Path, source: str, *, pairs: bool, seed: int) -> Opened:
    """Load a model with a head for masked pieces from a folder in Hugging Face layout.

    RAISES: ValueError if it cannot have one.
    """
    refuse_remote_code(folder)
    _check_kind(folder, source)
    torch.manual_seed(seed)  # of what is fresh
    masked_lm, config, missing = open_module(folder, AutoModelForMaskedLM, None)
    in_encoder = f"{masked_lm.base_model_prefix}."
    of_encoder = [name for name in missing if name.startswith(in_encoder)]
    refuse_misfits([n for n in of_encoder if not NOT_NEEDED.search(n)], folder)
    fresh = _find_head(masked_lm) & set(missing)
    is_fresh = bool(fresh)
    if is_fresh:
        _set_biases(masked_lm, fresh)
        _tie(masked_lm, source)
    checkpoint = make_checkpoint(masked_lm, config, folder, width=masked_lm.config.hidden_size)
    if pairs and not _tells_pairs_apart(masked_lm, checkpoint):
        raise ValueError(Errors.PAIRS_NO_SEGMENTS.format(name=config["model_type"]))
    model = MaskedLanguageModel(masked_lm, pairs=pairs)
    return Opened(model, checkpoint, _find_vocabulary(checkpoint, source), is_fresh)


def _tells_pairs_apart(masked_lm: PreTrainedModel, checkpoint: Checkpoint) -> bool:
    _, first, _, second, _ = checkpoint.tokenizer.find_pair_frame().segments
    return first != second and (getattr(masked_lm.config, "type_vocab_size", 0) or 0) > second


def _check_kind(folder: Path, source: str) -> None:
    try:
        config = AutoConfig.from_pretrained(folder, **LOCAL)
    except Exception as error:  # damaged files raise bare Exceptions, unknown models ValueErrors
        raise ValueError(Errors.MODEL_BROKEN.format(source=folder, error=error)) from error
    if type(config) not in MODEL_FOR_MASKED_LM_MAPPING or config.is_encoder_decoder:
        raise ValueError(Errors.NO_MASKED_LM.format(source=source, name=config.model_type))


def _find_head(masked_lm: PreTrainedModel) -> set[str]:
    """The names of the parameters that the encoder does not have, too."""
    own = {id(parameter) for parameter in masked_lm.base_model.parameters()}
    return {name for name, p in masked_lm.named_parameters() if id(p) not in own}


def _set_biases(masked_lm: PreTrainedModel, fresh: set[str]) -> None:
    """Of some kinds, such as Longformer, transformers leaves the head's bias as memory was."""
    for name, parameter in masked_lm.named_parameters():
        if name in fresh and name.endswith("bias"):
            torch.nn.init.zeros_(parameter)


def _tie(masked_lm: PreTrainedModel, source: str) -> None:
    """Let the head's last layer be the table of embeddings."""
    output, table = masked_lm.get_output_embeddings(), masked_lm.get_input_embeddings()
    if output is not None and output.weight is not table.weight:
        found, wanted = tuple(table.weight.shape), tuple(output.weight.shape)
        if found != wanted:
            name = masked_lm.config.model_type
            known = {"name": name, "wanted": wanted[-1], "found": found[-1]}
            raise ValueError(Errors.HEAD_SHAPE.format(source=source, **known))
        output.weight = table.weight
    masked_lm.config.tie_word_embeddings = True


def _find_vocabulary(checkpoint: Checkpoint, source: str) -> Vocabulary:
    pieces = checkpoint.tokenizer.vocabulary()
    number = next((pieces[name] for name in MASK_PIECES if name in pieces), None)
    if number is None:
        raise ValueError(Errors.NO_MASK_PIECE.format(source=source))
    special = {pieces[name] for name in SPECIAL if name in pieces} | {checkpoint.layout.pad}
    special |= {*checkpoint.tokenizer.prefix, *checkpoint.tokenizer.suffix}
    ordinary = sorted(set(pieces.values()) - special)
    return Vocabulary(number, np.asarray(ordinary, dtype="int64"))
