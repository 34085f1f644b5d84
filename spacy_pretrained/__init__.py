"""Pretrained transformers for spaCy: one shared encoder, trained with torch, run without it.

The names listed here are the public Python interface; other paths in the package may change. A
name is imported when it is first used, because spaCy imports this package whenever it starts.
"""

from importlib import import_module
from pathlib import Path
from typing import Any

__version__ = "0.2.0"

PUBLIC = {  # name: module that has it
    "AdaptOptions": "adapting.options",
    "Annotate": "bulk",
    "MinAgreement": "quantization.agreement",
    "Query": "choosing.query",
    "Refused": "quantization.gate",
    "SearchOptions": "searching.options",
    "adapt": "adapting.adapt",
    "benchmark": "benchmarking.benchmark",
    "calibrate_pipeline": "ner.pipeline_calibration",
    "complete_config": "training.config",
    "confidence": "annotation.confidence",
    "convert_columns": "corpora.convert",
    "convert_conllu": "corpora.convert",
    "convert_dataset": "corpora.convert",
    "convert_export": "corpora.convert",
    "convert_folder": "corpora.convert",
    "convert_span_dataset": "corpora.convert",
    "convert_texts": "corpora.convert",
    "evaluate": "scoring.evaluate",
    "find_info": "choosing.info",
    "from_record": "records",
    "list_models": "choosing.models",
    "noun_chunks_ud": "parser.noun_chunks",
    "package_pipeline": "packaging.package",
    "plot_training": "training.plot",
    "quantize_agreeing": "quantization.quantize",
    "quantize_pipeline": "quantization.quantize",
    "quantize_within": "quantization.quantize",
    "recommend": "choosing.recommend",
    "restore_lemmatizer_trees": "training.lemmatizer_trees",
    "save": "saving.pipeline_folder",
    "search": "searching.search",
    "to_record": "records",
}
__all__ = ["__version__", *PUBLIC]

# Modules that the documentation of 0.1.0 named are found there until 1.0.
__path__.append(str(Path(__file__).with_name("old_paths")))


def __getattr__(name: str) -> Any:
    if name not in PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{PUBLIC[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *PUBLIC})
