"""`python -m spacy pretrained remove`."""

from typing import Annotated

import typer
from wasabi import msg

from .clear_errors import clear_errors


def remove(
    name: Annotated[
        str,
        typer.Argument(
            help="A name in the catalogue or OWNER/NAME on the model hub: removes all of its "
            "revisions on this machine; with @REVISION behind it, only that one"
        ),
    ],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask")] = False,
) -> None:
    """Delete a model from the model hub's cache on this machine.

    Other programs share this cache and may use the model. Nothing outside of it is deleted.

    Example: python -m spacy pretrained remove FacebookAI/xlm-roberta-base
    """
    with clear_errors():
        from ..checkpoints.catalogue import CATALOGUE
        from ..sources import hub_cache
        from ..sources.disk_space import format_bytes
        from ..sources.errors import Errors
        from ..sources.hub_id import read_hub_id

        package = CATALOGUE.get(name, {}).get("package")
        if package:
            raise ValueError(Errors.REMOVE_PACKAGE.format(name=name, package=package))
        hub = read_hub_id(name)
        plan = hub_cache.plan_removal(hub, all_revisions="@" not in name)
        print(f"To be deleted, {format_bytes(plan.n_bytes)}:")
        for path in plan.paths:
            print(f"  {path}")
        msg.warn(
            "This is the cache of the model hub, which other programs share. Those that use this "
            "model will have to download it again."
        )
        if not yes and not typer.confirm("Delete it?"):
            msg.info("Nothing is deleted.")
            return
        hub_cache.remove(plan)
    msg.good(f"Deleted {hub}: {format_bytes(plan.n_bytes)} are free again.")
