"""A dashboard that stays open: what it holds does not grow with what it has seen.

Counted are events and not hours: as many as two hours have at 20 a second with ``--full``, some thousand otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.browser.conftest import Watched
from tests.harness.hub import Hub
from tests.harness.socket import Socket
from tests.harness.waiting import wait_for

#: Rounds of as many tasks as the agent has slots, each with about four events: more than 20 a second.
TASKS_A_ROUND = 10

#: Until every bounded list of the page is full: 500 events are kept.
ROUNDS_BEFORE = 15
ROUNDS = 60

#: Of two hours at 20 events a second.
FULL_ROUNDS = 3600

GROWTH_BYTES = 10 * 1024 * 1024

#: Three times what the overview has by itself: the browser may keep another copy for its own reasons. A page that holds
#: what it left is beyond it after twenty rounds.
MOST_NODES = 12_000
MOST_LISTENERS = 250

#: The pages that a day leads through, by the second key after ``g``; the last is the one that is measured.
WAY = ("t", "a", "y", "d", "m", "k", "o")


@dataclass(frozen=True)
class Held:
    heap: float
    nodes: float
    listeners: float


def held(page: Any) -> Held:
    """What the page holds when everything that nobody needs is thrown away."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.enable")
    session.send("Performance.enable")
    for _ in range(3):  # what one collection frees is what held the next
        session.send("HeapProfiler.collectGarbage")
    found = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    session.detach()
    return Held(found["JSHeapUsedSize"], found["Nodes"], found["JSEventListeners"])


class Worker:
    """Takes as many tasks as it is given, and finishes them at once."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._socket = Socket(f"{hub.ws_url}/ws")
        self.done = 0
        token = hub.agent_token("busy")
        hello = self._socket.ask(type="identify", agent_id="busy", token=token, slots=TASKS_A_ROUND)
        assert hello["type"] == "identified", hello

    def round(self) -> None:
        tasks = [{"description": f"task {self.done + n}"} for n in range(TASKS_A_ROUND)]
        assert self._hub.post("/api/tasks/bulk", tasks).status == 201
        for _ in tasks:
            about = self._socket.hear_type("task_assign")
            told = {"task_id": about["task_id"], "generation": about["generation"]}
            self._socket.say(type="task_accepted", **told)
            self._socket.say(type="task_complete", result={"words": "done " * 20}, tokens_used=7, **told)
        self.done += len(tasks)


@pytest.mark.slow
@pytest.mark.timeout(2 * 3600)
def test_A20_a_page_that_stays_open_holds_no_more_after_many_events(
    request: pytest.FixtureRequest, hub: Hub, watch: Callable[..., Watched]
) -> None:
    watched = watch()
    page = watched.open("/")
    page.locator("[data-testid=connection-chip][data-phase=live]").wait_for(timeout=10_000)
    worker = Worker(hub)

    def work(rounds: int) -> Held:
        for number in range(rounds):
            worker.round()
            page.keyboard.press("g")
            page.keyboard.press(WAY[number % len(WAY)])
        page.keyboard.press("g")
        page.keyboard.press("o")
        done = page.get_by_test_id("counter-done")
        wait_for(lambda: done.inner_text() == f"{done_in_an_hour(hub):,}", 30, "the page being at the end of it")
        return held(page)

    before = work(ROUNDS_BEFORE)
    after = work(FULL_ROUNDS if request.config.getoption("--full") else ROUNDS)
    assert after.heap - before.heap < GROWTH_BYTES, (before, after)
    assert after.nodes < MOST_NODES and after.listeners < MOST_LISTENERS, (before, after)
    watched.check()


def done_in_an_hour(hub: Hub) -> int:
    """By the hub."""
    return int(hub.snapshot()["throughput"]["completed_last_hour"])
