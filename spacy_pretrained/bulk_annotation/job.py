"""The folder of a job: what made it, who is at work in it, and which parts are done."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import srsly
from spacy.util import get_package_path, is_package, load_config

from ..runtime.file_lock import try_lock
from ..runtime.whole_files import remove_unfinished, whole_file
from ..saving.files import digest, digest_folder
from .errors import Errors
from .options import Options
from .outputs import Output

JOB, LOCK, ERRORS = "job.json", ".lock", "errors.jsonl"
PART, PART_ERRORS = "part-{:06}{}", "part-{:06}.errors.jsonl"
ENDS = 2**20  # bytes at both ends of an input that its digest is of

Description = dict[str, Any]


def find_pipeline(pipeline: str) -> tuple[Path, str]:
    """The folder and the version of a saved or installed pipeline.

    RAISES: ValueError if there is none.
    """
    folder = Path(pipeline)
    if (folder / "config.cfg").is_file():
        return folder, srsly.read_json(folder / "meta.json").get("version", "")
    if is_package(pipeline):
        return get_package_path(pipeline), version(pipeline)
    raise ValueError(Errors.PIPELINE_MISSING.format(pipeline=pipeline))


def check_excluded(pipeline: str, names: tuple[str, ...]) -> None:
    """ValueError if a component is to be left out that the pipeline has not: spaCy would say
    nothing."""
    if not names:
        return
    folder, _ = find_pipeline(pipeline)
    # A package has its pipeline in a folder of its own.
    path = next(iter([*folder.glob("config.cfg"), *folder.glob("*/config.cfg")]))
    components = load_config(path)["nlp"]["pipeline"]
    for name in names:
        if name not in components:
            known = ", ".join(components)
            raise ValueError(
                Errors.EXCLUDED_UNKNOWN.format(pipeline=pipeline, name=name, components=known)
            )


def describe_job(pipeline: str, inputs: list[Path], options: Options) -> Description:
    """What `job.json` says: all that decides what is written."""
    folder, of_pipeline = find_pipeline(pipeline)
    described = {
        "pipeline": {"name": pipeline, "version": of_pipeline, "digest": digest_folder(folder)},
        "inputs": [describe_input(path) for path in inputs],
        "options": asdict(options),
        "code": None if options.code is None else digest(Path(options.code)),
    }
    return json.loads(json.dumps(described))  # as it is when it has been read


def describe_input(path: Path) -> Description:
    """Its path, size, and a digest of its first and last MB: all of it would take too long."""
    size = path.stat().st_size
    with path.open("rb") as file:
        digest = hashlib.sha256(file.read(ENDS))
        file.seek(max(0, size - ENDS))
        digest.update(file.read(ENDS))
    return {"path": str(path), "size": size, "digest": digest.hexdigest()}


@contextmanager
def claim(folder: Path) -> Iterator[None]:
    """Make a folder, and have it for oneself as long as the block lasts.

    RAISES: ValueError if another process is at work in it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as lock:
        if not try_lock(lock):
            raise ValueError(Errors.JOB_RUNNING.format(folder=folder))
        remove_unfinished(folder)
        yield


def begin_or_go_on(folder: Path, description: Description) -> None:
    """Make a folder that of a job, or see that it is.

    RAISES: ValueError if it is another job's; the message says what differs.
    """
    path = folder / JOB
    if path.exists():
        _compare(path, description)
        return
    check_no_parts(folder)
    with whole_file(path) as unfinished:
        # Not by srsly, which has no numbers above 64 bits and no file names that are not UTF-8.
        unfinished.write_text(json.dumps(description, indent=2) + "\n", encoding="ascii")


def forget_job(folder: Path) -> None:
    """Make a folder nobody's: what is written to it next is not to be taken for parts of a job.

    RAISES: ValueError if it has parts.
    """
    check_no_parts(folder)
    (folder / JOB).unlink(missing_ok=True)


def check_no_parts(folder: Path) -> None:
    """ValueError if there are any, of whatever job."""
    if stranger := next(folder.glob("part-*"), None):
        raise ValueError(Errors.JOB_STRANGE.format(folder=folder, name=stranger.name))


def _compare(path: Path, description: Description) -> None:
    try:
        old = json.loads(path.read_bytes())
        differences = list(_differences(old, description))
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        raise ValueError(Errors.JOB_UNREADABLE.format(path=path, error=error)) from error
    if differences:
        named = "; ".join(differences)
        raise ValueError(Errors.JOB_DIFFERS.format(folder=path.parent, differences=named))


def _differences(old: Description, new: Description) -> Iterator[str]:
    one, two = old["pipeline"], new["pipeline"]
    if one["digest"] != two["digest"]:
        names = [f"{pipeline['name']} ({pipeline['version']})" for pipeline in (one, two)]
        was, is_now = names
        changed = f"the files of the pipeline {was} have changed"
        yield changed if was == is_now else f"the pipeline was {was}, and is {is_now}"
    before, after = ([one["path"] for one in job["inputs"]] for job in (old, new))
    if before != after:
        yield f"the inputs were {', '.join(before)}, and are {', '.join(after)}"
    else:
        for one, two in zip(old["inputs"], new["inputs"]):
            if one != two:
                yield f"the input {one['path']} has changed"
    for name, value in new["options"].items():
        if old["options"].get(name) != value:
            option = "--" + name.replace("_", "-")
            yield f"{option} was {_say(old['options'].get(name))}, and is {_say(value)}"
    code = new["options"]["code"]
    # Jobs that were begun before there was this digest do not know what their code was.
    if code == old["options"].get("code") and old.get("code", new["code"]) != new["code"]:
        yield f"the code {code} has changed"


def _say(value: Any) -> str:
    return ",".join(map(str, value)) or "nothing" if isinstance(value, list) else str(value)


def is_done(folder: Path, number: int, output: Output) -> bool:
    return (folder / PART.format(number, output.suffix)).exists()


def write_part(
    folder: Path, number: int, output: Output, encoded: list[Any], failures: list[Description]
) -> None:
    """The errors first: where the part is, they are."""
    errors = folder / PART_ERRORS.format(number)
    if failures:
        with whole_file(errors) as unfinished:
            # Texts may hold what is no UTF-8, so nothing but ASCII is written.
            lines = (json.dumps(failure, default=str) + "\n" for failure in failures)
            unfinished.write_text("".join(lines), encoding="ascii")
    else:
        errors.unlink(missing_ok=True)
    with whole_file(folder / PART.format(number, output.suffix)) as unfinished:
        output.write(unfinished, encoded)


def count_failures(folder: Path, number: int) -> tuple[int, int]:
    """How many texts of a part were skipped, and how many failed."""
    path = folder / PART_ERRORS.format(number)
    if not path.exists():
        return 0, 0
    with path.open("rb") as lines:
        statuses = [json.loads(line)["status"] for line in lines]
    return statuses.count("skipped"), statuses.count("failed")


def join_errors(folder: Path, n_parts: int) -> Path:
    """Put the errors of all parts into one file, in order; also if there are none."""
    joined = folder / ERRORS
    with whole_file(joined) as unfinished, unfinished.open("wb") as file:
        for path in (folder / PART_ERRORS.format(number) for number in range(n_parts)):
            if path.exists():
                file.write(path.read_bytes())
        file.flush()
        os.fsync(file.fileno())
    return joined
