"""Hugging Face encoders in and out of files: safetensors only, no pickle, no remote code."""

import inspect
import json
from collections.abc import Callable
from pathlib import Path

import safetensors.torch
import torch
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoModel, AutoTokenizer, PretrainedConfig, PreTrainedModel
from transformers import logging as hf_logging

from ..checkpoints.checkpoint import CONFIG, TOKENIZER, Checkpoint, Files, Layout, read_checkpoint
from ..checkpoints.wordpieces import PieceTokenizer
from .errors import Errors
from .torch_remote_code import refuse_remote_code
from .torch_warnings import without_warnings

# Nothing is fetched; and without the second, a user is asked whether code of the folder may run.
LOCAL = {"local_files_only": True, "trust_remote_code": False}
WEIGHTS = "model.safetensors"
VOCABULARIES = ("vocab*", "*.model", "merges.txt")  # of tokenizers without a tokenizer.json
UNBOUNDED = 10**6  # model_max_length is some huge number where a tokenizer knows no limit


def load_pretrained(folder: Path, dropout: float | None) -> tuple[PreTrainedModel, Checkpoint]:
    """Load pretrained weights from a folder in Hugging Face layout, in float32."""
    module, config, missing = open_module(folder, AutoModel, dropout)
    refuse_misfits([name for name in missing if "pooler." not in name], folder)
    _check_kind(module)
    module = _without_pooler(module)
    checkpoint = make_checkpoint(module, config, folder, width=module.config.hidden_size)
    _check_padding(module, checkpoint)
    return module, checkpoint


@without_warnings()
def open_module(
    folder: Path, kind: type, dropout: float | None
) -> tuple[PreTrainedModel, dict, list[str]]:
    """A module of a kind, one of transformers' `AutoModel...`, in evaluation mode and float32; its
    config.json; and the names of tensors that the folder lacks, which are random."""
    refuse_remote_code(folder)
    hf_logging.disable_progress_bar()  # a bar for every load of a spaCy pipeline says nothing
    try:
        config = AutoConfig.from_pretrained(folder, **LOCAL)
        own_config = json.loads(config.to_json_string())
        module, report = kind.from_pretrained(
            folder,
            config=_with_dropout(config, dropout),
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
    tokenizer = PieceTokenizer(_tokenizer_definition(folder))
    _check_vocabulary(module, tokenizer, folder)
    if getattr(module.config, "trigram_input", False):
        # MobileBERT reads the next piece's embedding: padding's must be what the end of text is.
        module.get_input_embeddings().weight.data[pad] = 0
    return Checkpoint(config, tokenizer, layout)


def from_files(files: Files, dropout: float | None) -> tuple[PreTrainedModel, Checkpoint]:
    """The inverse of `to_files`."""
    checkpoint = read_checkpoint(files)
    module = _without_pooler(build_module(files, AutoModel, dropout))
    fill_module(module, files)
    return module, checkpoint


def build_module(files: Files, kind: type, dropout: float | None) -> PreTrainedModel:
    """A module of a kind by its saved config.json, with random weights."""
    config = _with_dropout(AutoConfig.for_model(**json.loads(files[CONFIG])), dropout)
    return kind.from_config(config).float()


def fill_module(module: PreTrainedModel, files: Files) -> None:
    """Take saved weights."""
    if WEIGHTS not in files:
        raise ValueError(Errors.CHECKPOINT_MISSING.format(name=WEIGHTS))
    try:
        weights = safetensors.torch.load(files[WEIGHTS])
    except Exception as error:  # SafetensorError derives from Exception alone
        raise ValueError(Errors.WEIGHTS_BROKEN.format(name=WEIGHTS, error=error)) from error
    try:
        missing, unexpected = module.load_state_dict(weights, strict=False)
    except RuntimeError as error:
        raise ValueError(Errors.WEIGHTS_MISMATCH.format(name=WEIGHTS, error=error)) from error
    refuse_misfits([*unexpected, *(set(missing) & set(_own_tensors(module)))], WEIGHTS)


def to_files(module: PreTrainedModel, checkpoint: Checkpoint) -> Files:
    weights = {k: t.detach().cpu().contiguous() for k, t in _own_tensors(module).items()}
    return checkpoint.to_files() | {WEIGHTS: safetensors.torch.save(weights, {"format": "pt"})}


def find_layers(module: PreTrainedModel) -> torch.nn.ModuleList:
    """The encoder's layers, bottom first; none where all are one (ALBERT shares its weights)."""
    n_layers = module.config.num_hidden_layers
    for child in module.modules():
        if isinstance(child, torch.nn.ModuleList) and len(child) == n_layers:
            return child
    return torch.nn.ModuleList()


def freeze_bottom(module: PreTrainedModel, freeze_layers: int) -> None:
    """Take the embeddings and the first layers out of training."""
    layers = find_layers(module)
    if freeze_layers > len(layers):
        raise ValueError(
            Errors.FREEZE_LAYERS.format(
                freeze_layers=freeze_layers, name=module.config.model_type, n_layers=len(layers)
            )
        )
    trained = {id(p) for layer in layers[freeze_layers:] for p in layer.parameters()}
    in_layers = {id(p) for p in layers.parameters()}
    embeddings = {id(p) for p in module.get_input_embeddings().parameters()} | {
        id(p) for name, p in module.named_parameters() if "embed" in name and id(p) not in in_layers
    }
    for parameter in module.parameters():
        frozen = id(parameter) in embeddings or id(parameter) in in_layers - trained
        parameter.requires_grad_(not frozen)


def refuse_misfits(tensors: list[str], source: Path | str) -> None:
    """Refuse weights that are not all of this model's: the rest would be random."""
    if tensors:
        detail = f"{len(tensors)} tensors, such as {min(tensors)}"
        raise ValueError(Errors.WEIGHTS_MISMATCH.format(name=source, error=detail))


def _check_kind(module: PreTrainedModel) -> None:
    """Refuse what is no encoder of text (images, sequence to sequence) or cannot take batches."""
    arguments = inspect.signature(module.forward).parameters
    is_encoder = "input_ids" in arguments and hasattr(module.config, "hidden_size")
    if not is_encoder or getattr(module.config, "is_encoder_decoder", False):
        raise ValueError(Errors.MODEL_NO_ENCODER.format(name=module.config.model_type))
    if "attention_mask" not in arguments:
        raise ValueError(Errors.MODEL_NO_MASK.format(name=module.config.model_type))


def _check_vocabulary(module: PreTrainedModel, tokenizer: PieceTokenizer, folder: Path) -> None:
    """Refuse a tokenizer with pieces that the model has no vectors of: a text with one would end in
    an IndexError, some day."""
    n_vectors = len(module.get_input_embeddings().weight)
    piece, largest = max(tokenizer.vocabulary().items(), key=lambda item: item[1])
    if largest >= n_vectors:
        known = {"source": folder, "piece": piece, "number": largest, "n_vectors": n_vectors}
        raise ValueError(Errors.TOKENIZER_TOO_LARGE.format(**known))


def _check_padding(module: PreTrainedModel, checkpoint: Checkpoint) -> None:
    tokenizer = checkpoint.tokenizer
    (pieces,) = tokenizer.encode(["a b c d"])
    ids = torch.tensor([[*tokenizer.prefix, *pieces.ids, *tokenizer.suffix]])
    refuse_padded(lambda **inputs: module(**inputs).last_hidden_state, ids, checkpoint)


@torch.inference_mode()
def refuse_padded(
    run: Callable[..., torch.Tensor], ids: torch.Tensor, checkpoint: Checkpoint
) -> None:
    """Refuse a model whose output changes with padding, mask or not (some have convolutions).

    run: From input_ids and attention_mask, as keywords, to (W, L, D) or (W, D). ids: (1, L).
    """
    longer = torch.nn.functional.pad(ids, (0, 8), value=checkpoint.layout.pad)
    mask = torch.nn.functional.pad(torch.ones_like(ids), (0, 8))
    alone = run(input_ids=ids, attention_mask=torch.ones_like(ids))
    padded = run(input_ids=longer, attention_mask=mask)
    if padded.ndim == 3:
        padded = padded[:, : ids.shape[1]]
    if not torch.allclose(alone, padded, rtol=0, atol=1e-3 * float(alone.abs().max())):
        raise ValueError(Errors.MODEL_NO_MASK.format(name=checkpoint.config["model_type"]))


def _own_tensors(module: PreTrainedModel) -> dict[str, torch.Tensor]:
    """The state dict without second names of tensors that a model uses twice."""
    seen = set()
    own = {}
    for name, tensor in module.state_dict().items():
        if tensor.data_ptr() not in seen or not tensor.numel():
            seen.add(tensor.data_ptr())
            own[name] = tensor
    return own


def _without_pooler(module: PreTrainedModel) -> PreTrainedModel:
    """The pooler reads the first piece for sentence classification; tokens have no use for it."""
    if getattr(module, "pooler", None) is not None:
        module.pooler = None
    return module


def _with_dropout(config: PretrainedConfig, dropout: float | None) -> PretrainedConfig:
    if dropout is not None:
        for name, value in config.to_dict().items():
            if "drop" in name and isinstance(value, int | float) and not isinstance(value, bool):
                setattr(config, name, dropout)
    return config


def _max_window(module: PreTrainedModel, folder: Path) -> int:
    """Pieces that the model takes at once, special ones included."""
    limits = [UNBOUNDED]
    positions = getattr(module.config, "max_position_embeddings", None)
    if positions and positions > 0:
        # RoBERTa and its kin count positions from behind the padding piece's.
        embeddings = getattr(module.base_model, "embeddings", None)
        table = getattr(embeddings, "position_embeddings", None)
        offset = getattr(table, "padding_idx", None)
        limits.append(positions - (0 if offset is None else offset + 1))
    settings = folder / "tokenizer_config.json"
    if settings.is_file():
        known = json.loads(settings.read_text("utf8")).get("model_max_length")
        limits.append(int(known or UNBOUNDED))
    return min(limits)


def _tokenizer_definition(folder: Path) -> str:
    path = folder / TOKENIZER
    if path.is_file():
        return path.read_text("utf8")
    if not any(file for pattern in VOCABULARIES for file in folder.glob(pattern)):
        # transformers would make up one that knows no words
        raise ValueError(Errors.TOKENIZER_MISSING.format(source=folder))
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, **LOCAL)
    except Exception as error:
        raise ValueError(Errors.MODEL_BROKEN.format(source=folder, error=error)) from error
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if not isinstance(backend, Tokenizer):
        name = type(tokenizer).__name__
        raise ValueError(Errors.TOKENIZER_NOT_FAST.format(source=folder, name=name))
    return backend.to_str()
