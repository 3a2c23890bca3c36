"""Many dashboards on a busy hub: do they get everything, in bounds, and what does the work lose by it?"""

from __future__ import annotations

import asyncio
import re
import tempfile
import time
from collections import deque
from pathlib import Path
from typing import Any

from bench.load_clients import WebSocket
from bench.measure import Spread, in_turn
from bench.tasks import Shape, run
from tests.harness.hub import Hub

SIZES = (0, 1, 50, 500)
WORK = Shape(agents=2, slots=256, tasks=15_000, bulk=250, in_flight=4)


#: A frame of events begins with its numbers, one with a snapshot ends with its number: a page that is measured decodes nothing
#: else, because all pages share the processor with the hub.
EVENTS = re.compile(rb'{"type":"events","seq":(\d+),"first_seq":(\d+)')
SNAPSHOT = re.compile(rb'"seq":(\d+),"boot_id":"[^"]*"}$')


class Watcher:
    """One page: counts frames in each second and looks for gaps in the sequence that no snapshot closes."""

    def __init__(self) -> None:
        self.frames = 0
        self.most = 0
        self.gaps = 0
        self._at: deque[float] = deque()
        self._last: int | None = None

    def got(self, message: bytes) -> None:
        now = time.monotonic()
        self.frames += 1
        self._at.append(now)
        while self._at[0] < now - 1.0:
            self._at.popleft()
        self.most = max(self.most, len(self._at))
        if events := EVENTS.match(message):
            last, first = int(events[1]), int(events[2])
            self.gaps += self._last is None or first > self._last + 1
            self._last = last
        elif message.startswith(b'{"type":"snapshot"'):
            snapshot = SNAPSHOT.search(message, len(message) - 100)
            assert snapshot is not None, message[-100:]
            self._last = int(snapshot[1])


def measure(runs: int) -> dict[str, Any]:
    """By number of dashboards: tasks a second, the most frames that one got in a second, gaps."""
    facts: dict[str, dict[str, int]] = {}

    def with_watchers(size: int) -> float:
        with tempfile.TemporaryDirectory() as folder, Hub(Path(folder) / "data") as hub:
            return asyncio.run(
                _work(hub, size, facts.setdefault(f"{size} dashboards", {"most frames/s": 0, "gaps": 0}))
            )

    measures = {f"{size} dashboards": (lambda size=size: with_watchers(size)) for size in SIZES}
    values = in_turn(measures, runs)
    found: dict[str, Any] = {
        name: {"tasks a second": Spread.of(of), **{fact: float(value) for fact, value in facts[name].items()}}
        for name, of in values.items()
    }
    none = f"{SIZES[0]} dashboards"
    found["throughput beside none"] = {
        name: Spread.of([mine / alone for mine, alone in zip(of, values[none], strict=True)])
        for name, of in values.items()
        if name != none
    }
    return found


async def _work(hub: Hub, size: int, facts: dict[str, int]) -> float:
    watchers = [Watcher() for _ in range(size)]
    sockets = [await WebSocket.connect(hub.url, watcher.got, "/ws/dashboard", raw=True) for watcher in watchers]
    rate = await run(hub, WORK)
    facts["most frames/s"] = max([facts["most frames/s"], *(watcher.most for watcher in watchers)])
    facts["gaps"] += sum(watcher.gaps for watcher in watchers)
    assert all(not socket.is_closed for socket in sockets)
    for socket in sockets:
        socket.close()
    return rate
