"""OpenVINO and NNCF without their telemetry. It would report each import and conversion over the
network, from a forked process, and wait up to three seconds for that. Users who annotate a text do
not expect this.

Both work without the package `openvino_telemetry`, so it is blocked while they are imported. What a
program has imported before stays as it is.
"""

import importlib
import os
import sys
import threading
from types import ModuleType

TELEMETRY = "openvino_telemetry"

_lock = threading.Lock()


def import_openvino() -> ModuleType:
    return _import("openvino")


def import_nncf() -> ModuleType:
    return _import("nncf")


def _import(name: str) -> ModuleType:
    with _lock:
        if name not in sys.modules and TELEMETRY not in sys.modules:
            sys.modules[TELEMETRY] = None  # an import of it is an ImportError now
            try:
                importlib.import_module(name)
            finally:
                del sys.modules[TELEMETRY]
    return importlib.import_module(name)


def _begin_again() -> None:
    """A forked child lacks its parent's other threads, which may have held the lock."""
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_begin_again)
