"""A job: files of texts in, a folder of annotated parts out, every text once and in order."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from itertools import chain
from pathlib import Path
from time import perf_counter

from ..quantization.calibration_texts import draw
from ..runtime.cores import count_cores
from .errors import Errors
from .inputs import STDIN, check_input
from .job import (
    begin_or_go_on,
    check_excluded,
    claim,
    count_failures,
    describe_job,
    find_pipeline,
    forget_job,
    is_done,
    join_errors,
)
from .options import Options, make_output
from .outputs import Output
from .pool import Pool
from .shards import Shard, Stream, cut_shards
from .stdin_copy import copy_or_compare
from .worker import Settings

DASH = "-"  # the standard input
# Memory that a pipeline of MiniLM's size wants in a process, without that of PyTorch.
MEMORY_OF_WORKER = 2**30


@dataclass
class Progress:
    """How far a job has come, and how it ended."""

    texts: int = 0  # annotated in this run
    words: int = 0
    found: int = 0  # texts of parts that were done before
    skipped: int = 0  # of all parts
    failed: int = 0
    share: float = 0.0  # of the input that is done, about
    begun: float = field(default_factory=perf_counter)
    seconds: float = 0.0

    @property
    def words_per_second(self) -> float:
        return self.words / max(self.seconds, 1e-9)


def annotate_files(
    pipeline: str,
    inputs: list[str],
    folder: Path,
    options: Options,
    *,
    workers: int = 0,
    resume: bool = True,
    report: Callable[[Progress], None] = lambda progress: None,
) -> Progress:
    """Annotate files, or go on where a job of the same arguments was ended.

    inputs: Paths, or "-" for the standard input, which is copied into the folder first.
    workers: Processes; 0 means one for each core, as far as there is memory, or one on a GPU.
    resume: Whether the job can go on later; without, nothing is copied, and the folder has to be
        without parts.
    report: Is told each time that a part is done.
    RAISES: ValueError or OSError if something is wrong with arguments, pipeline, inputs or folder.
    """
    find_pipeline(pipeline)
    check_excluded(pipeline, options.exclude)
    if inputs.count(DASH) > 1:
        raise ValueError(Errors.INPUT_ONCE)
    for path in inputs:
        if path != DASH:
            check_input(Path(path), options.reading)
    with claim(folder):
        paths = [_find_input(path, folder, options, resume) for path in inputs]
        if resume:
            begin_or_go_on(folder, describe_job(pipeline, paths, options))
        else:
            forget_job(folder)
        job = _Job(pipeline, paths, folder, options, report)
        return job.run(workers or default_workers(options))


def default_workers(options: Options) -> int:
    if options.gpu_id >= 0:
        return 1
    return max(1, min(count_cores(), _available_memory() // MEMORY_OF_WORKER))


def _available_memory() -> int:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        (kilobytes,) = (line.split()[1] for line in lines if line.startswith("MemAvailable"))
        return int(kilobytes) * 1024
    except (OSError, ValueError):  # not on Linux: as much as is wanted
        return 2**60


def _find_input(path: str, folder: Path, options: Options, resume: bool) -> Path:
    if path != DASH:
        return Path(path)
    if not resume:
        return STDIN
    copy = folder / f"stdin.{options.stdin}"
    # It is None where the caller has closed it.
    copy_or_compare(sys.stdin.buffer if sys.stdin else BytesIO(), copy)
    return copy


class _Job:
    def __init__(
        self,
        pipeline: str,
        paths: list[Path],
        folder: Path,
        options: Options,
        report: Callable[[Progress], None],
    ):
        self._pipeline, self._folder, self._options = pipeline, folder, options
        self._report, self._paths = report, paths
        self._n_parts = 0
        self._progress = Progress()

    def run(self, n_workers: int) -> Progress:
        progress = self._progress
        shards = self._read_shards()
        first = next(shards, None)
        if first is None:
            paths = ", ".join(map(str, self._paths))
            raise ValueError(Errors.INPUT_NO_TEXTS.format(paths=paths))
        output = make_output(self._options, self._paths, first.items)
        threads = max(1, count_cores() // n_workers)
        settings = Settings(self._pipeline, self._folder, self._options, output, threads)
        with Pool(n_workers, settings) as pool:
            for shard, done in pool.run(self._not_done(chain([first], shards), output)):
                progress.texts += done.texts
                progress.words += done.words
                progress.skipped += done.skipped
                progress.failed += done.failed
                self._tell(shard)
        join_errors(self._folder, self._n_parts)
        return progress

    def _read_shards(self) -> Iterator[Shard]:
        options = self._options
        stream = Stream(self._paths, options.reading)
        shards = cut_shards(stream, options.shard, lambda n_texts: stream.share)
        if options.draw:
            items = sorted(draw(stream, options.draw, options.seed), key=lambda item: item.number)
            shards = cut_shards(items, options.shard, lambda n_texts: n_texts / len(items))
        for shard in shards:
            self._n_parts += 1
            yield shard

    def _not_done(self, shards: Iterator[Shard], output: Output) -> Iterator[Shard]:
        for shard in shards:
            if not is_done(self._folder, shard.number, output):
                yield shard
                continue
            skipped, failed = count_failures(self._folder, shard.number)
            self._progress.found += len(shard.items) - skipped - failed
            self._progress.skipped += skipped
            self._progress.failed += failed
            self._tell(shard)

    def _tell(self, shard: Shard) -> None:
        self._progress.seconds = perf_counter() - self._progress.begun
        self._progress.share = max(self._progress.share, shard.share)
        self._report(self._progress)
