"""Hugging Face encoders in and out of files: safetensors only, no pickle, no remote code."""

import json
import re
from pathlib import Path

import safetensors.torch
import torch
from transformers import AutoConfig, AutoModel, PreTrainedModel
from transformers import logging as hf_logging

from ..checkpoints.checkpoint import (
    CONFIG,
    Checkpoint,
    Files,
    Layout,
    read_checkpoint,
    without_kernels,
)
from .errors import Errors
from .torch_kinds import adapt_config, find_embeddings, take_encoder
from .torch_remote_code import refuse_remote_code
from .torch_safetensors import dump
from .torch_tokenizer import LOCAL, read_settings, read_tokenizer
from .torch_trial import try_encoder
from .torch_warnings import without_warnings

WEIGHTS = "model.safetensors"
NOT_NEEDED = re.compile(r"pooler\.|^decoder\.")  # tensors that a folder may lack
SIZES = ("vocab_size", "hidden_size", "intermediate_size")  # of tensors, as config.json has them
UNBOUNDED = 10**6  # model_max_length is some huge number where a tokenizer knows no limit


def load_pretrained(folder: Path, dropout: float | None) -> tuple[PreTrainedModel, Checkpoint]:
    """Load pretrained weights from a folder in Hugging Face layout, in float32."""
    module, config, missing = open_module(folder, AutoModel, dropout)
    refuse_misfits([name for name in missing if not NOT_NEEDED.search(name)], folder)
    module = take_encoder(module)
    checkpoint = make_checkpoint(module, config, folder, width=module.config.hidden_size)
    try_encoder(module, checkpoint)
    return module, checkpoint


@without_warnings()
def open_module(
    folder: Path, kind: type, dropout: float | None
) -> tuple[PreTrainedModel, dict, list[str]]:
    """A module of a kind, one of transformers' `AutoModel...`, in evaluation mode and float32; its
    config.json; and the names of tensors that the folder lacks, which are random."""
    hf_logging.disable_progress_bar()  # a bar for every load of a spaCy pipeline says nothing
    refuse_remote_code(folder)
    try:
        config = AutoConfig.from_pretrained(folder, **LOCAL)
        own_config = without_kernels(json.loads(config.to_json_string()))
        module, report = kind.from_pretrained(
            folder,
            config=adapt_config(config, dropout),
            **LOCAL,
            use_safetensors=True,
            ignore_mismatched_sizes=True,  # they are in the report
            output_loading_info=True,
        )
    except Exception as error:  # damaged files raise bare Exceptions, unknown models ValueErrors
        raise ValueError(Errors.MODEL_BROKEN.format(source=folder, error=error)) from error
    # Each is a name in transformers 4, a name and two shapes in 5.
    misfits = [key if isinstance(key, str) else key[0] for key in report["mismatched_keys"]]
    refuse_misfits(misfits, folder)
    return module.float().eval(), own_config, list(report["missing_keys"])


def make_checkpoint(
    module: PreTrainedModel, config: dict, folder: Path, *, width: int, segments: bool = False
) -> Checkpoint:
    """What goes with a module of a folder; for width and segments see `Layout`."""
    pad = max(0, getattr(module.config, "pad_token_id", None) or 0)  # -1 for none
    layout = Layout(width, _max_window(module, folder), pad, segments)
    tokenizer = read_tokenizer(folder, module)
    if getattr(module.config, "trigram_input", False):
        # MobileBERT reads the next piece's embedding: padding's must be what the end of text is.
        find_embeddings(module).weight.data[pad] = 0
    return Checkpoint(config, tokenizer, layout)


def from_files(files: Files, dropout: float | None) -> tuple[PreTrainedModel, Checkpoint]:
    """The inverse of `to_files`."""
    checkpoint = read_checkpoint(files)
    module = take_encoder(build_module(files, AutoModel, dropout))
    fill_module(module, files)
    return module, checkpoint


def build_module(files: Files, kind: type, dropout: float | None) -> PreTrainedModel:
    """A module of a kind by its saved config.json, with random weights."""
    values = without_kernels(json.loads(files[CONFIG]))
    _refuse_too_large(values, files)
    try:
        config = adapt_config(AutoConfig.for_model(**values), dropout)
        return kind.from_config(config).float()
    except Exception as error:  # an unknown kind of model, activation or type of numbers
        reason = f"no model can be made of it ({type(error).__name__}: {error})"
        raise ValueError(Errors.CONFIG_BROKEN.format(error=reason)) from error


def _refuse_too_large(config: dict, files: Files) -> None:
    """ValueError if a config is of a much larger model than the weights are, before memory is
    taken for it."""
    shapes = [tensor["shape"] for tensor in _read_header(files).values() if "shape" in tensor]
    largest = max((size for shape in shapes for size in shape), default=0)
    bounds = dict.fromkeys(SIZES, 4 * largest) | {"num_hidden_layers": len(shapes)}
    for name, bound in bounds.items():
        value = config.get(name)
        if isinstance(value, int) and value > bound:
            error = f"by its {name} = {value:,} it is of another model than {WEIGHTS}"
            raise ValueError(Errors.CONFIG_BROKEN.format(error=error))


def _read_header(files: Files) -> dict:
    """The shapes of the tensors in the weights: 8 bytes that say how long it is, and JSON."""
    if WEIGHTS not in files:
        raise ValueError(Errors.CHECKPOINT_MISSING.format(name=WEIGHTS))
    length = int.from_bytes(files[WEIGHTS][:8], "little")
    try:
        header = json.loads(files[WEIGHTS][8 : 8 + length])
    except ValueError as error:
        raise ValueError(Errors.WEIGHTS_BROKEN.format(name=WEIGHTS, error=error)) from error
    return {name: value for name, value in header.items() if name != "__metadata__"}


def fill_module(module: PreTrainedModel, files: Files) -> None:
    """Take saved weights."""
    try:
        weights = safetensors.torch.load(files[WEIGHTS])
    except Exception as error:  # SafetensorError derives from Exception alone
        raise ValueError(Errors.WEIGHTS_BROKEN.format(name=WEIGHTS, error=error)) from error
    if not all(bool(torch.isfinite(tensor.sum())) for tensor in weights.values()):
        raise ValueError(Errors.WEIGHTS_NOT_FINITE.format(name=WEIGHTS))
    try:
        missing, unexpected = module.load_state_dict(weights, strict=False)
    except RuntimeError as error:
        raise ValueError(Errors.WEIGHTS_MISMATCH.format(name=WEIGHTS, error=error)) from error
    refuse_misfits([*unexpected, *(set(missing) & set(_own_tensors(module)))], WEIGHTS)


def to_files(module: PreTrainedModel, checkpoint: Checkpoint) -> Files:
    return checkpoint.to_files() | {WEIGHTS: dump(_own_tensors(module))}


def refuse_misfits(tensors: list[str], source: Path | str) -> None:
    """Refuse weights that are not all of this model's: the rest would be random."""
    if tensors:
        detail = f"{len(tensors)} tensors, such as {min(tensors)}"
        raise ValueError(Errors.WEIGHTS_MISMATCH.format(name=source, error=detail))


def _own_tensors(module: PreTrainedModel) -> dict[str, torch.Tensor]:
    """The state dict without second names of tensors that a model uses twice."""
    seen = set()
    own = {}
    for name, tensor in module.state_dict().items():
        if tensor.data_ptr() not in seen or not tensor.numel():
            seen.add(tensor.data_ptr())
            own[name] = tensor
    return own


def _max_window(module: PreTrainedModel, folder: Path) -> int:
    """Pieces that the model takes at once, special ones included."""
    limits = [UNBOUNDED]
    names = ("max_encoder_position_embeddings", "max_position_embeddings")  # LED has the first
    positions = next(filter(None, (getattr(module.config, name, None) for name in names)), None)
    if positions and positions > 0:
        # RoBERTa and its kin count positions from behind the padding piece's.
        embeddings = getattr(module.base_model, "embeddings", None)
        table = getattr(embeddings, "position_embeddings", None)
        offset = getattr(table, "padding_idx", None)
        limits.append(positions - (0 if offset is None else offset + 1))
    limits.append(int(read_settings(folder).get("model_max_length") or UNBOUNDED))
    return min(limits)
