"""What is wrong with a file: gathered, so that one run tells all of it."""

from .errors import Errors

MOST = 20


class Faults:
    """Messages of what is malformed.

    >>> faults = Faults()
    >>> faults.add("train.tsv, line 3: ...")  # reads on
    >>> faults.check()  # ValueError

    most: After that many it raises at once. With 1 the first is raised where it is found, for
        readers that hand out what they have read so far.
    """

    def __init__(self, most: int = MOST):
        self._most = most
        self._messages: list[str] = []

    def __len__(self) -> int:
        return len(self._messages)

    @property
    def is_full(self) -> bool:
        return len(self) >= self._most

    def add(self, fault: str | Exception) -> None:
        """RAISES: ValueError if there are as many as are told."""
        self._messages.append(str(fault))
        if self.is_full:
            raise self._error()

    def check(self) -> None:
        """RAISES: ValueError, with all of them, if there are any."""
        if self._messages:
            raise self._error()

    def _error(self) -> ValueError:
        text = "\n".join(self._messages)
        if self.is_full and self._most > 1:
            text += "\n" + Errors.FAULTS_MOST.format(n=len(self))
        return ValueError(text)
