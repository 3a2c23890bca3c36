"""A million messages to one actor, and as many to one that does not keep up: all are handled, and memory goes back."""

from __future__ import annotations

import os
import resource
import threading
from collections.abc import Iterator
from typing import ClassVar

import pytest

from supervision.actor import Actor, BatchActor, Request
from supervision.alarms import MAILBOX_HIGH
from supervision.runtime import Runtime
from supervision.watcher import ReadAlarms, Watcher
from tests.harness.waiting import wait_for

FLOOD = 1_000_000

#: One waiting message: an envelope of two slots and its place in a deque, with the message itself shared or tiny.
BYTES_OF_A_WAITING_MESSAGE = 160

LIMIT_S = 60.0


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    made = Runtime()
    yield made
    made.close()


class Counter(Actor):
    """Counts; ``gate`` holds it up in its first message until the flood is over."""

    handles: ClassVar[dict[type, str]] = {int: "count", str: "total"}

    def __init__(self, gate: threading.Event | None = None) -> None:
        super().__init__()
        self._gate = gate
        self._seen = 0
        self._in_order = True

    def count(self, number: int) -> None:
        if self._gate is not None:
            self._gate.wait(LIMIT_S)
        self._in_order = self._in_order and number == self._seen
        self._seen += 1

    def total(self, _: str) -> tuple[int, bool]:
        return self._seen, self._in_order


class BatchCounter(BatchActor):
    handles: ClassVar[dict[type, str]] = {int: "on_batch", str: "on_batch"}

    def __init__(self) -> None:
        super().__init__()
        self._seen = 0
        self._largest = 0

    def on_batch(self, requests: list[Request]) -> None:
        self._largest = max(self._largest, len(requests))
        for request in requests:
            if isinstance(request.message, int):
                self._seen += 1
            else:
                request.reply((self._seen, self._largest))


def resident_bytes() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_a_million_tells_are_all_handled_in_order(runtime: Runtime) -> None:
    counter = runtime.spawn(Counter)
    for number in range(FLOOD):
        counter.tell(number)
    assert counter.ask("total", timeout=LIMIT_S) == (FLOOD, True)


def test_a_million_tells_from_many_threads_are_all_handled(runtime: Runtime) -> None:
    counter = runtime.spawn(Counter)
    share = FLOOD // 8
    senders = [threading.Thread(target=lambda: [counter.tell(n) for n in range(share)]) for _ in range(8)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(LIMIT_S)
    assert counter.ask("total", timeout=LIMIT_S)[0] == 8 * share


def test_a_batch_actor_takes_a_flood_in_bounded_batches(runtime: Runtime) -> None:
    counter = runtime.spawn(BatchCounter)
    for number in range(FLOOD):
        counter.tell(number)
    seen, largest = counter.ask("total", timeout=LIMIT_S)
    assert seen == FLOOD
    assert largest <= BatchCounter.batch_limit


def test_a_backlog_costs_what_is_stated_for_each_message_and_not_more(runtime: Runtime) -> None:
    """A mailbox has no limit, so this is the price of a message that waits; docs/supervision.md tells of the alarm."""
    gate = threading.Event()
    counter = runtime.spawn(Counter, gate)
    before = resident_bytes()
    for _ in range(FLOOD):
        counter.tell(0)
    grown = resident_bytes() - before
    gate.set()
    assert counter.ask("total", timeout=LIMIT_S)[0] == FLOOD
    assert grown < FLOOD * BYTES_OF_A_WAITING_MESSAGE, f"{grown / FLOOD:.0f} bytes for each waiting message"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(FLOOD):  # a second flood finds the memory of the first
        counter.tell(number)
    assert counter.ask("total", timeout=LIMIT_S)[0] == 2 * FLOOD
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak < 50_000  # kilobytes


def test_a_drowning_actor_raises_an_alarm_and_its_end_leaves_nobody_waiting(runtime: Runtime) -> None:
    gate = threading.Event()
    watcher = runtime.spawn(Watcher)
    drowning = runtime.spawn(Counter, gate, name="drowning")
    for number in range(20_000):
        drowning.tell(number)
    asked = [drowning.ask("total", block=False) for _ in range(100)]

    def is_alarmed() -> bool:
        alarms = watcher.ask(ReadAlarms(), timeout=5)
        return any(alarm.id == MAILBOX_HIGH and alarm.subject == "drowning" for alarm in alarms)

    wait_for(is_alarmed, 20, "the alarm")
    cell = runtime.names.cell("drowning")
    assert cell is not None
    cell.revoke("test")
    gate.set()
    for future in asked:
        with pytest.raises(Exception, match="killed"):
            future.get(timeout=10)
    assert len(cell.mailbox.queue) == 0
    wait_for(lambda: not is_alarmed(), 20, "the end of the alarm")
