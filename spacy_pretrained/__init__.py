"""Pretrained transformers for spaCy: one shared encoder, trained with torch, run without it."""

__version__ = "0.1.0"
