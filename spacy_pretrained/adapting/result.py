"""What `adapt` leaves: an encoder in Hugging Face layout, and what is known of it."""

import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..checkpoints.checkpoint import TOKENIZER
from ..checkpoints.wordpieces import PieceTokenizer
from ..sources.licence import read_licence
from .options import AdaptOptions

# Of the source's folder; its tokenizer is that of the result.
TOKENIZER_FILES = (
    *("tokenizer*.json", "special_tokens_map.json", "added_tokens.json"),
    *("vocab*", "merges.txt", "*.model", "LICEN[CS]E*", "NOTICE*"),
)
CARD = """{header}# {source}, adapted

The encoder `{source}`, trained further on masked words of {n_texts} texts ({n_pieces} wordpieces),
by `python -m spacy pretrained adapt`. Held-out perplexity of masked wordpieces: {before} before,
{after} after. Name this folder as the `source` of `pretrained_encoder`.
"""


@dataclass(frozen=True)
class Adapted:
    """What an adaptation found.

    before: Held-out perplexity of the encoder as it was, with a head that was trained on the same
        texts if it had none. head_settled: Whether that head was trained until the perplexity fell
        no more; if not, the head has a part in the fall. after: Of the adapted one. zero_shot:
        Percent before and after, if that was measured. curve: Evaluations of the training of all
        weights.
    """

    source: str
    texts: int
    pieces: int
    before: float
    after: float
    fresh_head: bool
    head_settled: bool
    steps: int
    seconds: float
    curve: list[dict[str, float]]
    head_curve: list[dict[str, float]]
    zero_shot: dict[str, float] | None
    pairs_left_out: int
    licence: str | None

    def as_dict(self, options: AdaptOptions) -> dict[str, Any]:
        return asdict(self) | {"options": options.as_dict()}


def copy_tokenizer(folder: Path, out: Path, tokenizer: PieceTokenizer) -> None:
    """What the source has of a tokenizer and of a licence; a tokenizer.json in any case."""
    for pattern in TOKENIZER_FILES:
        for path in folder.glob(pattern):
            if path.is_file():
                shutil.copyfile(path, out / path.name)
    if not (out / TOKENIZER).is_file():
        (out / TOKENIZER).write_text(tokenizer.definition, "utf8")


def write_card(folder: Path, out: Path, found: Adapted) -> None:
    licence = found.licence
    card = CARD.format(
        header=f"---\nlicense: {licence}\n---\n\n" if licence else "",
        source=found.source,
        n_texts=f"{found.texts:,}",
        n_pieces=f"{found.pieces:,}",
        before=f"{found.before:.2f}",
        after=f"{found.after:.2f}",
    )
    (out / "README.md").write_text(card, "utf8")


def find_licence(source: str, folder: Path) -> str | None:
    """That of the source, which the result keeps."""
    from ..checkpoints.catalogue import CATALOGUE, find_name

    name = find_name(source)
    return (name and CATALOGUE[name]["licence"]) or read_licence(folder)
