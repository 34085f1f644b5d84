"""Shards give back what was written; of a damaged one, all that is not damaged."""

import os
import time

import numpy as np
import pytest

from spacy_pretrained.encoder import vector_shards
from spacy_pretrained.encoder.vector_shards import (
    HEADER,
    INDEX,
    SUFFIX,
    UNFINISHED_SECONDS,
    ShardWriter,
    count_bytes,
    read_shard,
    read_shards,
    write_shard,
)
from spacy_pretrained.runtime.whole_files import UNFINISHED

WIDTH = 6


def make_vectors(lengths=(3, 0, 1, 7), seed=0) -> dict[bytes, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {rng.bytes(16): rng.normal(size=(n, WIDTH)).astype("float32") for n in lengths}


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for key, vectors in expected.items():
        assert np.array_equal(found[key], vectors)


@pytest.mark.parametrize("lengths", [(), (0,), (5,), (3, 0, 1, 7), (0, 0, 2)])
def test_read_is_the_inverse_of_write(tmp_path, lengths):
    vectors = make_vectors(lengths)
    path = write_shard(tmp_path, vectors)
    found, n_damaged = read_shard(path, WIDTH)
    assert_same(found, vectors)
    assert n_damaged == 0
    assert [p.suffix for p in tmp_path.iterdir()] == [SUFFIX]
    assert count_bytes(tmp_path) == path.stat().st_size


def test_all_shards_are_read(tmp_path, caplog):
    one, two = make_vectors(seed=1), make_vectors(seed=2)
    for vectors in (one, two):
        write_shard(tmp_path, vectors)
    assert_same(read_shards(tmp_path, WIDTH), one | two)
    assert read_shards(tmp_path / "none", WIDTH) == {}
    assert not caplog.messages


def test_a_file_cut_short_anywhere_gives_what_is_whole(tmp_path, caplog):
    vectors, other = make_vectors((3, 2, 1, 7)), make_vectors(seed=3)
    keys = list(vectors)
    content = write_shard(tmp_path, vectors).read_bytes()
    start = HEADER.size + len(vectors) * INDEX.itemsize
    ends = start + 4 * WIDTH * np.cumsum([len(v) for v in vectors.values()])
    for size in (0, 5, HEADER.size, start - 1, *range(start, len(content), 17), len(content) - 1):
        folder = tmp_path / str(size)
        folder.mkdir()
        (folder / ("a" + SUFFIX)).write_bytes(content[:size])
        write_shard(folder, other)
        caplog.clear()
        kept = keys[: int((ends <= size).sum())] if size >= start else []
        found = read_shards(folder, WIDTH)
        assert_same(found, other | {key: vectors[key] for key in kept})
        assert len(caplog.messages) == 1
        # What was damaged is gone, so that it is said once.
        assert_same(read_shards(folder, WIDTH), found)
        assert len(caplog.messages) == 1


def test_a_damaged_byte_costs_one_document_or_is_in_the_index(tmp_path, caplog):
    vectors = make_vectors()
    content = write_shard(tmp_path / ".", vectors).read_bytes()
    start = HEADER.size + len(vectors) * INDEX.itemsize
    for place in range(0, len(content), 3):
        damaged = bytearray(content)
        damaged[place] ^= 0x10
        folder = tmp_path / str(place)
        folder.mkdir()
        (folder / ("a" + SUFFIX)).write_bytes(damaged)
        caplog.clear()
        found = read_shards(folder, WIDTH)
        assert all(np.array_equal(found[key], vectors[key]) for key in found)
        assert len(found) == (len(vectors) - 1 if place >= start else 0)
        assert len(caplog.messages) == 1
        assert ("of another version" in caplog.messages[0]) == (place < start)


def test_what_is_no_shard(tmp_path, caplog):
    (tmp_path / ("a" + SUFFIX)).write_bytes(np.random.default_rng(0).bytes(1000))
    assert read_shards(tmp_path, WIDTH) == {}
    assert len(caplog.messages) == 1


def test_what_cannot_be_read_or_removed_is_no_reason_to_end(tmp_path, monkeypatch, caplog):
    def refuse(*args, **kwargs):
        raise PermissionError("not yours")

    vectors = make_vectors()
    content = bytearray(write_shard(tmp_path, vectors).read_bytes())
    content[-1] ^= 1
    (tmp_path / ("b" + SUFFIX)).write_bytes(content)
    (tmp_path / ("c" + SUFFIX)).write_bytes(b"no shard")
    for place in ("os.replace", "pathlib.Path.unlink"):
        monkeypatch.setattr(place, refuse)
    assert_same(read_shards(tmp_path, WIDTH), vectors)
    assert len(caplog.messages) == 2
    monkeypatch.setattr(vector_shards, "read_shard", refuse)
    assert read_shards(tmp_path, WIDTH) == {}
    assert "computed again: not yours" in caplog.messages[-1]


def test_unfinished_files_are_left_to_their_process_for_a_while(tmp_path):
    fresh, old = (tmp_path / f".{name}{SUFFIX}.1{UNFINISHED}" for name in "ab")
    for path in (fresh, old):
        path.write_bytes(b"...")
    then = time.time() - UNFINISHED_SECONDS - 10
    os.utime(old, (then, then))
    assert read_shards(tmp_path, WIDTH) == {}
    assert fresh.exists() and not old.exists()


# Writers


def test_a_writer_writes_by_the_shard(tmp_path, monkeypatch):
    monkeypatch.setattr(vector_shards, "SHARD_BYTES", 10 * WIDTH * 4)
    writer, vectors = ShardWriter(tmp_path, WIDTH), make_vectors((4, 4, 4, 4, 4))
    returned = [writer.add(key, array) for key, array in vectors.items()]
    assert [len(r) for r in returned] == [0, 0, 3, 0, 0]
    assert len(read_shards(tmp_path, WIDTH)) == 3
    assert len(writer.flush()) == 2
    assert writer.flush() == {}
    assert_same(read_shards(tmp_path, WIDTH), vectors)


def test_two_writers_do_not_disturb_each_other(tmp_path):
    writers, vectors = [ShardWriter(tmp_path, WIDTH) for _ in range(2)], make_vectors((2,) * 10)
    for number, (key, array) in enumerate(vectors.items()):
        for writer in writers if number % 3 else writers[:1]:
            writer.add(key, array)
            if number % 4 == 0:
                writer.flush()
    for writer in writers:
        writer.flush()
    assert_same(read_shards(tmp_path, WIDTH), vectors)


def test_a_folder_that_is_gone_is_said_once(tmp_path, caplog):
    folder = tmp_path / "folder"
    folder.mkdir()
    writer, (one, two) = ShardWriter(folder, WIDTH), make_vectors((1, 1)).items()
    folder.rmdir()
    for item in (one, two):
        writer.add(*item)
        assert writer.flush() == {}
    assert len(caplog.messages) == 1
    assert "in memory" in caplog.messages[0]


def test_a_forked_child_leaves_it_to_its_parent(tmp_path, monkeypatch):
    writer = ShardWriter(tmp_path, WIDTH)
    writer.add(*next(iter(make_vectors().items())))
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert writer.flush() == {}
    assert not list(tmp_path.iterdir())
