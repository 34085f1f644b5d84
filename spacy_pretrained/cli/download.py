"""`python -m spacy pretrained download`."""

from typing import Annotated

import typer
from wasabi import msg

from .clear_errors import clear_errors


def download(
    name: Annotated[
        str,
        typer.Argument(
            help="A name in the catalogue or OWNER/NAME on the model hub; @REVISION behind it is "
            "a branch, a tag or a commit"
        ),
    ],
) -> None:
    """Download an encoder from the model hub to its cache, which other programs share.

    Only the files that are needed are downloaded. Weights in pickles (.bin) are converted to
    safetensors. If the download is interrupted, the next call downloads the missing files. The
    variables of huggingface_hub apply: HF_ENDPOINT, HF_HUB_OFFLINE, HF_TOKEN, HF_HOME.

    Example: python -m spacy pretrained download FacebookAI/xlm-roberta-base
    """
    with clear_errors():
        from ..checkpoints.catalogue import CATALOGUE
        from ..sources.disk_space import format_bytes
        from ..sources.download import download
        from ..sources.errors import Errors
        from ..sources.find import find_in_package
        from ..sources.hub_id import read_hub_id
        from ..sources.licence import describe_licence

        entry = CATALOGUE.get(name, {})
        if entry.get("package"):
            if folder := find_in_package(entry["package"]):
                msg.good(f"'{name}' is installed as a Python package: {folder}")
                return
            raise ValueError(Errors.HUB_PACKAGE.format(name=name, **entry))
        hub = read_hub_id(name)
        try:
            found = download(hub)
        except KeyboardInterrupt:
            msg.fail("Interrupted. Finished files are kept; run the command again.", exits=130)
    size = sum(path.stat().st_size for path in found.folder.glob("*.safetensors"))
    if found.converted:
        msg.info("The weights were converted from a pickle file to safetensors, and compared.")
    msg.good(f"{hub}: {found.folder} (weights: {format_bytes(size)})")
    licence = found.licence or entry.get("licence")
    if warning := describe_licence(licence, hub):
        msg.warn(warning)
    else:
        msg.info(f"Licence: {licence}")
    print(f'To train on it, set in the config: source = "{hub}"')
