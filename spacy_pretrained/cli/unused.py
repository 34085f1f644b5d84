"""Options that have no effect beside others: whoever gives one expects something of it."""

import typer

from .errors import Errors


def refuse_unused(context: typer.Context, names: set[str], why: str) -> None:
    """RAISES: ValueError if one of these options, named as parameters, was given.

    why: When they have no effect, such as "without --draw".
    """
    options = [
        option.opts[0]
        for option in context.command.params
        if option.name in names and context.get_parameter_source(option.name).name != "DEFAULT"
    ]
    if options:
        raise ValueError(Errors.UNUSED.format(options=", ".join(options), why=why))
