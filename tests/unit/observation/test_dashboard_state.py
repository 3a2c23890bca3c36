"""``DashboardState`` on a real runtime with a clock that stands still, and a stand-in for the queue."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import pykka
import pytest
from freezegun import freeze_time
from msgspec.structs import replace

from actors.dashboard_state import NO_VITALS, WORK_TURN, DashboardState
from actors.utilisation import hour_of
from actors.vocabulary.agents import ReadView
from actors.vocabulary.dashboard import (
    AcknowledgeCondition,
    Boot,
    Health,
    HealthChanged,
    InputRejected,
    ReadFigures,
    ReadHealth,
    ReadSnapshot,
    Snapshot,
)
from actors.vocabulary.events import (
    PRESENCE,
    TASKS,
    AgentChanged,
    AgentForgotten,
    AgentJoined,
    AgentLeft,
    AgentModeChanged,
    AgentView,
    TaskEvent,
)
from actors.vocabulary.fleet import AgentMode, RecordWork
from actors.vocabulary.names import DASHBOARD_STATE, GATEWAY, TASK_QUEUE, agent_fsm
from actors.vocabulary.tasks import (
    AgentPresence,
    FinishedMinute,
    KnownAgent,
    Overview,
    ReadOverview,
    ReadSetting,
    RecordPresence,
    Refused,
    Task,
    TaskStatus,
    Together,
    WriteSetting,
)
from actors.vocabulary.trends import ReadRollups, ReadTrends, ReadVitals, RecordRollups, StoredRollups, Vitals
from supervision.actor import Actor, BatchActor, Request
from supervision.clock import ManualClock
from supervision.deferred import Deferred
from supervision.exits import Shutdown
from supervision.runtime import Runtime
from wire.rollups import Rollup, pack, unpack

START_MS = 1_772_323_200_000  # 2026-03-01T00:00:00Z


@dataclass(frozen=True, slots=True)
class Release:
    """Answer the overview that was asked for."""


class StandInQueue(Actor):
    """Answers every ``ReadOverview`` with what ``table`` holds at that moment, at once or when it is released."""

    handles: ClassVar[dict[type, str]] = {
        ReadOverview: "read",
        RecordPresence: "record",
        Release: "release",
        Together: "together",
        WriteSetting: "write_setting",
        RecordRollups: "record_rollups",
        ReadRollups: "read_rollups",
        ReadVitals: "vitals",
        RecordWork: "record_work",
    }

    def __init__(self, table: dict[str, Any], *, slow: bool = False) -> None:
        super().__init__()
        self.table = table
        self.slow = slow
        self.held: list[tuple[Deferred, Overview]] = []

    def read(self, question: ReadOverview) -> Overview | Deferred:
        self.table["asked"] = [*self.table.get("asked", []), question]
        overview: Overview = self.table["overview"]
        if not self.slow:
            return overview
        deferred = self.defer()
        self.held.append((deferred, overview))
        return deferred

    def release(self, _: Release) -> None:
        for deferred, overview in self.held:
            deferred.reply(overview)
        self.held.clear()

    def record(self, message: RecordPresence) -> None:
        self.table["recorded"] = [*self.table.get("recorded", []), message]

    def together(self, message: Together) -> tuple[object, ...]:
        answers: dict[type, Callable[[Any], object]] = {
            ReadRollups: self.read_rollups,
            ReadVitals: self.vitals,
            ReadSetting: self.read_setting,
            RecordRollups: self.record_rollups,
            RecordWork: self.record_work,
        }
        return tuple(answers[type(one)](one) for one in message.requests)

    def read_setting(self, _: ReadSetting) -> object:
        return self.table.get("health")

    def write_setting(self, message: WriteSetting) -> None:
        self.table[message.key] = message.value

    def record_rollups(self, message: RecordRollups) -> None:
        kept = self.table.setdefault("rollups", {})
        kept.update({(size, bucket.start): pack(bucket) for size, bucket in message.buckets})
        self.table.setdefault("starts", {})[message.booted_at] = message.boot_id

    def record_work(self, message: RecordWork) -> None:
        self.table.setdefault("work", []).append(message)

    def read_rollups(self, message: ReadRollups) -> StoredRollups:
        kept = sorted(self.table.get("rollups", {}).items())
        found = [packed for (size, start), packed in kept if size == message.size and start >= message.since]
        return StoredRollups(tuple(found), tuple(sorted(self.table.get("starts", {}).items())))

    def vitals(self, _: ReadVitals) -> Vitals:
        found: Vitals = self.table.get("vitals", NO_VITALS)
        return found


class StandInAgent(Actor):
    handles: ClassVar[dict[type, str]] = {ReadView: "view", Release: "release"}

    def __init__(self, view: AgentView, *, slow: bool = False) -> None:
        super().__init__()
        self.answer = view
        self.slow = slow
        self.held: list[Deferred] = []

    def view(self, _: ReadView) -> AgentView | Deferred:
        if not self.slow:
            return self.answer
        self.held.append(self.defer())
        return self.held[-1]

    def release(self, _: Release) -> None:
        for deferred in self.held:
            deferred.reply(self.answer)


class StandInGateway(Actor):
    handles: ClassVar[dict[type, str]] = {HealthChanged: "hear"}

    def __init__(self, heard: list[HealthChanged]) -> None:
        super().__init__()
        self._heard = heard

    def hear(self, message: HealthChanged) -> None:
        self._heard.append(message)


class Hub:
    """A runtime with what ``DashboardState`` needs around it."""

    def __init__(self, overview: Overview) -> None:
        self.runtime = Runtime(clock=ManualClock())
        self.table: dict[str, Any] = {"overview": overview}
        self.heard: list[HealthChanged] = []
        self.boot = Boot("b00t", self.runtime.clock.time_ms(), self.runtime.clock.monotonic())

    def start_queue(self, *, slow: bool = False) -> pykka.ActorRef[StandInQueue]:
        return self.runtime.spawn(StandInQueue, self.table, slow=slow, name=TASK_QUEUE)

    def start_gateway(self) -> Callable[[], list[dict[str, Any]]]:
        """Gives what it was told of health so far."""
        self.runtime.spawn(StandInGateway, self.heard, name=GATEWAY)
        return lambda: [json.loads(one.json) for one in self.heard]

    def told_numbers(self) -> list[int]:
        return [one.number for one in self.heard]

    def start(self) -> pykka.ActorRef[DashboardState]:
        ref = self.runtime.spawn(DashboardState, self.boot, name=DASHBOARD_STATE)
        self.runtime.settle()
        return ref

    def publish(self, event: object) -> int:
        seq = self.runtime.bus.publish(TASKS if isinstance(event, TaskEvent) else PRESENCE, event)
        self.runtime.settle()
        return seq

    def ask_snapshot(self) -> Snapshot:
        answer: Snapshot = self._ask(ReadSnapshot())
        return answer

    def snapshot(self) -> dict[str, Any]:
        answer = self.ask_snapshot()
        shown: dict[str, Any] = json.loads(answer.json)
        assert shown["seq"] == answer.seq
        return shown

    def health(self) -> Health:
        health: Health = self._ask(ReadHealth())
        return health

    def condition_ids(self) -> list[str]:
        return [condition.id for condition in self.health().conditions]

    def acknowledge(self, condition_id: str, note: str | None = None) -> Any:
        return self._ask(AcknowledgeCondition(condition_id, "ann", note))

    def figures(self) -> dict[str, Any]:
        figures: dict[str, Any] = self._ask(ReadFigures())
        return figures

    def trends(self, size: int, since: int = 0) -> list[Rollup]:
        return [unpack(one) for one in self._ask(ReadTrends(size, since)).packed]

    def tell(self, message: object) -> None:
        ref = self.runtime.names.whereis(DASHBOARD_STATE)
        assert ref is not None
        ref.tell(message)
        self.runtime.settle()

    def _ask(self, message: object) -> Any:
        ref = self.runtime.names.whereis(DASHBOARD_STATE)
        assert ref is not None
        return ref.ask(message, timeout=5)


@pytest.fixture
def hub(make_overview: Callable[..., Overview]) -> Iterator[Hub]:
    with freeze_time("2026-03-01T00:00:00Z"):
        hub = Hub(make_overview())
        yield hub
        hub.runtime.close()


@pytest.fixture
def submitted(make_task: Callable[..., Task]) -> Callable[[str], TaskEvent]:
    return lambda task_id: TaskEvent("task_submitted", make_task(id=task_id), at=1)


def assigned(task: Task, **fields: Any) -> TaskEvent:
    after = replace(task, status=TaskStatus.ASSIGNED, generation=1, assigned_to="alpha", assigned_at=START_MS, **fields)
    return TaskEvent("task_assigned", after, at=START_MS, previous="queued")


def queued(shown: dict[str, Any]) -> int:
    count: int = shown["queue"]["by_status"]["queued"]
    return count


# --- rebuilding -----------------------------------------------------------------------------------------------------


def test_it_starts_from_the_overview_and_folds_what_comes_after(hub: Hub, submitted: Any, make_overview: Any) -> None:
    hub.table["overview"] = make_overview(stats={"by_status": {"queued": 5}, "queued_by_priority": {2: 5}})
    hub.start_queue()
    hub.start()
    assert queued(hub.snapshot()) == 5
    seq = hub.publish(submitted("task-6"))
    shown = hub.snapshot()
    assert (queued(shown), shown["seq"], shown["boot_id"]) == (6, seq, "b00t")
    assert shown["queue"]["by_priority"] == {"0": 0, "1": 0, "2": 6, "3": 0}


def test_an_event_that_the_overview_contains_is_not_counted_again_lessons_38(
    hub: Hub, submitted: Any, make_overview: Any
) -> None:
    queue = hub.start_queue(slow=True)
    hub.publish(submitted("task-0"))  # before anybody listened
    hub.table["overview"] = make_overview(stats={"by_status": {"queued": 2}, "queued_by_priority": {2: 2}}, as_of_seq=2)
    hub.start()
    hub.publish(submitted("task-1"))  # contained, and heard as well
    hub.publish(submitted("task-2"))  # after the overview was read, and before it arrived
    queue.tell(Release())
    hub.runtime.settle()
    shown = hub.snapshot()
    assert (queued(shown), shown["seq"]) == (3, 3)


def test_questions_before_the_rebuild_wait_for_it_and_the_queue_is_asked_again(hub: Hub) -> None:
    dashboard = hub.start()
    early = [dashboard.ask(question, block=False) for question in (ReadSnapshot(), ReadHealth())]
    hub.runtime.advance(3.0)
    assert not any(future.is_done() for future in early)  # type: ignore[attr-defined]
    hub.start_queue()
    hub.runtime.advance(0.5)
    snapshot, health = (future.get(timeout=5) for future in early)
    assert json.loads(snapshot.json)["queue"]["dead_letter"] == 0
    assert health.status == "ok"


def test_an_overview_that_does_not_come_is_asked_for_again(hub: Hub, submitted: Any) -> None:
    hub.start_queue(slow=True)
    hub.start()
    hub.publish(submitted("task-0"))
    hub.runtime.advance(10.6)
    assert len(hub.table["asked"]) == 2


def test_a_crash_of_its_own_loses_no_number_lessons_46(
    hub: Hub, make_overview: Any, make_task: Callable[..., Task]
) -> None:
    minute = START_MS // 60_000
    done = make_task(id="task-9", status=TaskStatus.COMPLETED, assigned_at=START_MS - 700, completed_at=START_MS)
    dead = make_task(id="task-8", status=TaskStatus.DEAD_LETTER, last_error="boom", retry_count=3)
    hub.table["overview"] = make_overview(
        stats={"by_status": {"completed": 1}, "dead_letter": 1},
        completions=(done,),
        dead_letters=(dead,),
        minutes=(FinishedMinute(minute, completed=1, failed=3, duration_ms=700, tokens_used=40),),
    )
    hub.start_queue()
    hub.start()
    hub.runtime.advance(10.0)
    before = hub.snapshot()
    hub.publish(TaskEvent("task_assigned", replace(done, status="nonsense"), at=1))  # type: ignore[arg-type]
    assert hub.runtime.names.whereis(DASHBOARD_STATE) is None
    hub.start()
    after = hub.snapshot()
    assert after == {**before, "seq": before["seq"] + 1}
    assert after["uptime_ms"] == 10_000
    assert after["throughput"] == {"completed_last_hour": 1, "avg_completion_ms": 700, "total_tokens_hour": 40}


def test_a_short_list_of_dead_letters_is_filled_again(
    hub: Hub, make_overview: Any, make_task: Callable[..., Task]
) -> None:
    dead = [make_task(id=f"task-{number}", status=TaskStatus.DEAD_LETTER) for number in range(300)]
    hub.table["overview"] = make_overview(stats={"dead_letter": 300}, dead_letters=tuple(dead[:200]))
    hub.start_queue()
    hub.start()
    for task in dead[:150]:
        hub.publish(TaskEvent("task_retried", replace(task, status=TaskStatus.QUEUED), at=1, previous="dead_letter"))
    assert len(hub.snapshot()["dead_letter_tasks"]) == 50
    hub.table["overview"] = make_overview(
        stats={"by_status": {"queued": 150}, "queued_by_priority": {2: 150}, "dead_letter": 150},
        dead_letters=tuple(dead[150:]),
        as_of_seq=150,
    )
    hub.runtime.advance(6.0)
    shown = hub.snapshot()
    assert [task["id"] for task in shown["dead_letter_tasks"]] == [task.id for task in dead[150:250]]
    assert (shown["dead_letter_total"], queued(shown)) == (150, 150)
    hub.runtime.advance(60.0)
    assert len(hub.table["asked"]) == 2


@dataclass(frozen=True, slots=True)
class Submit:
    task: Task


class PublishingQueue(BatchActor):
    """Keeps the promise of ``Overview.as_of_seq``: publishes a whole batch, then answers its reads."""

    handles: ClassVar[dict[type, str]] = {Submit: "", ReadOverview: "", Together: ""}
    batch_limit = 8

    def __init__(self, make_overview: Callable[..., Overview]) -> None:
        super().__init__()
        self.make_overview = make_overview
        self.queued = 0

    def on_batch(self, requests: list[Request]) -> None:
        submitted = [one.message.task for one in requests if isinstance(one.message, Submit)]
        self.queued += len(submitted)
        self.runtime.bus.publish_all([(TASKS, TaskEvent("task_submitted", task, at=1)) for task in submitted])
        stats = {"by_status": {"queued": self.queued}, "queued_by_priority": {2: self.queued}}
        for request in requests:
            if isinstance(request.message, Together):
                nothing = StoredRollups((), ())
                request.reply((None, nothing, nothing, nothing, NO_VITALS))
            if isinstance(request.message, ReadOverview):
                request.reply(self.make_overview(stats=stats, as_of_seq=self.runtime.bus.seq))


def test_restarts_amid_a_stream_of_events_count_each_task_once(
    hub: Hub,
    make_overview: Callable[..., Overview],
    make_task: Callable[..., Task],
    make_agent: Callable[..., AgentView],
) -> None:
    queue = hub.runtime.spawn(PublishingQueue, make_overview, name=TASK_QUEUE)
    dashboard = hub.runtime.spawn(DashboardState, hub.boot, name=DASHBOARD_STATE)
    for number in range(3_000):
        queue.tell(Submit(make_task(id=f"task-{number}")))
        if number % 10 == 0:
            hub.runtime.bus.publish(PRESENCE, AgentChanged(make_agent(), at=1))
        if number % 100 == 0:
            dashboard.stop()
            dashboard = hub.runtime.spawn(DashboardState, hub.boot, name=DASHBOARD_STATE)
        if number % 150 == 0:
            assert queued(hub.snapshot()) <= number + 1
    hub.runtime.settle()
    shown = hub.snapshot()
    assert (queued(shown), shown["seq"]) == (3_000, hub.runtime.bus.seq)


# --- agents ---------------------------------------------------------------------------------------------------------


def test_agents_appear_change_and_go(hub: Hub, make_agent: Callable[..., AgentView]) -> None:
    hub.start_queue()
    hub.start()
    hub.publish(AgentJoined(make_agent(), at=1))
    hub.publish(AgentJoined(make_agent(agent_id="beta", name="Beta"), at=1))
    hub.publish(AgentChanged(make_agent(fsm_state="working", current_task_id="task-1"), at=2))
    agents = {agent["agent_id"]: agent for agent in hub.snapshot()["agents"]}
    assert agents["alpha"]["fsm_state"] == "working"
    assert agents["alpha"]["current_task_id"] == "task-1"
    hub.publish(AgentLeft("alpha", "Alpha", clean=True, at=3))
    assert [agent["agent_id"] for agent in hub.snapshot()["agents"]] == ["beta"]
    assert hub.condition_ids() == []


def test_agents_that_were_there_before_it_started_are_asked_lessons_40(
    hub: Hub, make_agent: Callable[..., AgentView], make_overview: Any
) -> None:
    known = (KnownAgent("alpha", "Alpha", AgentPresence.ONLINE, START_MS),)
    hub.table["overview"] = make_overview(agents=known)
    hub.runtime.spawn(StandInAgent, make_agent(fsm_state="working"), name=agent_fsm("alpha"))
    hub.start_queue()
    hub.start()
    assert [agent["fsm_state"] for agent in hub.snapshot()["agents"]] == ["working"]
    hub.runtime.advance(60.0)
    assert hub.condition_ids() == []


def test_news_of_an_agent_beat_an_older_answer_of_it(hub: Hub, make_agent: Callable[..., AgentView]) -> None:
    changed, gone = make_agent(), make_agent(agent_id="beta")
    agents = [hub.runtime.spawn(StandInAgent, one, slow=True, name=agent_fsm(one.agent_id)) for one in (changed, gone)]
    hub.start_queue()
    dashboard = hub.start()
    early = dashboard.ask(ReadSnapshot(), block=False)
    hub.publish(AgentChanged(make_agent(fsm_state="working"), at=2))
    hub.publish(AgentLeft("beta", "Beta", clean=True, at=2))
    for ref in agents:
        ref.tell(Release())
    shown = json.loads(early.get(timeout=5).json)
    assert [(agent["agent_id"], agent["fsm_state"]) for agent in shown["agents"]] == [("alpha", "working")]


def test_an_fsm_that_has_no_connection_yet_is_no_agent(hub: Hub, make_agent: Callable[..., AgentView]) -> None:
    hub.runtime.spawn(StandInAgent, make_agent(connected_at=0, fsm_state="offline"), name=agent_fsm("alpha"))
    hub.start_queue()
    hub.start()
    assert hub.snapshot()["agents"] == []


def test_an_agent_that_does_not_answer_delays_the_first_snapshot_by_two_seconds_only(
    hub: Hub, make_agent: Callable[..., AgentView]
) -> None:
    hub.runtime.spawn(StandInAgent, make_agent(), slow=True, name=agent_fsm("alpha"))
    hub.start_queue()
    early = hub.start().ask(ReadSnapshot(), block=False)
    hub.runtime.advance(2.0)
    assert json.loads(early.get(timeout=5).json)["agents"] == []


# --- health ---------------------------------------------------------------------------------------------------------


def test_an_agent_that_vanished_warns_until_it_is_forgotten_for_good(
    hub: Hub, make_agent: Callable[..., AgentView]
) -> None:
    hub.start_queue()
    hub.start()
    hub.publish(AgentJoined(make_agent(agent_id="beta"), at=1))
    hub.publish(AgentJoined(make_agent(), at=1))
    hub.publish(AgentLeft("alpha", "Alpha", clean=False, at=2))
    assert hub.snapshot()["health"]["status"] == "ok"
    hub.runtime.advance(60.0)
    shown = hub.snapshot()["health"]
    assert shown["status"] == "warning"
    assert shown["conditions"] == ["Agent offline: alpha (1 agent left without a goodbye)"]
    assert shown["details"][0]["since"] == START_MS
    hub.publish(AgentForgotten("alpha", at=3))
    assert hub.snapshot()["health"] == {"status": "ok", "attention": "ok", "conditions": [], "details": []}


@pytest.mark.parametrize("mode", [AgentMode.PAUSED, AgentMode.DRAINING])
def test_an_agent_that_was_to_do_nothing_is_not_missed(
    hub: Hub, make_agent: Callable[..., AgentView], mode: AgentMode
) -> None:
    hub.start_queue()
    hub.start()
    hub.publish(AgentJoined(make_agent(), at=1))
    hub.publish(AgentModeChanged("alpha", mode, at=2))
    hub.publish(AgentLeft("alpha", "Alpha", clean=False, at=3))
    hub.runtime.advance(61.0)
    assert hub.condition_ids() == []
    hub.publish(AgentJoined(make_agent(), at=4))
    hub.publish(AgentModeChanged("alpha", AgentMode.ACTIVE, at=5))
    hub.publish(AgentLeft("alpha", "Alpha", clean=False, at=6))
    hub.runtime.advance(61.0)
    assert "agent_offline" in hub.condition_ids()
    hub.publish(AgentModeChanged("alpha", mode, at=7))
    assert hub.condition_ids() == [], "nobody waits for it from now on"


def test_a_paused_agent_is_not_missed_after_a_start_of_the_hub_either(hub: Hub, make_overview: Any) -> None:
    paused = KnownAgent("alpha", "Alpha", AgentPresence.ONLINE, START_MS, AgentMode.PAUSED)
    hub.table["overview"] = make_overview(agents=(paused,))
    hub.start_queue()
    hub.start()
    hub.runtime.advance(91.0)
    assert hub.condition_ids() == []


def test_after_a_start_known_agents_have_half_a_minute_to_return_lessons_40(
    hub: Hub, make_agent: Callable[..., AgentView], make_overview: Any
) -> None:
    hub.table["overview"] = make_overview(
        agents=(
            KnownAgent("back", "Back", AgentPresence.ONLINE, START_MS - 86_400_000),
            KnownAgent("missing", "Missing", AgentPresence.ONLINE, START_MS - 86_400_000),
            KnownAgent("lost", "Lost", AgentPresence.LOST, START_MS - 600_000),
            KnownAgent("lost-long-ago", "Old", AgentPresence.LOST, START_MS - 3_600_000),
            KnownAgent("left", "Left", AgentPresence.LEFT, START_MS - 600_000),
        )
    )
    hub.start_queue()
    hub.start()
    hub.runtime.advance(29.0)
    hub.publish(AgentJoined(make_agent(agent_id="back"), at=1))
    assert hub.condition_ids() == []
    hub.runtime.advance(1.0)
    (condition,) = hub.health().conditions
    assert condition.message == "Agent offline: lost (1 agent left without a goodbye)"
    assert condition.since == START_MS - 600_000
    hub.runtime.advance(30.0)  # what nobody has seen since the start is missed a minute after it
    (condition,) = hub.health().conditions
    assert condition.message == "Agent offline: lost, missing (2 agents left without a goodbye)"


def test_a_growing_queue_warns_after_three_checks_a_minute_apart(
    hub: Hub, submitted: Any, make_agent: Callable[..., AgentView]
) -> None:
    hub.start_queue()
    hub.start()
    hub.publish(AgentJoined(make_agent(), at=1))
    for number in range(25):
        hub.publish(submitted(f"task-{number}"))
        hub.runtime.advance(7.0)
    (condition,) = hub.health().conditions
    assert condition.id == "queue_growing"
    hub.runtime.advance(240.0)  # one more rising check, then three that are not
    assert hub.condition_ids() == []


def test_failures_are_counted_by_attempt_and_become_critical(hub: Hub, make_task: Callable[..., Task]) -> None:
    hub.start_queue()
    hub.start()
    task = make_task()
    hub.publish(TaskEvent("task_submitted", task, at=1))
    for number in range(10):
        assert hub.condition_ids() == [], number
        hub.publish(assigned(task))
        hub.publish(TaskEvent("task_retried", task, at=1, previous="assigned", failed=True))
    shown = hub.snapshot()["health"]
    assert shown["status"] == "critical"
    assert shown["conditions"] == ["High failure rate: 10/10 attempts failed in the last hour (100%)"]


def test_an_assigned_task_is_stuck_without_progress_and_freed_by_it(hub: Hub, make_task: Callable[..., Task]) -> None:
    hub.start_queue()
    hub.start()
    task = make_task()
    hub.publish(TaskEvent("task_submitted", task, at=1))
    event = assigned(task)
    hub.publish(event)
    hub.runtime.advance(302.0)
    assert hub.condition_ids() == ["stuck_tasks"]
    hub.publish(TaskEvent("task_progress", event.task, at=1, previous="assigned", progress=10))
    assert hub.condition_ids() == []
    hub.runtime.advance(302.0)
    hub.publish(
        TaskEvent("task_completed", replace(event.task, status=TaskStatus.COMPLETED), at=1, previous="assigned")
    )
    assert hub.condition_ids() == []


def test_the_age_of_an_assigned_task_survives_a_crash_and_not_the_absence_of_the_hub(
    hub: Hub, make_task: Callable[..., Task], make_overview: Any
) -> None:
    old = assigned(make_task(), updated_at=START_MS - 3_600_000).task
    hub.table["overview"] = make_overview(stats={"by_status": {"assigned": 1}}, assigned=(replace(old, assigned_at=1),))
    hub.start_queue()
    hub.start().stop()
    assert hub.boot.started_at_ms == START_MS
    hub.runtime.advance(290.0)
    hub.start()
    assert hub.condition_ids() == []
    hub.runtime.advance(12.0)
    assert hub.condition_ids() == ["stuck_tasks"]


def test_assignments_that_were_heard_during_the_rebuild_are_watched_unless_they_are_over(
    hub: Hub, make_task: Callable[..., Task], make_overview: Any
) -> None:
    over, live = assigned(make_task(id="task-over")), assigned(make_task(id="task-live"))
    queue = hub.start_queue(slow=True)
    hub.table["overview"] = make_overview(stats={"by_status": {"queued": 1}}, as_of_seq=2)
    hub.start()
    hub.publish(over)
    hub.publish(TaskEvent("task_completed", replace(over.task, status=TaskStatus.COMPLETED), at=1, previous="assigned"))
    hub.publish(live)
    queue.tell(Release())
    hub.runtime.advance(302.0)
    (condition,) = hub.health().conditions
    assert condition.message.startswith("Stuck tasks: task-live (1 assigned task,")


# --- the snapshot as a whole ----------------------------------------------------------------------------------------


def test_a_snapshot_is_encoded_once_until_something_happens_or_a_quarter_second_passed(
    hub: Hub, submitted: Any
) -> None:
    hub.start_queue()
    dashboard = hub.start()

    def read() -> Any:
        return dashboard.ask(ReadSnapshot(), timeout=5)

    first = read()
    assert read() is first
    hub.publish(submitted("task-1"))
    second = read()
    assert second is not first
    hub.runtime.advance(0.2)
    assert read() is second
    hub.runtime.advance(0.05)
    third = read()
    assert third is not second
    assert json.loads(third.json)["uptime_ms"] == 250


def test_events_that_are_hidden_from_browsers_move_the_number_of_the_snapshot(
    hub: Hub, make_task: Callable[..., Task]
) -> None:
    hub.start_queue()
    hub.start()
    seq = hub.publish(TaskEvent("task_ready", make_task(), at=1, previous="queued"))
    assert hub.snapshot()["seq"] == seq == 1


def test_a_pruned_task_leaves_the_counters(hub: Hub, make_task: Callable[..., Task], make_overview: Any) -> None:
    hub.table["overview"] = make_overview(stats={"by_status": {"completed": 1}})
    hub.start_queue()
    hub.start()
    done = make_task(status=TaskStatus.COMPLETED)
    hub.publish(TaskEvent("task_pruned", done, at=1, previous="completed"))
    assert hub.snapshot()["queue"]["by_status"]["completed"] == 0


def test_who_acknowledged_is_shown_kept_over_a_restart_and_forgotten_when_it_cleared(hub: Hub) -> None:
    hub.start_queue()
    hub.start()
    assert isinstance(hub.acknowledge("rejected_input"), Refused)
    hub.tell(InputRejected(60))
    acknowledged = hub.acknowledge("rejected_input", "it is the old sidecar")
    assert (acknowledged.acknowledged.by, acknowledged.acknowledged.at) == ("ann", START_MS)
    (shown,) = hub.snapshot()["health"]["details"]
    assert shown["acknowledged"] == {"by": "ann", "at": START_MS, "note": "it is the old sidecar"}
    health = hub.snapshot()["health"]
    assert (health["status"], health["attention"]) == ("warning", "ok")
    hub.runtime.advance(120.0)
    hub.runtime.names.whereis(DASHBOARD_STATE).stop()  # type: ignore[union-attr]
    hub.start()
    assert hub.condition_ids() == []  # what web processes counted is gone
    hub.tell(InputRejected(60))
    (condition,) = hub.health().conditions
    assert condition.acknowledged == acknowledged.acknowledged
    assert condition.since == START_MS
    hub.runtime.advance(3_700.0)
    assert hub.condition_ids() == []
    hub.tell(InputRejected(60))
    (condition,) = hub.health().conditions
    assert condition.acknowledged is None
    assert hub.health().attention == "warning"


def test_every_change_of_health_is_told_once_and_a_change_of_its_numbers_is_not(hub: Hub) -> None:
    told = hub.start_gateway()
    hub.start_queue()
    hub.start()
    hub.runtime.advance(5.0)
    assert [one["status"] for one in told()] == ["ok"]
    hub.tell(InputRejected(60))
    hub.runtime.advance(1.0)
    assert [[each["id"] for each in one["details"]] for one in told()] == [[], ["rejected_input"]]
    hub.tell(InputRejected(60))
    hub.runtime.advance(5.0)
    assert len(told()) == 2, "only its count is another one"
    hub.acknowledge("rejected_input")
    assert told()[-1]["details"][0]["acknowledged"]["by"] == "ann"
    hub.runtime.advance(3_700.0)
    assert [one["status"] for one in told()] == ["ok", "warning", "warning", "ok"]


def test_a_snapshot_says_which_change_of_health_it_knows_also_after_a_crash(hub: Hub) -> None:
    told = hub.start_gateway()
    hub.start_queue()
    hub.start()
    first = hub.ask_snapshot().health_number
    hub.tell(InputRejected(60))
    hub.runtime.advance(1.0)
    second = hub.ask_snapshot().health_number
    hub.runtime.names.whereis(DASHBOARD_STATE).stop()  # type: ignore[union-attr]
    hub.runtime.advance(1.0)
    hub.start()
    third = hub.ask_snapshot().health_number
    assert 0 < first < second < third
    assert hub.told_numbers() == [first, second, third] and len(told()) == 3


def test_a_kind_of_failure_warns_until_somebody_has_seen_it_and_not_again_after_a_restart(
    hub: Hub, make_overview: Any, make_task: Callable[..., Task]
) -> None:
    dead = [make_task(id=f"t{n}", status=TaskStatus.DEAD_LETTER, last_error=f"timeout after {n} s") for n in range(3)]
    hub.table["overview"] = make_overview(stats={"dead_letter": 3}, dead_letters=tuple(dead))
    hub.start_queue()
    hub.start()
    (condition,) = hub.health().conditions
    assert condition.message == "New dead letters: 1 new kind of failure, 3 tasks"
    hub.acknowledge("dead_letters_new")
    assert hub.condition_ids() == []
    hub.runtime.names.whereis(DASHBOARD_STATE).stop()  # type: ignore[union-attr]
    hub.start()
    assert hub.condition_ids() == []
    other = make_task(id="t9", status=TaskStatus.DEAD_LETTER, last_error="out of memory")
    hub.publish(TaskEvent("task_dead_letter", other, at=START_MS, previous="assigned", failed=True))
    (condition,) = hub.health().conditions
    assert (condition.id, condition.count, condition.since) == ("dead_letters_new", 1, START_MS)


def test_nobody_online_is_critical_when_work_waits_but_not_within_the_first_half_minute(
    hub: Hub, submitted: Any, make_agent: Callable[..., AgentView]
) -> None:
    hub.start_queue()
    hub.start()
    hub.publish(submitted("task-1"))
    hub.runtime.advance(29.0)
    assert hub.condition_ids() == []
    hub.runtime.advance(1.0)
    (condition,) = hub.health().conditions
    assert (condition.id, condition.severity) == ("no_agents", "critical")
    assert condition.message == "No agents: none is online, 1 task waits"
    hub.publish(AgentJoined(make_agent(), at=1))
    assert hub.condition_ids() == []
    hub.publish(AgentChanged(make_agent(fsm_state="offline"), at=2))  # between two connections
    hub.runtime.advance(9.0)
    assert hub.condition_ids() == []
    hub.runtime.advance(2.0)
    assert hub.condition_ids() == ["no_agents"]


def test_what_the_queue_sees_makes_the_oldest_wait_and_the_storage_conditions(
    hub: Hub, make_overview: Any, make_agent: Callable[..., AgentView]
) -> None:
    hub.table["overview"] = make_overview(stats={"by_status": {"queued": 2}, "queued_by_priority": {0: 1, 3: 1}})
    hub.table["vitals"] = Vitals(
        (START_MS - 40_000, START_MS - 9_000_000, None, START_MS - 1_000), 5 * 2**30, 200 * 2**30
    )
    hub.start_queue()
    hub.start()
    hub.publish(AgentJoined(make_agent(), at=1))
    assert hub.condition_ids() == ["storage"]
    hub.runtime.advance(21.0)
    conditions = {one.id: one for one in hub.health().conditions}
    assert conditions["storage"].message == "Storage: 5.0 GiB (2%) of the disk are free"
    # The high lane is empty by now, whatever the queue saw when it was asked last.
    assert conditions["oldest_wait"].message == "Waiting too long: urgent 61 s (target 60 s)"
    hub.table["vitals"] = Vitals((START_MS + 20_000, None, None, None), 11 * 2**30, 200 * 2**30)
    hub.runtime.advance(5.0)
    assert hub.condition_ids() == ["storage"]  # 5.5 %: not yet calm
    hub.table["vitals"] = Vitals((START_MS + 20_000, None, None, None), 13 * 2**30, 200 * 2**30)
    hub.runtime.advance(5.0)
    assert hub.condition_ids() == []


# --- trends ---------------------------------------------------------------------------------------------------------


def test_ten_seconds_a_minute_and_an_hour_are_kept_and_the_open_ones_are_shown(
    hub: Hub, submitted: Any, make_agent: Callable[..., AgentView]
) -> None:
    hub.start_queue()
    hub.start()
    hub.publish(AgentJoined(make_agent(), at=1))
    for number in range(3):
        hub.publish(submitted(f"task-{number}"))
    hub.runtime.advance(9.0)
    assert [unpack(one).submitted for one in hub.table["rollups"].values()] == [0, 0, 0]  # what marked the start
    (current,) = hub.trends(10)
    assert (current.start, current.submitted, current.samples) == (START_MS, 3, 9)
    hub.runtime.advance(1.0)
    hub.publish(submitted("task-4"))
    hub.runtime.advance(5.0)
    done, current = hub.trends(10)
    assert (done.submitted, done.queued_sum, done.queued_max, done.online_sum, done.samples) == (3, 27, 3, 9, 9)
    assert (current.start, current.submitted) == (START_MS + 10_000, 1)
    (minute,) = hub.trends(60)
    assert (minute.submitted, minute.samples, minute.lanes_in) == (4, 15, (0, 0, 4, 0))
    (hour,) = hub.trends(3600)
    assert hour == minute


def test_trends_outlive_an_orderly_end_and_a_crash_costs_at_most_ten_seconds(hub: Hub, submitted: Any) -> None:
    hub.start_queue()
    hub.start()
    hub.publish(submitted("task-0"))
    hub.runtime.advance(5.0)
    cell = hub.runtime.names.cell(DASHBOARD_STATE)
    assert cell is not None
    cell.stop(Shutdown("as its supervisor does"))
    hub.runtime.settle()
    hub.start()
    hub.publish(submitted("task-1"))
    hub.runtime.advance(10.0)
    assert [one.submitted for one in hub.trends(10)] == [2, 0]
    assert hub.trends(3600)[0].submitted == 2
    assert hub.table["starts"] == {START_MS: "b00t"}
    hub.publish(submitted("task-2"))
    hub.publish(TaskEvent("task_assigned", replace(submitted("x").task, status="nonsense"), at=1))  # type: ignore[arg-type]
    assert hub.runtime.names.whereis(DASHBOARD_STATE) is None
    hub.start()
    assert hub.trends(3600)[0].submitted == 2


def test_how_busy_agents_were_is_told_every_five_minutes_and_at_an_orderly_end(
    hub: Hub, make_agent: Callable[..., AgentView]
) -> None:
    hub.start_queue()
    hub.start()
    hub.publish(AgentJoined(make_agent(agent_id="a", slots=2), at=START_MS))
    hub.runtime.advance(299.0)
    assert "work" not in hub.table
    hub.runtime.advance(301.0)
    assert sum(there for told in hub.table["work"] for _, _, there in told.parts) == 2 * 600_000
    hub.runtime.advance(10.0)
    cell = hub.runtime.names.cell(DASHBOARD_STATE)
    assert cell is not None
    cell.stop(Shutdown("as its supervisor does"))
    hub.runtime.settle()
    assert [(told.hour, told.parts) for told in hub.table["work"]][-1] == (hour_of(START_MS), (("a", 0, 20_000),))


def test_a_large_fleet_is_counted_a_few_at_a_time(hub: Hub, make_agent: Callable[..., AgentView]) -> None:
    hub.start_queue()
    hub.start()
    for number in range(2 * WORK_TURN + 1):
        hub.publish(AgentJoined(make_agent(agent_id=f"a{number}"), at=START_MS))
    hub.runtime.advance(301.0)
    assert [len(told.parts) for told in hub.table["work"]] == [WORK_TURN, WORK_TURN, 1]


def test_the_snapshot_tells_the_flow_of_each_lane_and_of_the_hour(
    hub: Hub, make_overview: Any, make_task: Callable[..., Task]
) -> None:
    hub.table["vitals"] = Vitals((None, None, START_MS - 2_000, None), 1, 1)
    hub.start_queue()
    hub.start()
    for number in range(6):
        task = make_task(id=f"task-{number}", created_at=START_MS - 2_000)
        hub.publish(TaskEvent("task_submitted", task, at=START_MS))
        if number < 4:
            hub.publish(assigned(task))
    done = make_task(status=TaskStatus.COMPLETED, assigned_at=START_MS, completed_at=START_MS + 500, tokens_used=7)
    hub.publish(TaskEvent("task_completed", done, at=1, previous="assigned"))
    hub.runtime.advance(30.0)
    shown = hub.snapshot()
    lane = shown["lanes"][2]
    assert (lane["lane"], lane["queued"], lane["oldest_since"]) == ("normal", 2, START_MS - 2_000)
    assert (lane["in_per_minute"][-1], lane["out_per_minute"][-1], len(lane["in_per_minute"])) == (6, 4, 60)
    assert lane["drain_s"] == 15  # two wait, four left within half a minute
    assert shown["lanes"][0] == {
        "lane": "urgent",
        "priority": 0,
        "queued": 0,
        "oldest_since": None,
        "target_s": 60.0,
        "drain_s": 0,
        "in_per_minute": [0] * 60,
        "out_per_minute": [0] * 60,
    }
    assert shown["wait"]["count"] == 4
    assert 1_900 <= shown["wait"]["p50_ms"] <= 2_100
    assert shown["wait"]["oldest_since"] == START_MS - 2_000
    assert (shown["run"]["count"], shown["hour_ago"]["queued"]) == (1, None)
    totals = hub.figures()["totals"]
    assert (totals["submitted"], totals["completed"], totals["tokens"]) == (6, 1, 7)
    hub.runtime.advance(3_600.0)
    shown = hub.snapshot()
    assert (shown["wait"]["count"], shown["wait"]["p95_ms"]) == (0, None)
    assert shown["hour_ago"]["queued"] == 2
    assert shown["lanes"][2]["in_per_minute"] == [0] * 60


def test_after_a_restart_the_hour_goes_on_from_what_was_kept(hub: Hub, make_task: Callable[..., Task]) -> None:
    hub.start_queue()
    dashboard = hub.start()
    task = make_task(created_at=START_MS - 2_000)
    hub.publish(TaskEvent("task_submitted", task, at=START_MS))
    hub.publish(assigned(task))
    hub.runtime.advance(600.0)
    before = hub.snapshot()
    assert before["lanes"][2]["in_per_minute"][-11] == 1
    dashboard.stop()
    hub.runtime.settle()
    hub.start()
    after = hub.snapshot()
    assert after["wait"] == before["wait"]
    assert [lane["in_per_minute"] for lane in after["lanes"]] == [lane["in_per_minute"] for lane in before["lanes"]]
