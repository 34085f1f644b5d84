"""Cores: as many as the process is bound to and its control groups allow, of both versions."""

import os
from pathlib import Path

import pytest

from spacy_pretrained.runtime import cores
from spacy_pretrained.runtime.cores import THREADS, count_cores, count_threads


@pytest.fixture(autouse=True)
def sixteen_cores(monkeypatch):
    if hasattr(os, "sched_getaffinity"):
        monkeypatch.setattr(cores.os, "sched_getaffinity", lambda pid: set(range(16)))
    else:
        monkeypatch.setattr(cores.os, "cpu_count", lambda: 16)


def write(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


V2, V1 = "0::{}\n", "11:memory:/m\n4:cpu,cpuacct:{}\n0::/unused\n"
CPU_MAX = "sys/fs/cgroup{}/cpu.max"
QUOTA = "sys/fs/cgroup/cpu{}/cpu.cfs_quota_us"
PERIOD = "sys/fs/cgroup/cpu{}/cpu.cfs_period_us"
GROUP = "proc/self/cgroup"


@pytest.mark.parametrize(
    "files, expected",
    [
        ({}, 16),
        ({GROUP: V2.format("/")}, 16),
        ({GROUP: V2.format("/a"), CPU_MAX.format("/a"): "max 100000\n"}, 16),
        ({GROUP: V2.format("/a"), CPU_MAX.format("/a"): "200000 100000\n"}, 2),
        ({GROUP: V2.format("/a"), CPU_MAX.format("/a"): "150000 100000\n"}, 2),
        ({GROUP: V2.format("/a"), CPU_MAX.format("/a"): "1000 100000\n"}, 1),
        ({GROUP: V2.format("/a"), CPU_MAX.format("/a"): "6400000 100000\n"}, 16),
        # A group around the process's own; and a path of the host's, not seen in the container.
        ({GROUP: V2.format("/a/b"), CPU_MAX.format("/a"): "300000 100000\n"}, 3),
        ({GROUP: V2.format("/docker/x"), CPU_MAX.format(""): "400000 100000\n"}, 4),
        ({GROUP: V2.format("/a"), CPU_MAX.format("/b"): "100000 100000\n"}, 16),
        ({GROUP: V2.format("/a"), CPU_MAX.format("/a"): "nonsense"}, 16),
        ({GROUP: V1.format("/a"), QUOTA.format("/a"): "-1", PERIOD.format("/a"): "100000"}, 16),
        ({GROUP: V1.format("/a"), QUOTA.format("/a"): "50000", PERIOD.format("/a"): "10000"}, 5),
        ({GROUP: V1.format("/x"), QUOTA.format(""): "20000", PERIOD.format(""): "10000"}, 2),
        ({GROUP: V1.format("/a"), QUOTA.format("/a"): "20000"}, 16),
    ],
)
def test_cores_by_control_groups(tmp_path, files, expected):
    assert count_cores(write(tmp_path, **files)) == expected


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="Linux only")
def test_cores_by_affinity(tmp_path, monkeypatch):
    monkeypatch.setattr(cores.os, "sched_getaffinity", lambda pid: {3, 5})
    assert count_cores(tmp_path) == 2
    write(tmp_path, **{GROUP: V2.format("/"), CPU_MAX.format(""): "100000 100000"})
    assert count_cores(tmp_path) == 1


def test_here_is_at_least_one():
    assert count_cores() >= 1


@pytest.mark.parametrize(
    "own, openmp, expected",
    [
        ("", "", 16),
        ("3", "", 3),
        ("3", "1", 3),
        (" 32 ", "2", 32),  # as it was asked for
        ("", "2", 2),
        ("", "64", 16),  # no more than the cores
        ("", "4,2", 4),
        ("", "0", 16),
        ("", "many", 16),
    ],
)
def test_threads(tmp_path, monkeypatch, own, openmp, expected):
    monkeypatch.setenv(THREADS, own)
    monkeypatch.setenv("OMP_NUM_THREADS", openmp)
    assert count_threads(tmp_path) == expected


@pytest.mark.parametrize("own", ["0", "-1", "two", "1.5"])
def test_threads_that_are_no_number(monkeypatch, own):
    monkeypatch.setenv(THREADS, own)
    with pytest.raises(ValueError, match=f"SPACY_PRETRAINED_THREADS is '{own}'. Set it"):
        count_threads()
