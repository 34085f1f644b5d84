"""Messages of this folder, beside those that it shares with others."""

from ..errors import Errors as SharedErrors


class Errors(SharedErrors):
    THREADS = (
        "{name} is '{value}'. Set it to the number of threads that a process may use, 1 or more, "
        "or unset it."
    )
