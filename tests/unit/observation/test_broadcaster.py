"""Batches: consecutive, at most ten a second, bounded, and with a gap that readers see when something is missing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, ClassVar

import pytest

from actors.broadcaster import MAX_EVENTS, RECENT, Broadcaster
from actors.task_ids import id_of
from actors.vocabulary.dashboard import Batch, ReadRecent
from actors.vocabulary.events import (
    PRESENCE,
    TASKS,
    AgentChanged,
    AgentJoined,
    AgentView,
    TaskEvent,
)
from actors.vocabulary.fleet import FinishedAttempt
from actors.vocabulary.names import BROADCASTER, GATEWAY, TASK_QUEUE
from actors.vocabulary.tasks import ReadFinished, Task
from supervision.actor import Actor
from supervision.bus import Published
from supervision.clock import ManualClock
from supervision.deferred import Deferred
from supervision.runtime import Runtime


class StandInGateway(Actor):
    handles: ClassVar[dict[type, str]] = {Batch: "keep"}

    def __init__(self, kept: list[tuple[float, Batch]]) -> None:
        super().__init__()
        self.kept = kept

    def keep(self, batch: Batch) -> None:
        self.kept.append((self.runtime.clock.monotonic(), batch))


class Bus:
    """A runtime with a ``Broadcaster`` and somebody who keeps its batches with their times."""

    def __init__(self, make_task: Callable[..., Task], make_agent: Callable[..., AgentView]) -> None:
        self.runtime = Runtime(clock=ManualClock())
        self.make_task, self.make_agent = make_task, make_agent
        self.kept: list[tuple[float, Batch]] = []
        self.runtime.spawn(StandInGateway, self.kept, name=GATEWAY)
        self.start()

    def start(self) -> None:
        self.runtime.spawn(Broadcaster, name=BROADCASTER)

    def task(self, event: str, task_id: str = "task-0", **fields: Any) -> int:
        return self.runtime.bus.publish(TASKS, TaskEvent(event, self.make_task(id=task_id), at=1, **fields))

    def presence(self, event: object) -> int:
        return self.runtime.bus.publish(PRESENCE, event)

    def pass_time(self, seconds: float = 0.1) -> list[Batch]:
        """Let time pass and take the batches that came."""
        self.runtime.advance(seconds)
        batches = [batch for _, batch in self.kept]
        self.kept.clear()
        return batches


@pytest.fixture
def bus(make_task: Callable[..., Task], make_agent: Callable[..., AgentView]) -> Iterator[Bus]:
    bus = Bus(make_task, make_agent)
    yield bus
    bus.runtime.close()


def events(batch: Batch) -> list[dict[str, Any]]:
    decoded: list[dict[str, Any]] = json.loads(b"[" + batch.events + b"]")
    return decoded


def test_events_of_both_topics_wait_100_ms_and_leave_together_oldest_first(bus: Bus) -> None:
    bus.task("task_submitted")
    bus.presence(AgentJoined(bus.make_agent(), at=1))
    bus.task("task_assigned")
    assert bus.pass_time(0.09) == []
    (batch,) = bus.pass_time(0.01)
    assert (batch.first_seq, batch.last_seq) == (1, 3)
    assert [event["seq"] for event in events(batch)] == [1, 2, 3]
    assert [event["type"] for event in events(batch)] == ["task_event", "agent_joined", "task_event"]


def test_nothing_is_sent_when_nothing_happened(bus: Bus) -> None:
    assert bus.pass_time(5.0) == []


def test_two_batches_can_be_joined_with_a_comma(bus: Bus) -> None:
    bus.task("task_submitted")
    first = bus.pass_time()
    bus.task("task_assigned")
    second = bus.pass_time()
    joined = json.loads(b"[" + b",".join(batch.events for batch in first + second) + b"]")
    assert [event["event"] for event in joined] == ["task_submitted", "task_assigned"]


def test_never_more_than_ten_batches_in_a_second(bus: Bus) -> None:
    for _ in range(500):
        bus.task("task_submitted")
        bus.runtime.advance(0.01)
    times = [time for time, _ in bus.kept]
    assert len(times) > 40
    assert all(later - earlier > 0.0999 for earlier, later in pairwise(times))


def test_hidden_events_leave_no_hole_in_the_numbers(bus: Bus) -> None:
    bus.task("task_ready")
    assert bus.pass_time() == []
    bus.task("task_submitted")
    bus.task("task_pruned")
    (first,) = bus.pass_time()
    bus.task("task_ready")
    bus.task("task_submitted")
    (second,) = bus.pass_time()
    assert (first.first_seq, first.last_seq) == (1, 3)
    assert (second.first_seq, second.last_seq) == (4, 5)
    assert [event["seq"] for event in events(first) + events(second)] == [2, 5]


def test_batches_are_consecutive_under_a_flood(bus: Bus) -> None:
    for number in range(2_000):
        bus.task(("task_submitted", "task_progress", "task_ready")[number % 3], f"task-{number % 7}")
        if number % 40 == 0:
            bus.runtime.advance(0.03)
    batches = bus.pass_time()
    assert batches[0].first_seq == 1
    assert batches[-1].last_seq >= 1_999
    for earlier, later in pairwise(batches):
        assert later.first_seq == earlier.last_seq + 1
    seqs = [event["seq"] for batch in batches for event in events(batch)]
    assert seqs == sorted(seqs)


def test_the_last_progress_of_a_task_and_the_last_state_of_an_agent_win_within_a_batch(bus: Bus) -> None:
    bus.task("task_progress", progress=10)
    bus.task("task_progress", "task-1", progress=5)
    bus.presence(AgentChanged(bus.make_agent(fsm_state="assigned"), at=1))
    bus.task("task_progress", progress=90)
    bus.presence(AgentChanged(bus.make_agent(fsm_state="working"), at=1))
    (batch,) = bus.pass_time()
    assert (batch.first_seq, batch.last_seq) == (1, 5)
    shown = [(event["seq"], event.get("progress"), event.get("fsm_state")) for event in events(batch)]
    assert shown == [(2, 5, None), (4, 90, None), (5, None, "working")]


def test_as_many_events_as_fit_are_all_sent(bus: Bus) -> None:
    for number in range(MAX_EVENTS):
        bus.task("task_submitted", f"task-{number}")
    (batch,) = bus.pass_time()
    assert (batch.first_seq, len(events(batch))) == (1, MAX_EVENTS)


def test_one_event_too_many_makes_a_gap_that_a_reader_sees_and_bounded_memory_lessons_51(bus: Bus) -> None:
    bus.task("task_submitted")
    (before,) = bus.pass_time()
    for number in range(3 * MAX_EVENTS):
        bus.task("task_submitted", f"task-{number}")
    last = bus.task("task_ready")
    (batch,) = bus.pass_time()
    assert batch.first_seq > before.last_seq + 1
    assert batch.last_seq == last
    assert [event["seq"] for event in events(batch)] == [batch.first_seq]
    bus.task("task_submitted")
    (after,) = bus.pass_time()
    assert after.first_seq == batch.last_seq + 1


def test_what_was_published_while_it_was_away_shows_as_a_gap_lessons_46(bus: Bus) -> None:
    bus.task("task_submitted")
    (before,) = bus.pass_time()
    ref = bus.runtime.names.whereis(BROADCASTER)
    assert ref is not None
    ref.stop()
    bus.task("task_assigned")
    bus.start()
    bus.task("task_completed")
    (after,) = bus.pass_time()
    assert (before.last_seq, after.first_seq) == (1, 3)


def test_a_restart_during_which_nothing_happened_makes_no_gap(bus: Bus) -> None:
    bus.task("task_submitted")
    (before,) = bus.pass_time()
    ref = bus.runtime.names.whereis(BROADCASTER)
    assert ref is not None
    ref.stop()
    bus.start()
    bus.task("task_completed")
    (after,) = bus.pass_time()
    assert after.first_seq == before.last_seq + 1


def test_an_event_from_between_its_two_subscriptions_is_left_to_the_gap(bus: Bus) -> None:
    bus.runtime.bus.publish("other", None)
    ref = bus.runtime.names.whereis(BROADCASTER)
    assert ref is not None
    ref.stop()
    bus.start()
    ref = bus.runtime.names.whereis(BROADCASTER)
    assert ref is not None
    ref.tell(Published(1, TASKS, TaskEvent("task_submitted", bus.make_task(), at=1)))
    assert bus.pass_time() == []
    bus.task("task_submitted")
    (batch,) = bus.pass_time()
    assert (batch.first_seq, batch.last_seq) == (2, 2)


def test_a_gateway_that_was_away_sees_a_gap_afterwards(bus: Bus) -> None:
    bus.task("task_submitted")
    (before,) = bus.pass_time()
    ref = bus.runtime.names.whereis(GATEWAY)
    assert ref is not None
    ref.stop()
    bus.task("task_assigned")
    bus.pass_time()
    bus.runtime.spawn(StandInGateway, bus.kept, name=GATEWAY)
    bus.task("task_completed")
    (after,) = bus.pass_time()
    assert after.first_seq > before.last_seq + 1


# --- for pages that open later ----------------------------------------------------------------------------------------


class StandInQueue(Actor):
    """Says what ended before, at once or when it is released."""

    handles: ClassVar[dict[type, str]] = {ReadFinished: "read", str: "release"}

    def __init__(self, ends: tuple[FinishedAttempt, ...], *, slow: bool = False) -> None:
        super().__init__()
        self.ends = ends
        self.slow = slow
        self.held: list[Deferred] = []

    def read(self, _: ReadFinished) -> tuple[FinishedAttempt, ...] | Deferred:
        if not self.slow:
            return self.ends
        self.held.append(self.defer())
        return self.held[-1]

    def release(self, _: str) -> None:
        for deferred in self.held:
            deferred.reply(self.ends)


def recent(bus: Bus) -> list[dict[str, Any]]:
    ref = bus.runtime.names.whereis(BROADCASTER)
    assert ref is not None
    events: list[dict[str, Any]] = json.loads(ref.ask(ReadRecent(), timeout=5).json)
    return events


def test_a_page_that_opens_later_is_told_what_is_worth_telling_and_no_more_than_is_kept(bus: Bus) -> None:
    for number in range(RECENT + 5):
        bus.task("task_submitted", f"task-{number}")
        bus.task("task_progress", f"task-{number}", progress=5)
        bus.presence(AgentChanged(bus.make_agent(), at=1))
    bus.pass_time(0.2)
    told = recent(bus)
    assert [one["task_id"] for one in told] == [f"task-{number}" for number in range(5, RECENT + 5)]
    assert {one["event"] for one in told} == {"task_submitted"}
    assert [one["seq"] for one in told] == sorted(one["seq"] for one in told)


def test_after_a_start_the_last_ends_are_told_and_none_of_them_twice(bus: Bus) -> None:
    bus.runtime.names.whereis(BROADCASTER).stop()  # type: ignore[union-attr]
    ends = tuple(FinishedAttempt(number, "anna", "completed", 5, 10 * number) for number in range(1, 4))
    queue = bus.runtime.spawn(StandInQueue, ends, slow=True, name=TASK_QUEUE)
    bus.start()
    bus.task("task_completed", id_of(3))
    bus.pass_time(0.2)
    ref = bus.runtime.names.whereis(BROADCASTER)
    assert ref is not None
    early = ref.ask(ReadRecent(), block=False)
    bus.runtime.settle()
    queue.tell("now")
    bus.runtime.settle()
    told = json.loads(early.get(timeout=5).json)
    assert [(one["task_id"], one.get("seq") is None) for one in told] == [
        (id_of(1), True),
        (id_of(2), True),
        (id_of(3), False),
    ]
    assert (told[0]["type"], told[0]["event"], told[0]["agent_id"], told[0]["timestamp"]) == (
        *("task_event", "task_completed", "anna"),
        10,
    )
