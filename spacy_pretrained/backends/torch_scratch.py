"""A backbone on torch that is not pretrained: BERT's architecture in any size, with random weights.

J. Devlin et al., BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding,
2019, without the pooler and the embedding of segments.
"""

import json

from transformers import AutoModel, BertConfig

from ..checkpoints.checkpoint import Checkpoint, Files, Layout
from ..checkpoints.wordpieces import PieceTokenizer
from .errors import Errors
from .torch_backend import TorchShim
from .torch_kinds import adapt_config, take_encoder
from .torch_settings import ScratchSettings

PADDING = ("[PAD]", "<pad>")  # what tokenizers call it
# Settings, as config.json calls them.
SIZES = {"layers": "num_hidden_layers", "width": "hidden_size", "heads": "num_attention_heads"}


class ScratchShim(TorchShim):
    """A `TorchShim` that makes its weights itself."""

    settings: ScratchSettings

    def make_weights(self, tokenizer: PieceTokenizer) -> None:
        """Take new weights, drawn from torch's random numbers."""
        settings, vocabulary = self.settings, tokenizer.vocabulary()
        n_pieces = 1 + max(vocabulary.values())
        pad = next((vocabulary[name] for name in PADDING if name in vocabulary), n_pieces)
        config = BertConfig(
            vocab_size=max(n_pieces, pad + 1),
            intermediate_size=4 * settings.width,
            max_position_embeddings=settings.window,
            type_vocab_size=1,
            pad_token_id=pad,
            **{name: getattr(settings, setting) for setting, name in SIZES.items()},
        )
        own_config = json.loads(config.to_json_string())
        module = take_encoder(AutoModel.from_config(adapt_config(config, settings.dropout)))
        layout = Layout(settings.width, max_window=settings.window, pad=pad)
        self._take_new(module.float(), Checkpoint(own_config, tokenizer, layout))

    def from_files(self, files: Files) -> "ScratchShim":
        """The inverse of `to_files`. ValueError if the files are of another size than the
        settings say."""
        super().from_files(files)
        if files:
            for setting, name in SIZES.items():
                value, saved = getattr(self.settings, setting), self.checkpoint.config[name]
                if value != saved:
                    found = {"name": setting, "value": value, "saved": saved}
                    raise ValueError(Errors.SCRATCH_SIZE.format(**found))
        return self
