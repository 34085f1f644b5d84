"""Texts, whole and as sentences; and what is held out."""

import json

import pytest
import spacy
from spacy.tokens import Doc, DocBin

from spacy_pretrained.adapting.batches import choose_batches
from spacy_pretrained.adapting.options import AdaptOptions
from spacy_pretrained.adapting.texts import hold_out, read_texts
from spacy_pretrained.choosing.sizes import Sizes


def test_files_of_a_folder(tmp_path):
    (tmp_path / "a.txt").write_text("One.\n\nTwo.\n", "utf8")
    (tmp_path / "b.jsonl").write_text(json.dumps({"text": "Three."}) + "\n", "utf8")
    doc = Doc(spacy.blank("xx").vocab, words=["Four", "."], spaces=[False, False])
    (tmp_path / "c").mkdir()
    DocBin(docs=[doc]).to_disk(tmp_path / "c" / "d.spacy")
    (tmp_path / "e.png").write_bytes(b"\x89PNG")
    assert read_texts(tmp_path) == ["One.", "Two.", "Three.", "Four."]


def test_sentences(tmp_path):
    (tmp_path / "a.txt").write_text("One.\nTwo. Still two.\n\nOther.\n", "utf8")
    (tmp_path / "b.jsonl").write_text(json.dumps({"text": "Yes. It is! Really?"}) + "\n", "utf8")
    found = read_texts(tmp_path, sentences=True)
    assert found == [["One.", "Two. Still two."], ["Other."], ["Yes.", "It is!", "Really?"]]


def test_what_cannot_be_read(tmp_path):
    with pytest.raises(ValueError, match="no file or folder"):
        read_texts(tmp_path / "none.txt")
    (tmp_path / "a.txt").write_text("\n", "utf8")
    with pytest.raises(ValueError, match="has no texts"):
        read_texts(tmp_path)
    (tmp_path / "b.jsonl").write_text('{"text": "a"}\n{"text": 3}\n', "utf8")
    with pytest.raises(ValueError, match="row 2"):
        read_texts(tmp_path / "b.jsonl")


def test_what_is_held_out_is_nowhere_else():
    texts = [f"text {number % 300}" for number in range(400)]  # some are there twice
    training, held_out = hold_out(texts, seed=0)
    assert len(held_out) == 20 and not set(training) & set(held_out)
    assert set(training) | set(held_out) == set(texts)
    assert hold_out(texts, seed=0) == (training, held_out) != hold_out(texts, seed=1)
    assert hold_out(texts[:30], seed=0) == (texts[:30], [])


SIZES = Sizes(22_000_000, 10_000_000, 6, 384, 0.1)


def test_a_step_is_split_to_fit_into_memory():
    settings = {"batch": 32, "length": 128, "bfloat16": False, "source": "x"}
    whole = choose_batches(SIZES, 30_000, memory=None, **settings)
    assert (whole.batch, whole.accumulated) == (32, 1)
    split = choose_batches(SIZES, 30_000, memory=whole.peak - 1, **settings)
    assert (split.batch, split.accumulated) == (16, 2) and split.peak < whole.peak
    with pytest.raises(ValueError, match="not enough"):
        choose_batches(SIZES, 30_000, memory=500_000_000, **settings)


@pytest.mark.parametrize(
    "settings", [{"epochs": 0}, {"minutes": -1}, {"batch": 0}, {"patience": 0}, {"interval": -1}]
)
def test_options_are_checked(settings):
    with pytest.raises(ValueError, match=f"--{next(iter(settings))}"):
        AdaptOptions(**settings)
