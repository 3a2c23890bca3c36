"""What is told of each agent: folded once from events, rebuilt from rows, in order of who needs help, at any size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from actors.agent_work import KEPT, SLICE_S, AgentWork
from actors.fleet import HELP_ORDER, STUCK_AFTER_S, Fleet
from actors.health import Moment
from actors.task_ids import id_of
from actors.vocabulary.events import AgentChanged, AgentForgotten, AgentJoined, AgentLeft, AgentModeChanged, TaskEvent
from actors.vocabulary.fleet import AgentMode, FinishedAttempt, ReadFleet
from actors.vocabulary.tasks import AgentPresence, KnownAgent, Task, TaskStatus

START_MS = 1_772_323_200_000
Make = Callable[..., Any]


def at(seconds: float) -> Moment:
    return Moment(10_000.0 + seconds, START_MS + int(seconds * 1000))


class Days:
    """A fleet, and the events of it."""

    def __init__(self, make_task: Make, make_agent: Make) -> None:
        self.fleet = Fleet()
        self._task, self._agent = make_task, make_agent

    def join(self, name: str, seconds: float = 0, **fields: Any) -> None:
        view = self._agent(agent_id=name, name=name, last_state_change=at(seconds).unix_ms, **fields)
        self.fleet.fold_presence(AgentJoined(view, at(seconds).unix_ms), at(seconds).monotonic_s)

    def change(self, name: str, seconds: float = 0, **fields: Any) -> None:
        view = self._agent(agent_id=name, name=name, last_state_change=at(seconds).unix_ms, **fields)
        self.fleet.fold_presence(AgentChanged(view, at(seconds).unix_ms), at(seconds).monotonic_s)

    def leave(self, name: str, seconds: float, *, clean: bool) -> None:
        self.fleet.fold_presence(AgentLeft(name, name, clean, at(seconds).unix_ms), at(seconds).monotonic_s)

    def task(self, name: str, number: int, event: str, seconds: float, **fields: Any) -> None:
        task = self._task(id=id_of(number), key=number, status=TaskStatus.ASSIGNED, assigned_at=at(seconds).unix_ms)
        previous = "queued" if event == "task_assigned" else "assigned"
        told = TaskEvent(event, task, at(seconds).unix_ms, agent_id=name, previous=previous, **fields)
        self.fleet.fold_task(told, at(seconds).monotonic_s)

    def row(self, name: str, seconds: float) -> dict[str, Any]:
        row = self.fleet.agent(name, at(seconds))
        assert row is not None
        return row

    def states(self, seconds: float, **query: Any) -> list[tuple[str, str]]:
        page = self.fleet.page(ReadFleet(**query), at(seconds))
        return [(row["agent_id"], row["state"]) for row in page.rows]


@pytest.fixture
def days(make_task: Make, make_agent: Make) -> Days:
    return Days(make_task, make_agent)


def test_each_end_of_an_attempt_counts_once_and_says_how_long_it_took(days: Days) -> None:
    days.join("a")
    for number, (end, fields) in enumerate(
        [
            ("task_completed", {}),
            ("task_completed", {}),
            ("task_retried", {"failed": True}),
            ("task_dead_letter", {"failed": True}),
            ("task_reclaimed", {}),
            ("task_cancelled", {}),
        ]
    ):
        days.task("a", number, "task_assigned", 10 * number)
        days.task("a", number, "task_accepted", 10 * number)
        days.task("a", number, end, 10 * number + number + 1, **fields)
    row = days.row("a", 60)
    assert (row["done_hour"], row["failed_hour"], row["p50_ms"], row["p95_ms"]) == (2, 2, 2000, 2000)
    assert [(one["outcome"], one["duration_ms"]) for one in row["last_tasks"]] == [
        ("cancelled", 6000),
        ("reclaimed", 5000),
        ("dead_letter", 4000),
        ("failed", 3000),
        ("completed", 2000),
        ("completed", 1000),
    ]
    assert row["utilisation"] == pytest.approx(21 / 60, abs=0.01)


def test_what_is_under_way_is_shown_and_counts_as_busy(days: Days) -> None:
    days.join("a", slots=2)
    days.task("a", 7, "task_assigned", 0)
    days.task("a", 7, "task_progress", 5, progress=40)
    row = days.row("a", 100)
    assert (row["current"]["task_id"], row["current"]["progress"]) == (id_of(7), 40)
    assert row["utilisation"] == pytest.approx(0.5, abs=0.01)


def test_an_hour_later_nothing_of_it_counts_any_more(days: Days) -> None:
    days.join("a")
    days.task("a", 1, "task_assigned", 0)
    days.task("a", 1, "task_completed", 60)
    assert days.row("a", 3600)["done_hour"] == 1
    later = days.row("a", 3660 + SLICE_S)
    assert (later["done_hour"], later["utilisation"]) == (0, 0.0)
    assert len(later["last_tasks"]) == 1


def test_those_that_need_help_come_first_and_each_state_has_its_place(days: Days) -> None:
    days.join("idle")
    days.join("working", fsm_state="working")
    days.join("quiet", flags=("unresponsive",))
    days.join("waits", fsm_state="blocked")
    days.join("paused", mode="paused")
    days.join("done", mode="drained")
    days.join("stuck", fsm_state="working")
    days.task("stuck", 1, "task_assigned", 0)
    days.join("gone")
    days.leave("gone", 1, clean=False)
    days.join("home")
    days.leave("home", 1, clean=True)
    now = STUCK_AFTER_S + 1
    assert days.states(now) == [
        *(
            ("gone", "lost"),
            ("quiet", "unresponsive"),
            ("stuck", "stuck"),
            ("waits", "blocked"),
            ("working", "working"),
        ),
        *(("idle", "idle"), ("paused", "paused"), ("done", "drained"), ("home", "left")),
    ]
    assert days.states(now, state="stuck") == [("stuck", "stuck")]
    assert days.states(now, text="OIN") == []
    assert days.states(now, text="GO") == [("gone", "lost")]
    assert days.states(now, text="code")[0] == ("quiet", "unresponsive"), "capabilities are searched too"


def test_an_agent_that_was_to_do_nothing_is_not_lost_when_it_goes(days: Days) -> None:
    for name, mode in (("p", AgentMode.PAUSED), ("d", AgentMode.DRAINING)):
        days.join(name)
        days.fleet.fold_presence(AgentModeChanged(name, mode, 1), at(1).monotonic_s)
        days.leave(name, 2, clean=False)
    assert days.states(5) == [("p", "paused"), ("d", "drained")]
    days.fleet.fold_presence(AgentForgotten("p", 3), at(6).monotonic_s)
    assert days.states(6) == [("d", "drained")]


def test_pages_of_ten_thousand_are_bounded_and_leave_nobody_out(days: Days) -> None:
    for number in range(10_000):
        days.join(f"agent-{number:05}", number / 100, fsm_state="working" if number % 3 else "idle")
    seen: list[str] = []
    cursor = None
    while True:
        page = days.fleet.page(ReadFleet(cursor=cursor, limit=500), at(200))
        assert len(page.rows) <= 500 and page.total == 10_000
        assert page.groups == {"working": 6666, "idle": 3334}
        seen += [row["agent_id"] for row in page.rows]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 10_000
    with pytest.raises(ValueError, match="invalid"):
        days.fleet.page(ReadFleet(cursor="x-y-z"), at(200))


def test_it_is_rebuilt_from_rows(days: Days, make_task: Make) -> None:
    known = KnownAgent("a", "A", AgentPresence.LOST, START_MS - 500_000, AgentMode.ACTIVE)
    ends = [
        FinishedAttempt(1, "a", "completed", START_MS - 70_000, START_MS - 60_000),
        FinishedAttempt(2, "a", "dead_letter", START_MS - 50_000, START_MS - 48_000),
        FinishedAttempt(3, "b", "completed", START_MS - 9_000_000, START_MS - 8_900_000),
    ]
    running: Task = make_task(id=id_of(9), status=TaskStatus.ASSIGNED, assigned_to="b", assigned_at=START_MS - 30_000)
    days.fleet.rebuild((known,), (running,), ends, at(0))
    row = days.row("a", 0)
    assert (row["state"], row["done_hour"], row["failed_hour"], row["p50_ms"]) == ("lost", 1, 1, 10_000)
    assert (days.row("b", 0)["done_hour"], days.row("b", 0)["current"]["task_id"]) == (0, id_of(9))
    days.task("b", 9, "task_completed", 10)
    [last] = days.row("b", 10)["last_tasks"]
    assert (last["task_id"], last["duration_ms"]) == (id_of(9), 40_000)


def test_what_is_kept_of_an_agent_is_bounded() -> None:
    work = AgentWork()
    for number in range(100_000):
        work.ended(number, "completed", number, number - 1.0, float(number), failed=False)
    assert len(work.last()) == KEPT and work.last()[0].key == 99_999
    assert len(work._last) < 8 * KEPT and len(work._slices) <= 13
    assert work.hour(100_000.0).busy_s <= 13 * SLICE_S


def test_the_order_has_every_state_once() -> None:
    assert len(set(HELP_ORDER)) == len(HELP_ORDER)


# --- counting work --------------------------------------------------------------------------------------------------


def test_what_an_agent_was_busy_is_told_once_whatever_goes_on(days: Days) -> None:
    """A task of an hour is told in parts, and its duration is still the hour."""
    days.join("a", slots=2)
    days.task("a", 1, "task_assigned", 0)
    told = []
    for minute in (5, 10, 60):
        told += days.fleet.count_work(at(60 * minute).monotonic_s, 10)
    days.task("a", 1, "task_completed", 3_660)
    told += days.fleet.count_work(at(3_660).monotonic_s, 10)
    assert sum(busy for _, busy, _ in told) == 3_660_000
    assert sum(there for _, _, there in told) == 2 * 3_660_000
    row = days.row("a", 3_660)
    assert row["last_tasks"][0]["duration_ms"] == 3_660_000
    assert row["uncounted_work"] == (0, 0)
    assert row["utilisation"] == pytest.approx(0.5, abs=0.01)


def test_what_is_shown_between_two_rounds_is_told_by_the_next(days: Days) -> None:
    days.join("a")
    days.task("a", 1, "task_assigned", 0)
    assert days.row("a", 30)["uncounted_work"] == (30_000, 30_000)
    assert days.row("a", 40)["uncounted_work"] == (40_000, 40_000)
    days.leave("a", 50, clean=True)
    assert days.fleet.count_work(at(90).monotonic_s, 10) == (("a", 40_000, 50_000),)


def test_a_round_passes_every_agent_once_and_leaves_out_those_that_were_not_there(days: Days) -> None:
    for number in range(5):
        days.join(f"a{number}")
    days.leave("a1", 0, clean=True)
    seen = []
    while True:
        seen += [agent_id for agent_id, _, _ in days.fleet.count_work(at(10).monotonic_s, 2)]
        if not days.fleet.is_counting:
            break
    assert seen == ["a0", "a2", "a3", "a4"]
    assert days.fleet.count_work(at(10).monotonic_s, 10) == (), "nothing since"
