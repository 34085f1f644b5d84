"""Blocks as batches of tensors, masked anew each time."""

from collections.abc import Iterator

import numpy as np
import torch

from .blocks import Blocks
from .masking import Vocabulary, mask

HELD_OUT = 2**31  # takes the place of the epoch: what is held out is always masked the same way


class MaskedBlocks(torch.utils.data.Dataset):
    """Numbers of blocks for the Trainer, and `collate`, which reads the blocks.

    What is masked follows from seed, epoch and the number of the block, so that a training that
    resumes from a checkpoint masks the same pieces as one that was never stopped.
    """

    def __init__(self, blocks: Blocks, vocabulary: Vocabulary, seed: int):
        self._blocks = blocks
        self._vocabulary = vocabulary
        self._seed = seed
        self.epoch = 0

    def __len__(self) -> int:
        return len(self._blocks)

    def __getitem__(self, number: int) -> int:
        return number

    def collate(self, numbers: list[int]) -> dict[str, torch.Tensor]:
        return make_batch(self._blocks, numbers, self._vocabulary, (self._seed, self.epoch))


def make_batch(
    blocks: Blocks, numbers: list[int], vocabulary: Vocabulary, seeds: tuple[int, int]
) -> dict[str, torch.Tensor]:
    """Arguments of `MaskedLanguageModel`, as long as the longest of the blocks."""
    length = int(blocks.lengths[numbers].max())
    masked = [
        mask(
            blocks.ids[number, :length],
            blocks.units[number, :length],
            vocabulary,
            np.random.default_rng((*seeds, number)),
        )
        for number in numbers
    ]
    is_piece = np.arange(length) < blocks.lengths[numbers][:, None]
    batch = {
        "input_ids": np.stack([read for read, _ in masked]),
        "attention_mask": is_piece.astype("int64"),
        "labels": np.stack([labels for _, labels in masked]),
    }
    if blocks.segments is not None:
        batch["token_type_ids"] = blocks.segments[numbers, :length].astype("int64")
        batch["is_next"] = blocks.is_next[numbers]
    return {name: torch.from_numpy(array) for name, array in batch.items()}


def held_out_batches(
    blocks: Blocks, vocabulary: Vocabulary, size: int, seed: int
) -> Iterator[dict[str, torch.Tensor]]:
    """All blocks in order, masked the same way each time."""
    for start in range(0, len(blocks), size):
        numbers = list(range(start, min(start + size, len(blocks))))
        yield make_batch(blocks, numbers, vocabulary, (seed, HELD_OUT))
