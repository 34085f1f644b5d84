"""Which encoders were trained to give a vector for a whole text."""

from pathlib import Path

from ..checkpoints.catalogue import CATALOGUE, find_name

KIND = "sentence encoder"
MODULES = "modules.json"  # of a sentence-transformers model
POOLING = "1_Pooling"


def is_sentence_encoder(source: str, folder: Path) -> bool:
    """By the catalogue, or by the files that a sentence-transformers model has."""
    name = find_name(source)
    if name is not None:
        return CATALOGUE[name]["kind"] == KIND
    return any((place / MODULES).is_file() or (place / POOLING).is_dir()
               for place in (folder, folder.parent))  # fmt: skip
