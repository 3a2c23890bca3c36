"""What the simulated fleet did before now: every transition of every task, in the order of time, made with the queue's own rules.

Work arrives over the time that the fleet needs for it, with a rush at the end. The agent that is free first takes it. Hence what
is unfinished now fits together: an agent holds at most one task, and whoever could take a task that still waits is busy.
"""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count

from actors import task_rules as rules
from actors.queue_options import TaskQueueOptions
from actors.storage import Finish
from actors.task_ids import make_key
from actors.vocabulary.audit import AuditEntry
from actors.vocabulary.tasks import HistoryEntry, ReclaimCause, Task, TaskStatus
from agentcom.demo.story import FLEET, LOST, MACHINES, MEAN_WORK_S, Member, Story, Work, capable

#: The fleet is this busy on average.
BUSY_SHARE = 0.62

#: Milliseconds between an assignment and its acceptance.
ACCEPT_MS = 180

#: Milliseconds from "could be handed out" to "is".
DISPATCH_MS = (3, 60)

#: The last tasks come together, so that some wait now.
RUSH_TASKS = 30
RUSH_MS = 100_000

#: How long ago the lost agent vanished, and how long the hub waited for it.
LOST_AGO_MS = 26 * 60_000
GRACE_MS = 10_000

MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS

#: Older finished tasks would be pruned (``retention_days``).
LONGEST_PAST_MS = 29 * DAY_MS


@dataclass(frozen=True, slots=True)
class Step:
    """One transition, as ``Storage.save`` takes it."""

    before: Task | None
    after: Task
    entry: HistoryEntry | None
    finish: Finish | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """What an agent is at now. ``seconds_left``: until this attempt ends. ``accepted_at``: Unix milliseconds."""

    task_id: str
    generation: int
    number: int
    attempt: int
    seconds_left: float
    accepted_at: int


@dataclass(slots=True)
class Past:
    """Iterate ``steps`` to its end, then read the rest. ``tasks``: how many there are; ``now_ms``: Unix milliseconds;
    ``next_seq``: the storage's."""

    story: Story
    tasks: int
    now_ms: int
    next_seq: Callable[[], int]
    held: dict[str, Held] = field(default_factory=dict)
    ended_at: dict[str, int] = field(default_factory=dict)
    """When each agent was last done with something, Unix milliseconds."""
    lost_at: int | None = None
    """When the lost agent vanished; None: the past is too short for that."""
    _chance: random.Random = field(init=False)
    _free_at: dict[str, int] = field(default_factory=dict)
    _later: list[tuple[int, int, Step]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self._chance = self.story.chance("past")

    def steps(self) -> Iterator[Step]:
        """In the order of time."""
        for number, created_at in enumerate(self._arrivals()):
            yield from self._due(created_at)
            self._live(self.story.work(number), created_at)
        yield from self._due(self.now_ms)

    def audited(self, step: Step) -> AuditEntry | None:
        """What the audit log says of a step that a person took."""
        before, after = step.before, step.after
        if before is None or after.status is not TaskStatus.CANCELLED:
            return None
        details = {"before": before.status.value, "after": "cancelled", "agent": before.assigned_to}
        actor, way = str(after.submitted_by), "cli" if after.submitted_by in MACHINES else "page"
        return AuditEntry(0, after.updated_at, actor, "submitter", way, "task.cancel", after.id, "ok", details)

    def _due(self, until_ms: int) -> Iterator[Step]:
        while self._later and self._later[0][0] <= until_ms:
            yield heapq.heappop(self._later)[2]

    # --- when work arrives --------------------------------------------------------------------------------------------

    def _span_ms(self) -> int:
        wanted = self.tasks * MEAN_WORK_S * 1000 / (len(FLEET) * BUSY_SHARE)
        return int(min(max(wanted, 10 * MINUTE_MS), LONGEST_PAST_MS))

    def _arrivals(self) -> Iterator[int]:
        """Unix milliseconds, ascending: more by day than by night, and a rush at the end."""
        chance = self.story.chance("arrivals")
        rush = min(RUSH_TASKS, self.tasks // 4)
        steady = self.tasks - rush
        span = self._span_ms() - RUSH_MS
        start = self.now_ms - RUSH_MS - span
        gaps = [
            chance.expovariate(1.0) / _intensity(start + span * number // max(steady, 1)) for number in range(steady)
        ]
        scale = span / (sum(gaps) or 1.0)
        at = float(start)
        for gap in gaps:
            at += gap * scale
            yield int(at)
        # No later than a moment ago: what arrives now has not been looked at yet.
        yield from sorted(self.now_ms - chance.randint(1_000, RUSH_MS) for _ in range(rush))

    # --- what becomes of it -------------------------------------------------------------------------------------------

    def _live(self, work: Work, created_at: int) -> None:
        """The life of one task up to now."""
        chance = self._chance
        seq = self.next_seq()
        task = rules.new_task(work.task, make_key(seq, chance.getrandbits(32)), seq, work.plan.submitter, created_at)
        self._add(None, task, "queued", "submitted")
        ready_at, attempt = created_at, 0
        while True:
            member = self._first_free(work, ready_at)
            start = max(ready_at, self._free_at.get(member.name, 0)) if member is not None else self.now_ms + 1
            if start <= self.now_ms:  # who is free now takes it now; earlier it took a moment
                start = min(start + chance.randint(*DISPATCH_MS), self.now_ms)
            if work.plan.is_cancelled and start - created_at > 20_000 and created_at + 15_000 <= self.now_ms:
                self._cancel(task, created_at + 15_000)
                return
            if member is None or start > self.now_ms:
                return
            task = self._start(task, member, start)
            end = start + int(work.attempt_s(member, attempt) * 1000)
            if work.plan.is_cancelled and attempt == 0:
                end = start + (end - start) // 3
            if member.name == LOST and self._vanishes(start, end):
                self.lost_at = (start + end) // 2
                ready_at = self.lost_at + GRACE_MS
                after = rules.reclaimed(task, ReclaimCause.AGENT_LOST, self.next_seq(), 5, ready_at)
                self._add(task, after, "reclaimed", ReclaimCause.AGENT_LOST.value)
                task = after
                continue
            self._free_at[member.name] = end
            if end > self.now_ms:
                left_s = (end - self.now_ms) / 1000
                accepted_at = task.accepted_at or start
                self.held[member.name] = Held(task.id, task.generation, work.number, attempt, left_s, accepted_at)
                return
            self.ended_at[member.name] = end
            if work.plan.is_cancelled:
                self._cancel(task, end)
                return
            if attempt >= work.plan.fails:
                self._complete(task, work, end)
                return
            back_off_ms = rules.back_off_ms(task.retry_count, TaskQueueOptions(), chance)
            task = self._fail(task, work.plan.error, back_off_ms, end)
            if task.status is TaskStatus.DEAD_LETTER:
                return
            ready_at, attempt = end + back_off_ms, attempt + 1

    def _vanishes(self, start: int, end: int) -> bool:
        """At work, and some minutes ago."""
        return end >= self.now_ms - LOST_AGO_MS and (start + end) // 2 + GRACE_MS < self.now_ms

    def _first_free(self, work: Work, ready_at: int) -> Member | None:
        """Who can start first."""
        found = [
            (max(self._free_at.get(member.name, 0), ready_at), self._free_at.get(member.name, 0), member.name, member)
            for member in capable(work.task.needed_capabilities)
        ]
        there = [one for one in found if one[2] != LOST or self.lost_at is None]
        return min(there, key=lambda one: one[:3])[3] if there else None

    def _start(self, task: Task, member: Member, at: int) -> Task:
        """Assigned and accepted in one step: who looks back sees both times, and it is written once."""
        claimed = rules.claimed(task, member.name, at)
        accepted = rules.accepted(claimed, None, min(at + ACCEPT_MS, self.now_ms))
        self._add(task, accepted, "assigned", {"agent_id": member.name, "generation": claimed.generation})
        return accepted

    def _complete(self, task: Task, work: Work, at: int) -> None:
        after = rules.completed(task, work.result, work.plan.tokens_used, at)
        finish = Finish(
            completed=1, duration_ms=max(0, at - (task.assigned_at or at)), tokens_used=work.plan.tokens_used
        )
        self._add(task, after, "completed", {"tokens_used": work.plan.tokens_used}, finish)

    def _fail(self, task: Task, error: str, back_off_ms: int, at: int) -> Task:
        after = rules.failed(task, error, self.next_seq(), back_off_ms, at)
        entry = "retry" if after.status is TaskStatus.QUEUED else "dead_letter"
        self._add(task, after, entry, error, Finish(failed=1))
        return after

    def _cancel(self, task: Task, at: int) -> None:
        details = {"by": task.submitted_by, "previous_status": task.status.value}
        self._add(task, rules.cancelled(task, at), "cancelled", details)

    def _add(
        self, before: Task | None, after: Task, entry: str | None, details: object, finish: Finish | None = None
    ) -> None:
        history = HistoryEntry(entry, after.updated_at, details) if entry is not None else None
        heapq.heappush(self._later, (after.updated_at, next(self._numbers), Step(before, after, history, finish)))


def _intensity(unix_ms: int) -> float:
    """How much arrives at this time of the day, around 1."""
    return 1.0 + 0.35 * math.sin(2 * math.pi * (unix_ms % DAY_MS) / DAY_MS - 2.0)
