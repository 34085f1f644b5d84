"""Put the wheel of a pipeline into pipelines/, from where users install it, with its checksum.

    python scripts/ship.py packages/ewt/int8

`make pipelines` does all of it: package, install and compare, evaluate, ship, and the model card.
The older wheel of the same pipeline is removed: there is one wheel a pipeline.
"""

import hashlib
import json
import shutil
import zipfile
from pathlib import Path
from typing import Annotated, Any

import typer
from try_pipeline import PIPELINES, SUMS
from wasabi import msg

# What may be in pipelines/, and how large its wheel may be: every clone downloads it.
LARGEST_MB = {"en_ewt_minilm_int8": 26, "en_ewt_tiny_int8": 16}


def main(
    folder: Annotated[Path, typer.Argument(help="Folder with the wheel")],
    output: Annotated[Path, typer.Argument(help="Folder that users install from")] = PIPELINES,
) -> None:
    wheels = sorted(folder.glob("*.whl"))
    if len(wheels) != 1:
        msg.fail(f"{folder} should hold one wheel, but has {len(wheels)}. Package first.", exits=1)
    if faults := find_faults(wheels[0]):
        msg.fail(f"{wheels[0].name} cannot be shipped", "\n".join(faults), exits=1)
    shipped = ship(wheels[0], output)
    msg.good(f"{shipped} ({shipped.stat().st_size / 1e6:.1f} MB)")


def find_faults(wheel: Path) -> list[str]:
    """Why this wheel is none to be shipped; nothing if it is."""
    name = name_of(wheel)
    if name not in LARGEST_MB:
        return [f"Only these pipelines are shipped: {', '.join(LARGEST_MB)}."]
    faults = []
    size = wheel.stat().st_size / 1e6
    if size > LARGEST_MB[name]:
        faults.append(f"It has {size:.1f} MB; at most {LARGEST_MB[name]} are allowed.")
    meta = read_meta(wheel)
    if not meta.get("license"):
        faults.append('Its meta has no license: give one to `package`, as "license" in --about.')
    for source in meta.get("sources") or [{"name": "(no source at all)"}]:
        if not source.get("license"):
            faults.append(f"Its meta does not say under which license {source['name']} is.")
    return faults


def ship(wheel: Path, output: Path) -> Path:
    """Copy the wheel in place of older ones of its name. RETURNS: The copy."""
    output.mkdir(parents=True, exist_ok=True)
    shipped = output / wheel.name
    unfinished = output / f".{wheel.name}"
    shutil.copy(wheel, unfinished)
    unfinished.replace(shipped)
    for old in set(output.glob(f"{name_of(wheel)}-*.whl")) - {shipped}:
        old.unlink()
    (output / SUMS).write_text(make_sums(output), encoding="utf8")
    return shipped


def make_sums(folder: Path) -> str:
    """The lines of SHA256SUMS: what `sha256sum *.whl` prints in the folder."""
    wheels = sorted(folder.glob("*.whl"))
    return "".join(
        f"{hashlib.sha256(wheel.read_bytes()).hexdigest()}  {wheel.name}\n" for wheel in wheels
    )


def name_of(wheel: Path) -> str:
    return wheel.name.partition("-")[0]


def read_meta(wheel: Path) -> dict[str, Any]:
    """The meta.json of a pipeline's wheel."""
    with zipfile.ZipFile(wheel) as file:
        return json.loads(file.read(f"{name_of(wheel)}/meta.json"))


if __name__ == "__main__":
    typer.run(main)
