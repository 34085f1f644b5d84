"""Quantizing from Python: functions over the `Quantizer`."""

from collections.abc import Callable, Iterable

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from .agreement import DEFAULT, AgreementGate, AgreementTrial, MinAgreement
from .gate import Gate, ScoreTrial
from .quantizer import Quantizer


def quantize_pipeline(
    nlp: Language,
    texts: Iterable[str | Doc] = (),
    *,
    precision: str = "int8",
    report: Callable[[str], None] = lambda step: None,
) -> Language:
    """Make a copy of a trained pipeline whose encoder, or encoders, run on OpenVINO. One with a
    stock transformer, of spacy-transformers or spacy-curated-transformers, becomes one of ours.

    texts: Texts, or Docs with tokens, of the kind the pipeline is for, never those it is
        evaluated on. INT8 ranges come from the batches that the encoders make of them. Only
        "int8" needs them.
    precision: "int8" quantizes weights and activations (static, NNCF's recipe for transformers);
        "int8-weights" quantizes only the weights, which is as small, but slower; "fp32" only
        leaves torch behind. "torch", for a stock pipeline, only makes it one of ours.
    report: Called with a line of text as each step begins.
    RETURNS: A new pipeline; the old one is not changed. Only the encoders' blocks of the config
        differ. In INT8 the weights of all other components are rounded to 11 significant bits (see
        `rounding.py`). The copy is not compared with the original: that is what `quantize_within`
        and `quantize_agreeing` do.
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
) -> tuple[Language, list[ScoreTrial]]:
    """Make a copy as `quantize_pipeline` does, and compare its scores with the pipeline's.

    If any score drops by more than max_drop (`Drop.answer` says when that is certain) the next
    more careful recipe is tried. Where the examples are too few to tell the copy is accepted:
    `answer` of its trial is then "cannot tell", and `explain()` says how many would do.

    examples: Gold annotation that the pipeline was not trained on, and that is not among the
        texts.
    max_drop: How many percent points a score may drop.
    seed: Of the bootstrap.
    RETURNS: The copy, its scores in `meta["performance"]` and `meta["quantization"]`; and all
        trials, the last of which is the copy's.
    RAISES: Refused, with all trials, if every recipe fails.
    """
    quantizer = Quantizer(nlp, precision=precision, report=report)
    gate = Gate(nlp, examples, max_drop=max_drop, seed=seed, report=report)
    quantized = quantizer.quantize(texts, gate)
    quantized.write_meta()
    return quantized.nlp, quantized.trials


def quantize_agreeing(
    nlp: Language,
    texts: Iterable[str | Doc],
    unseen_texts: Iterable[str | Doc],
    *,
    at_least: MinAgreement = DEFAULT,
    precision: str = "int8",
    report: Callable[[str], None] = lambda step: None,
) -> tuple[Language, list[AgreementTrial]]:
    """Make a copy as `quantize_pipeline` does, and compare its annotation with the pipeline's: for
    where there is no gold annotation.

    If they agree too little the next more careful recipe is tried. The last one is fp32, which is
    always accepted.

    unseen_texts: Texts of the kind the pipeline is for, at best 200 or more, and none that is among
        the texts.
    RETURNS: The copy, its agreement in `meta["quantization"]`; and all trials, the last of which is
        the copy's.
    """
    quantizer = Quantizer(nlp, precision=precision, report=report)
    gate = AgreementGate(nlp, unseen_texts, at_least=at_least, report=report)
    quantized = quantizer.quantize(texts, gate)
    quantized.write_meta()
    return quantized.nlp, quantized.trials
