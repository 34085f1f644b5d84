"""scripts/textcat_readers.py: made-up files in the layouts of the sets."""

import importlib
import json
import zipfile
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"
WORDS = (("good", "positive"), ("bad", "negative"))
HWU64 = "answerid;scenario;intent;answer_annotation;answer_from_anno;answer_from_user\n"


@pytest.fixture
def readers(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    return importlib.import_module("textcat_readers")


def write(folder: Path, **files: str) -> Path:
    """Files by their names, "__" for a dot and "/" as it is."""
    for name, contents in files.items():
        path = folder / name.replace("__", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(contents, encoding="utf8")
    return folder


def test_ag_news_is_halved(readers, tmp_path):
    lines = [f'"{1 + i % 4}","Title {i}","A \\""word\\"" more"\n' for i in range(10)]
    parts = readers.read_ag_news(write(tmp_path, test__csv="".join(lines)))
    assert {name: len(rows) for name, rows in parts.items()} == {"train": 5, "test": 5}
    rows = sorted(parts["train"] + parts["test"])
    assert rows == [(f'Title {i} A  "word " more', str(1 + i % 4)) for i in range(10)]
    assert parts == readers.read_ag_news(tmp_path)


def test_sib200_adds_dev_to_train(readers, tmp_path):
    header = "index_id\tcategory\ttext\n"
    write(
        tmp_path,
        train__tsv=header + '1\ttravel\tA trip.\n2\thealth\t"He said ""ill""."\n',
        dev__tsv=header + "3\tsports\tA game.\n",
        test__tsv=header + "4\thealth\tA cold.\n",
    )
    train = [("A trip.", "travel"), ('He said "ill".', "health"), ("A game.", "sports")]
    assert readers.read_sib200(tmp_path) == {"train": train, "test": [("A cold.", "health")]}


def test_banking77_reads_quoted_lines(readers, tmp_path):
    header = "text,category\n"
    write(
        tmp_path,
        train__csv=header + '"My card,\nplease",card_arrival\n',
        test__csv=header + "Why?,age_limit\n",
    )
    assert readers.read_banking77(tmp_path) == {
        "train": [("My card,\nplease", "card_arrival")],
        "test": [("Why?", "age_limit")],
    }


def test_hwu64_as_published_and_put_together(readers, tmp_path):
    def line(scenario, text):
        return f'1;{scenario};set;"[time : {text}]";"{text}";"<{text}>"\n'

    folder = "folds/KFold_{}/testset/csv/{}__csv"
    published = {
        folder.format(10, "alarm_set"): HWU64 + line("alarm", "ten"),
        folder.format(2, "news"): HWU64 + line("news", "two"),
        folder.format(1, "alarm_set"): HWU64 + line("alarm", "one"),
        folder.format(1, "news"): HWU64 + line("news", "uno"),
    }
    train = HWU64 + line("news", "two") + line("alarm", "ten")
    test = HWU64 + line("alarm", "one") + line("news", "uno")
    first = readers.read_hwu64(write(tmp_path / "published", **published))
    second = readers.read_hwu64(write(tmp_path / "other", train__csv=train, test__csv=test))
    assert first == second
    assert first["test"] == [("one", "alarm"), ("uno", "news")]


def test_clinc150_is_in_scope(readers, tmp_path):
    parts = {"train": [["hi", "greeting"]], "test": [["yes", "yes"]], "oos_test": [["x", "oos"]]}
    write(tmp_path, data_full__json=json.dumps(parts))
    assert readers.read_clinc150(tmp_path) == {
        "train": [("hi", "greeting")],
        "test": [("yes", "yes")],
    }


def test_sentences_in_an_archive_or_beside_it(readers, tmp_path):
    lines = {
        "rt-polarity.pos": "".join(f"good {i} \n" for i in range(5)),
        "rt-polarity.neg": "".join(f"bad {i} \n" for i in range(5)),
    }
    (tmp_path / "packed").mkdir()
    with zipfile.ZipFile(tmp_path / "packed" / "sentence_polarity.zip", "w") as archive:
        for name, contents in lines.items():
            archive.writestr(f"sentence_polarity/{name}", contents)
    files = {name.replace(".", "__"): contents for name, contents in lines.items()}
    packed = readers.read_polarity(tmp_path / "packed")
    assert packed == readers.read_polarity(write(tmp_path / "unpacked", **files))
    assert len(packed["test"]) == 2 and len(packed["train"]) == 8
    rows = packed["train"] + packed["test"]
    assert set(rows) == {(f"{word} {i}", label) for word, label in WORDS for i in range(5)}
