"""From a file of texts to blocks to train on, and blocks that are held out."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..checkpoints.checkpoint import Checkpoint
from .blocks import Blocks, pack
from .errors import Errors
from .options import AdaptOptions
from .pairs import pack_pairs
from .texts import HELD_OUT, Text, hold_out, read_texts

MOST_HELD_OUT_BLOCKS = 200


@dataclass(frozen=True)
class Data:
    training: Blocks
    held_out: Blocks
    n_texts: int
    pairs_left_out: int


def make_data(path: Path, checkpoint: Checkpoint, options: AdaptOptions) -> Data:
    """Read texts and pack them. Held out are texts or, where there are few, the last blocks.

    RAISES: ValueError if there is too little text.
    """
    texts = read_texts(path, options.text_field, sentences=options.next_sentence)
    training, held_out = hold_out(texts, options.seed)
    blocks, left_out = _pack(training, checkpoint, options)
    if held_out:
        rest, n_more = _pack(held_out, checkpoint, options)
        left_out += n_more
    else:
        n = max(1, round(HELD_OUT * len(blocks)))
        blocks, rest = blocks.take(slice(None, -n)), blocks.take(slice(-n, None))
    if not len(blocks) or not len(rest) or not rest.n_pieces:
        if left_out:
            n = left_out + len(blocks) + len(rest)
            known = {"n_long": left_out, "n": n, "length": options.length}
            raise ValueError(Errors.PAIRS_LONG.format(**known))
        found = f"{len(blocks) + len(rest)} blocks"
        raise ValueError(Errors.TEXTS_FEW.format(n_blocks=found, length=options.length))
    return Data(blocks, rest.take(slice(MOST_HELD_OUT_BLOCKS)), len(texts), left_out)


def _pack(texts: list[Text], checkpoint: Checkpoint, options: AdaptOptions) -> tuple[Blocks, int]:
    tokenizer, pad = checkpoint.tokenizer, checkpoint.layout.pad
    if options.next_sentence:
        rng = np.random.default_rng(options.seed)
        settings = {"whole_words": options.whole_words}
        return pack_pairs(texts, tokenizer, options.length, pad, rng, **settings)
    found = pack(texts, tokenizer, options.length, pad, whole_words=options.whole_words)
    return found, 0
