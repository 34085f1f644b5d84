"""What `adapt` does before and after the training itself, which takes torch: another function
stands in for it, whose result is the encoder as it was."""

import json
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import spacy
from spacy.tokens import Doc, DocBin
from typer.testing import CliRunner

from spacy_pretrained.adapting import adapt as module
from spacy_pretrained.adapting.adapt import adapt
from spacy_pretrained.adapting.checkpoints import mark_whole
from spacy_pretrained.adapting.options import AdaptOptions
from spacy_pretrained.adapting.result import Adapted
from spacy_pretrained.adapting.work import Work
from spacy_pretrained.adapting.zero_shot import MOST_TEXTS, find_labelled, measure_zero_shot
from spacy_pretrained.cli import pretrained_cli
from spacy_pretrained.textcat.labels.label_set import DEFAULT_TEMPLATE

TRAINING = "spacy_pretrained.adapting.torch_adapt"
OPTIONS = AdaptOptions(length=32)
LABELS = ("animals", "the sea")
PHRASES = [DEFAULT_TEMPLATE.replace("{}", label) for label in LABELS]


def make_found(**values) -> Adapted:
    curve = [{"step": 4, "perplexity": 40.0}, {"step": 8, "perplexity": 23.5}]
    known = {"source": "x", "texts": 160, "pieces": 1234, "before": 61.25, "after": 23.5}
    known |= {
        "fresh_head": False,
        "head_settled": True,
        "steps": 8,
        "seconds": 1.0,
        "curve": curve,
        "head_curve": [],
    }
    known |= {"zero_shot": None, "pairs_left_out": 0, "licence": None}
    return Adapted(**known | values)


class Stop(Exception):
    """As Ctrl-C, or whatever."""


@pytest.fixture
def training(monkeypatch) -> SimpleNamespace:
    """What trains. As many of its runs as `stops` says come to no end."""
    found = SimpleNamespace(stops=0, runs=0)

    def train_and_save(prepared, source, folder, work, options, report):
        found.runs += 1
        report("step 4 of 8: held-out perplexity 40.0")
        if found.runs <= found.stops:
            raise Stop
        for path in Path(folder).iterdir():
            shutil.copyfile(path, work.out / path.name)
        return make_found(source=source)

    monkeypatch.setattr(module, "is_installed", lambda package: True)
    functions = {"prepare": lambda *_: None, "train_and_save": train_and_save}
    monkeypatch.setitem(sys.modules, TRAINING, SimpleNamespace(**functions))
    return found


@pytest.fixture
def sentence_encoder(monkeypatch) -> None:
    monkeypatch.setattr(module, "is_sentence_encoder", lambda *_: True)


def write_labelled(path: Path, pairs: list[tuple[str, str]]) -> Path:
    """Texts with one of the LABELS each, or none."""
    nlp = spacy.blank("xx")
    docs = [nlp(text) for text, _ in pairs]
    for doc, (_, label) in zip(docs, pairs):
        doc.cats = {one: float(one == label) for one in LABELS}
    DocBin(docs=docs).to_disk(path)
    return path


def read_labelled(path: Path) -> list[Doc]:
    return list(DocBin().from_disk(path).get_docs(spacy.blank("xx").vocab))


# The whole of it


def test_what_it_leaves(training, tiny_bert, texts_file, tmp_path):
    pytest.importorskip("matplotlib")
    said, warned, out = [], [], tmp_path / "out"
    found = adapt(tiny_bert, texts_file, out, OPTIONS, report=said.append, warn=warned.append)
    assert (found.before, found.after, found.zero_shot) == (61.25, 23.5, None)
    assert said == ["step 4 of 8: held-out perplexity 40.0"] and not warned
    assert (out / "curve.png").read_bytes().startswith(b"\x89PNG")
    assert not (out / "adapt").exists()  # the checkpoints
    written = json.loads((out / "adapt.json").read_text("utf8"))
    assert written["curve"] == found.curve and written["options"] == OPTIONS.as_dict()
    with pytest.raises(ValueError, match="adapted encoder already"):
        adapt(tiny_bert, texts_file, out, OPTIONS)
    assert training.runs == 1


@pytest.mark.usefixtures("training")
def test_without_matplotlib_there_is_no_curve_and_it_says_so(
    tiny_bert, texts_file, tmp_path, monkeypatch
):
    monkeypatch.setattr(module, "is_installed", lambda package: package != "matplotlib")
    said = []
    adapt(tiny_bert, texts_file, tmp_path / "out", OPTIONS, report=said.append)
    assert "spacy-pretrained[plot]" in said[-1]
    assert not (tmp_path / "out" / "curve.png").exists()
    assert (tmp_path / "out" / "adapt.json").is_file()


def test_the_curve_begins_with_what_was_before(tmp_path):
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    from spacy_pretrained.adapting import curve

    figures = []

    def make_figure(**settings):
        figures.append(Figure(**settings))
        return figures[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(curve, "import_figure", lambda: make_figure)
        curve.plot_curve(make_found(), tmp_path / "curve.png")
    (axes,) = figures[0].axes
    line, before = axes.lines
    assert list(line.get_xdata()) == [0, 4, 8] and list(line.get_ydata()) == [61.25, 40.0, 23.5]
    assert set(before.get_ydata()) == {61.25}
    assert "61.2 before, 23.5 after" in axes.get_title(loc="left")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_without_the_extra(tiny_bert, texts_file, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "is_installed", lambda name: name != "accelerate")
    with pytest.raises(ImportError, match=r"missing: accelerate.*spacy-pretrained\[adapt\]"):
        adapt(tiny_bert, texts_file, tmp_path / "out", OPTIONS)
    assert not (tmp_path / "out").exists()


def test_what_is_refused_leaves_nothing_behind(
    training, tiny_bert, texts_file, tmp_path, monkeypatch
):
    """The command is given again as it should be, in the same folder."""

    def refuse(source, folder, texts, options, report):
        if options.length == 999:
            raise ValueError("too long")

    monkeypatch.setattr(sys.modules[TRAINING], "prepare", refuse)
    out = tmp_path / "out"
    for is_there in (False, True):
        if is_there:
            out.mkdir()
        with pytest.raises(ValueError, match="too long"):
            adapt(tiny_bert, texts_file, out, AdaptOptions(length=999))
        assert out.exists() == is_there and not (out / "adapt").exists()
    adapt(tiny_bert, texts_file, out, OPTIONS)
    assert training.runs == 1


@pytest.mark.usefixtures("sentence_encoder")
def test_what_zero_shot_refuses_leaves_nothing_behind(training, tiny_bert, tmp_path, monkeypatch):
    def refuse(*_):
        raise ValueError("no labels")

    path = write_labelled(tmp_path / "texts.spacy", [("a fox", "animals")])
    monkeypatch.setattr(module, "measure_zero_shot", refuse)
    with pytest.raises(ValueError, match="no labels"):
        adapt(tiny_bert, path, tmp_path / "out", OPTIONS)
    assert not (tmp_path / "out").exists() and not training.runs


def test_two_do_not_train_in_one_folder(tmp_path):
    pytest.importorskip("fcntl", reason="not noticed on Windows")
    with (
        Work(tmp_path).alone(),
        pytest.raises(ValueError, match="Another process"),
        Work(tmp_path).alone(),
    ):
        pass
    with Work(tmp_path).alone():
        pass


# Sentence encoders


@pytest.mark.usefixtures("sentence_encoder")
def test_a_sentence_encoder_is_measured_before_and_after(training, tiny_bert, tmp_path):
    """On the labelled texts that it is trained on, if no others are given. Its weights are as they
    were, so both are the same."""
    path = write_labelled(tmp_path / "texts.spacy", [(phrase, "animals") for phrase in PHRASES])
    warned, out = [], tmp_path / "out"
    found = adapt(tiny_bert, path, out, OPTIONS, report=lambda line: None, warn=warned.append)
    assert found.zero_shot == pytest.approx({"before": 50, "after": 50})
    assert json.loads((out / "adapt.json").read_text("utf8"))["zero_shot"] == found.zero_shot
    assert len(warned) == 1 and "sentence encoder" in warned[0]


@pytest.mark.usefixtures("training", "sentence_encoder")
def test_without_labelled_texts_nobody_knows_what_is_lost(tiny_bert, texts_file, tmp_path):
    warned = []
    adapt(tiny_bert, texts_file, tmp_path / "out", OPTIONS, warn=warned.append)
    assert len(warned) == 2 and "not measured. Give --labelled" in warned[1]
    options = AdaptOptions(length=32, labelled=texts_file)
    with pytest.raises(ValueError, match="texts with categories"):
        adapt(tiny_bert, texts_file, tmp_path / "other", options)


def test_what_was_measured_before_a_stop_is_not_measured_again(
    training, tiny_bert, texts_file, tmp_path, monkeypatch
):
    """Whoever gives --labelled has any encoder measured."""
    measured = []

    def measure(source, docs):
        measured.append(source)
        return 10.0 * len(measured)

    monkeypatch.setattr(module, "measure_zero_shot", measure)
    path = write_labelled(tmp_path / "labelled.spacy", [("a", "animals")])
    options, out = AdaptOptions(length=32, labelled=path), tmp_path / "out"
    training.stops = 2
    for _ in range(2):
        with pytest.raises(Stop):
            adapt(tiny_bert, texts_file, out, options)
    found = adapt(tiny_bert, texts_file, out, options)
    assert measured == [tiny_bert, str(out.resolve())] and training.runs == 3
    assert found.zero_shot == {"before": 10.0, "after": 20.0}


def test_zero_shot_accuracy(tiny_bert, tmp_path):
    """A text that is a label's own phrase is nearest to that label."""
    right = write_labelled(tmp_path / "right.spacy", list(zip(PHRASES, LABELS)))
    wrong = write_labelled(tmp_path / "wrong.spacy", list(zip(PHRASES, reversed(LABELS))))
    assert measure_zero_shot(tiny_bert, read_labelled(right)) == pytest.approx(100)
    assert measure_zero_shot(tiny_bert, read_labelled(wrong)) == pytest.approx(0)


def test_labelled_texts_are_found_in_whatever_file_there_is(tmp_path):
    pairs = [("a", "animals"), ("b", "none of these"), ("c", "the sea")]
    path = write_labelled(tmp_path / "some.spacy", pairs)
    assert [doc.text for doc in find_labelled(path)] == ["a", "c"]
    many = write_labelled(tmp_path / "many.spacy", [("a", "animals")] * (MOST_TEXTS + 1))
    assert len(find_labelled(many)) == MOST_TEXTS
    shutil.copyfile(path, tmp_path / "some.bin")
    (tmp_path / "broken.spacy").write_bytes(b"not a DocBin")
    for name in ("some.bin", "broken.spacy", "missing.spacy", "."):
        assert find_labelled(tmp_path / name) == []


# The command


def run(*args) -> tuple[int, str]:
    result = CliRunner().invoke(pretrained_cli, ["adapt", *map(str, args)])
    return result.exit_code, " ".join(result.output.split())


def test_the_command_asks_for_what_it_was_given(tmp_path, monkeypatch):
    asked = []

    def answer(source, texts, out, options, **kwargs):
        asked.append((source, texts, out, options))
        found = {"before": 41.239, "after": 56.0}
        return make_found(fresh_head=True, zero_shot=found)

    monkeypatch.setattr(module, "adapt", answer)
    out = tmp_path / "my out"
    given = "--epochs 2 --minutes 5 --batch 16 --length 64 --rate 1e-4 --whole-words"
    given += " --next-sentence --bfloat16 --memory 8GB --interval 7 --patience 2"
    given += " --text-field body --labelled l.spacy --seed 3"
    code, said = run("minilm-l6", "texts", out, *given.split())
    assert code == 0, said
    options = AdaptOptions(
        epochs=2,
        minutes=5,
        batch=16,
        length=64,
        rate=1e-4,
        whole_words=True,
        next_sentence=True,
        bfloat16=True,
        memory=8_000_000_000,
        interval=7,
        patience=2,
        text_field="body",
        labelled=Path("l.spacy"),
        seed=3,
    )
    assert asked == [("minilm-l6", Path("texts"), out, options)]
    assert "held-out perplexity 61.25 23.50" in said
    assert "zero-shot accuracy, % 41.24 56.00" in said
    assert "with a head of its own" in said
    assert f"--encoder '{out}'" in said  # a path with a space, as a shell takes it
    assert run("minilm-l6", "texts", out)[0] == 0
    assert asked[1][3] == AdaptOptions()


def test_what_is_refused_is_said_in_a_line(tmp_path):
    code, said = run("minilm-l6", "texts.txt", tmp_path / "out", "--epochs", "0")
    assert code == 1 and "--epochs has to be more than 0" in said


def test_ctrl_c_says_where_to_go_on(tmp_path, monkeypatch):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "adapt", interrupt)
    code, said = run("minilm-l6", "texts.txt", tmp_path)
    assert code == 130 and "nothing to go on with" in said
    (tmp_path / "adapt" / "all" / "checkpoint-9").mkdir(parents=True)
    mark_whole(tmp_path / "adapt" / "all" / "checkpoint-9")
    code, said = run("minilm-l6", "texts.txt", tmp_path)
    assert code == 130 and "same command again" in said
