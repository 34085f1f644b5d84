"""A copy of a pipeline on torch whose encoders have fewer wordpieces, before it is quantized."""

import tempfile
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import spacy
import torch
from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import minibatch

from ..backends.torch_backend import TorchShim
from ..backends.torch_kinds import find_embeddings
from ..checkpoints.errors import Errors
from ..checkpoints.fewer_pieces import FewerPieces, check_kind, keep_pieces
from ..checkpoints.wordpieces import PieceTokenizer
from .quantizable import TorchBackbone, find_backbones


def with_fewer_pieces(nlp: Language, texts: Iterable[str | Doc]) -> tuple[Language, dict[str, int]]:
    """A copy of the pipeline whose backbones keep the pieces that they read where it annotates the
    texts, those of labels and prefixes among them: see `keep_pieces`.

    texts: Texts, or Docs of which only the tokens count.
    RETURNS: The copy, and how many pieces there were and are.
    """
    with tempfile.TemporaryDirectory() as folder:
        nlp.to_disk(folder)
        copy = spacy.load(folder)
    copy._path = nlp.path
    n_pieces = {"before": 0, "after": 0}
    backbones = find_backbones(copy)
    for backbone in backbones:
        check_kind(backbone.shim.checkpoint.tokenizer)
    for backbone, read in zip(backbones, _find_read(copy, backbones, texts)):
        checkpoint = backbone.shim.checkpoint
        also = {checkpoint.layout.pad, *_ids_in(backbone.shim).values()}
        fewer = keep_pieces(checkpoint.tokenizer, read, also)
        keep_rows(backbone.shim, fewer)
        n_pieces["before"] += fewer.n_before
        n_pieces["after"] += len(fewer.kept)
    return copy, n_pieces


def _find_read(
    nlp: Language, backbones: list[TorchBackbone], texts: Iterable[str | Doc]
) -> list[set[int]]:
    """The pieces that each backbone reads. The plan of its batches says so, since a component may
    read more than a text, or tokenize it by the word."""
    read: list[set[int]] = [set() for _ in backbones]
    for some in minibatch(texts, nlp.batch_size):
        for backbone, pieces in zip(backbones, read):
            for batch in backbone.plan_as_it_runs(nlp, some):
                pieces.update(np.unique(batch.ids[batch.mask > 0]).tolist())
    return read


def keep_rows(shim: TorchShim, fewer: FewerPieces) -> None:
    """Leave out the embeddings of all other pieces, and renumber these in the shim's files."""
    module, checkpoint = shim.module, shim.checkpoint
    pad = fewer.renumber(checkpoint.layout.pad)
    if pad != checkpoint.layout.pad:
        raise ValueError(Errors.KEEP_PIECES_PADDING.format(model_type=module.config.model_type))
    ids = {name: fewer.renumber(piece) for name, piece in _ids_in(shim).items()}
    embeddings = find_embeddings(module)
    weight = embeddings.weight
    rows = weight.detach()[torch.from_numpy(fewer.kept).to(weight.device)].clone()
    embeddings.weight = torch.nn.Parameter(rows, requires_grad=weight.requires_grad)
    embeddings.num_embeddings = len(rows)
    config = checkpoint.config | ids | {"vocab_size": len(rows)}
    module.config.update(ids | {"vocab_size": len(rows)})
    tokenizer = PieceTokenizer(fewer.definition)
    shim.checkpoint = replace(checkpoint, config=config, tokenizer=tokenizer)


def _ids_in(shim: TorchShim) -> dict[str, int]:
    """The pieces that a config.json names, such as "pad_token_id", as far as there are these."""
    n_pieces = len(find_embeddings(shim.module).weight)  # not all config.json have "vocab_size"
    return {
        name: value
        for name, value in shim.checkpoint.config.items()
        if name.endswith("_token_id") and isinstance(value, int) and value < n_pieces
    }
