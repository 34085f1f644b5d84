"""The supervisor's decisions, with generations that only seem to run."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from spacy_pretrained.serving.generation import Generation
from spacy_pretrained.serving.processes import Signals
from spacy_pretrained.serving.settings import Settings
from spacy_pretrained.serving.supervisor import Running, Supervisor, open_socket

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux alone")
NUMBERS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)


@pytest.fixture(autouse=True)
def handlers():
    """Those of the process that runs the tests, put back."""
    handlers = {number: signal.getsignal(number) for number in NUMBERS}
    yield
    signal.set_wakeup_fd(-1)
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield sock


@pytest.fixture
def start():
    """Starts a process that stands for a generation."""
    begun = []

    def start() -> Running:
        process = subprocess.Popen(["sleep", "60"], start_new_session=True)
        running = Running(process, *os.pipe())
        begun.append(running)
        return running

    yield start
    for running in begun:
        running.process.kill()
        running.process.wait()


@pytest.fixture
def supervisor(listener, start):
    """One whose first generation serves."""
    one = Supervisor(Settings(pipelines=()), listener)
    one._current = start()
    yield one
    one._signals.close()


@pytest.fixture
def started(supervisor, start, monkeypatch) -> list[Running]:
    """The generations that it starts."""
    begun: list[Running] = []
    monkeypatch.setattr(supervisor, "_start", lambda: begun.append(start()) or begun[-1])
    return begun


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_answers_are_sent_without_delay():
    with open_socket("127.0.0.1", 0) as listener:
        address = listener.getsockname()
        with socket.create_connection(address), listener.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_generation_that_cannot_be_started_changes_nothing(supervisor, monkeypatch):
    def fail(*args, **kwargs):
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(subprocess, "Popen", fail)
    current, n_files = supervisor._current, open_files()
    supervisor._act({signal.SIGHUP})
    assert (supervisor._current, supervisor._coming) == (current, None)
    assert not supervisor._ending and open_files() == n_files
    supervisor._bury(current, 1)  # now there is none that could go on
    assert supervisor._ending and supervisor._code == 1


def test_a_reload_that_was_asked_for_while_one_failed_is_done(supervisor, started):
    supervisor._act({signal.SIGHUP})
    supervisor._act({signal.SIGHUP})
    (coming,) = started
    coming.reason = "as it was told"
    supervisor._bury(coming, 3)
    assert len(started) == 2 and supervisor._coming is started[1]
    supervisor._bury(supervisor._coming, 3)
    assert len(started) == 2 and supervisor._coming is None


def test_who_connects_to_a_server_that_ends_is_refused(supervisor, started, listener):
    address = listener.getsockname()
    supervisor._act({signal.SIGTERM})
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)
    supervisor._coming = supervisor._start()
    supervisor._replace()  # it gets ready at this very moment
    assert supervisor._current is started[0]


def test_a_generation_that_ends_leaves_the_socket(listener):
    generation = Generation([], Settings(pipelines=()), [], listener, *os.pipe())
    address = listener.getsockname()
    generation._pass_on({signal.SIGTERM})
    generation._signals.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)


def test_a_signal_to_a_process_that_was_just_forked_is_not_lost(monkeypatch):
    """The parent passes signals on; the child has no event loop yet that could act on them."""
    signals = Signals(signal.SIGTERM)
    process = os.fork()
    if not process:
        try:
            reset = signal.set_wakeup_fd
            signal.set_wakeup_fd = lambda fd: (reset(fd), os.kill(os.getpid(), signal.SIGTERM))
            signals.close()
        finally:
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == -signal.SIGTERM
    signals.close()


IGNORES = """
import os, signal
from spacy_pretrained.serving import serve
from spacy_pretrained.serving.settings import Settings

def stop(host, port):
    signal.raise_signal(signal.SIGHUP)
    os._exit(0)

serve.open_socket = stop
serve.serve(Settings(pipelines=("nothing",)))
"""


def test_a_reload_before_the_server_listens_does_not_end_it():
    subprocess.run([sys.executable, "-c", IGNORES], check=True)
