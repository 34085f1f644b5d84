"""uvicorn's server, which ends as ours has to: nobody who has asked stays without an answer."""

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from uvicorn import Config, Server

from .guard import App
from .parts import Parts

# Seconds after which a connection is closed on which nothing comes. Longer than reverse proxies
# keep theirs, or they would send a request on one that is being closed.
KEEP_ALIVE = 75
# Seconds after which connections that were accepted at the very end have been counted, and what
# their clients sent has been read.
MOMENT = 0.05
# Seconds for which the old generation still answers on connections that clients keep open.
LINGER = 5.0
# Seconds for the last answers, beyond those that a text may wait; then what is left is cut off.
FINISH = 15


def make_server(
    app: App, parts: Parts, control: int | None, is_ready: Callable[[], None]
) -> "OurServer":
    """control, is_ready: As for `run_worker`."""
    config = Config(
        app,
        loop="auto",  # uvloop, where it is installed
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=int(parts.settings.limits.seconds) + FINISH,
    )
    return OurServer(config, parts, control, is_ready)


class OurServer(Server):
    def __init__(
        self, config: Config, parts: Parts, control: int | None, is_ready: Callable[[], None]
    ):
        super().__init__(config)
        self._parts = parts
        self._control = control
        self._is_ready = is_ready
        self._lingering: asyncio.Task | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._parts.annotator.start()
        await super().startup(sockets)
        self._parts.state.ready = True
        self._is_ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """SIGTERM: no new connections, finish what there is. SIGUSR1, or the end of `control`: the
        same, but those who keep a connection open get the time to hear of it."""
        if self._control is None:
            with super().capture_signals():
                yield
            return
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self.end)
        loop.add_signal_handler(signal.SIGUSR1, self.retire)
        loop.add_reader(self._control, self._lose_control)
        yield

    def _lose_control(self) -> None:
        asyncio.get_running_loop().remove_reader(self._control)
        self.retire()

    def end(self) -> None:
        self._stop_accepting()
        asyncio.get_running_loop().call_later(MOMENT, self._exit)

    def _exit(self) -> None:
        self.should_exit = True

    def retire(self) -> None:
        if not self._parts.state.ending:
            self._stop_accepting()
            self._lingering = asyncio.ensure_future(self._linger())

    def _stop_accepting(self) -> None:
        """asyncio accepts a connection in one turn of its loop and attaches it to its server in the
        next. If the server is closed in between, that connection is dropped, and its client reads
        of a reset. So the server is closed one turn after its sockets are no longer watched."""
        if self._parts.state.ending:
            return
        self._parts.state.ending = True
        loop = asyncio.get_running_loop()
        for server in self.servers:
            for sock in server.sockets:
                loop.remove_reader(sock.fileno())  # uvloop, which does both in one turn, ignores it
            loop.call_soon(server.close)

    async def _linger(self) -> None:
        """A connection that is closed while a request is on its way leaves that unanswered. So the
        next answer on each says that it is the last."""
        loop = asyncio.get_running_loop()
        end = loop.time() + LINGER
        await asyncio.sleep(MOMENT)
        while self.server_state.connections and loop.time() < end:
            await asyncio.sleep(MOMENT)
        self._exit()
