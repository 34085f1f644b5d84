"""The machine that something is measured on, and the run that measures it."""

import datetime
import os
import platform
import shlex
import sys
from pathlib import Path

CPU_FLAGS = ("avx2", "avx512f", "avx_vnni", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8")


def describe_run() -> dict:
    """What the figures of a benchmark begin with. Called before anything is measured."""
    return {
        "command": shlex.join(["python", *sys.argv]),
        "date": datetime.date.today().isoformat(),
        "machine": describe_machine(),
    }


def describe_machine() -> dict:
    """`load_before` is what else ran: figures of a busy machine say little."""
    lines = [line.split(":", 1) for line in Path("/proc/cpuinfo").read_text().splitlines()]
    cpu = {line[0].strip(): line[1].strip() for line in lines if len(line) == 2}
    return {
        "system": platform.platform(),
        "cpu": cpu.get("model name", platform.machine()),
        "cpu_flags": [flag for flag in CPU_FLAGS if flag in cpu.get("flags", "").split()],
        "cores": len(os.sched_getaffinity(0)),
        "memory_mebibytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
        "load_before": os.getloadavg()[0],
    }
