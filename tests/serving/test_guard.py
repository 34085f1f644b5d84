"""Who may ask, and what the log says of it."""

import logging
import time

import pytest
from serving_client import SECONDS, TEXT, is_closed, send_part, serve_in_thread

from spacy_pretrained.serving import guard
from spacy_pretrained.serving.guard import is_allowed
from spacy_pretrained.serving.log import Formatter, say_where
from spacy_pretrained.serving.settings import Settings

KEYS = ["first-key-0123456789", "second-key-0123456789"]
SECRET = "Geheimnis"


@pytest.fixture(scope="module")
def locked(syntax, tmp_path_factory):
    path = tmp_path_factory.mktemp("keys") / "keys"
    path.write_text("\n".join(KEYS))
    with serve_in_thread([syntax], Settings(pipelines=(), key_file=str(path))) as client:
        yield client


OURS = "localhost localhost:8000 LOCALHOST. 127.0.0.1:1 [::1]:80 [::1] 10.1.2.3 my.example:443"
OTHERS = (
    "evil.example localhost.evil.example localhost:80:80 localhost:x my.example@x [::1 [x]:1 ä ::1 "
    "127.0.0.1.evil.example 2130706433 sub.my.example"
)


@pytest.mark.parametrize("host", OURS.split())
def test_hosts_that_name_the_server(host):
    assert is_allowed(host.encode(), {"localhost", "my.example"})


@pytest.mark.parametrize("host", ["", *OTHERS.split()])
def test_hosts_that_do_not(host):
    assert not is_allowed(host.encode("latin1"), {"localhost", "my.example"})


def test_a_request_with_another_host_is_refused(client):
    for path in ("/", "/health/live", "/v1/models"):
        answer = client.ask("GET", path, headers={"Host": "evil.example"})
        assert answer.status == 400 and answer.json["error"]["code"] == "host"
        assert b"evil" not in answer.body
    assert client.ask("GET", "/v1/models", headers={"Host": "my.example:8000"}).status == 200


@pytest.mark.parametrize(
    "path", ["/v1/models", "/v1/annotate", "/v1/pictures", "/metrics", "/openapi.json", "/nowhere"]
)
def test_the_key_is_asked_for(locked, path):
    wrong = ["", "Bearer", f"Bearer {KEYS[0]}x", f"Bearer {KEYS[0][:-1]}", f"Basic {KEYS[0]}"]
    for value in wrong:
        answer = locked.ask("GET", path, headers={"Authorization": value} if value else {})
        assert answer.status == 401, value
        assert answer.headers["www-authenticate"] == "Bearer"
    for key in KEYS:
        for value in (f"Bearer {key}", f"bearer  {key} "):
            assert locked.ask("GET", path, headers={"Authorization": value}).status != 401


def test_what_needs_no_key(locked):
    for path in ("/", "/health/live", "/health/ready"):
        assert locked.get(path).status == 200
        assert locked.ask("GET", path + "x").status == 401


def test_every_answer_says_how_to_be_handled(client):
    answers = [client.get("/"), client.get("/nowhere"), client.annotate(), client.annotate(b"[")]
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert not any(name.startswith("access-control") for name in answer.headers)
        assert "server" not in answer.headers


def test_pages_of_other_sites_are_told_nothing(client):
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = client.ask("OPTIONS", "/v1/annotate", headers=headers)
    assert answer.status == 405
    assert not any(name.startswith("access-control") for name in answer.headers)


def test_the_log_has_a_line_a_request_and_no_text(client, caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("spacy_pretrained.serving"), "propagate", True)
    caplog.set_level(logging.INFO, "spacy_pretrained.serving")
    client.annotate({"texts": [TEXT, SECRET], "model": "syntax"})
    client.annotate({"text": TEXT, SECRET: SECRET})
    client.annotate(SECRET.encode())
    client.ask("GET", f"/{SECRET}?q={SECRET}")
    client.ask(SECRET.upper(), "/")
    client.ask("GET", "/health/live", headers={"User-Agent": SECRET, "X-Session": SECRET})
    lines = [record.getMessage() for record in caplog.records]
    n = len(TEXT) + len(SECRET)
    assert f"texts=2 characters={n} model=syntax" in lines[0]
    assert "method=POST path=/v1/annotate status=200 ms=" in lines[0]
    assert "path=/v1/annotate status=422" in lines[1] and "status=400" in lines[2]
    assert "method=GET path=other status=404" in lines[3]
    assert SECRET.casefold() not in caplog.text.casefold()


def test_errors_are_told_without_their_messages():
    try:
        raise ValueError(SECRET)
    except ValueError as error:
        said = say_where(error)
        record = logging.LogRecord("x", logging.ERROR, "", 0, "failed", (), None)
        record.exc_info = (ValueError, error, error.__traceback__)
        line = Formatter().format(record)
    assert said.startswith("ValueError at test_guard.py:")
    assert "ValueError at test_guard.py" in line and SECRET not in line + said


ASKS = b"POST /v1/annotate HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
LARGE = 20_000_000


@pytest.mark.parametrize(
    ("more", "status"), [("Content-Type: application/json", 413), ("Content-Type: text/plain", 415)]
)
def test_who_sends_a_body_that_is_not_wanted_gets_the_answer(client, more, status):
    """Not a reset, though the answer was there before the body."""
    head = ASKS + f"{more}\r\nContent-Length: {LARGE}\r\n\r\n".encode()
    with send_part(client.port, head) as sock:
        time.sleep(0.2)
        sock.sendall(b" " * LARGE)
        assert sock.recv(4096).startswith(f"HTTP/1.1 {status} ".encode())


@pytest.mark.parametrize("limit", ["REST", "QUIET"])
def test_who_never_sends_the_body_does_not_keep_the_connection(client, monkeypatch, limit):
    monkeypatch.setattr(guard, "REST", SECONDS)
    monkeypatch.setattr(guard, "QUIET", SECONDS)
    monkeypatch.setattr(guard, limit, 0.1)
    with send_part(client.port, ASKS + b"Content-Length: 9\r\n\r\n") as sock:
        assert is_closed(sock, SECONDS)


def test_who_is_not_told_to_go_on_need_not_send(client):
    """Such as curl with a large body: it waits for the answer first."""
    head = ASKS + b"Expect: 100-continue\r\nContent-Length: 9\r\n\r\n"
    begun = time.monotonic()
    with send_part(client.port, head) as sock:
        assert is_closed(sock, SECONDS) and time.monotonic() - begun < guard.QUIET
