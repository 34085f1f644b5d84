"""`pytest --minutes N` skips, with that reason, what would begin after N minutes."""

from time import monotonic

import pytest

BEGIN = pytest.StashKey[float]()


def add_option(parser: pytest.Parser) -> None:
    text = "skip, and say so, what would begin after so many minutes"
    parser.addoption("--minutes", type=float, default=float("inf"), help=text)


def begin(config: pytest.Config) -> None:
    config.stash[BEGIN] = monotonic()


def skip_late(item: pytest.Item) -> None:
    """For `pytest_runtest_setup`, before marks are looked at."""
    minutes = item.config.getoption("minutes")
    if monotonic() - item.config.stash[BEGIN] > 60 * minutes:
        item.add_marker(pytest.mark.skip(reason=f"not run: {minutes:g} minutes are over"))
