from .old_paths import warn_of
from .parser.noun_chunks import noun_chunks_ud

__all__ = ["noun_chunks_ud"]

warn_of(__name__, "`noun_chunks_ud`")
