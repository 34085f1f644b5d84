"""The encoders of curated-transformers 0.1 in Hugging Face layout: tensors have other names."""

from pathlib import Path

import torch
from transformers import AutoConfig

from ..backends.torch_safetensors import dump
from ..backends.torch_weights import WEIGHTS

Tensors = dict[str, torch.Tensor]

MODEL_TYPES = {"BertEncoder": "bert", "RobertaEncoder": "roberta", "AlbertEncoder": "albert"}
ACTIVATIONS = {"ReLU": "relu", "GELU": "gelu", "GeluNew": "gelu_new"}
# Parts of a layer there and here; of `input`, the queries, keys and values are one.
BERT_PARTS = {
    "mha.output": "attention.output.dense",
    "attn_output_layernorm": "attention.output.LayerNorm",
    "ffn.intermediate": "intermediate.dense",
    "ffn.output": "output.dense",
    "ffn_output_layernorm": "output.LayerNorm",
}
ALBERT_PARTS = {
    "mha.output": "attention.dense",
    "attn_output_layernorm": "attention.LayerNorm",
    "ffn.intermediate": "ffn",
    "ffn.output": "ffn_output",
    "ffn_output_layernorm": "full_layer_layer_norm",
}
EMBEDDINGS = ("word_embeddings", "position_embeddings", "token_type_embeddings")


def save_encoder(encoder: torch.nn.Module, folder: Path) -> None:
    """Write config.json and model.safetensors of an encoder of one of MODEL_TYPES."""
    config = AutoConfig.for_model(MODEL_TYPES[type(encoder).__name__], **read_settings(encoder))
    config.to_json_file(folder / "config.json", use_diff=False)
    (folder / WEIGHTS).write_bytes(dump(convert_tensors(encoder)))


def read_settings(encoder: torch.nn.Module) -> dict:
    """What the config of transformers says of such an encoder."""
    embeddings = getattr(encoder.embeddings, "inner", encoder.embeddings)
    groups = getattr(encoder, "groups", None)
    layer = encoder.layers[0] if groups is None else groups[0].group_layers[0]
    n_pieces, embedding_width = embeddings.word_embeddings.weight.shape
    intermediate_width, width = layer.ffn.intermediate.weight.shape
    settings = {
        "vocab_size": n_pieces,
        "hidden_size": width,
        "intermediate_size": intermediate_width,
        "num_attention_heads": layer.mha.num_heads,
        "num_hidden_layers": encoder.num_hidden_layers if groups else len(encoder.layers),
        "hidden_act": ACTIVATIONS[type(layer.ffn.activation).__name__],
        "hidden_dropout_prob": layer.ffn_output_dropout.p,
        "attention_probs_dropout_prob": layer.mha.attention.dropout.p,
        "max_position_embeddings": len(embeddings.position_embeddings.weight),
        "type_vocab_size": len(embeddings.token_type_embeddings.weight),
        "layer_norm_eps": embeddings.layer_norm.eps,
        "pad_token_id": encoder.padding_idx,
        "bos_token_id": None,
        "eos_token_id": None,
    }
    if groups is not None:
        settings |= {
            "embedding_size": embedding_width,
            "num_hidden_groups": len(groups),
            "inner_group_num": len(groups[0].group_layers),
        }
    return settings


def convert_tensors(encoder: torch.nn.Module) -> Tensors:
    embeddings = getattr(encoder.embeddings, "inner", encoder.embeddings)
    tensors = {f"embeddings.{n}.weight": getattr(embeddings, n).weight for n in EMBEDDINGS}
    tensors |= _linear("embeddings.LayerNorm", embeddings.layer_norm)
    groups = getattr(encoder, "groups", None)
    if groups is None:
        for number, layer in enumerate(encoder.layers):
            tensors |= _layer(f"encoder.layer.{number}", layer, "attention.self", BERT_PARTS)
        return _detached(tensors)
    for number, group in enumerate(groups):
        for inner, layer in enumerate(group.group_layers):
            name = f"encoder.albert_layer_groups.{number}.albert_layers.{inner}"
            tensors |= _layer(name, layer, "attention", ALBERT_PARTS)
    name = "encoder.embedding_hidden_mapping_in"
    if embeddings.projection is not None:
        return _detached(tensors | _linear(name, embeddings.projection))
    width = embeddings.word_embeddings.embedding_dim  # transformers has a projection always
    identity = {f"{name}.weight": torch.eye(width), f"{name}.bias": torch.zeros(width)}
    return _detached(tensors | identity)


def _layer(name: str, layer: torch.nn.Module, attention: str, parts: dict[str, str]) -> Tensors:
    tensors = {}
    for kind, merged in _linear("", layer.mha.input).items():
        for role, tensor in zip(("query", "key", "value"), merged.chunk(3)):
            tensors[f"{name}.{attention}.{role}{kind}"] = tensor
    for old, new in parts.items():
        tensors |= _linear(f"{name}.{new}", layer.get_submodule(old))
    return tensors


def _linear(name: str, module: torch.nn.Module) -> Tensors:
    return {f"{name}.weight": module.weight, f"{name}.bias": module.bias}


def _detached(tensors: Tensors) -> Tensors:
    return {name: tensor.detach().float().clone() for name, tensor in tensors.items()}
