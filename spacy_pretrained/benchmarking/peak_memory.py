"""The peak of this process's memory."""

import re
import sys
from pathlib import Path

STATUS = Path("/proc/self/status")
PEAK = re.compile(r"VmHWM:\s+(\d+) kB")


def peak_bytes() -> int:
    """The most resident memory that this process has had. Linux says it in its status; there, what
    `resource` says begins with the size of the parent."""
    if STATUS.is_file() and (found := PEAK.search(STATUS.read_text())):
        return 1024 * int(found[1])
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak
