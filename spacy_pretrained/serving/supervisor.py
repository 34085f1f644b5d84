"""The process that is called the server: it opens the socket, starts generations, and serves
nothing itself."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass

from .errors import Errors
from .log import logger
from .processes import MOST_DEATHS, WITHIN, Deaths, Signals, hear, wait_for
from .settings import Settings

GENERATION = f"{__package__}.generation"
BACKLOG = 2048


class CannotServe(ValueError):
    """The first generation did not get ready."""


@dataclass(eq=False)
class Running:
    """A generation from outside."""

    process: subprocess.Popen
    status: int  # a pipe: what it says
    control: int  # a pipe: closed when this process ends, which ends the generation
    reason: str = ""  # why it failed

    def fileno(self) -> int:
        return self.status

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        """Its workers, too: they are of the group of processes that began with it."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def close(self) -> int:
        """RETURNS: The exit code of its process, which has ended or is about to."""
        code = self.process.wait()
        os.close(self.status)
        os.close(self.control)
        return code


def open_socket(host: str, port: int) -> socket.socket:
    """A listening socket. Connections that are accepted on it send without delay: otherwise the
    body of an answer, which is written after its head, could wait until the client acknowledges
    the head, which takes 40 ms.

    RAISES: OSError if the port is taken, or the address is none of this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    # asyncio sees to it only where it knows that the protocol is TCP, which a socket that was made
    # by `create_server` does not say, and one that a generation inherits does.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def find_url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


class Supervisor:
    """One generation serves. At SIGHUP another is loaded, and takes its place when it is ready."""

    def __init__(self, settings: Settings, listener: socket.socket):
        self._settings = settings
        self._listener = listener
        self._signals = Signals(signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        self._current: Running | None = None
        self._coming: Running | None = None
        self._old: list[Running] = []
        self._deaths = Deaths()
        self._again = False  # whether SIGHUP came while a generation was loading
        self._ending = False
        self._code = 0

    def run(self) -> int:
        """Serve until SIGTERM or Ctrl-C, or until there is nothing that could.

        RETURNS: The exit code.
        RAISES: CannotServe.
        """
        try:
            self._coming = self._start()
            while running := self._all():
                for readable in wait_for([self._signals, *running]):
                    if readable is self._signals:
                        self._act(self._signals.take())
                    elif readable in running:
                        self._hear(readable)
            return self._code
        finally:
            self._signals.close()

    def _all(self) -> list[Running]:
        return [*filter(None, (self._current, self._coming)), *self._old]

    def _start(self) -> Running:
        """RAISES: OSError, such as for too many processes or open files."""
        pipes: list[int] = []
        try:
            pipes += os.pipe()
            pipes += os.pipe()
            status_read, status_write, control_read, control_write = pipes
            process = self._spawn((self._listener.fileno(), status_write, control_read))
        except OSError:
            for pipe in pipes:
                os.close(pipe)
            raise
        os.close(status_write)
        os.close(control_read)
        return Running(process, status_read, control_write)

    def _spawn(self, passed: tuple[int, int, int]) -> subprocess.Popen:
        command = [sys.executable, "-m", GENERATION, self._settings.to_json(), *map(str, passed)]
        # In a session of its own: Ctrl-C and the end of a terminal are for this process to act on.
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, pass_fds=passed, start_new_session=True
        )

    def _start_another(self) -> None:
        """If it cannot be started, the one that serves goes on; without one, this is the end."""
        try:
            self._coming = self._start()
        except OSError as error:
            self._note_failure(Errors.GENERATION_NOT_STARTED.format(error=error))
            if not self._current:
                self._end(1)

    def _note_failure(self, reason: str) -> None:
        goes_on = "; the old one goes on" if self._current else ""
        logger.error("The new generation failed%s. %s", goes_on, reason)

    def _act(self, numbers: set[int]) -> None:
        if numbers & {signal.SIGTERM, signal.SIGINT}:
            if self._ending:  # asked again
                for running in self._all():
                    running.kill()
            self._end(0)
        elif signal.SIGHUP in numbers and not self._ending:
            if self._coming:
                self._again = True
            else:
                logger.info("Loading a new generation")
                self._start_another()

    def _end(self, code: int) -> None:
        """Let all generations finish what they have. Who connects now is refused at once: the
        socket would have them wait until this process has ended."""
        if not self._ending:
            logger.info("Ending")
        self._ending = True
        self._listener.close()
        self._code = self._code or code
        for running in self._all():
            running.send(signal.SIGTERM)

    def _hear(self, running: Running) -> None:
        messages = hear(running.status)
        if messages is None:
            self._bury(running, running.close())
            return
        for message in messages:
            running.reason = message.get("failed", running.reason)
            if message.get("ready") and running is self._coming:
                self._replace()

    def _replace(self) -> None:
        """The coming generation is ready: the current one stops accepting, finishes and ends."""
        if self._current:
            self._old.append(self._current)
            self._current.send(signal.SIGUSR1)
        self._current, self._coming = self._coming, None
        if self._ending:
            return
        logger.info("Serving at %s", find_url(self._listener))
        if self._again:
            self._again = False
            self._start_another()

    def _bury(self, running: Running, code: int) -> None:
        reason = running.reason or Errors.GENERATION_DIED.format(code=code)
        if running in self._old:
            self._old.remove(running)
        elif running is self._coming:
            again = self._again
            self._coming, self._again = None, False
            if self._ending:
                return
            if not self._current:
                raise CannotServe(reason)
            self._note_failure(reason)
            if again:  # what had failed may have been mended meanwhile
                self._start_another()
        else:
            self._current = None
            if not self._ending:
                self._replace_lost(running, code)

    def _replace_lost(self, running: Running, code: int) -> None:
        """The generation that served is gone, and its workers with it."""
        logger.error("The server's generation ended with exit code %d. %s", code, running.reason)
        if running.reason:  # its workers died again and again
            self._end(1)
        elif self._deaths.too_many():
            message = Errors.TOO_MANY_DEATHS
            what, seconds = "Generations", int(WITHIN)
            logger.error(message.format(what=what, deaths=MOST_DEATHS, seconds=seconds))
            self._end(1)
        elif not self._coming:
            self._start_another()
