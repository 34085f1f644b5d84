"""The command with all its processes: generations, workers that die, and how it ends. Nobody who
has asked stays without an answer."""

import errno
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from serving_client import (
    TEXT,
    Client,
    Process,
    children,
    find_pipeline,
    is_alive,
    needs_extra,
    send_part,
    serve_in_processes,
    wait_for,
)

from spacy_pretrained.serving.pid_file import pid_file, reload_server

linux = pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux alone")
fcntl = pytest.importorskip("fcntl", reason="Windows has none")
# Servers that start, reload and die take their time.
pytestmark = [linux, needs_extra, pytest.mark.slow]
READY = "Serving at"


@pytest.fixture
def pipeline(tmp_path) -> Path:
    """A copy, to be changed."""
    return Path(shutil.copytree(find_pipeline("syntax_int8"), tmp_path / "pipeline"))


def set_version(pipeline: Path, version: str) -> None:
    meta = json.loads((pipeline / "meta.json").read_text())
    (pipeline / "meta.json").write_text(json.dumps(meta | {"version": version}))


def version_of(server: Process) -> str:
    client = Client(server.port)
    version = client.annotate().json["version"]
    client.close()
    return version


def test_a_reload_leaves_no_request_without_an_answer(pipeline, tmp_path):
    """Four clients that keep their connections open, and as many that open one for each request."""
    set_version(pipeline, "1.0.0")
    stop = threading.Event()
    answers: list[tuple[int, str]] = []
    failures: list[Exception] = []

    def ask(port: int, keep: bool) -> None:
        client = Client(port)
        while not stop.is_set():
            try:
                answer = client.annotate({"text": TEXT, "what": ["ents"]})
                answers.append((answer.status, answer.json["version"]))
                if not keep or answer.headers.get("connection") == "close":
                    client.close()
            except (OSError, http.client.HTTPException) as error:
                failures.append(error)
                client.close()
        client.close()

    pid = tmp_path / "pid"
    with serve_in_processes(tmp_path, str(pipeline), "--pid-file", str(pid)) as server:
        assert int(pid.read_text()) == server.process.pid
        threads = [threading.Thread(target=ask, args=[server.port, i % 2]) for i in range(8)]
        for one in threads:
            one.start()
        try:
            for number in (2, 3):
                old = server.generations
                set_version(pipeline, f"{number}.0.0")
                assert reload_server(pid) == server.process.pid
                server.wait_for_log(READY, number)
                n = len(answers)
                wait_for(lambda n=n: len(answers) > n + 100)
                wait_for(lambda old=old: not any(map(is_alive, old)))
        finally:
            stop.set()
            for one in threads:
                one.join(60)
        assert not failures
        assert {status for status, _ in answers} == {200}
        assert {version for _, version in answers} == {"1.0.0", "2.0.0", "3.0.0"}
        assert answers[-1][1] == "3.0.0"
        assert len(server.generations) == len(server.workers) == 1
    assert not pid.exists()


def test_a_generation_that_fails_changes_nothing(pipeline, tmp_path):
    with serve_in_processes(tmp_path, str(pipeline)) as server:
        old = server.workers
        config = (pipeline / "config.cfg").read_text()
        (pipeline / "config.cfg").write_text("[nlp")
        server.signal(signal.SIGHUP)
        server.wait_for_log("the old one goes on")
        assert server.workers == old and version_of(server) == "0.0.0"
        (pipeline / "config.cfg").write_text(config)
        set_version(pipeline, "2.0.0")
        server.signal(signal.SIGHUP)
        server.wait_for_log(READY, 2)
        wait_for(lambda: version_of(server) == "2.0.0")


def test_sigterm_finishes_what_there_is(pipeline, tmp_path):
    with serve_in_processes(tmp_path, str(pipeline)) as server:
        body = json.dumps({"texts": [f"{TEXT} " * 60] * 100, "what": ["ents"]}).encode()
        head = (
            "POST /v1/annotate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        sock = send_part(server.port, head.encode() + body)
        idle = Client(server.port)
        wait_for(lambda: has_begun(idle))
        processes = [*server.generations, *server.workers]
        server.signal(signal.SIGTERM)
        answer = http.client.HTTPResponse(sock)
        answer.begin()
        assert answer.status == 200 and len(json.loads(answer.read())["docs"]) == 100
        assert server.wait() == 0
        assert not any(map(is_alive, processes))


def has_begun(client: Client) -> bool:
    lines = client.get("/metrics").body.splitlines()
    return any(b"waiting_texts{" in line and not line.endswith(b" 0") for line in lines)


def test_workers_share_the_socket_and_their_figures(pipeline, tmp_path):
    with serve_in_processes(tmp_path, f"a={pipeline}", "--workers", "2") as server:
        assert len(server.workers) == 2
        for _ in range(10):
            assert version_of(server) == "0.0.0"
        client = Client(server.port)
        wait_for(
            lambda: b'{model="a",version="0.0.0",status="200"} 10' in client.get("/metrics").body
        )


def test_a_worker_that_dies_is_replaced_but_not_for_ever(pipeline, tmp_path):
    with serve_in_processes(tmp_path, str(pipeline)) as server:
        (generation,), (worker,) = server.generations, server.workers
        os.kill(worker, signal.SIGKILL)
        server.wait_for_log("ended with exit code -9")
        assert version_of(server) == "0.0.0"
        assert server.generations == [generation]
        wait_for(lambda: server.process.poll() is not None or kill(server.workers))
        assert server.wait() == 1
        log = server.log.read_text()
        assert "Workers ended 3 times within 60 seconds" in log
        assert log.count("Worker 0 ended with exit code -9") <= 4


def kill(processes: list[int]) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def test_a_worker_that_is_replaced_after_an_upgrade_is_of_the_old_version(
    pipeline, tmp_path, monkeypatch
):
    """Modules of two versions would not fit together."""
    folder = tmp_path / "upgraded"
    folder.mkdir()
    path = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(folder), path])))
    with serve_in_processes(tmp_path, str(pipeline)) as server:
        for name in ("fastapi", "starlette", "uvicorn", "httptools"):
            (folder / f"{name}.py").write_text("raise SystemExit('another version')")
        kill(server.workers)
        server.wait_for_log("ended with exit code -9")
        assert version_of(server) == "0.0.0"
        assert "failed" not in server.log.read_text()


def test_a_generation_that_dies_is_replaced(pipeline, tmp_path):
    with serve_in_processes(tmp_path, str(pipeline)) as server:
        (generation,), (worker,) = server.generations, server.workers
        os.kill(generation, signal.SIGKILL)
        server.wait_for_log(READY, 2)
        assert version_of(server) == "0.0.0"
        wait_for(lambda: not is_alive(worker))


def test_generations_that_die_are_not_replaced_for_ever(pipeline, tmp_path):
    with serve_in_processes(tmp_path, str(pipeline)) as server:
        for number in range(1, 4):
            server.wait_for_log(READY, number)
            kill(server.generations)
        assert server.wait() == 1
        log = server.log.read_text()
        assert "Generations ended 3 times within 60 seconds" in log and log.count(READY) == 3


def test_a_reload_while_another_one_loads_comes_after_it(pipeline, tmp_path):
    """What had changed meanwhile may not be in the one that is loading."""
    with serve_in_processes(tmp_path, str(pipeline)) as server:
        for _ in range(3):
            server.signal(signal.SIGHUP)
            server.wait_for_log("Loading a new generation")
            time.sleep(0.1)  # signals that come at once are one
        set_version(pipeline, "2.0.0")
        server.wait_for_log(READY, 3)
        wait_for(lambda: len(server.generations) == 1)
        assert version_of(server) == "2.0.0"
        assert server.log.read_text().count(READY) == 3  # two that were asked for meanwhile are one


def test_sigterm_while_a_generation_loads(pipeline, tmp_path):
    with serve_in_processes(tmp_path, str(pipeline)) as server:
        server.signal(signal.SIGHUP)
        server.wait_for_log("Loading a new generation")
        processes = [*server.generations, *server.workers]
        assert len(server.generations) == 2
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
        wait_for(lambda: not any(map(is_alive, processes)))
        assert server.log.read_text().count(READY) == 1


def test_whoever_asks_again_does_not_wait(pipeline, tmp_path):
    """Not even for a generation that does nothing any more."""
    with serve_in_processes(tmp_path, str(pipeline)) as server:
        (generation,), (worker,) = server.generations, server.workers
        os.kill(generation, signal.SIGSTOP)
        server.signal(signal.SIGTERM)
        server.wait_for_log("Ending")
        time.sleep(0.5)
        assert server.process.poll() is None and is_alive(worker)
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
        wait_for(lambda: not is_alive(generation) and not is_alive(worker))


def test_nothing_outlives_the_supervisor(pipeline, tmp_path):
    with serve_in_processes(tmp_path, str(pipeline)) as server:
        processes = [*server.generations, *server.workers]
        assert len(processes) == 2
        server.signal(signal.SIGKILL)
        server.wait()
        wait_for(lambda: not any(map(is_alive, processes)))


def test_what_cannot_be_loaded_is_said_at_once(tmp_path):
    with serve_in_processes(tmp_path, str(tmp_path / "nowhere")) as server:
        assert server.wait() == 1
        assert "nowhere" in server.log.read_text() and "Traceback" not in server.log.read_text()


def test_a_pid_file_is_that_of_a_running_server(tmp_path):
    path = tmp_path / "pid"
    with (
        pid_file(path),
        pytest.raises(ValueError, match="Give --pid-file another path"),
        pid_file(path),
    ):
        pass
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        path.write_text(f"{bystander.pid}\n")
        with pytest.raises(ValueError, match="No running server"):
            reload_server(path)
        time.sleep(0.1)
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_where_a_pid_file_cannot_be_locked_there_is_none(tmp_path, monkeypatch):
    """Nobody could tell a server from another program that has got its number."""
    path, signals = tmp_path / "pid", []

    def flock(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    monkeypatch.setattr(os, "kill", lambda *given: signals.append(given))
    with pytest.raises(ValueError, match="a path on a local disk"), pid_file(path):
        pass
    path.write_text(f"{os.getpid()}\n")
    with pytest.raises(ValueError, match="a path on a local disk"):
        reload_server(path)
    assert not signals


def test_two_servers_that_begin_and_end_at_once(tmp_path, monkeypatch):
    """One opens the file before the other one, which ends, removes it."""
    path, flock = tmp_path / "pid", fcntl.flock

    def remove(file, how):
        monkeypatch.undo()
        path.unlink()
        flock(file, how)

    monkeypatch.setattr(fcntl, "flock", remove)
    with pid_file(path):
        assert int(path.read_text()) == os.getpid()
        with pytest.raises(ValueError, match="Give --pid-file another path"), pid_file(path):
            pass


def test_a_server_that_is_about_to_write_its_number_is_not_running_yet(tmp_path):
    path = tmp_path / "pid"
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(ValueError, match="No running server"):
            reload_server(path)


def test_the_supervisor_serves_nothing(pipeline, tmp_path):
    """It does not even load what it serves."""
    with serve_in_processes(tmp_path, str(pipeline)) as server:
        loaded = Path(f"/proc/{server.process.pid}/maps").read_text()
        (generation,) = server.generations
        assert "openvino" not in loaded
        assert children(generation)
