"""How fast encoders and pipelines are on this machine, and how much memory they take.

Each measurement is made in a process of its own, which this one starts, so that its peak memory is
that of one case alone.
"""

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .cases import INFERENCE, OPENVINO, STOCK, TORCH, TRAINING, Case, Measurement
from .child import ChildFailed, ask
from .errors import Errors
from .targets import Target, find_target

LENGTHS = (16, 64, 256)  # words a text
BATCHES = (1500,)  # words a batch, as in our configs


@dataclass(frozen=True)
class Results:
    measurements: list[Measurement]
    notes: list[str]  # what could not be measured, and why


def benchmark(
    sources: Sequence[str],
    *,
    train: bool = False,
    lengths: Sequence[int] = LENGTHS,
    batches: Sequence[int] = BATCHES,
    report: Callable[[str], None] = lambda step: None,
) -> Results:
    """Measure words a second and peak memory: of inference on torch, and of copies in fp32 and INT8
    on OpenVINO, without torch; and of training on torch.

    sources: Encoders (a name in the catalogue, a folder, "package:NAME" or "owner/name" in the
        hub's cache), which are measured with a tagger behind them; and pipelines (folders or
        installed packages), which are measured as they are. Nothing is downloaded.
    train: Whether to measure training, too: of a pipeline, on its own annotation.
    lengths: Words a text. A text is one sentence.
    batches: Words a batch.
    report: Called with a line of text as each step begins.
    RAISES: ValueError for a source that is not there or cannot be measured.
    """
    if not sources:
        raise ValueError(Errors.NO_SOURCES)
    targets = [find_target(source) for source in sources]
    for target in targets:
        if train and target.is_on_openvino:
            raise ValueError(Errors.NO_TRAINING.format(source=target.name))
    measurements, notes = [], []
    for target in targets:
        with tempfile.TemporaryDirectory() as folder:
            for case in make_cases(target, Path(folder), train, lengths, batches, notes, report):
                report(f"Measuring {case.describe()}")
                try:
                    measurements.append(Measurement(**ask("measure", case.to_json())))
                except ChildFailed as error:
                    notes.append(f"{case.describe()}: {error}")
    if not measurements:
        raise ValueError(Errors.NOTHING_MEASURED.format(notes=" ".join(notes)))
    return Results(measurements, notes)


def make_cases(
    target: Target,
    folder: Path,
    train: bool,
    lengths: Sequence[int],
    batches: Sequence[int],
    notes: list[str],
    report: Callable[[str], None],
) -> Iterator[Case]:
    """All that is to be measured of a target. Pipelines are made of it in a folder, and what cannot
    be made is noted."""
    runs = []
    if train:
        engine = TORCH if target.needs_torch else STOCK
        runs.append((target.folder, TRAINING, engine, target.precision))
    runs += [(path, INFERENCE, *how) for path, *how in find_versions(target, folder, notes, report)]
    for path, task, engine, precision in runs:
        # A batch has one text at least.
        for sizes in dict.fromkeys((n, max(n, batch)) for batch in batches for n in lengths):
            yield Case(target.name, path, task, engine, precision, *sizes)


def find_versions(
    target: Target, folder: Path, notes: list[str], report: Callable[[str], None]
) -> Iterator[tuple[Path, str, str]]:
    """Folders of pipelines to annotate with, their engines and precisions."""
    if not target.needs_torch:
        yield target.folder, OPENVINO if target.is_on_openvino else STOCK, target.precision
        return
    report(f"Preparing {target.name}: copies in fp32 and INT8")
    arguments = {"folder": str(target.folder), "output": str(folder)}
    try:
        found = ask("prepare", arguments | {"is_encoder": target.is_encoder})
    except ChildFailed as error:
        notes.append(f"{target.name}: {error}")
        found = {"made": [], "notes": []}
    notes += [f"{target.name}: {note}" for note in found["notes"]]
    if not target.is_encoder:
        yield target.folder, TORCH, target.precision
    for name in found["made"]:
        is_torch = name == TORCH
        yield folder / name, *((TORCH, target.precision) if is_torch else (OPENVINO, name))


def read_numbers(name: str, text: str) -> tuple[int, ...]:
    """
    >>> read_numbers("--lengths", "16,64")
    (16, 64)
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and int(part) for part in parts):
        raise ValueError(Errors.NUMBERS.format(name=name, text=text))
    return tuple(dict.fromkeys(map(int, parts)))


def describe_machine() -> dict[str, str | int | None]:
    """What measurements belong to."""
    import platform
    from importlib.metadata import PackageNotFoundError, version

    found: dict[str, str | int | None] = {"system": platform.platform(), "cpu": _name_cpu()}
    found["cores"] = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    for package in ("spacy-pretrained", "spacy", "torch", "transformers", "openvino"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    return found


def _name_cpu() -> str | None:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.is_file() else []
    return next((line.partition(":")[2].strip() for line in lines if "model name" in line), None)
