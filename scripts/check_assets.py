"""Check that the files of a folder are those that the project lists, by their checksums.

    python scripts/check_assets.py assets/ewt --project project.yml

Files that project.yml lists as assets have to be there, with the checksums that it gives: weasel
itself reports a wrong file and goes on. Other files, and folders that it does not list, may be
anything.
"""

from pathlib import Path
from typing import Annotated

import typer
from copy_assets import check_asset, read_assets
from wasabi import msg

ASSET_MISSING = (
    "{path} is not there. Get it with `spacy project assets . --extra` or, from a folder that "
    "has it, `make corpus DATA=folder`."
)


def main(
    folder: Annotated[Path, typer.Argument(help="Folder with files of the project")],
    project: Annotated[Path, typer.Option(help="Project file with the assets")] = Path(
        "project.yml"
    ),
) -> None:
    """Check that the files of a folder are those that the project lists, by their checksums."""
    try:
        n_checked = check_assets(folder, project)
    except (ValueError, OSError) as error:
        msg.fail(str(error), exits=1)
    msg.good(f"{folder}: {n_checked} listed files have the right checksums")


def check_assets(folder: Path, project: Path) -> int:
    """RETURNS: how many files were checked. ValueError if one is missing or another."""
    here = [asset for asset in read_assets(project) if asset.dest.parent == folder.resolve()]
    parts = [part for asset in here for part in asset.parts() if part.checksum]
    for part in parts:
        if not part.dest.exists():
            raise ValueError(ASSET_MISSING.format(path=part.dest))
        check_asset(part, part.dest)
    return len(parts)


if __name__ == "__main__":
    typer.run(main)
