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
from ..scoring.throughput import compare_speeds
from .calibration_texts import sample_texts
from .errors import Errors
from .gate import Trial, check_max_drop
from .pipeline_folder import NewFolder, check_output, megabytes
from .quantizable import find_backbones
from .quantize import MIN_TEXTS, check_pipeline, quantize_pipeline, quantize_within


@dataclass(frozen=True)
class Job:
    """The arguments of the command, by the same names."""

    model: str
    output: Path
    texts: Path | None
    gold: Path | None  # --eval
    max_drop: float
    precision: str
    n_texts: int
    seed: int


@dataclass(frozen=True)
class Result:
    trials: list[Trial]  # the last is the pipeline's own; none without gold annotation
    figures: dict[str, Any]  # what is kept in the pipeline's `meta["quantization"]`


def run_job(job: Job, *, report: Callable[[str], None]) -> Result:
    """Raises `Refused` where every recipe loses too much; then nothing is written."""
    _check(job)
    report(f"Loading {job.model}")
    nlp = spacy.load(job.model)
    check_pipeline(nlp, job.precision)
    texts = _draw_texts(job, nlp)
    examples = _read_examples(job, nlp)
    trials: list[Trial] = []
    if job.gold is not None:
        quantized, trials = quantize_within(
            nlp,
            texts,
            examples,
            max_drop=job.max_drop,
            precision=job.precision,
            seed=job.seed,
            report=report,
        )
    else:
        quantized = quantize_pipeline(nlp, texts, precision=job.precision, report=report)
    docs = [example.reference for example in examples] or [_as_doc(nlp, text) for text in texts]
    figures = quantized.meta["quantization"]
    with NewFolder(job.output) as folder:
        folder.save(quantized)
        figures["megabytes"] = _compare_sizes(nlp, folder.path)
        if docs:
            figures["words_per_second"] = asdict(
                compare_speeds(nlp, quantized, docs, report=report)
            )
        folder.save_meta(quantized)
        folder.put_in_place()
    return Result(trials, figures)


def _check(job: Job) -> None:
    """All that can be seen before something takes its time."""
    check_max_drop(job.max_drop)
    check_output(job.output, job.model)
    for path in (job.texts, job.gold):
        if path is not None and not path.is_file():
            raise ValueError(Errors.TEXTS_FILE.format(path=path))
    if job.texts and job.gold and job.texts.samefile(job.gold):
        raise ValueError(Errors.TEXTS_ARE_EVAL.format(path=job.texts))
    if job.precision == "int8" and job.texts is None:
        raise ValueError(Errors.TEXTS_NEEDED)
    if job.n_texts < MIN_TEXTS:
        raise ValueError(Errors.N_TEXTS.format(n_texts=job.n_texts, least=MIN_TEXTS))


def _draw_texts(job: Job, nlp: Language) -> list[str | Doc]:
    return sample_texts(job.texts, nlp.vocab, job.n_texts, job.seed) if job.texts else []


def _read_examples(job: Job, nlp: Language) -> list[Example]:
    """Gold Docs, to be annotated with nothing given but their tokens."""
    if job.gold is None:
        return []
    if job.gold.suffix != ".spacy":
        raise ValueError(Errors.EVAL_FORMAT.format(path=job.gold))
    try:
        return list(build_corpus(job.gold)(nlp))
    except (OSError, zlib.error) as error:
        raise ValueError(Errors.TEXTS_BROKEN.format(path=job.gold, error=error)) from error


def _as_doc(nlp: Language, text: str | Doc) -> Doc:
    return nlp.make_doc(text) if isinstance(text, str) else text


def _compare_sizes(nlp: Language, folder: Path) -> dict[str, dict[str, float]]:
    """Of the backbones' weights, of the components that have them (with tokenizer and what else is
    theirs), and of the whole pipeline on disk, in 10^6 bytes."""
    names = [name for backbone in find_backbones(nlp) for name in backbone.names]

    def size(root: Path, *inside: str) -> float:
        paths = [root.joinpath(name, *inside) for name in names]
        # Some components only share what is saved by another.
        return round(sum(megabytes(path) for path in paths if path.exists()), 2)

    return {
        "weights": {
            "before": size(nlp.path, "backbone", "model.safetensors"),
            "after": size(folder, "backbone", WEIGHTS),
        },
        "encoder": {"before": size(nlp.path), "after": size(folder)},
        "pipeline": {"before": megabytes(nlp.path), "after": megabytes(folder)},
    }
