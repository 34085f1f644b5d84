"""`pytest --minutes N`."""

import re
import subprocess
import sys
from pathlib import Path


def test_what_would_begin_later_is_skipped_and_listed():
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rs"]
    command += ["--minutes", "0", "tests/test_versions.py"]
    ran = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert re.search(r"= \d+ skipped in ", ran.stdout)  # and nothing else
    assert "not run: 0 minutes are over" in ran.stdout
