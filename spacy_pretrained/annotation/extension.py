"""Custom attributes of ours, such as `span._.confidence`, beside those of users."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from spacy.tokens import Span, Token

from .errors import Errors

logger = logging.getLogger("spacy")

_warned: set[tuple[type, str]] = set()


@dataclass(frozen=True)
class Getter:
    """Reads an attribute of ours. A class, for spaCy pickles the getters of all attributes when it
    spawns processes, and closures cannot be pickled.

    read: A function of a module, called with the span or token and `kind`.
    """

    read: Callable[[Span | Token, str | None], float | None]
    kind: str | None = None

    def __call__(self, of: Span | Token) -> float | None:
        return self.read(of, self.kind)


def register(owner: type, name: str, getter: Getter, component: str, call: str) -> None:
    """Register an attribute, unless there is one of that name that is not ours: that one stays,
    and a warning, once a process, says so.

    component: The component that wants it. call: How else to get at the values.
    """
    if not is_taken(owner, name):
        owner.set_extension(name, getter=getter, force=True)
    elif (owner, name) not in _warned:
        _warned.add((owner, name))
        default, method, other, _ = owner.get_extension(name)
        if other is not None:
            theirs = f"the getter {other!r}"
        else:
            theirs = f"the default {default!r}" if method is None else f"the method {method!r}"
        logger.warning(
            Errors.EXTENSION_TAKEN.format(
                component=component, owner=owner.__name__, name=name, theirs=theirs, call=call
            )
        )


def is_taken(owner: type, name: str) -> bool:
    """Whether there is an attribute of that name that is not ours."""
    if not owner.has_extension(name):
        return False
    other = type(owner.get_extension(name)[2])
    # By its name: a module that a notebook reloads has another class.
    return (other.__module__, other.__qualname__) != (Getter.__module__, Getter.__qualname__)
