"""What every request passes: who may ask, a line in the log, figures, and what must not get out."""

import asyncio
import hmac
import ipaddress
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from .errors import Answers
from .log import logger, say_where
from .metrics import NO_MODEL, Row

PATHS = {
    *("/", "/v1/annotate", "/v1/models", "/v1/pictures"),
    *("/health/live", "/health/ready", "/metrics", "/openapi.json"),
}
# They say nothing of pipelines and texts.
WITHOUT_KEY = {"/", "/health/live", "/health/ready"}
METHODS = {"GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"}
ALWAYS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
]
# Seconds for the rest of a body, of a request that is answered before it was read; and those after
# which nothing more is expected of it.
REST, QUIET = 30.0, 2.0
GONE = 499  # of a client that did not wait for the answer; it never sees this

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass
class Note:
    """What the log says of a request, in `scope["note"]`: endpoints fill it in."""

    model: str = NO_MODEL
    n_texts: int = 0
    n_characters: int = 0
    status: int = 0


class Body:
    """What a client still sends. If a connection is closed before that has been read, the client
    hears of a reset in place of its answer."""

    def __init__(self, scope: Scope, receive: Receive):
        self._receive = receive
        headers = dict(scope["headers"])
        connection = headers.get(b"connection", b"").lower()
        self.closes = scope["http_version"] == "1.0" or b"close" in connection
        # A client that has to be told to go on does not send before.
        self._is_read = b"expect" in headers

    async def receive(self) -> Message:
        message = await self._receive()
        self._is_read = not message.get("more_body", False)
        return message

    async def read_rest(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(REST):
                while not self._is_read:
                    await asyncio.wait_for(self.receive(), QUIET)


class Guard:
    """An ASGI application around another one.

    hosts: Names that the Host header may have beside "localhost" and addresses. So a page of
        another site, whose name has been made to mean this machine, gets nothing.
    keys: One of them has to come with a request; none for all to be let in.
    is_ending: Whether connections shall be given up after the next answer.
    """

    def __init__(
        self,
        app: App,
        hosts: Sequence[str],
        keys: Sequence[bytes],
        row: Row,
        is_ending: Callable[[], bool],
    ):
        self._app = app
        self._hosts = {"localhost", *hosts}
        self._keys = keys
        self._row = row
        self._is_ending = is_ending

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        begin, note, body = time.perf_counter(), Note(), Body(scope, receive)
        scope["note"] = note

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                note.status = message["status"]
                ending = [(b"connection", b"close")] if self._is_ending() else []
                message["headers"] = [*message.get("headers", ()), *ALWAYS, *ending]
                body.closes |= any(name.lower() == b"connection" for name, _ in message["headers"])
            elif body.closes and not message.get("more_body"):
                await body.read_rest()
            await send(message)

        try:
            if refusal := self._refuse(scope):
                await _answer(send_on, *refusal)
            else:
                await self._app(scope, body.receive, send_on)
        except Exception as error:
            logger.error("A request failed: %s", say_where(error))
            if not note.status:
                await _answer(send_on, 500, "failed", Answers.FAILED)
        finally:
            seconds = time.perf_counter() - begin
            self._row.count_request(note.model, note.status or GONE, seconds)
            logger.info(
                "method=%s path=%s status=%d ms=%.1f texts=%d characters=%d model=%s",
                scope["method"] if scope["method"] in METHODS else "other",
                scope["path"] if scope["path"] in PATHS else "other",
                note.status or GONE,
                1000 * seconds,
                note.n_texts,
                note.n_characters,
                note.model or "-",
            )

    def _refuse(self, scope: Scope) -> tuple[int, str, str] | None:
        """Status, code and message of an answer in place of the endpoint's."""
        headers = dict(scope["headers"])  # of several of one name, the last
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1 or not is_allowed(hosts[0], self._hosts):
            return 400, "host", Answers.HOST
        if self._keys and scope["path"] not in WITHOUT_KEY:
            scheme, _, key = headers.get(b"authorization", b"").partition(b" ")
            # All are compared: how long it takes says nothing.
            fits = [hmac.compare_digest(key.strip(), known) for known in self._keys]
            if scheme.lower() != b"bearer" or not any(fits):
                return 401, "key", Answers.KEY
        return None


def is_allowed(host: bytes, names: set[str]) -> bool:
    """Whether a Host header names this server. An address always does: no site can own it.

    >>> is_allowed(b"[::1]:8000", set()), is_allowed(b"evil.example", {"localhost"})
    (True, False)
    """
    try:
        name = host.decode("ascii").lower()
    except UnicodeDecodeError:
        return False
    if name.startswith("["):
        name, bracket, port = name[1:].partition("]")
        port = port.removeprefix(":") if bracket else "?"
    else:
        name, _, port = name.partition(":")
    if port and not port.isdecimal():
        return False
    if name.removesuffix(".") in names:
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def to_error(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


async def _answer(send: Send, status: int, code: str, message: str) -> None:
    body = json.dumps(to_error(code, message)).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
