"""`spacy pretrained annotate`: arguments, the closing line, and exit codes. What it does is in
tests/bulk_annotation/."""

import io
import sys

import pytest
from typer.testing import CliRunner

from spacy_pretrained.bulk_annotation import run as bulk_run
from spacy_pretrained.bulk_annotation.options import Options
from spacy_pretrained.bulk_annotation.run import Progress
from spacy_pretrained.cli import pretrained_cli
from spacy_pretrained.cli.annotate import Bar


@pytest.fixture
def run(monkeypatch):
    """Runs the command, with a job that does nothing and ends so."""
    calls = []

    def run(*args: str, code: int = 0, end=Progress()) -> str:  # noqa: B008
        def annotate_files(*args, report, **kwargs):
            calls.append((args, kwargs))
            if isinstance(end, BaseException):
                raise end
            report(end)
            return end

        monkeypatch.setattr(bulk_run, "annotate_files", annotate_files)
        result = CliRunner().invoke(pretrained_cli, ["annotate", *args])
        assert result.exit_code == code, result.output
        return " ".join(result.output.split())

    run.calls = calls
    return run


def test_arguments(run):
    run("model", "a.jsonl", "-", "out", "--keep", "id, date", "--what", "tokens,ents")
    run("model", "a.txt", "out", "--silver", "--draw", "7", "--no-resume", "--workers", "3")
    (one, ones), (two, twos) = run.calls
    assert one[:2] == ("model", ["a.jsonl", "-"]) and str(one[2]) == "out"
    assert one[3] == Options(keep=("id", "date"), what=("tokens", "ents"))
    assert ones == {"workers": 0, "resume": True}
    assert two[3] == Options(format="spacy", silver=True, draw=7)
    assert twos == {"workers": 3, "resume": False}


@pytest.mark.parametrize(
    "options, message",
    [
        (["--silver", "--what", "ents"], "--what: this would have no effect in .spacy"),
        (["--format", "conllu", "--what", "ents"], "--what: this would have no effect in .conllu"),
        (["--seed", "1"], "--seed: this would have no effect without --draw"),
        (["--stdin", "txt"], "--stdin: this would have no effect where no input is -"),
        (["--whole", "--sentences"], "--sentences: this would have no effect with --whole"),
        (["--whole"], "--whole: this would have no effect where no input is .txt"),
    ],
)
def test_options_without_effect_are_refused(run, options, message):
    assert message in run("model", "a.jsonl", "out", *options, code=1)
    assert not run.calls


def test_closing_lines(run):
    end = Progress(texts=1000, words=20_000, seconds=10.0, share=1.0)
    said = run("model", "a.txt", "out", end=end)
    assert "out: 1,000 texts; 20,000 words in 10 s, 2,000 words/s; skipped: 0, failed: 0" in said
    end = Progress(found=1, skipped=2, failed=3)
    said = run("model", "a.txt", "out", end=end, code=1)
    assert "out: 1 text; 1 of them were there; skipped: 2, failed: 3 (see out/errors.jsonl)" in said


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_where_somebody_looks(monkeypatch):
    for screen in (Screen(), io.StringIO()):
        monkeypatch.setattr(sys, "stderr", screen)
        with Bar() as bar:
            bar.show(Progress(texts=1, words=300, seconds=2.0, share=0.25))
            bar.show(Progress(texts=2, words=600, seconds=3.0, share=0.5))
            bar._bar.refresh()
        said = screen.getvalue()
        if isinstance(screen, Screen):
            assert " 50%" in said and "2 texts, 200 words/s" in said and "left: " in said
        else:
            assert not said


def test_exit_codes(run):
    said = run("model", "a.txt", "out", end=KeyboardInterrupt(), code=130)
    assert "Stopped. The same command resumes the job." in said
    assert "goes on" not in run("m", "a", "o", "--no-resume", end=KeyboardInterrupt(), code=130)
    assert "nothing here" in run("model", "a.txt", "out", end=ValueError("nothing here"), code=1)
    assert "records have a field" in run("model", "a.txt", "out", "--keep", "text", code=1)
    assert "Give at least one file" in run("model", "out", code=2)
    for option in ("--format", "--on-long", "--stdin"):
        assert f"{option}: 'x' is none of" in run("model", "a.txt", "out", option, "x", code=2)
    run("model", "a.txt", "out", "--shard", "0", code=2)
    assert "Example: python -m spacy pretrained annotate" in run("--help")
