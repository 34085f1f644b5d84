"""Adapt an encoder to texts of one's own: the whole of it, from a source to a folder.

S. Gururangan et al., Don't Stop Pretraining: Adapt Language Models to Domains and Tasks, 2020.
"""

from dataclasses import replace
from pathlib import Path

from spacy.tokens import Doc

from ..sources.find import find_source
from ..sources.installed import is_installed
from .errors import Errors
from .options import AdaptOptions
from .report import Report
from .result import Adapted
from .sentence_encoders import is_sentence_encoder
from .work import Work, begin
from .zero_shot import find_labelled, measure_zero_shot, read_labelled

NEEDED = ("torch", "transformers", "accelerate")
CURVE = "curve.png"


def adapt(
    source: str,
    texts: str | Path,
    out: str | Path,
    options: AdaptOptions | None = None,
    *,
    report: Report = print,
    warn: Report = print,
) -> Adapted:
    """Train an encoder further on masked wordpieces of texts, and save it as a folder that
    `pretrained_encoder` and others take as `source`.

    source: As in a config: a name in the catalogue, a folder, "package:NAME" or "owner/name".
    texts: A file, or a folder of files: .txt with a text a line, .jsonl, .csv, .parquet, .spacy.
    out: A new folder, or one of a run that was stopped, which then resumes from its last
        checkpoint.
    options: See `AdaptOptions`.
    report, warn: Are told how far it is.
    RAISES: ValueError or OSError, saying what does not fit; ImportError without the extra.
    """
    options = options or AdaptOptions()
    texts, out = Path(texts), Path(out)
    missing = [name for name in NEEDED if not is_installed(name)]
    if missing:
        raise ImportError(Errors.EXTRA_MISSING.format(missing=", ".join(missing)))
    folder = find_source(source)
    labelled = [] if options.labelled is None else read_labelled(options.labelled)
    work = begin(out, source, folder, texts, options)
    with work.alone():
        found = _adapt(source, folder, work, texts, options, labelled, report, warn)
        _draw(found, out, report)
    work.finish(found.as_dict(options))
    return found


def _adapt(
    source: str,
    folder: Path,
    work: Work,
    texts: Path,
    options: AdaptOptions,
    labelled: list[Doc],
    report: Report,
    warn: Report,
) -> Adapted:
    if is_sentence_encoder(source, folder):
        labelled = labelled or find_labelled(texts)
        warn(Errors.SENTENCE_ENCODER.format(source=source))
        if not labelled:
            warn(Errors.NOT_MEASURED)
    from .torch_adapt import prepare, train_and_save

    prepared = prepare(source, folder, texts, options, report)
    before = work.progress.get("zero_shot_before")
    if labelled and before is None:
        before = measure_zero_shot(source, labelled)
    work.start()
    if labelled:
        work.note(zero_shot_before=before)
    found = train_and_save(prepared, source, folder, work, options, report)
    if labelled:
        # A name such as minilm-l6 alone would be that of another source.
        after = measure_zero_shot(str(work.out.resolve()), labelled)
        found = replace(found, zero_shot={"before": before, "after": after})
    return found


def _draw(found: Adapted, out: Path, report: Report) -> None:
    if not is_installed("matplotlib"):
        report("No curve is drawn: that needs matplotlib (pip install 'spacy-pretrained[plot]').")
        return
    from .curve import plot_curve

    plot_curve(found, out / CURVE)
