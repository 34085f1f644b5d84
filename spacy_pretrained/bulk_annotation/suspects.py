"""Which texts end the process that annotates them: found by halving their shard."""

from collections import deque
from dataclasses import dataclass, field, replace

from .errors import Errors
from .items import Item
from .shards import Shard
from .worker import Task

# Two for the shard itself, and ten to find one text among a thousand.
MOST_DEATHS = 12


@dataclass
class Suspect:
    """A shard whose process has ended. It is annotated alone from now on; when that ends the
    process again, its halves are tried, without being written, until single texts have ended it.
    Then the shard is annotated without those."""

    shard: Shard
    deaths: int = 0
    how: str = ""  # the last one
    to_try: deque[tuple[int, int]] = field(default_factory=deque)  # first text, end
    killers: set[int] = field(default_factory=set)

    def next_task(self) -> Task:
        if self.to_try and self.deaths <= MOST_DEATHS:
            first, end = self.to_try[0]
            items = self.shard.items[first:end]
            return Task(self.shard.number, items, on_trial=True, alone=True)
        kills = Errors.TEXT_KILLS.format(how=self.how)
        reasons = dict.fromkeys(self.killers, kills)
        if self.deaths > MOST_DEATHS:
            # What has not been tried may hold another of them.
            near = Errors.TEXT_NEAR_KILLER.format(n=self.deaths, how=self.how)
            untried = self.to_try or [(0, len(self.shard.items))]
            reasons = {i: near for first, end in untried for i in range(first, end)} | reasons
        items = [_mark(item, reasons.get(i)) for i, item in enumerate(self.shard.items)]
        return Task(self.shard.number, items, alone=True)

    def survive(self) -> bool:
        """Take note that the last task came to its end. RETURNS: whether that was the shard."""
        if not self.to_try or self.deaths > MOST_DEATHS:
            return True
        self.to_try.popleft()
        return False

    def die(self, how: str) -> None:
        """Take note that the process of the last task has ended."""
        self.deaths, self.how = self.deaths + 1, how
        if self.to_try:
            self._halve(*self.to_try.popleft())
        elif self.deaths > 1 and self.deaths <= MOST_DEATHS:
            self._halve(0, len(self.shard.items))

    def _halve(self, first: int, end: int) -> None:
        if end - first == 1:
            self.killers.add(first)
            return
        middle = (first + end) // 2
        self.to_try.extendleft([(middle, end), (first, middle)])


def _mark(item: Item, reason: str | None) -> Item:
    return item if reason is None else replace(item, error=reason)
