"""The stream of texts, cut into shards: what a process annotates and writes as one part."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .inputs import OnRead, Reading, read_items
from .items import Item

# A shard of long texts ends earlier, for memory.
MAX_CHARACTERS = 10_000_000


@dataclass(slots=True)
class Shard:
    number: int
    items: list[Item]
    share: float  # of all input that was read when its last text had been


class Stream:
    """All texts of several files, numbered; knows how much of them it has read."""

    def __init__(self, paths: list[Path], reading: Reading):
        self._paths, self._reading = paths, reading
        self._sizes = [path.stat().st_size if path.is_file() else 0 for path in paths]
        self._done = self._now = 0.0  # bytes of files before, and of the one that is being read
        self.n_texts = 0

    def __iter__(self) -> Iterator[Item]:
        for path, size in zip(self._paths, self._sizes):
            for item in read_items(path, self._reading, self._note(size)):
                item.number = self.n_texts
                self.n_texts += 1
                yield item
            self._done, self._now = self._done + size, 0.0

    def _note(self, size: int) -> OnRead:
        def on_read(share: float) -> None:
            self._now = share * size

        return on_read

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return min(1.0, (self._done + self._now) / max(1, sum(self._sizes)))


def cut_shards(items: Iterable[Item], size: int, share: Callable[[int], float]) -> Iterator[Shard]:
    """The same cuts in the same stream, whoever reads it and whenever.

    size: Texts of a shard, if they are not very long.
    share: Which share of all input so many texts are.
    """
    number, shard, n_characters = 0, [], 0
    for n_texts, item in enumerate(items, 1):
        shard.append(item)
        n_characters += len(item.text) + sum(map(len, item.words or item.sentences or ()))
        if len(shard) == size or n_characters >= MAX_CHARACTERS:
            yield Shard(number, shard, share(n_texts))
            number, shard, n_characters = number + 1, [], 0
    if shard:
        yield Shard(number, shard, 1.0)
