from .old_paths import warn_of
from .quantization.gate import Refused

__all__ = ["Refused"]

warn_of(__name__, "`Refused`")
