"""Knows what the dashboard shows, and says so in one encoded snapshot. Told by events; never asks others to count.

At its start, also after its own crash, it subscribes first and then rebuilds: what it had kept of the past and of health
from the database, counters, lists, the rolling hour and the ages of assigned tasks from ``TaskQueue``'s overview, the
connected agents from their FSMs. Events that arrive meanwhile
wait, and those that the overview contains already are skipped by number, so each is counted exactly once. Questions
that come before the rebuild is over are answered right after it.

Once a second it looks at levels and health; every ten seconds it sends the trends to ``TaskQueue``, the only writer. What
cannot be rebuilt, because nobody stores it, are the last three depths of the queue (a ``queue_growing`` condition needs
three new checks after a crash), in the trends what happened within the last ten seconds, and how busy agents were within
the last five minutes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar, TypeVar

from actors.fleet import Fleet
from actors.flow import KEPT_MINUTES, MINUTE_S, Figures, Flow, Levels, Trends
from actors.health import Facts, HealthModel, HealthOptions, Moment
from actors.rolling import REBUILD_WINDOW_S
from actors.snapshot import (
    COMPLETIONS_SHOWN,
    DEAD_LETTERS_KEPT,
    JsonObject,
    Picture,
    agent_entry,
    build_snapshot,
    health_entry,
    rebuild,
)
from actors.snapshot_flow import Seen, figures_entry, flow_entries
from actors.utilisation import hour_of
from actors.vocabulary.agents import ReadView
from actors.vocabulary.dashboard import (
    AcknowledgeCondition,
    Acknowledged,
    Boot,
    Condition,
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
from actors.vocabulary.fleet import AgentMode, FleetPage, ReadAgentFigures, ReadFleet, RecordWork
from actors.vocabulary.names import GATEWAY, TASK_QUEUE, agent_fsm
from actors.vocabulary.tasks import (
    AgentPresence,
    KnownAgent,
    Overview,
    ReadOverview,
    ReadSetting,
    RecordPresence,
    Refusal,
    Refused,
    TaskStatus,
    Together,
    WriteSetting,
)
from actors.vocabulary.trends import ReadRollups, ReadTrends, ReadVitals, RecordRollups, StoredRollups, Vitals
from supervision.actor import Actor
from supervision.bus import Published
from supervision.deferred import Deferred
from supervision.exits import ExitReason
from wire import codec
from wire.rollups import KEPT_S, LANES, Rollup, pack, unpack

#: Seconds for ``TaskQueue`` to answer: it reads by index, but a bulk submit or a slow disk may be in front.
OVERVIEW_TIMEOUT_S = 10.0

#: Seconds between two attempts to rebuild while ``TaskQueue`` is away: it restarts within a fraction of it.
REBUILD_RETRY_S = 0.5

#: Seconds between two overviews that refill the dead letters: a list that is short for a moment beats a busy writer.
REFILL_PAUSE_S = 5.0

#: Seconds for an FSM to answer: it never blocks, so one that does not will be restarted and announce itself.
AGENT_TIMEOUT_S = 2.0

#: Seconds that an encoded snapshot may be served again when nothing happened: only uptime and ages have changed.
SNAPSHOT_FRESH_S = 0.25

#: Seconds between two looks at health, and the precision of a condition's ``since``.
HEALTH_TICK_S = 1.0

#: Seconds between two looks at what only the queue can see: an index scan of its open tasks, which at 10,000 agents takes 10 ms.
VITALS_PERIOD_S = 5.0

#: Seconds for the last buckets to be kept when this actor is stopped; less than its supervisor gives it.
LAST_WORD_S = 1.0

#: Ends of tasks from which the figures of agents are rebuilt: an hour of six a second.
FINISHED_READ = 20_000

#: Seconds between two rounds in which it is told how busy each agent was; agents of one turn, and the pause to the next.
WORK_PERIOD_S = 300.0
WORK_TURN = 200
WORK_PAUSE_S = 0.1

#: At the end in one go.
LAST_WORK = 10_000

#: Under which health is kept.
HEALTH_SETTING = "health"

#: Before the queue has said anything.
NO_VITALS = Vitals((None,) * LANES, 0, 0)

#: The state of an agent between two connections.
OFFLINE = "offline"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rebuild:
    """To itself: ask for an overview."""


@dataclass(frozen=True, slots=True)
class Tick:
    """To itself: look at levels and health."""


@dataclass(frozen=True, slots=True)
class AskVitals:
    """To itself: ask the queue for what only it can see."""


@dataclass(frozen=True, slots=True)
class CountWork:
    """To itself: tell how busy the next agents were."""


class DashboardState(Actor):
    """``boot`` outlives this actor, so that uptime and boot id are the hub's."""

    handles: ClassVar[dict[type, str]] = {
        Published: "collect",
        ReadSnapshot: "read_snapshot",
        ReadHealth: "read_health",
        ReadFigures: "read_figures",
        ReadTrends: "read_trends",
        ReadFleet: "read_fleet",
        ReadAgentFigures: "read_agent",
        AcknowledgeCondition: "acknowledge",
        InputRejected: "count_rejected",
        Rebuild: "rebuild",
        Tick: "look",
        AskVitals: "ask_vitals",
        CountWork: "count_work",
    }

    def __init__(self, boot: Boot, options: HealthOptions | None = None) -> None:
        super().__init__()
        self._boot = boot
        self._health = HealthModel(options, boot.started_monotonic)
        self._stored_health: object = None
        self._told_health: object = None
        """What pages know of it; None before the first word."""
        self._health_number = 0
        self._flow = Flow()
        self._fleet = Fleet()
        self._trends: Trends | None = None
        """None until what was kept of the past has been read."""
        self._figures: Figures | None = None
        self._vitals = NO_VITALS
        self._seq = 0
        self._picture: Picture | None = None
        self._buffer: list[tuple[int, TaskEvent]] | None = None
        """Numbered task events since an overview was asked for; None while none is under way."""
        self._overview_asked_s = float("-inf")
        self._agents: dict[str, JsonObject] = {}
        self._offline: set[str] = set()
        """Those of them that are between two connections."""
        self._silent_agents = 0
        """FSMs that were asked for their view and have not answered yet."""
        self._excused: set[str] = set()
        """Agents that an operator paused or drained: nobody misses them."""
        self._heard: set[str] = set()
        """Agents with a presence event during the rebuild: fresher than any answer or record from before it."""
        self._waiting: list[tuple[Deferred, Callable[[], object]]] = []
        self._encoded: Snapshot | None = None
        self._encoded_s = 0.0

    # --- life -----------------------------------------------------------------------------------------------------

    def on_start(self) -> None:
        for topic in (TASKS, PRESENCE):
            self._seq = self.runtime.bus.subscribe(topic, self.actor_ref)
        for name, _ in self.runtime.names.starting_with(agent_fsm("")):
            self._silent_agents += 1
            self.request(name, ReadView(), self._take_agent, timeout_s=AGENT_TIMEOUT_S)
        self.rebuild()
        self.send_every(HEALTH_TICK_S, Tick())
        self.send_every(VITALS_PERIOD_S, AskVitals())
        self.send_every(WORK_PERIOD_S, CountWork())

    def on_stop_request(self, reason: ExitReason) -> None:
        """The open buckets are kept first: the queue is stopped after this actor, and forgets what it has not read then."""
        if self._trends is None:
            self.cell.finish_orderly(reason)
            return
        rollups = RecordRollups(self._trends.stored_now(), self._boot.started_at_ms, self._boot.boot_id)
        last = Together((rollups, self._work(LAST_WORK)))
        self.request(TASK_QUEUE, last, lambda _: self.cell.finish_orderly(reason), timeout_s=LAST_WORD_S)

    def rebuild(self, _: Rebuild | None = None) -> None:
        """First what was kept, then what is."""
        if self._trends is None:
            now_ms = self.runtime.clock.time_ms()
            last_minutes = now_ms - (KEPT_MINUTES + 1) * MINUTE_S * 1000
            rollups = [ReadRollups(size, last_minutes if size == MINUTE_S else now_ms - size * 1000) for size in KEPT_S]
            question = Together((ReadSetting(HEALTH_SETTING), *rollups, ReadVitals()))
            self.request(TASK_QUEUE, question, self._take_memory, timeout_s=OVERVIEW_TIMEOUT_S)
        else:
            self.ask_for_overview()

    def _take_memory(self, answer: object) -> None:
        if not isinstance(answer, tuple):
            self.send_after(REBUILD_RETRY_S, Rebuild())
            return
        if self._trends is not None:
            return
        health, *rollups, vitals = answer
        self._health.restore(health)
        self._stored_health = self._health.memory()
        self._take_vitals(vitals)
        kept = {size: [unpack(one) for one in found.packed] for size, found in zip(KEPT_S, rollups, strict=True)}
        last = {size: found[-1] for size, found in kept.items() if found}
        self._trends = Trends(self._flow, self._now(), last, kept[MINUTE_S])
        self._record(self._trends.stored_now())  # so that this start is marked at once
        self.ask_for_overview()

    def ask_vitals(self, _: AskVitals) -> None:
        self.request(TASK_QUEUE, ReadVitals(), self._take_vitals, timeout_s=OVERVIEW_TIMEOUT_S)

    def _take_vitals(self, answer: object) -> None:
        if isinstance(answer, Vitals):
            self._vitals = answer
            self._health.dead.set_mutes(answer.mutes, self.runtime.clock.time_ms())

    def ask_for_overview(self) -> None:
        # Whatever was buffered before this question is contained in its answer.
        self._buffer = []
        self._overview_asked_s = self.runtime.clock.monotonic()
        question = ReadOverview(
            window_s=REBUILD_WINDOW_S,
            completions=COMPLETIONS_SHOWN,
            dead_letters=DEAD_LETTERS_KEPT,
            finished=FINISHED_READ if self._picture is None else 0,
        )
        self.request(TASK_QUEUE, question, self._take_overview, timeout_s=OVERVIEW_TIMEOUT_S)

    def _take_overview(self, answer: object) -> None:
        """The first one starts the picture and health; a later one only replaces the picture."""
        buffered, self._buffer = self._buffer or [], None
        if not isinstance(answer, Overview):
            if self._picture is None:
                self.send_after(REBUILD_RETRY_S, Rebuild())
            return
        is_first = self._picture is None
        self._picture = rebuild(answer, buffered, self._now())
        self._encoded = None
        if is_first:
            self._rebuild_fleet(answer, buffered)
            self._miss_known_agents(answer.agents)
            self._resume_watching(answer, buffered)
            for task in reversed(answer.dead_letters):
                self._health.dead.buried(task.last_error, task.updated_at)
            self._answer_waiting()

    def _rebuild_fleet(self, overview: Overview, buffered: list[tuple[int, TaskEvent]]) -> None:
        now = self._now()
        self._fleet.rebuild(overview.agents, overview.assigned, overview.finished, now)
        for seq, event in buffered:
            if seq > overview.as_of_seq:
                self._fleet.fold_task(event, now.monotonic_s)

    def _take_agent(self, answer: object) -> None:
        self._silent_agents -= 1
        # Without a connection ever (0) the FSM has only just begun: it announces itself, or ends without a word.
        if isinstance(answer, AgentView) and answer.connected_at > 0 and answer.agent_id not in self._heard:
            self._fleet.show(answer, answer.last_state_change, self.runtime.clock.monotonic())
            self._show_agent(answer)
        self._answer_waiting()

    def _miss_known_agents(self, known: tuple[KnownAgent, ...]) -> None:
        """Agents that were lost, or connected when the hub died, count as offline unless they announce themselves."""
        now = self._now()
        grace_s = self._health.options.start_grace_s
        for agent in known:
            if agent.mode is not AgentMode.ACTIVE:
                self._excuse(agent.agent_id)
            if agent.presence == AgentPresence.LEFT or agent.agent_id in self._agents or agent.agent_id in self._heard:
                continue
            gone, shown_from_s = now, now.monotonic_s + grace_s
            if agent.presence == AgentPresence.LOST:
                gone, shown_from_s = self._moment_of(agent.since, now), self._boot.started_monotonic + grace_s
            else:  # written down, so that its absence ages over the next restarts too; its FSM corrects it if it returns
                self.send(TASK_QUEUE, RecordPresence(agent.agent_id, agent.name, AgentPresence.LOST))
            if agent.agent_id in self._excused:
                continue
            self._health.agents.expect(agent.agent_id, agent.name, gone=gone, shown_from_s=shown_from_s)

    def _resume_watching(self, overview: Overview, buffered: list[tuple[int, TaskEvent]]) -> None:
        """Go on with the age of each assigned task; the time that the hub was away does not count against an agent."""
        now = self._now()
        ages = [
            (self._moment_of(max(task.assigned_at or 0, task.updated_at, self._boot.started_at_ms), now), task.id)
            for task in overview.assigned
        ]
        for last, task_id in sorted(ages, key=lambda age: age[0].monotonic_s):
            self._health.tasks.working(task_id, last.monotonic_s)
        for seq, event in buffered:
            if seq > overview.as_of_seq:
                self._watch_task(event, now.monotonic_s)

    # --- events ---------------------------------------------------------------------------------------------------

    def collect(self, published: Published) -> None:
        self._seq = max(self._seq, published.seq)
        self._encoded = None
        event = published.event
        if isinstance(event, TaskEvent):
            self._collect_task(published.seq, event)
            return
        self._fleet.fold_presence(event, self.runtime.clock.monotonic())
        if isinstance(event, AgentLeft):
            self._hear(event.agent_id)
            self._agents.pop(event.agent_id, None)
            self._offline.discard(event.agent_id)
            is_missed = not event.clean and event.agent_id not in self._excused
            self._health.agents.left(event.agent_id, event.name, clean=not is_missed, now=self._now())
        elif isinstance(event, AgentJoined | AgentChanged):
            self._hear(event.agent.agent_id)
            self._show_agent(event.agent)
        elif isinstance(event, AgentModeChanged):
            self._excused.discard(event.agent_id)
            if event.mode is not AgentMode.ACTIVE:
                self._excuse(event.agent_id)
        elif isinstance(event, AgentForgotten):
            self._excused.discard(event.agent_id)
            self._health.agents.forget(event.agent_id)

    def _excuse(self, agent_id: str) -> None:
        """Whether it is there or not is no news as long as it is to do nothing."""
        self._excused.add(agent_id)
        self._health.agents.forget(agent_id)

    def _collect_task(self, seq: int, event: TaskEvent) -> None:
        self._flow.fold(event)
        if self._buffer is not None:
            self._buffer.append((seq, event))
        if self._picture is not None:
            now_s = self.runtime.clock.monotonic()
            self._picture.fold(event, now_s)
            self._fleet.fold_task(event, now_s)
            self._watch_task(event, now_s)

    def _watch_task(self, event: TaskEvent, now_s: float) -> None:
        if event.task.status == TaskStatus.ASSIGNED:
            self._health.tasks.working(event.task.id, now_s)
        else:
            self._health.tasks.released(event.task.id)
            if event.task.status == TaskStatus.DEAD_LETTER and event.previous != TaskStatus.DEAD_LETTER:
                self._health.dead.buried(event.task.last_error, event.at)

    def _hear(self, agent_id: str) -> None:
        if not self._is_rebuilt:
            self._heard.add(agent_id)

    def _show_agent(self, agent: AgentView) -> None:
        self._agents[agent.agent_id] = agent_entry(agent)
        if agent.fsm_state == OFFLINE:
            self._offline.add(agent.agent_id)
        else:
            self._offline.discard(agent.agent_id)
        self._health.agents.returned(agent.agent_id)
        self._encoded = None

    def count_rejected(self, message: InputRejected) -> None:
        self._health.rejected.add(message.messages, self._now())

    # --- once a second ------------------------------------------------------------------------------------------------

    def look(self, _: Tick) -> None:
        if self._picture is None or self._trends is None:
            return
        now = self._now()
        self._record(self._trends.look(self._levels(self._picture), now))
        self._figures = self._trends.figures(now)
        self._encoded = None
        queued = self._picture.by_status[TaskStatus.QUEUED]
        self._health.queue.observe(queued, now, self._drain_s(queued))
        self._current_health(self._picture, now)
        self._keep_health()
        may_ask = self._buffer is None and now.monotonic_s - self._overview_asked_s >= REFILL_PAUSE_S
        if may_ask and self._picture.needs_overview:
            self.ask_for_overview()

    def _levels(self, picture: Picture) -> Levels:
        return Levels(
            queued=picture.by_status[TaskStatus.QUEUED],
            working=picture.by_status[TaskStatus.ASSIGNED],
            online=self._online,
            buried=picture.dead_letter_total,
        )

    @property
    def _online(self) -> int:
        return len(self._agents) - len(self._offline)

    def _drain_s(self, queued: int) -> float | None:
        pace = sum(lane.out_per_minute for lane in self._figures.lanes) if self._figures is not None else 0.0
        return queued * 60 / pace if pace else None

    def _record(self, buckets: tuple[tuple[int, Rollup], ...]) -> None:
        if buckets:
            self.send(TASK_QUEUE, RecordRollups(buckets, self._boot.started_at_ms, self._boot.boot_id))

    def count_work(self, _: CountWork) -> None:
        """A few at a time, so that a fleet of ten thousand holds up nobody."""
        if self._picture is None:
            return
        work = self._work(WORK_TURN)
        if work.parts:
            self.send(TASK_QUEUE, work)
        if self._fleet.is_counting:
            self.send_after(WORK_PAUSE_S, CountWork())

    def _work(self, agents: int) -> RecordWork:
        now = self._now()
        return RecordWork(hour_of(now.unix_ms), self._fleet.count_work(now.monotonic_s, agents))

    def _keep_health(self) -> None:
        memory = self._health.memory()
        if memory != self._stored_health:
            self._stored_health = memory
            self.send(TASK_QUEUE, WriteSetting(HEALTH_SETTING, memory))

    # --- questions ------------------------------------------------------------------------------------------------

    def read_snapshot(self, _: ReadSnapshot) -> Snapshot | Deferred:
        return self._when_rebuilt(self._snapshot)

    def read_health(self, _: ReadHealth) -> Health | Deferred:
        return self._when_rebuilt(self._read_health)

    def read_figures(self, _: ReadFigures) -> JsonObject | Deferred:
        return self._when_rebuilt(self._read_figures)

    def read_fleet(self, query: ReadFleet) -> FleetPage | Refused | Deferred:
        return self._when_rebuilt(lambda: self._fleet_page(query))

    def _fleet_page(self, query: ReadFleet) -> FleetPage | Refused:
        try:
            return self._fleet.page(query, self._now())
        except ValueError:
            return Refused(Refusal.INVALID_STATE, "the cursor is not one of ours")

    def read_agent(self, request: ReadAgentFigures) -> JsonObject | Refused | Deferred:
        return self._when_rebuilt(
            lambda: self._fleet.agent(request.agent_id, self._now()) or Refused(Refusal.NOT_FOUND, "no such agent")
        )

    def read_trends(self, request: ReadTrends) -> StoredRollups | Deferred:
        deferred = self.defer()

        def answer(stored: object) -> None:
            deferred.reply(self._with_open(stored, request.size) if isinstance(stored, StoredRollups) else stored)

        self.request(TASK_QUEUE, ReadRollups(request.size, request.since), answer, timeout_s=OVERVIEW_TIMEOUT_S)
        return deferred

    def _with_open(self, stored: StoredRollups, size: int) -> StoredRollups:
        """What is kept, and the bucket that is being filled as it is now."""
        current = self._trends.open_buckets().get(size) if self._trends is not None else None
        if current is None:
            return stored
        packed = stored.packed
        if packed and unpack(packed[-1]).start == current.start:
            packed = packed[:-1]
        return StoredRollups((*packed, pack(current)), stored.starts)

    def acknowledge(self, request: AcknowledgeCondition) -> Condition | Refused | Deferred:
        if not self._is_rebuilt:
            return Refused(Refusal.OVERLOADED, "the hub has not looked at its health yet")
        now = self._now()
        before = {one.id: one for one in self._read_health().conditions}
        by = Acknowledged(request.by, now.unix_ms, request.note)
        if not self._health.acknowledge(request.condition_id, by):
            return Refused(Refusal.NOT_FOUND, "there is no such condition now")
        self._encoded = None
        self._read_health()  # so that every page is told
        acknowledged = replace(before[request.condition_id], acknowledged=by)
        deferred = self.defer()

        def answer(outcome: object) -> None:
            deferred.reply(outcome if isinstance(outcome, BaseException) else acknowledged)

        self._stored_health = self._health.memory()
        self.request(TASK_QUEUE, WriteSetting(HEALTH_SETTING, self._stored_health), answer, timeout_s=AGENT_TIMEOUT_S)
        return deferred

    def _when_rebuilt(self, answer: Callable[[], T]) -> T | Deferred:
        """Answer now, or as soon as there is something to tell."""
        if self._is_rebuilt:
            return answer()
        deferred = self.defer()
        self._waiting.append((deferred, answer))
        return deferred

    @property
    def _is_rebuilt(self) -> bool:
        return self._picture is not None and self._silent_agents == 0

    def _answer_waiting(self) -> None:
        if not self._is_rebuilt:
            return
        self._heard.clear()  # nothing older can arrive any more
        waiting, self._waiting = self._waiting, []
        for deferred, answer in waiting:
            deferred.reply(answer())

    def _snapshot(self) -> Snapshot:
        assert self._picture is not None
        now = self._now()
        if self._encoded is None or now.monotonic_s - self._encoded_s >= SNAPSHOT_FRESH_S:
            shown = build_snapshot(
                boot=self._boot,
                seq=self._seq,
                now=now,
                agents=self._agents.values(),
                picture=self._picture,
                health=self._current_health(self._picture, now),
            )
            shown |= flow_entries(self._picture, self._seen(now))
            self._encoded = Snapshot(self._seq, codec.encode(shown), self._health_number)
            self._encoded_s = now.monotonic_s
        return self._encoded

    def _seen(self, now: Moment) -> Seen:
        assert self._trends is not None
        if self._figures is None:
            self._figures = self._trends.figures(now)
        return Seen(self._figures, self._vitals.oldest, self._health.options.wait_targets_s)

    def _read_figures(self) -> JsonObject:
        assert self._picture is not None and self._trends is not None
        now = self._now()
        self._figures = self._trends.figures(now)  # so that the counts are those of this moment
        states = Counter(str(agent["fsm_state"]) for agent in self._agents.values())
        health = self._current_health(self._picture, now)
        return {
            "uptime_ms": self._boot.uptime_ms(now.monotonic_s),
            "agents": dict(states),
            **figures_entry(self._picture, self._seen(now), self._trends, health),
        }

    def _read_health(self) -> Health:
        assert self._picture is not None
        return self._current_health(self._picture, self._now())

    # --- time -----------------------------------------------------------------------------------------------------

    def _current_health(self, picture: Picture, now: Moment) -> Health:
        lanes = picture.queued_by_priority
        facts = Facts(
            hour=picture.hour.totals(now.monotonic_s),
            online=self._online,
            queued=picture.by_status[TaskStatus.QUEUED],
            buried=picture.dead_letter_total,
            # The queue is asked every few seconds; that a lane is empty is known at once.
            oldest=tuple(since if lanes[lane] else None for lane, since in enumerate(self._vitals.oldest)),
            disk_free=self._vitals.disk_free,
            disk_size=self._vitals.disk_size,
            no_space=self._vitals.no_space,
            disabled_webhooks=self._vitals.disabled_webhooks,
        )
        health = self._health.evaluate(facts, now)
        if self._is_rebuilt:
            self._tell_health(health, now)
        return health

    def _tell_health(self, health: Health, now: Moment) -> None:
        """To every page, when something of it changed that asks for a look. Counts and sentences alone do not: they change all
        the time, and come with the next snapshot."""
        told = (
            health.status,
            health.attention,
            [(one.id, one.severity, one.acknowledged) for one in health.conditions],
        )
        if told == self._told_health:
            return
        self._told_health = told
        self._encoded = None
        # By the clock, so that it also grows when this actor is started again.
        self._health_number = max(self._health_number + 1, int(now.monotonic_s * 1_000_000))
        self.send(GATEWAY, HealthChanged(self._health_number, codec.encode(health_entry(health))))

    def _now(self) -> Moment:
        return Moment(self.runtime.clock.monotonic(), self.runtime.clock.time_ms())

    @staticmethod
    def _moment_of(unix_ms: int, now: Moment) -> Moment:
        """A stored wall-clock time on both clocks; one in the future (the wall clock was set back) is now."""
        age_s = max(0, now.unix_ms - unix_ms) / 1000
        return Moment(now.monotonic_s - age_s, unix_ms)
