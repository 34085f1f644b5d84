"""A server in a thread or in processes of its own, and requests to it, for tests/serving."""

import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from saved_pipelines import SAVED

from spacy_pretrained.serving.metrics import Board
from spacy_pretrained.serving.pipelines import Served
from spacy_pretrained.serving.serve import EXTRA
from spacy_pretrained.serving.settings import Settings, read_keys

MISSING = "the extra `serve` is not installed"
needs_extra = pytest.mark.skipif(not all(map(find_spec, EXTRA)), reason=MISSING)
SECONDS = 400  # for what takes a few, on a machine that has much else to do
TEXT = "Ada sees the old river."


def find_pipeline(name: str) -> Path:
    """One that was saved with version 0.1.0, in INT8: none of them needs torch."""
    return SAVED / "v0.1.0" / name / "pipeline"


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Client:
    """One connection, which is kept open as long as the server does."""

    port: int
    connection: http.client.HTTPConnection = field(init=False)

    def __post_init__(self):
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """body: Bytes as they are; anything else as JSON."""
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        given = {"Content-Type": "application/json"} if body is not None else {}
        self.connection.request(method, path, body, given | (headers or {}))
        response = self.connection.getresponse()
        names = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, names, response.read())

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, headers=headers)

    def annotate(self, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
        return self.ask("POST", "/v1/annotate", {"text": TEXT} if body is None else body, headers)

    def close(self) -> None:
        self.connection.close()


@contextmanager
def run_in_thread(served: list[Served], settings: Settings) -> Iterator[tuple[Any, int]]:
    """The server of a worker, without supervisor and generation, and its port."""
    for package in EXTRA:
        pytest.importorskip(package, reason=MISSING)
    from spacy_pretrained.serving.fastapi_app import build_app
    from spacy_pretrained.serving.supervisor import open_socket
    from spacy_pretrained.serving.uvicorn_server import make_server
    from spacy_pretrained.serving.worker import make_parts

    parts = make_parts(served, settings, Board([(one.name, one.version) for one in served], 1), 0)
    is_ready = threading.Event()
    app = build_app(parts, read_keys(settings.key_file))
    server = make_server(app, parts, None, is_ready.set)
    with open_socket("127.0.0.1", 0) as listener:
        thread = threading.Thread(target=server.run, args=[[listener]])
        thread.start()
        try:
            assert is_ready.wait(SECONDS)
            yield server, listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(SECONDS)
            parts.annotator.close()


@contextmanager
def serve_in_thread(served: list[Served], settings: Settings) -> Iterator[Client]:
    """As `run_in_thread`: a client of it."""
    with run_in_thread(served, settings) as (_, port):
        client = Client(port)
        yield client
        client.close()


@dataclass
class Process:
    """A server that was started by its command."""

    process: subprocess.Popen
    log: Path
    port: int

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        return self.process.wait(SECONDS)

    def wait_for_log(self, text: str, times: int = 1) -> str:
        return wait_for(lambda: (found := self.log.read_text()).count(text) >= times and found)

    @property
    def generations(self) -> list[int]:
        return children(self.process.pid)

    @property
    def workers(self) -> list[int]:
        return [worker for one in self.generations for worker in children(one)]


def wait_for(find: Any) -> Any:
    """What it returns, as soon as that is true."""
    end = time.monotonic() + SECONDS
    while not (found := find()):
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.02)
    return found


def children(process: int) -> list[int]:
    try:
        return list(map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split()))
    except OSError:  # it is gone, or goes while its file is read
        return []


def is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:  # it is gone, or goes while its file is read
        return False


def find_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


@contextmanager
def serve_in_processes(
    folder: Path, *arguments: str, python: Path = Path(sys.executable)
) -> Iterator[Process]:
    """The command, until it is ready; whatever is left of it at the end is ended."""
    port, log = find_free_port(), folder / "log"
    command = [str(python), "-m", "spacy", "pretrained", "serve", *arguments]
    with log.open("w") as file:
        command += ["--port", str(port)]
        process = subprocess.Popen(command, stdout=file, stderr=file, cwd=folder)
    server = Process(process, log, port)
    try:
        wait_for(lambda: "Serving at" in log.read_text() or process.poll() is not None)
        yield server
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def send_part(port: int, data: bytes) -> socket.socket:
    """Send what is not a whole request, or do not wait for the answer."""
    sock = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
    sock.sendall(data)
    return sock


def is_closed(sock: socket.socket, seconds: float) -> bool:
    """Whether the other side closes within so many seconds."""
    sock.settimeout(seconds)
    try:
        while sock.recv(4096):  # the rest of an answer
            pass
    except TimeoutError:
        return False
    return True
