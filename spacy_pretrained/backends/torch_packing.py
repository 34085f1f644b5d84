"""Several windows side by side in a row on torch: each piece sees those of its own window alone,
and its position is that within the window.

Packing without contamination: M. M. Krell et al., Efficient Sequence Packing without
Cross-contamination, 2021.
"""

import inspect
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from transformers import PreTrainedModel

from ..checkpoints.checkpoint import Layout

logger = logging.getLogger("spacy")

# Of vectors in fp32, relative to the largest: other shapes, and engines, add up in another order.
TOLERANCE = 1e-3
# Of windows side by side in a row. The long one shows which models look no further than so far.
EXAMPLE_WINDOWS = ((300,), (9, 20, 5), (2, 30))
# Added to the scores of what a piece must not see. The lowest number of float32 would be infinite
# in bfloat16.
UNSEEN = torch.finfo(torch.bfloat16).min

Inputs = dict[str, torch.Tensor]
Run = Callable[..., torch.Tensor]  # inputs by name to vectors (R, L, D)


@dataclass(frozen=True)
class Packing:
    """How a model is told the windows of a row apart.

    pad: Id of the padding piece.
    takes_positions: Whether the model is told the pieces' positions. If not, it knows pieces by
        their distances.
    first_position: Of a window; RoBERTa and its kin begin behind the padding's. They have that for
        a padding piece in the text, too, and do not count it.
    """

    pad: int
    takes_positions: bool
    first_position: int

    def inputs(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> Inputs:
        """What the model is given, of ids and the windows' numbers (R, L), from 1; 0 is padding."""
        is_same = attention_mask[:, :, None] == attention_mask[:, None, :]
        # What attention's scores are added, with an axis for the heads.
        scores = torch.where(is_same, 0.0, UNSEEN)[:, None]
        inputs = {"input_ids": input_ids, "attention_mask": scores}
        if self.takes_positions:
            inputs["position_ids"] = self._positions(input_ids, is_same)
        return inputs

    def _positions(self, input_ids: torch.Tensor, is_same: torch.Tensor) -> torch.Tensor:
        place = torch.arange(input_ids.shape[1], device=input_ids.device)
        is_before = is_same & (place[None, :] < place[:, None])
        if not self.first_position:
            return is_before.sum(-1)
        counts = input_ids != self.pad
        positions = (is_before & counts[:, None, :]).sum(-1) + self.first_position
        return torch.where(counts, positions, self.first_position - 1)


@torch.no_grad()
def find_packing(
    module: PreTrainedModel, run: Run, layout: Layout, *, mixed_precision: bool
) -> Packing | None:
    """How a model keeps the windows of a row apart, if each comes out as it does alone. What one
    model heeds the next takes no notice of, so that this is tried and not looked up.

    run: Gives the module's vectors.
    mixed_precision: Whether it is to run in bfloat16, too.
    """
    was_training = module.training
    module.eval()  # dropout would be another each time
    try:
        return _find_packing(module, run, layout, mixed_precision=mixed_precision)
    finally:
        module.train(was_training)


def _find_packing(
    module: PreTrainedModel, run: Run, layout: Layout, *, mixed_precision: bool
) -> Packing | None:
    device = module.device
    takes_positions = "position_ids" in inspect.signature(module.forward).parameters
    rows = [{k: t.to(device) for k, t in row.items()} for row in example_rows(module, layout)]
    n_positions = getattr(module.config, "max_position_embeddings", None)
    for first_position in (0, layout.pad + 1):
        if n_positions and first_position + rows[0]["input_ids"].shape[1] > n_positions:
            continue  # a GPU that is asked for a position beyond the table answers nothing any more
        packing = Packing(layout.pad, takes_positions, first_position)
        try:
            if not all(_is_as_alone(packing, run, row) for row in rows):
                continue
            with torch.autocast(device.type, dtype=torch.bfloat16, enabled=mixed_precision):
                found = run(**packing.inputs(**rows[-1]))
        except Exception as error:  # whatever it says of a mask of a shape that it does not know
            logger.debug("It does not take several windows in a row: %s", error)
            continue
        if found.isfinite().all():
            return packing
    return None


def _is_as_alone(packing: Packing, run: Run, row: Inputs) -> bool:
    ids, mask = row["input_ids"], row["attention_mask"]
    together = run(**packing.inputs(ids, mask))[0]
    for number in range(1, int(mask.max()) + 1):
        own = ids[mask == number][None]
        alone = run(input_ids=own, attention_mask=torch.ones_like(own))[0]
        if not relative_difference(together[mask[0] == number], alone) < TOLERANCE:
            return False
    return True


def relative_difference(found: torch.Tensor, expected: torch.Tensor) -> float:
    """The largest difference, by the largest absolute value; NaN if there is one."""
    return float((found - expected).abs().max() / expected.abs().max())


def example_rows(module: PreTrainedModel, layout: Layout) -> Iterator[Inputs]:
    """Ids and the windows' numbers, (1, L) each, with some padding."""
    generator = torch.Generator().manual_seed(0)
    for lengths in EXAMPLE_WINDOWS:
        numbers = [number for number, n in enumerate(lengths, start=1) for _ in range(n)]
        mask = torch.tensor([numbers + [0] * 3])[:, : layout.max_window]
        ids = torch.randint(module.config.vocab_size, mask.shape, generator=generator)
        ids[ids == layout.pad] = layout.pad + 1  # some models know padding by it
        ids[mask == 0] = layout.pad
        yield {"input_ids": ids, "attention_mask": mask}
