"""Put local copies of the public data where `spacy project assets` would put them.

    python scripts/copy_assets.py ../shared/data

Of every asset in project.yml the file is looked for by its name in the URL, in the folder and up to
two levels below, also compressed (.gz). Only files with the right MD5 checksum are copied; an asset
without one is taken on trust. Where an archive or repository is not there, the files that
project.yml lists under it (`files`) stand for it.
"""

import gzip
import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import srsly
import typer
from wasabi import msg

ASSET_CHECKSUM = (
    "{path} is not the file that the project lists: its MD5 checksum is {found}, not "
    "{expected}. Remove it, and get it again with `spacy project assets . --extra` or, from a "
    "folder that has it, `make corpus DATA=folder`."
)
ASSET_BROKEN = "{path} cannot be uncompressed: {error}. Remove it and get it again."
CORPUS_FOLDER = "DATA is to be a folder with the project's data, and '{folder}' is none."


@dataclass(frozen=True)
class Asset:
    """A file of project.yml's `assets`."""

    dest: Path  # absolute
    name: str  # of the file behind the URL
    checksum: str | None  # MD5 of its contents, in hexadecimal digits
    files: tuple["Asset", ...] = ()  # in the same folder, what was taken out of it

    def parts(self) -> tuple["Asset", ...]:
        """The asset itself or, where it is not there, the files that stand for it."""
        return self.files if self.files and not self.dest.exists() else (self,)


def main(
    data: Annotated[Path, typer.Argument(help="Folder with the files, or with folders of them")],
    project: Annotated[Path, typer.Option(help="Project file with the assets")] = Path(
        "project.yml"
    ),
) -> None:
    """Put local copies of the public data where `spacy project assets` would put them."""
    if not data.is_dir():
        msg.fail(CORPUS_FOLDER.format(folder=data), exits=1)
    assets = read_assets(project)
    are_there = are_right = True
    for asset in assets:
        try:
            source = copy_asset(asset, data)
        except (ValueError, OSError) as error:
            are_right = False
            msg.fail(str(error))
            continue
        if source == asset.dest:
            msg.good(f"{asset.dest}: there already")
        elif source:
            msg.good(f"{asset.dest}: copied from {source}")
        else:
            are_there = False
            sought = f" with the MD5 checksum {asset.checksum}" if asset.checksum else ""
            msg.warn(f"{asset.dest}: no {asset.name}{sought} in {data}")
    if not (are_right and are_there):
        raise typer.Exit(1)


def read_assets(project: Path) -> list[Asset]:
    assets = []
    for asset in srsly.read_yaml(project).get("assets", []):
        dest = (project.parent / asset["dest"]).resolve()
        name = asset.get("url", asset["dest"]).rpartition("/")[2]
        files = asset.get("files", {}).items()
        parts = tuple(Asset(dest.parent / file, file, checksum) for file, checksum in files)
        assets.append(Asset(dest, name, asset.get("checksum"), parts))
    return assets


def copy_asset(asset: Asset, data: Path) -> Path | None:
    """Copy a file to its place. RETURNS: what it was copied from: its own place if it was there
    already, None if it was not found. ValueError if what is there is another file, and none is
    found to take its place; of other files in `data` nothing is said: data sets share names."""
    if asset.dest.is_dir():
        return asset.dest
    found = [asset.dest] if asset.dest.exists() else []
    found += _candidates(asset, data)
    for source in found:
        contents = _read(source)
        if asset.checksum in (None, _md5(contents)):
            if source != asset.dest:
                asset.dest.parent.mkdir(parents=True, exist_ok=True)
                asset.dest.write_bytes(contents)
            return source
    if asset.dest.exists():
        check_asset(asset, asset.dest)
    sources = [copy_asset(file, data) for file in asset.files]
    return sources[0] if sources and all(sources) else None


def check_asset(asset: Asset, path: Path) -> None:
    """ValueError if the file at path is not what project.yml says it should be."""
    found = _md5(_read(path))
    if found != asset.checksum:
        raise ValueError(ASSET_CHECKSUM.format(path=path, found=found, expected=asset.checksum))


def _candidates(asset: Asset, data: Path) -> Iterator[Path]:
    for name in (asset.name, asset.name + ".gz"):
        yield from sorted(
            path
            for folder in ("", "*/", "*/*/")
            for path in data.glob(folder + name)
            if path.is_file()
        )


def _read(path: Path) -> bytes:
    """The contents of a file, uncompressed."""
    contents = path.read_bytes()
    if path.suffix != ".gz":
        return contents
    try:
        return gzip.decompress(contents)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(ASSET_BROKEN.format(path=path, error=error)) from error


def _md5(contents: bytes) -> str:
    return hashlib.md5(contents, usedforsecurity=False).hexdigest()


if __name__ == "__main__":
    typer.run(main)
