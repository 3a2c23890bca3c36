"""What is known of every agent, connected or not: who it is, what it does, what it did, and whether it needs help.

Folded from committed events by ``DashboardState`` and rebuilt from the queue's overview at its start; attempts that failed and
were tried again count from then on only. Pure: the time is an argument. A list of ten thousand is put in order at most once a
second.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from actors.agent_work import AgentWork, window_start
from actors.health import Moment
from actors.task_ids import id_of
from actors.vocabulary.events import (
    AgentChanged,
    AgentForgotten,
    AgentJoined,
    AgentLeft,
    AgentModeChanged,
    AgentView,
    TaskEvent,
)
from actors.vocabulary.fleet import DRAINED, AgentMode, FinishedAttempt, FleetPage, ReadFleet
from actors.vocabulary.tasks import AgentPresence, KnownAgent, Task, TaskStatus

#: The states of an agent in this list, those that need somebody first.
HELP_ORDER = (
    *("lost", "unresponsive", "stuck", "blocked", "offline", "working", "assigned", "idle"),
    *("draining", "paused", "drained", "left"),
)

#: Without accept or progress for so long an assigned task is stuck, as in health.
STUCK_AFTER_S = 300.0

#: How old the order of the list may be.
ORDER_AGE_S = 1.0

TITLE_SHOWN = 200

_FAILED_ENDS = {"task_retried": "failed", "task_dead_letter": "dead_letter"}
_OTHER_ENDS = {"task_completed": "completed", "task_reclaimed": "reclaimed", "task_cancelled": "cancelled"}

JsonObject = dict[str, Any]


class _Live:
    """A task that an agent holds."""

    __slots__ = ("began_s", "counted_s", "progress", "seen_s", "task")

    def __init__(self, task: Task, began_s: float) -> None:
        self.task = task
        self.began_s = self.seen_s = self.counted_s = began_s
        """``counted_s``: up to when it is contained in what its agent was busy."""
        self.progress: int | None = None


class _Agent:
    __slots__ = (
        *(
            "agent_id",
            "busy_s",
            "live",
            "mode",
            "name",
            "online_from_s",
            "presence",
            "since",
            "there_s",
            "view",
            "work",
        ),
    )

    def __init__(self, agent_id: str, name: str) -> None:
        self.agent_id = agent_id
        self.name = name
        self.presence = AgentPresence.ONLINE
        self.since = 0
        self.mode = AgentMode.ACTIVE
        self.view: AgentView | None = None
        """None while it is not connected."""
        self.online_from_s: float | None = None
        self.busy_s = self.there_s = 0.0
        """Seconds of slots at work, and of slots that were there, since it was last asked for (``Fleet.count_work``)."""
        self.live: dict[str, _Live] = {}
        self.work = AgentWork()

    @property
    def shown_since(self) -> int:
        return self.view.last_state_change if self.view is not None else self.since

    def state(self, now_s: float) -> str:
        view = self.view
        if view is None:
            if self.mode is not AgentMode.ACTIVE:
                return DRAINED if self.mode is AgentMode.DRAINING else self.mode.value
            return "lost" if self.presence is AgentPresence.LOST else "left"
        if "unresponsive" in view.flags:
            return "unresponsive"
        if any(now_s - one.seen_s > STUCK_AFTER_S for one in self.live.values()):
            return "stuck"
        if view.fsm_state in ("blocked", "offline"):
            return view.fsm_state
        return view.fsm_state if view.mode == AgentMode.ACTIVE else view.mode


class Fleet:
    """``now`` is given with each call; seconds are those of the monotonic clock."""

    def __init__(self) -> None:
        self._agents: dict[str, _Agent] = {}
        self._order: list[tuple[int, int, str]] = []
        """(place in ``HELP_ORDER``, since, id)."""
        self._ordered_s = float("-inf")
        self._from_s = 0.0
        """Since when comings and goings are followed; what was busy before that says nothing about utilisation."""
        self._uncounted: list[str] = []
        """Agents whose turn of this round of ``count_work`` is still to come."""

    # --- folding --------------------------------------------------------------------------------------------------

    def fold_task(self, event: TaskEvent, now_s: float) -> None:
        kind = event.event
        if kind == "task_assigned":
            agent = self._agent(str(event.agent_id))
            agent.live[event.task.id] = _Live(event.task, now_s)
        elif kind in ("task_accepted", "task_progress"):
            self._touch(event, now_s)
        elif event.previous == TaskStatus.ASSIGNED and event.agent_id is not None:
            self._end(event, now_s)

    def _touch(self, event: TaskEvent, now_s: float) -> None:
        agent = self._agents.get(str(event.agent_id))
        live = agent.live.get(event.task.id) if agent is not None else None
        if live is not None:
            live.seen_s = now_s
            live.task = event.task
            live.progress = event.progress if event.progress is not None else live.progress

    def _end(self, event: TaskEvent, now_s: float) -> None:
        agent = self._agent(str(event.agent_id))
        live = agent.live.pop(event.task.id, None)
        outcome = _OTHER_ENDS.get(event.event) or _FAILED_ENDS.get(event.event)
        if outcome is not None:
            began_s = live.began_s if live is not None else now_s
            busy_from_s = max(live.counted_s if live is not None else now_s, self._from_s)
            agent.work.was_busy(busy_from_s, now_s)
            agent.busy_s += now_s - busy_from_s
            agent.work.ended(event.task.key, outcome, event.at, began_s, now_s, failed=event.failed)

    def fold_presence(self, event: object, now_s: float) -> None:
        if isinstance(event, AgentJoined | AgentChanged):
            self.show(event.agent, event.at, now_s)
        elif isinstance(event, AgentLeft):
            agent = self._agent(event.agent_id, event.name)
            self._offline(agent, now_s)
            agent.view = None
            agent.presence = AgentPresence.LEFT if event.clean else AgentPresence.LOST
            agent.since = event.at
            agent.live.clear()
        elif isinstance(event, AgentModeChanged):
            self._agent(event.agent_id).mode = event.mode
        elif isinstance(event, AgentForgotten):
            self._agents.pop(event.agent_id, None)

    def show(self, view: AgentView, at: int, now_s: float) -> None:
        agent = self._agent(view.agent_id, view.name)
        if agent.view is None:
            agent.since = at
        agent.view, agent.name, agent.presence = view, view.name, AgentPresence.ONLINE
        if view.fsm_state == "offline":
            self._offline(agent, now_s)
        elif agent.online_from_s is None:
            agent.online_from_s = now_s

    def _offline(self, agent: _Agent, now_s: float) -> None:
        if agent.online_from_s is not None:
            agent.work.was_online(agent.online_from_s, now_s)
            slots = agent.view.slots if agent.view is not None else 1
            agent.there_s += (now_s - agent.online_from_s) * max(slots, 1)
            agent.online_from_s = None

    def _agent(self, agent_id: str, name: str | None = None) -> _Agent:
        agent = self._agents.get(agent_id)
        if agent is None:
            agent = self._agents[agent_id] = _Agent(agent_id, name or agent_id)
        return agent

    # --- counting work ----------------------------------------------------------------------------------------------

    def count_work(self, now_s: float, limit: int) -> tuple[tuple[str, int, int], ...]:
        """(agent, ms of slots at work, ms of slots there) of the next ``limit`` agents, since it was last asked of each; without
        those that were not there. ``is_counting`` says whether the round goes on."""
        if not self._uncounted:
            self._uncounted = list(self._agents)
        turn, self._uncounted = self._uncounted[:limit], self._uncounted[limit:]
        parts = (
            (agent_id, *self._take_work(self._agents[agent_id], now_s)) for agent_id in turn if agent_id in self._agents
        )
        return tuple(part for part in parts if part[1] or part[2])

    @property
    def is_counting(self) -> bool:
        return bool(self._uncounted)

    def _take_work(self, agent: _Agent, now_s: float) -> tuple[int, int]:
        self._count(agent, now_s)
        busy_ms, there_ms = round(agent.busy_s * 1000), round(agent.there_s * 1000)
        agent.busy_s = agent.there_s = 0.0
        return busy_ms, there_ms

    def _count(self, agent: _Agent, now_s: float) -> None:
        """What goes on is counted as if it ended now, and goes on from here."""
        for live in agent.live.values():
            from_s = max(live.counted_s, self._from_s)
            agent.work.was_busy(from_s, now_s)
            agent.busy_s += now_s - from_s
            live.counted_s = now_s
        if agent.online_from_s is not None:
            self._offline(agent, now_s)
            agent.online_from_s = now_s

    # --- rebuilding -------------------------------------------------------------------------------------------------

    def rebuild(
        self,
        known: Iterable[KnownAgent],
        assigned: Iterable[Task],
        finished: Iterable[FinishedAttempt],
        now: Moment,
    ) -> None:
        """``finished``: oldest first. Events that the overview does not contain are folded afterwards."""
        self._from_s = now.monotonic_s
        for one in known:
            agent = self._agent(one.agent_id, one.name)
            agent.mode = one.mode
            if agent.view is None:
                agent.presence, agent.since = one.presence, one.since
        for attempt in finished:
            ended_s = min(now.monotonic_s, now.monotonic_s - (now.unix_ms - attempt.ended_at) / 1000)
            if ended_s < window_start(now.monotonic_s):
                continue
            began_s = ended_s - max(0, attempt.ended_at - attempt.assigned_at) / 1000
            work = self._agent(attempt.agent_id).work
            failed = attempt.status == TaskStatus.DEAD_LETTER
            work.ended(attempt.key, attempt.status, attempt.ended_at, began_s, ended_s, failed=failed)
        for task in assigned:
            began_s = now.monotonic_s - max(0, now.unix_ms - (task.assigned_at or now.unix_ms)) / 1000
            live = _Live(task, began_s)
            live.seen_s = now.monotonic_s
            self._agent(str(task.assigned_to)).live[task.id] = live

    # --- showing ----------------------------------------------------------------------------------------------------

    def page(self, query: ReadFleet, now: Moment) -> FleetPage:
        """Raises ``ValueError`` for a cursor that is none of ours."""
        self._put_in_order(now.monotonic_s)
        after = _place(query.cursor)
        groups = Counter(HELP_ORDER[place] for place, _, _ in self._order)
        fitting = [one for one in self._order if self._fits(query, one)]
        rows = [one for one in fitting if after is None or one > after][: query.limit + 1]
        more = len(rows) > query.limit
        shown = rows[: query.limit]
        cursor = f"{shown[-1][0]}-{shown[-1][1]}-{shown[-1][2]}" if more else None
        entries = tuple(self._row(self._agents[id_], HELP_ORDER[place], now) for place, _, id_ in shown)
        return FleetPage(entries, dict(groups), len(fitting), cursor)

    def agent(self, agent_id: str, now: Moment) -> JsonObject | None:
        agent = self._agents.get(agent_id)
        if agent is None:
            return None
        last = [
            {
                "task_id": id_of(one.key),
                "outcome": one.outcome,
                "ended_at": one.ended_at,
                "duration_ms": one.duration_ms,
            }
            for one in agent.work.last()
        ]
        self._count(agent, now.monotonic_s)
        uncounted = (round(agent.busy_s * 1000), round(agent.there_s * 1000))
        row = self._row(agent, agent.state(now.monotonic_s), now)
        return row | {"last_tasks": last, "uncounted_work": uncounted}

    def _put_in_order(self, now_s: float) -> None:
        if now_s - self._ordered_s < ORDER_AGE_S and all(id_ in self._agents for _, _, id_ in self._order):
            return
        place = {state: number for number, state in enumerate(HELP_ORDER)}
        self._order = sorted((place[one.state(now_s)], one.shown_since, one.agent_id) for one in self._agents.values())
        self._ordered_s = now_s

    def _fits(self, query: ReadFleet, one: tuple[int, int, str]) -> bool:
        if query.state is not None and HELP_ORDER[one[0]] != query.state:
            return False
        if query.text is None:
            return True
        wanted, agent = query.text.casefold(), self._agents[one[2]]
        words = (agent.agent_id, agent.name, *(_capabilities(agent.view) if agent.view is not None else ()))
        return any(wanted in word.casefold() for word in words)

    def _row(self, agent: _Agent, state: str, now: Moment) -> JsonObject:
        view = agent.view
        hour = agent.work.hour(now.monotonic_s)
        slots = view.slots if view is not None else 0
        started_s = max(window_start(now.monotonic_s), self._from_s)
        busy_s = hour.busy_s + sum(now.monotonic_s - max(one.counted_s, started_s) for one in agent.live.values())
        online_s = hour.online_s
        if agent.online_from_s is not None:
            online_s += now.monotonic_s - max(agent.online_from_s, started_s)
        capacity_s = online_s * max(slots, 1)
        oldest = next(iter(agent.live.values()), None)
        return {
            "agent_id": agent.agent_id,
            "name": agent.name,
            "state": state,
            "fsm_state": view.fsm_state if view is not None else "offline",
            "mode": view.mode
            if view is not None
            else (DRAINED if agent.mode is AgentMode.DRAINING else agent.mode.value),
            "since": agent.shown_since,
            "connected_at": view.connected_at if view is not None else None,
            "status": view.status if view is not None else None,
            "flags": list(view.flags) if view is not None else [],
            "capabilities": _capabilities(view) if view is not None else [],
            "slots": slots,
            "slots_used": view.slots_used if view is not None else 0,
            "current": _current(oldest),
            "done_hour": hour.done,
            "failed_hour": hour.failed,
            "p50_ms": hour.p50_ms,
            "p95_ms": hour.p95_ms,
            "utilisation": round(min(1.0, busy_s / capacity_s), 3) if capacity_s > 0 else None,
        }


def _current(live: _Live | None) -> JsonObject | None:
    if live is None:
        return None
    task = live.task
    title = task.description if len(task.description) <= TITLE_SHOWN else task.description[: TITLE_SHOWN - 1] + "…"
    return {"task_id": task.id, "description": title, "assigned_at": task.assigned_at, "progress": live.progress}


def _capabilities(view: AgentView) -> list[str]:
    names = (one.get("name") if isinstance(one, dict) else one for one in view.capabilities)
    return [name for name in names if isinstance(name, str)]


def _place(cursor: str | None) -> tuple[int, int, str] | None:
    if cursor is None:
        return None
    place, since, agent_id = cursor.split("-", 2)
    return int(place), int(since), agent_id
