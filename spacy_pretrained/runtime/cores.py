"""How many cores this process may use, by its affinity and the quota of its container, and how many
threads it should."""

import math
import os
from pathlib import Path

from .errors import Errors

ROOT = Path("/")
THREADS = "SPACY_PRETRAINED_THREADS"


def count_threads(root: Path = ROOT) -> int:
    """SPACY_PRETRAINED_THREADS if that is set; else the cores, but no more than OMP_NUM_THREADS.
    Ray and Dask set that for their workers, and no affinity: each of them would take all cores.

    RAISES: ValueError if SPACY_PRETRAINED_THREADS is no number above 0.
    """
    if own := os.environ.get(THREADS, "").strip():
        if not own.isdecimal() or int(own) == 0:
            raise ValueError(Errors.THREADS.format(name=THREADS, value=own))
        return int(own)
    # One number, or several, for nested loops. It is not ours: what it may not be others will say.
    outermost = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    limits = [int(outermost)] if outermost.isdecimal() and int(outermost) else []
    return min([count_cores(root), *limits])


def count_cores(root: Path = ROOT) -> int:
    """Cores by affinity (`taskset`, `sched_setaffinity`), but no more than the quota of CPU time of
    the control groups that the process is in (`docker run --cpus`, limits of Kubernetes), rounded
    up; at least 1.

    root: The folder that has `proc` and `sys`; tests use their own.
    """
    if hasattr(os, "sched_getaffinity"):  # Linux
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return max(1, math.ceil(min([cores, *_quotas(root)])))


def _quotas(root: Path) -> list[float]:
    """The quotas, in cores, of the process's control groups and of those around them."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:  # not on Linux
        return []
    quotas = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            mounts, read = ("", "unified"), _quota_of_v2
        elif "cpu" in controllers.split(","):
            mounts, read = ("cpu", "cpu,cpuacct"), _quota_of_v1
        else:
            continue
        for mount in mounts:
            quotas += filter(None, map(read, _groups(root / "sys/fs/cgroup" / mount, path)))
    return quotas


def _groups(mount: Path, path: str) -> list[Path]:
    """The folder of a group and those around it. In a container, the path may be the host's and
    not exist; then the mount itself is the container's group."""
    inner = mount / path.strip("/")
    return [inner, *(folder for folder in inner.parents if folder.is_relative_to(mount))]


def _quota_of_v2(folder: Path) -> float | None:
    try:
        quota, period = (folder / "cpu.max").read_text().split()
        return None if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return None


def _quota_of_v1(folder: Path) -> float | None:
    try:
        quota = int((folder / "cpu.cfs_quota_us").read_text())
        return None if quota < 0 else quota / int((folder / "cpu.cfs_period_us").read_text())
    except (OSError, ValueError, ZeroDivisionError):
        return None
