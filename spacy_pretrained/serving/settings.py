"""What a server is started with: pipelines, limits, and who may ask."""

import ipaddress
import json
import re
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Self

from .errors import Errors

NAMED = re.compile(r"([A-Za-z0-9][A-Za-z0-9_.-]*)=(.+)", re.S)
HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
SHORTEST_KEY = 16  # characters


@dataclass(frozen=True)
class Limits:
    """What a request may ask for.

    body: Bytes of a request.
    texts: Texts of a request.
    characters: Characters of a text.
    waiting: Texts that wait in a worker.
    seconds: How long a text waits at most, and how long a body takes to arrive.
    """

    body: int = 4_000_000
    texts: int = 256
    characters: int = 20_000
    waiting: int = 1_000
    seconds: float = 30.0


@dataclass(frozen=True)
class Settings:
    """All that a generation needs to know, as JSON on its command line: so no key is in it.

    pipelines: Pairs of a name, "" for that of the pipeline's meta, and a folder or package.
    weights: Of pipelines, by name, where a request names none; empty for the first pipeline alone.
    allowed_hosts: Names that the Host header may have beside "localhost" and addresses.
    key_file: A key a line; None asks for none.
    """

    pipelines: tuple[tuple[str, str], ...]
    weights: dict[str, float] = field(default_factory=dict)
    workers: int = 1
    host: str = "127.0.0.1"
    port: int = 8000
    allowed_hosts: tuple[str, ...] = ()
    key_file: str | None = None
    limits: Limits = field(default_factory=Limits)

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of `to_json`."""
        settings = cls(**json.loads(text))
        return replace(
            settings,
            pipelines=tuple((name, source) for name, source in settings.pipelines),
            allowed_hosts=tuple(settings.allowed_hosts),
            limits=Limits(**settings.limits),
        )


def parse_pipeline(argument: str) -> tuple[str, str]:
    """[NAME=]PIPELINE, as name and pipeline; the name is "" if there is none.

    >>> parse_pipeline("new=training/model-int8"), parse_pipeline("training/model-int8")
    (('new', 'training/model-int8'), ('', 'training/model-int8'))
    """
    match = None if Path(argument).exists() else NAMED.fullmatch(argument)
    return (match[1], match[2]) if match else ("", argument)


def parse_weights(argument: str) -> dict[str, float]:
    """The shares of pipelines: "a=9,b=1".

    RAISES: ValueError if it is written otherwise, or if no weight is above 0.
    """
    try:
        pairs = [part.split("=") for part in argument.split(",")]
        weights = {name.strip(): float(number) for name, number in pairs}
    except ValueError:
        weights = {}
    numbers = list(weights.values())
    if not weights or not all(0 <= x < float("inf") for x in numbers) or not any(numbers):
        raise ValueError(Errors.WEIGHTS_SYNTAX.format(weights=argument))
    return weights


def check_host_name(host: str) -> str:
    """ValueError if it is no bare name of a host."""
    if not HOST.fullmatch(host):
        raise ValueError(Errors.HOST_IS_NO_NAME.format(host=host))
    return host.lower()


def is_loopback(host: str) -> bool:
    """Whether only programs of this machine reach an address that is listened on."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def read_keys(path: str | None) -> tuple[bytes, ...]:
    """The keys of a file, one a line: several, so that one can be replaced while another works.

    RAISES: ValueError for a key that is easily guessed or cannot be sent; OSError.
    """
    if path is None:
        return ()
    keys = []
    for number, line in enumerate(Path(path).read_text("utf8").splitlines(), 1):
        key = line.strip()
        if key and not re.fullmatch(rf"[!-~]{{{SHORTEST_KEY},}}", key):
            message = Errors.KEY_SHORT.format(path=path, line=number, least=SHORTEST_KEY)
            raise ValueError(message)
        keys += [key.encode()] * bool(key)
    if not keys:
        raise ValueError(Errors.KEY_FILE.format(path=path, least=SHORTEST_KEY))
    return tuple(keys)
