"""docs/errors.md has every message, as the code has it; scripts/errors_page.py writes it."""

import runpy
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "scripts" / "errors_page.py"


def test_the_page_is_that_of_the_code():
    script = runpy.run_path(str(SCRIPT))
    assert script["PAGE"].read_text("utf8") == script["make_page"]()


def test_each_message_says_what_to_do():
    """At least something: a message of one short sentence seldom does."""
    page = runpy.run_path(str(SCRIPT))["make_page"]()
    messages = [line for line in page.splitlines() if line.startswith("- **")]
    assert len(messages) > 200
    assert all(len(line.partition(": ")[2]) > 20 for line in messages)
