"""`spacy pretrained serve`: what cannot be served is said in a line."""

import pytest
from serving_client import needs_extra
from typer.testing import CliRunner

from spacy_pretrained.cli import pretrained_cli

pytestmark = needs_extra


def serve(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(pretrained_cli, ["serve", *arguments])
    return result.exit_code, " ".join(result.output.split())


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "Name a pipeline"),
        (["x", "--host", "0.0.0.0"], "Anybody who reaches '0.0.0.0'"),
        (["x", "--host", "example.org"], "Anybody who reaches 'example.org'"),
        (["x", "--no-key", "--api-key-file", "key"], "contradict"),
        (["x", "--api-key-file", "nowhere"], "There is no file or folder 'nowhere'"),
        (["x", "--weights", "x"], "--weights has to be"),
        (["x", "--workers", "0"], "--workers has to be a number of at least 1, but it is 0"),
        (["x", "--max-waiting", "9"], "has to be at least --max-texts (256)"),
        (["x", "--max-texts", "0"], "--max-texts has to be a number of at least 1"),
        (["x", "--timeout", "0.5"], "--timeout has to be a number of at least 1"),
        (["x", "--timeout", "nan"], "--timeout has to be a number of at least 1"),
        (["x", "--timeout", "inf"], "--timeout has to be a number of at least 1"),
        (["x", "--allow-host", "https://a"], "--allow-host takes the name of a host"),
        (
            ["x", "--reload", "a", "--workers", "2"],
            "pipelines, --workers: this would have no effect",
        ),
        (["--reload", "nowhere"], "There is no file or folder 'nowhere'"),
    ],
)
def test_what_does_not_fit_is_said(arguments, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, said = serve(*arguments)
    assert code == 1 and expected in said


def test_a_missing_extra_is_named(monkeypatch):
    from spacy_pretrained.serving import serve as module

    monkeypatch.setattr(module, "find_spec", lambda name: None)
    code, said = serve("x")
    assert code == 1 and "pip install 'spacy-pretrained[serve]'" in said
