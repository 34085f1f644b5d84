"""Quantizing from Python: functions over the `Quantizer`."""

from collections.abc import Callable, Iterable

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from .gate import Gate, Trial
from .quantizer import Quantizer


def quantize_pipeline(
    nlp: Language,
    texts: Iterable[str | Doc] = (),
    *,
    precision: str = "int8",
    report: Callable[[str], None] = lambda step: None,
) -> Language:
    """Make a copy of a trained pipeline whose encoder, or encoders, run on OpenVINO.

    texts: Texts, or Docs with tokens, of the kind the pipeline is for, never those it is
        evaluated on. INT8 ranges come from the batches that the encoders make of them. Only
        "int8" needs them.
    precision: "int8" quantizes weights and activations (static, NNCF's recipe for transformers);
        "int8-weights" quantizes only the weights, which is as small, but slower; "fp32" only
        leaves torch behind.
    report: Called with a line of text as each step begins.
    RETURNS: A new pipeline; the old one is not changed. Only the encoders' blocks of the config
        differ. The copy is not compared with the original: `quantize_within` does that.
    """
    quantized = Quantizer(nlp, precision=precision, report=report).quantize(texts)
    quantized.write_meta()
    return quantized.nlp


def quantize_within(
    nlp: Language,
    texts: Iterable[str | Doc],
    examples: Iterable[Example],
    *,
    max_drop: float,
    precision: str = "int8",
    seed: int = 0,
    report: Callable[[str], None] = lambda step: None,
) -> tuple[Language, list[Trial]]:
    """Make a copy as `quantize_pipeline` does, that scores as the pipeline did, or none.

    A recipe is refused if any score drops by more than max_drop beyond chance: by a paired
    bootstrap over the documents, with 95 % confidence. Then the next more careful one is tried.

    examples: Gold annotation that the pipeline was not trained on, and that is not among the
        texts.
    max_drop: How many percent points a score may drop.
    seed: Of the bootstrap.
    RETURNS: The copy, its scores in `meta["performance"]` and `meta["quantization"]`; and all
        trials, the last of which is the copy's.
    RAISES: Refused, with all trials, if no recipe passes.
    """
    quantizer = Quantizer(nlp, precision=precision, report=report)
    gate = Gate(nlp, examples, max_drop=max_drop, seed=seed, report=report)
    quantized = quantizer.quantize(texts, gate)
    quantized.write_meta()
    return quantized.nlp, quantized.trials
