"""A copy of a pipeline on torch whose encoders have fewer wordpieces, before it is quantized."""

import tempfile
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import spacy
import torch
from spacy.language import Language
from spacy.tokens import Doc

from ..backends.torch_backend import TorchShim
from ..backends.torch_kinds import find_embeddings
from ..checkpoints.errors import Errors
from ..checkpoints.fewer_pieces import FewerPieces, keep_pieces
from ..checkpoints.wordpieces import PieceTokenizer
from .quantizable import find_backbones


def with_fewer_pieces(nlp: Language, texts: Iterable[str | Doc]) -> tuple[Language, dict[str, int]]:
    """A copy of the pipeline whose encoders keep the pieces that the texts need: see `keep_pieces`.

    RETURNS: The copy, and how many pieces there were and are.
    """
    texts = [text if isinstance(text, str) else text.text for text in texts]
    with tempfile.TemporaryDirectory() as folder:
        nlp.to_disk(folder)
        copy = spacy.load(folder)
    copy._path = nlp.path
    n_pieces = {"before": 0, "after": 0}
    for backbone in find_backbones(copy):
        checkpoint = backbone.shim.checkpoint
        also = {checkpoint.layout.pad, *_ids_in(checkpoint.config).values()}
        fewer = keep_pieces(checkpoint.tokenizer, texts, also)
        keep_rows(backbone.shim, fewer)
        n_pieces["before"] += fewer.n_before
        n_pieces["after"] += len(fewer.kept)
    return copy, n_pieces


def keep_rows(shim: TorchShim, fewer: FewerPieces) -> None:
    """Leave out the embeddings of all other pieces, and renumber these in the shim's files."""
    module, checkpoint = shim.module, shim.checkpoint
    pad = fewer.renumber(checkpoint.layout.pad)
    if pad != checkpoint.layout.pad:
        raise ValueError(Errors.KEEP_PIECES_PADDING.format(model_type=module.config.model_type))
    embeddings = find_embeddings(module)
    weight = embeddings.weight
    rows = weight.detach()[torch.from_numpy(fewer.kept).to(weight.device)].clone()
    embeddings.weight = torch.nn.Parameter(rows, requires_grad=weight.requires_grad)
    embeddings.num_embeddings = len(rows)
    ids = {name: fewer.renumber(piece) for name, piece in _ids_in(checkpoint.config).items()}
    config = checkpoint.config | ids | {"vocab_size": len(rows)}
    module.config.update(ids | {"vocab_size": len(rows)})
    tokenizer = PieceTokenizer(fewer.definition)
    shim.checkpoint = replace(checkpoint, config=config, tokenizer=tokenizer)


def _ids_in(config: dict[str, Any]) -> dict[str, int]:
    """The pieces that a config.json names, such as "pad_token_id", as far as there are these."""
    return {
        name: value
        for name, value in config.items()
        if name.endswith("_token_id") and isinstance(value, int) and value < config["vocab_size"]
    }
