"""`spacy pretrained plot`: a picture, or one line that says why not."""

import json

import pytest
from typer.testing import CliRunner

from spacy_pretrained.cli import pretrained_cli

LINE = {
    **{"step": 0, "epoch": 0, "seconds": 1.0, "words": 100, "words_per_second": 50.0},
    **{"losses": {"tagger": 2.0}, "scores": {"tag_acc": 0.5}, "score": 0.5},
}


def run(*args):
    return CliRunner().invoke(pretrained_cli, ["plot", *map(str, args)])


def test_a_picture_or_a_line(tmp_path):
    pytest.importorskip("matplotlib")
    log = tmp_path / "training.jsonl"
    log.write_text(json.dumps(LINE) + "\n")
    result = run(log, tmp_path / "training.png")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "training.png").read_bytes().startswith(b"\x89PNG")
    for bad in (("nothing.jsonl", "new.png"), (log, tmp_path / "new.nothing")):
        result = run(*bad)
        assert result.exit_code == 1 and isinstance(result.exception, SystemExit)
        assert "nothing" in result.output
    assert run(log).exit_code == 2


def test_a_log_that_is_not_there_or_is_a_folder(tmp_path):
    for log, part in ((tmp_path, "is a folder"), (tmp_path / "no.jsonl", "There is no log")):
        result = run(log, tmp_path / "new.png")
        assert result.exit_code == 1 and part in " ".join(result.output.split())
        assert "Errno" not in result.output


def test_a_picture_without_a_suffix(tmp_path):
    """matplotlib would write another file than the one that is named."""
    pytest.importorskip("matplotlib")
    log = tmp_path / "training.jsonl"
    log.write_text(json.dumps(LINE) + "\n")
    result = run(log, tmp_path / "new" / "picture")
    assert result.exit_code == 1 and "no suffix" in " ".join(result.output.split())
    assert not (tmp_path / "new").exists()


def test_the_log_of_spacys_own_logger(tmp_path):
    """It lacks words and seconds."""
    log = tmp_path / "training.jsonl"
    known = ("epoch", "step", "losses", "scores", "score")
    log.write_text(json.dumps({key: LINE[key] for key in known}) + "\n")
    result = run(log, tmp_path / "new.png")
    assert result.exit_code == 1 and isinstance(result.exception, SystemExit)
    assert "TrainingLogger" in result.output and not (tmp_path / "new.png").exists()
