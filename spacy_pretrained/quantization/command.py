"""What `spacy pretrained quantize` does: read, quantize, measure, save."""

import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from ..backends.openvino_backend import WEIGHTS
from ..corpora.corpus import build_corpus
from ..saving.pipeline_folder import NewFolder, check_output, megabytes
from ..scoring.throughput import compare_speeds
from ..stock.find import find_stock
from .agreement import N_COMPARED, AgreementGate, MinAgreement
from .calibration_texts import check_file, cut_few, read_texts, sample_texts, split_texts
from .errors import Errors
from .gate import Gate, check_max_drop
from .judge import Trial
from .quantizer import MIN_TEXTS, Quantizer, check_settings, read_docs
from .recipes import INT8, check_installed

MAX_DROP = 0.3
N_TEXTS = 300
# Of weights that are not where OpenVINO's are: those on torch, and those of a stock transformer.
OTHER_WEIGHTS = ("backbone/model.safetensors", "model")


@dataclass(frozen=True)
class Job:
    """The arguments of the command, by the same names."""

    model: str
    output: Path
    texts: Path | None
    gold: Path | None  # --eval
    max_drop: float | None  # None for MAX_DROP
    strict: bool
    agreement: dict[str, float]  # arguments of `MinAgreement`
    precision: str
    n_texts: int | None  # None for N_TEXTS
    seed: int
    keep_pieces: Path | None = None
    windows: str = "kept"


@dataclass(frozen=True)
class Result:
    trials: list[Trial]  # the last one is of the copy; none with nothing to judge it by
    figures: dict[str, Any]  # those of the copy's `meta["quantization"]`


def run_job(job: Job, *, report: Callable[[str], None]) -> Result:
    """Quantize a pipeline and save the copy, with its sizes and speed in its meta. With gold
    annotation it is judged by its scores, otherwise by its agreement with the original on texts
    that it was not calibrated on.

    RAISES: Refused if no recipe is accepted; then nothing is written.
    """
    _check(job)
    report(f"Loading {job.model}")
    nlp = spacy.load(job.model)
    source, measured = _leave_out_pieces(job, nlp, report)
    quantizer = Quantizer(source, precision=job.precision, windows=job.windows, report=report)
    texts, others = _draw_texts(job, nlp, report)
    if job.precision == INT8:
        read_docs(nlp, texts)  # so that too few are refused before anything is scored
    examples = _read_examples(job, nlp)
    judge = None
    if job.gold is not None:
        judge = Gate(
            nlp,
            examples,
            max_drop=MAX_DROP if job.max_drop is None else job.max_drop,
            strict=job.strict,
            seed=job.seed,
            report=report,
        )
    elif others:
        judge = AgreementGate(
            nlp,
            others,
            at_least=MinAgreement(**job.agreement),
            falls_back=job.windows == "kept",
            fewer_pieces=job.keep_pieces is not None,
            report=report,
        )
    elif job.windows != "kept":
        given = {"windows": job.windows, "path": job.texts}
        raise ValueError(Errors.WINDOWS_TOO_FEW_TEXTS.format(**given))
    docs = [example.reference for example in examples]
    quantized = quantizer.quantize(texts, judge, others=[*others, *docs])
    docs = docs or [_as_doc(nlp, text) for text in (*texts, *others)]
    names = [name for backbone in quantizer.backbones for name in backbone.names]
    with NewFolder(job.output) as folder:
        folder.save(quantized.nlp)
        measured["megabytes"] = _compare_sizes(nlp.path, folder.path, names)
        if docs:
            speeds = compare_speeds(nlp, quantized.nlp, docs, report=report)
            measured["words_per_second"] = asdict(speeds)
        figures = quantized.write_meta(**measured)
        folder.save_meta(quantized.nlp)
        folder.put_in_place()
    return Result(quantized.trials, figures)


def _check(job: Job) -> None:
    """Refuse, before anything takes its time, whatever can be seen to be wrong."""
    check_settings(job.precision, job.windows)
    if job.max_drop is not None:
        check_max_drop(job.max_drop, strict=job.strict)
    MinAgreement(**job.agreement)
    for option, is_given in (("--strict", job.strict), ("--max-drop", job.max_drop is not None)):
        if is_given and job.gold is None:
            raise ValueError(Errors.SCORES_NEED_EVAL.format(option=option))
    options = ", ".join(f"--min-{name}" for name in job.agreement)
    if job.agreement and job.gold is not None:
        raise ValueError(Errors.AGREEMENT_OR_EVAL.format(options=options))
    if job.agreement and job.texts is None and job.precision != INT8:
        raise ValueError(Errors.AGREEMENT_NEEDS_TEXTS.format(options=options))
    check_output(job.output, job.model)
    for path in (job.texts, job.keep_pieces):
        if path is not None:
            check_file(path)
    if job.gold is not None:
        _check_gold(job.gold)
    if job.texts and job.gold and job.texts.samefile(job.gold):
        raise ValueError(Errors.TEXTS_ARE_EVAL.format(path=job.texts))
    if job.keep_pieces and job.gold and job.keep_pieces.samefile(job.gold):
        raise ValueError(Errors.KEEP_PIECES_ARE_EVAL.format(path=job.keep_pieces))
    if job.precision == INT8 and job.texts is None:
        raise ValueError(Errors.TEXTS_NEEDED)
    if job.windows != "kept" and job.texts is None and job.gold is None:
        raise ValueError(Errors.WINDOWS_NOT_JUDGED.format(windows=job.windows))
    if job.precision != INT8:
        _check_uncalibrated(job)
    if job.n_texts is not None and job.n_texts < MIN_TEXTS:
        raise ValueError(Errors.N_TEXTS.format(n_texts=job.n_texts, least=MIN_TEXTS))
    check_installed(job.precision)


def _check_uncalibrated(job: Job) -> None:
    """Refuse what is given to calibrate on, where nothing is calibrated."""
    if job.texts is not None and job.gold is not None:
        raise ValueError(Errors.TEXTS_UNUSED.format(precision=job.precision))
    if job.n_texts is not None:
        raise ValueError(Errors.N_TEXTS_UNUSED.format(precision=job.precision))


def _check_gold(path: Path) -> None:
    if not path.is_file():
        raise ValueError(Errors.TEXTS_FILE.format(path=path))
    if path.suffix != ".spacy":
        raise ValueError(Errors.EVAL_FORMAT.format(path=path))


def _leave_out_pieces(
    job: Job, nlp: Language, report: Callable[[str], None]
) -> tuple[Language, dict[str, Any]]:
    """What is quantized: the pipeline, or a copy of it with fewer wordpieces, and how many."""
    if job.keep_pieces is None:
        return nlp, {}
    if (stock := find_stock(nlp)) is not None:
        raise ValueError(Errors.KEEP_PIECES_STOCK.format(name=stock.name))
    from .torch_fewer_pieces import with_fewer_pieces

    report(f"Leaving out the wordpieces that {job.keep_pieces} does not need")
    copy, n_pieces = with_fewer_pieces(nlp, read_texts(job.keep_pieces, nlp.vocab))
    return copy, {"pieces": n_pieces}


def _draw_texts(
    job: Job, nlp: Language, report: Callable[[str], None]
) -> tuple[list[str | Doc], list[str | Doc]]:
    """Texts to calibrate on, and others, where there is no gold annotation, to compare on."""
    if job.texts is None:
        return [], []
    n_texts = N_TEXTS if job.n_texts is None else job.n_texts
    n_calibrated = n_texts if job.precision == INT8 else 0
    n_compared = 0 if job.gold else N_COMPARED
    drawn = sample_texts(job.texts, nlp.vocab, n_calibrated + n_compared, job.seed)
    drawn = cut_few(drawn, MIN_TEXTS)
    if not n_compared:
        return drawn, []
    texts, others = split_texts(drawn, n_calibrated, n_compared, least=MIN_TEXTS, seed=job.seed)
    if len(others) < n_compared:
        report(
            f"{job.texts} has few texts: {len(texts)} to calibrate on, and {len(others)} to "
            f"compare the copy with the original on, where {n_compared} would be better"
        )
    return texts, others


def _read_examples(job: Job, nlp: Language) -> list[Example]:
    """Gold Docs, to be annotated with nothing given but their tokens."""
    if job.gold is None:
        return []
    try:
        return list(build_corpus(job.gold)(nlp))
    except (OSError, ValueError, KeyError, TypeError, zlib.error) as error:
        raise ValueError(Errors.TEXTS_BROKEN.format(path=job.gold, error=error)) from error


def _as_doc(nlp: Language, text: str | Doc) -> Doc:
    return nlp.make_doc(text) if isinstance(text, str) else text


def _compare_sizes(before: Path, after: Path, names: list[str]) -> dict[str, dict[str, float]]:
    """Sizes of two folders of a pipeline in 10^6 bytes: of the backbones' weights, of the
    components that have them (by their names, with tokenizer and all else that is theirs), and of
    the whole pipeline."""

    def size(root: Path, *inside: str) -> float:
        paths = [root.joinpath(name, *inside) for name in names]
        if inside and not any(path.exists() for path in paths):
            paths = [root / name / file for name in names for file in OTHER_WEIGHTS]
        # Some components only share what another one saves.
        return round(sum(megabytes(path) for path in paths if path.exists()), 2)

    return {
        "weights": {
            "before": size(before, "backbone", "model.safetensors"),
            "after": size(after, "backbone", WEIGHTS),
        },
        "encoder": {"before": size(before), "after": size(after)},
        "pipeline": {"before": megabytes(before), "after": megabytes(after)},
    }
