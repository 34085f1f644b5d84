"""The server of a worker as it retires or ends, in this process: the test says in which turn of the
event loop."""

import select
import socket
import threading

import pytest
from serving_client import SECONDS, run_in_thread

from spacy_pretrained.serving.settings import Settings

ASK = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
ANSWERED, LEFT = "answered", "left to the next generation"


def ask_at_the_end(syntax, how: str, turns: int) -> str:
    """A client connects and asks, and so many turns of the loop later the server retires or
    ends."""
    is_ending = threading.Event()
    with run_in_thread([syntax], Settings(pipelines=())) as (server, port):
        loop = server.servers[0].get_loop()
        client, queue = socket.socket(), server.servers[0].sockets[0].dup()

        def connect() -> None:
            client.connect(("127.0.0.1", port))
            client.sendall(ASK)
            end_after(turns)

        def end_after(turns: int) -> None:
            if turns:
                loop.call_soon(end_after, turns - 1)
            else:
                getattr(server, how)()
                is_ending.set()

        loop.call_soon_threadsafe(connect)
        assert is_ending.wait(SECONDS)
        with client, queue:
            readable, _, _ = select.select([client, queue], [], [], SECONDS)
            if queue in readable:
                return LEFT
            assert client.recv(4096).startswith(b"HTTP/1.1 200 OK")
            return ANSWERED


@pytest.mark.parametrize("how", ["retire", "end"])
def test_who_connects_at_the_end_is_answered_or_left_to_the_next_generation(syntax, how):
    """asyncio leaves the first few; uvloop none."""
    found = [ask_at_the_end(syntax, how, turns) for turns in range(8)]
    assert found == sorted(found, reverse=True) and found[-1] == ANSWERED
