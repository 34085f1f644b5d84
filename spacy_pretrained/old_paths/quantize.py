from .old_paths import warn_of
from .quantization.quantize import quantize_pipeline, quantize_within

__all__ = ["quantize_pipeline", "quantize_within"]

warn_of(__name__, "`quantize_pipeline` and `quantize_within`")
