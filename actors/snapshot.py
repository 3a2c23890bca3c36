"""The dashboard's picture of the queue, and the snapshot that is made from it.

``Picture`` starts from an ``Overview`` and folds committed task events into counters, so that a snapshot costs the same
with ten tasks and with a million. Lists are bounded and their texts are cut; whoever wants all of it pages through the
API. ``build_snapshot`` writes the shape of the wire contract. Pure: the time is an argument.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import TypeAlias

from actors.health import Moment
from actors.rolling import RollingHour
from actors.vocabulary.dashboard import Boot, Condition, Health
from actors.vocabulary.events import AgentView, TaskEvent
from actors.vocabulary.tasks import Overview, Priority, Task, TaskStatus

#: An element of a list in the snapshot, or the snapshot itself: encodable as it is.
JsonObject: TypeAlias = dict[str, object]

#: Completions that are kept and shown, newest first (the protocol's ring).
COMPLETIONS_SHOWN = 100

#: Dead letters that are shown, newest first.
DEAD_LETTERS_SHOWN = 100

#: Dead letters that are kept: as many again, so that the list stays full while the newest are retried.
DEAD_LETTERS_KEPT = 2 * DEAD_LETTERS_SHOWN

#: Characters of a description or an error in a list: two lines of a page. Uncut, 200 entries could make megabytes.
TEXT_SHOWN = 200

PRUNED = "task_pruned"
MOVED = "task_moved"
COMPLETED = "task_completed"


class Picture:
    """What the queue looks like after every event that was folded; ``overview`` is the truth that it starts from."""

    def __init__(self, overview: Overview, now: Moment) -> None:
        stats = overview.stats
        self.by_status = {status.value: stats.by_status.get(status, 0) for status in TaskStatus}
        self.by_status[TaskStatus.DEAD_LETTER] = stats.dead_letter
        self.queued_by_priority = {int(lane): stats.queued_by_priority.get(lane, 0) for lane in Priority}
        self.hour = RollingHour.from_minutes(overview.minutes, now_s=now.monotonic_s, now_ms=now.unix_ms)
        newest = islice(overview.completions, COMPLETIONS_SHOWN)
        self._completions = deque((completion_entry(task) for task in newest), maxlen=COMPLETIONS_SHOWN)
        oldest_first = reversed(overview.dead_letters[:DEAD_LETTERS_KEPT])
        self._dead_letters = {task.id: dead_letter_entry(task) for task in oldest_first}

    @property
    def dead_letter_total(self) -> int:
        return self.by_status[TaskStatus.DEAD_LETTER]

    @property
    def completions(self) -> list[JsonObject]:
        return list(self._completions)

    @property
    def dead_letters(self) -> list[JsonObject]:
        return list(islice(reversed(self._dead_letters.values()), DEAD_LETTERS_SHOWN))

    @property
    def needs_overview(self) -> bool:
        """Events alone do not suffice any longer: so many of the kept dead letters were retried that older ones belong
        into the list, or a counter shows that an event was missed."""
        held, expected = len(self._dead_letters), min(self.dead_letter_total, DEAD_LETTERS_SHOWN)
        return held < expected or min(self.by_status.values()) < 0

    def fold(self, event: TaskEvent, now_s: float) -> None:
        """Take one committed event in. Each is to be folded once, in the order of its number."""
        task = event.task
        before, after = _transition(event)
        if before != after:
            self._move(task, before, after)
        elif event.event == MOVED:
            self.queued_by_priority[int(event.cause or task.priority)] -= 1
            self.queued_by_priority[task.priority] += 1
        if event.event == COMPLETED:
            self._completions.appendleft(completion_entry(task))
            self.hour.add_completed(now_s, duration_ms=completion_ms(task), tokens_used=task.tokens_used)
        if event.failed:
            self.hour.add_failed(now_s)

    def _move(self, task: Task, before: str | None, after: str | None) -> None:
        self._count(task, before, -1)
        self._count(task, after, +1)
        if before == TaskStatus.DEAD_LETTER:
            self._dead_letters.pop(task.id, None)
        if after == TaskStatus.DEAD_LETTER:
            self._dead_letters[task.id] = dead_letter_entry(task)
            if len(self._dead_letters) > DEAD_LETTERS_KEPT:
                del self._dead_letters[next(iter(self._dead_letters))]

    def _count(self, task: Task, status: str | None, change: int) -> None:
        if status is None:
            return
        self.by_status[status] += change
        if status == TaskStatus.QUEUED:
            self.queued_by_priority[task.priority] += change


def rebuild(overview: Overview, buffered: Iterable[tuple[int, TaskEvent]], now: Moment) -> Picture:
    """The picture after ``overview`` and those of the numbered events that it does not contain yet."""
    picture = Picture(overview, now)
    for seq, event in buffered:
        if seq > overview.as_of_seq:
            picture.fold(event, now.monotonic_s)
    return picture


def build_snapshot(
    *, boot: Boot, seq: int, now: Moment, agents: Iterable[JsonObject], picture: Picture, health: Health
) -> JsonObject:
    """The snapshot that is true after event ``seq``. ``agents`` are ``agent_entry`` objects."""
    hour = picture.hour.totals(now.monotonic_s)
    return {
        "seq": seq,
        "boot_id": boot.boot_id,
        "environment": boot.environment,
        "uptime_ms": boot.uptime_ms(now.monotonic_s),
        "timestamp": now.unix_ms,
        "health": health_entry(health),
        "agents": list(agents),
        "queue": _queue_entry(picture),
        "dead_letter_tasks": picture.dead_letters,
        "dead_letter_total": picture.dead_letter_total,
        "recent_completions": picture.completions,
        "throughput": {
            "completed_last_hour": hour.completed,
            "avg_completion_ms": hour.avg_completion_ms,
            "total_tokens_hour": hour.tokens_used,
        },
    }


def agent_entry(agent: AgentView) -> JsonObject:
    return {
        "agent_id": agent.agent_id,
        "name": agent.name,
        "fsm_state": agent.fsm_state,
        "current_task_id": agent.current_task_id,
        "capabilities": [{"name": name} for name in _capability_names(agent.capabilities)],
        "connected_at": agent.connected_at,
        "last_state_change": agent.last_state_change,
        "flags": list(agent.flags),
        "mode": agent.mode,
        "slots": agent.slots,
        "slots_used": agent.slots_used,
    }


def completion_entry(task: Task) -> JsonObject:
    return {
        "task_id": task.id,
        "agent_id": task.assigned_to,
        "description": _cut(task.description),
        "duration_ms": completion_ms(task),
        "tokens_used": task.tokens_used,
        "completed_at": task.completed_at,
    }


def dead_letter_entry(task: Task) -> JsonObject:
    return {
        "id": task.id,
        "description": _cut(task.description),
        "last_error": None if task.last_error is None else _cut(task.last_error),
        "retry_count": task.retry_count,
        "created_at": task.created_at,
    }


def completion_ms(task: Task) -> int:
    """From the last assignment to the completion; 0 when one is unknown or the wall clock was set back in between."""
    if task.assigned_at is None or task.completed_at is None:
        return 0
    return max(0, task.completed_at - task.assigned_at)


def _transition(event: TaskEvent) -> tuple[str | None, str | None]:
    """The status before and after; None where there is no record."""
    if event.event == PRUNED:
        return event.previous or event.task.status, None
    return event.previous, event.task.status


def health_entry(health: Health) -> JsonObject:
    """``conditions`` are the sentences of the first protocol, ``details`` the same in full."""
    return {
        "status": health.status,
        "attention": health.attention,
        "conditions": [condition.message for condition in health.conditions],
        "details": [_condition_entry(one) for one in health.conditions],
    }


def _condition_entry(one: Condition) -> JsonObject:
    by = one.acknowledged
    return {
        "id": one.id,
        "severity": one.severity,
        "message": one.message,
        "since": one.since,
        "count": one.count,
        "acknowledged": None if by is None else {"by": by.by, "at": by.at, "note": by.note},
    }


def _queue_entry(picture: Picture) -> JsonObject:
    in_queue = (TaskStatus.QUEUED, TaskStatus.ASSIGNED, TaskStatus.COMPLETED, TaskStatus.CANCELLED)
    return {
        "by_status": {status.value: picture.by_status[status] for status in in_queue},
        "by_priority": {str(lane): count for lane, count in picture.queued_by_priority.items()},
        "dead_letter": picture.dead_letter_total,
    }


def _capability_names(capabilities: Iterable[object]) -> Iterable[str]:
    """Agents send names, or objects with a name; anything else is left out."""
    for capability in capabilities:
        name = capability.get("name") if isinstance(capability, Mapping) else capability
        if isinstance(name, str):
            yield name


def _cut(text: str) -> str:
    return text if len(text) <= TEXT_SHOWN else text[: TEXT_SHOWN - 1] + "…"
