"""What an adaptation trains on, what it says, and what lies beside the adapted weights."""

from dataclasses import replace

import numpy as np
import pytest

from spacy_pretrained.adapting.blocks_of_texts import MOST_HELD_OUT_BLOCKS, make_data
from spacy_pretrained.adapting.options import AdaptOptions
from spacy_pretrained.adapting.report import describe_data, describe_memory
from spacy_pretrained.adapting.result import Adapted, copy_tokenizer, find_licence, write_card
from spacy_pretrained.checkpoints.checkpoint import Checkpoint, Layout
from spacy_pretrained.checkpoints.wordpieces import PieceTokenizer
from spacy_pretrained.sources.licence import read_licence

OPTIONS = AdaptOptions(length=32)
FOUND = Adapted(
    source="owner/name",
    texts=12_000,
    pieces=3_456_789,
    before=9.876,
    after=5.4321,
    fresh_head=False,
    head_settled=True,
    steps=8,
    seconds=1.0,
    curve=[],
    head_curve=[],
    zero_shot=None,
    pairs_left_out=0,
    licence="mit",
)


@pytest.fixture
def checkpoint(wordpiece) -> Checkpoint:
    return Checkpoint({}, wordpiece, Layout(width=32, max_window=64, pad=0))


def rows_of(blocks) -> set[tuple[int, ...]]:
    return {tuple(row) for row in blocks.ids.tolist()}


# Texts become blocks


def test_texts_are_held_out(checkpoint, texts, texts_file):
    """Every wordpiece is in one of both parts."""
    data = make_data(texts_file, checkpoint, OPTIONS)
    assert data.n_texts == len(texts) and data.pairs_left_out == 0
    n_pieces = sum(len(pieces.ids) for pieces in checkpoint.tokenizer.encode(texts))
    n_separators = len(texts) - 2  # between two texts of one part, and never to be masked
    assert data.training.n_pieces + data.held_out.n_pieces == n_pieces
    sizes = [blocks.lengths.sum() - 2 * len(blocks) for blocks in (data.training, data.held_out)]
    assert sum(sizes) == n_pieces + n_separators
    assert not rows_of(data.training) & rows_of(data.held_out)


def test_of_few_texts_the_last_blocks_are_held_out(checkpoint, texts, tmp_path):
    (tmp_path / "few.txt").write_text("\n".join(texts[:30]), "utf8")
    data = make_data(tmp_path / "few.txt", checkpoint, OPTIONS)
    (tmp_path / "one.txt").write_text(" ".join(["fox"] * 60), "utf8")
    one = make_data(tmp_path / "one.txt", checkpoint, OPTIONS)
    assert len(data.held_out) == 1 and len(data.training) > 1
    assert (len(one.training), len(one.held_out)) == (1, 1)
    assert (data.training.lengths == 32).all()  # only the last one may be shorter


def test_many_texts_do_not_make_evaluating_long(checkpoint, tmp_path):
    lines = [f"the quick brown fox {number} jumps over the lazy dog " * 4 for number in range(2500)]
    (tmp_path / "many.txt").write_text("\n".join(lines), "utf8")
    data = make_data(tmp_path / "many.txt", checkpoint, replace(OPTIONS, length=16))
    assert len(data.held_out) == MOST_HELD_OUT_BLOCKS and data.n_texts == 2500


def test_pairs(checkpoint, texts, tmp_path):
    """As many as sentences that another one follows, in both parts together."""
    parts = ["\n".join(texts[start : start + 4]) for start in range(0, len(texts), 4)]
    parts.append("\n".join(["the lazy dog " * 30] * 2))
    (tmp_path / "texts.txt").write_text("\n\n".join(parts), "utf8")
    options = replace(OPTIONS, length=64, next_sentence=True)
    data = make_data(tmp_path / "texts.txt", checkpoint, options)
    n_pairs = len(data.training) + len(data.held_out) + data.pairs_left_out
    assert n_pairs == 3 * (len(parts) - 1) + 1 and data.pairs_left_out >= 1
    for blocks in (data.training, data.held_out):
        assert len(blocks.is_next) == len(blocks) > 0 and blocks.segments.max() == 1
    assert "too long, and left out" in describe_data(data)


def test_pairs_that_are_mostly_too_long(checkpoint, tmp_path):
    long = ["the lazy dog " * 30] * 4
    parts = ["\n".join(long), "A fox.\nA dog."]
    (tmp_path / "texts.txt").write_text("\n\n".join(parts), "utf8")
    options = replace(OPTIONS, length=32, next_sentence=True, seed=1)
    with pytest.raises(ValueError, match=r"[34] of 4 pairs .*longer than 32 wordpieces"):
        make_data(tmp_path / "texts.txt", checkpoint, options)


def test_whole_words(checkpoint, texts_file):
    words = make_data(texts_file, checkpoint, replace(OPTIONS, whole_words=True)).training
    pieces = make_data(texts_file, checkpoint, OPTIONS).training
    np.testing.assert_array_equal(words.ids, pieces.ids)
    assert words.units.max() < pieces.units.max()


def test_too_little_text(checkpoint, tmp_path):
    (tmp_path / "texts.txt").write_text("A few words.\n", "utf8")
    with pytest.raises(ValueError, match=r"1 blocks of 32 wordpieces: too little to train on"):
        make_data(tmp_path / "texts.txt", checkpoint, OPTIONS)


# Lines


def test_lines(checkpoint, texts_file):
    data = make_data(texts_file, checkpoint, OPTIONS)
    line = describe_data(data)
    assert line.startswith(f"160 texts: {len(data.training)} blocks of 32 wordpieces to train on, ")
    assert line.endswith(f" {len(data.held_out)} held out")
    assert describe_memory(3_210_000_000, 8, 4) == (
        "8 blocks at once, 4 times a step: about 3.2 GB of memory"
    )
    assert describe_memory(900_000_000, 32, 1) == "32 blocks at once: about 0.9 GB of memory"


# The folder


def test_the_tokenizer_and_the_licence_are_those_of_the_source(wordpiece, tmp_path):
    folder, out = tmp_path / "source", tmp_path / "out"
    for path in (folder / "vocab", out):
        path.mkdir(parents=True)
    kept = ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "merges.txt", "LICENCE.md")
    for name in (*kept, "model.safetensors", "README.md", "config.json"):
        (folder / name).write_text(f"this is {name}")
    copy_tokenizer(folder, out, wordpiece)
    assert {path.name for path in out.iterdir()} == set(kept)
    assert all((out / name).read_text() == f"this is {name}" for name in kept)


def test_a_tokenizer_of_other_files_becomes_a_tokenizer_json(wordpiece, tmp_path):
    """Which is read again."""
    (tmp_path / "out").mkdir()
    (tmp_path / "vocab.txt").write_text("a\n")
    copy_tokenizer(tmp_path, tmp_path / "out", wordpiece)
    assert (tmp_path / "out" / "vocab.txt").read_text() == "a\n"
    again = PieceTokenizer((tmp_path / "out" / "tokenizer.json").read_text("utf8"))
    assert again.vocabulary() == wordpiece.vocabulary()


def test_the_card(tmp_path):
    write_card(tmp_path, tmp_path, FOUND)
    card = (tmp_path / "README.md").read_text("utf8")
    assert "# owner/name, adapted" in card and "12,000 texts (3,456,789 wordpieces)" in card
    assert "9.88 before,\n5.43 after" in card
    assert read_licence(tmp_path) == "mit"  # as another adaptation reads it
    write_card(tmp_path, tmp_path, replace(FOUND, licence=None))
    assert (tmp_path / "README.md").read_text("utf8").startswith("# owner/name")
    assert read_licence(tmp_path) is None


def test_whose_licence_it_is(tmp_path):
    """That of the catalogue, for what is in it; otherwise that of the card, if there is one."""
    assert find_licence(str(tmp_path), tmp_path) is None
    (tmp_path / "README.md").write_text("---\nlicense: gpl-3.0\n---\n")
    assert find_licence(str(tmp_path), tmp_path) == "gpl-3.0"
    assert find_licence("minilm-l6", tmp_path) == "Apache-2.0"
