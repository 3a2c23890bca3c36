"""The one loop of a supervisor of processes: what can be read, what is due, and what is to be done next, in one thread.

It belongs to the process that made it. A forked copy neither goes on with it nor takes anything away from the original.
"""

from __future__ import annotations

import heapq
import os
import selectors
from collections import deque
from collections.abc import Callable
from itertools import count
from typing import Protocol, TypeAlias

from supervision.clock import Clock

Action: TypeAlias = Callable[[], None]


class Readable(Protocol):
    def fileno(self) -> int: ...


class ForkedLoop(RuntimeError):
    """Code that the loop called has forked, and came back in the child as well."""


class Loop:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._selector = selectors.DefaultSelector()
        self._deadlines: list[tuple[float, int, Action]] = []
        self._numbers = count()
        self._soon: deque[Action] = deque()
        self._owner = os.getpid()

    @property
    def now(self) -> float:
        """Monotonic seconds."""
        return self._clock.monotonic()

    @property
    def is_ours(self) -> bool:
        """False in a forked copy."""
        return os.getpid() == self._owner

    def watch(self, readable: int | Readable, action: Action) -> None:
        self._selector.register(readable, selectors.EVENT_READ, action)

    def forget(self, readable: int | Readable) -> None:
        """No more of it; nothing when it is not watched."""
        if readable in self._selector.get_map():
            self._selector.unregister(readable)

    def after(self, delay_s: float, action: Action) -> None:
        heapq.heappush(self._deadlines, (self.now + delay_s, next(self._numbers), action))

    def soon(self, action: Action) -> None:
        """Behind everything that waits already, and before anything else is read."""
        self._soon.append(action)

    def run(self, is_over: Callable[[], bool]) -> None:
        """Until ``is_over()``, which is asked after every action. Raises ``ForkedLoop`` in a forked copy."""
        while not is_over():
            if not self.is_ours:
                raise ForkedLoop("a supervisor of processes stays with the process that started it")
            if self._soon:
                self._soon.popleft()()
            else:
                self._wait_once()

    def _wait_once(self) -> None:
        for key, _ in self._selector.select(self._until_deadline()):
            key.data()
        now = self.now
        while self._deadlines and self._deadlines[0][0] <= now:
            heapq.heappop(self._deadlines)[2]()

    def _until_deadline(self) -> float | None:
        return max(self._deadlines[0][0] - self.now, 0.0) if self._deadlines else None

    def close(self) -> None:
        self._selector.close()
