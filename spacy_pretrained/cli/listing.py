"""How `--help` lists commands: in the order of work, each with its whole first sentence."""

from typing import Any

from typer.core import TyperCommand, TyperGroup

# The order in which one comes to need them.
COMMANDS = (
    *("models", "info", "recommend", "download", "remove", "benchmark", "adapt"),
    *("convert", "check", "config", "search", "plot", "evaluate", "calibrate", "quantize"),
    *("package", "annotate", "serve"),
)
NO_LIMIT = 1_000_000  # characters


class WholeSummary:
    """A command whose line in a list is not cut where the screen ends, but goes on in the next."""

    def get_short_help_str(self, limit: int = NO_LIMIT) -> str:
        return super().get_short_help_str(NO_LIMIT)


class Command(WholeSummary, TyperCommand):
    """A command of ours."""


class Commands(TyperGroup):
    """All commands of ours."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)
