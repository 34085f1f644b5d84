"""Whether sentences fit the windows of the config's encoder."""

import json
from pathlib import Path

import numpy as np
from spacy.tokens import Doc

from ...checkpoints.checkpoint import CONFIG, TOKENIZER
from ...checkpoints.wordpieces import PieceTokenizer
from ...sources.find import find_source
from ...windows.alignment import align
from ...windows.doc_arrays import read_arrays
from .errors import Errors
from .finding import Finding
from .plan import ENCODER, Component, Plan

WINDOW = 128  # the encoder's own default
TOKENIZER_CONFIG = "tokenizer_config.json"


class WindowCheck:
    """Counts the wordpieces of sentences, by the tokenizer of the encoder's weights.

    RAISES: ValueError if the encoder has no tokenizer here.
    """

    def __init__(self, encoder: Component):
        folder = find_source(encoder.source)
        if not (folder / TOKENIZER).is_file():
            raise ValueError(Errors.WINDOWS_TOKENIZER_FILE.format(folder=folder))
        self.name = encoder.name
        self._tokenizer = PieceTokenizer((folder / TOKENIZER).read_text("utf8"))
        window = encoder.settings.get("model", {}).get("window", WINDOW)
        self.room = min([window or np.inf, *_limits(folder)]) - self._tokenizer.n_special
        self._sentences = self._long = self._longest = 0

    def add(self, doc: Doc) -> None:
        arrays = read_arrays([doc])
        (pieces,) = self._tokenizer.encode([doc.text])
        first = align(arrays.starts, arrays.ends, pieces).first
        starts = np.unique(first[arrays.sentence_like & (first >= 0)])
        lengths = np.diff([0, *starts[starts > 0], len(pieces.ids)])
        self._sentences += len(lengths)
        self._long += int((lengths > self.room).sum())
        self._longest = max(self._longest, int(lengths.max()))

    def findings(self) -> list[Finding]:
        if not self._long:
            return []
        text = Errors.WINDOWS_LONG.format(
            n=self._long,
            sentences=self._sentences,
            room=self.room,
            name=self.name,
            longest=self._longest,
        )
        return [Finding("warning", text)]


def make_window_check(plan: Plan) -> WindowCheck | Finding:
    """The check for a plan's encoder, or why there is none."""
    if not plan.has_config:
        return Finding("note", Errors.WINDOWS_NO_CONFIG)
    encoders = [c for c in plan.components if c.factory == ENCODER and c.source]
    if not encoders:
        return Finding("note", Errors.WINDOWS_NO_ENCODER)
    try:
        return WindowCheck(encoders[0])
    except ValueError as error:
        return Finding("note", Errors.WINDOWS_NO_TOKENIZER.format(reason=error))


def _limits(folder: Path) -> list[int]:
    """Pieces that a model takes at once, as its files say; none if they do not."""
    found = []
    for file, key in ((CONFIG, "max_position_embeddings"), (TOKENIZER_CONFIG, "model_max_length")):
        if (folder / file).is_file():
            value = json.loads((folder / file).read_text("utf8")).get(key)
            found += [int(value)] if value and value > 0 else []
    return found
