"""The roll-ups of the invented past, made by the hub's own ``Trends`` as if it had looked on."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from actors.flow import Flow, Levels, Trends
from actors.health import Moment
from actors.vocabulary.events import TaskEvent
from actors.vocabulary.tasks import TaskStatus
from agentcom.demo.past import Step
from agentcom.demo.story import FLEET
from wire.rollups import KEPT_S, Rollup

#: Seconds between two looks, by how long ago it was: buckets that nobody keeps need not be filled.
LOOKS_S = ((2 * 3600, 1), (48 * 3600, 60))
SELDOM_S = 600

_EVENTS = {
    TaskStatus.ASSIGNED: "task_assigned",
    TaskStatus.COMPLETED: "task_completed",
    TaskStatus.DEAD_LETTER: "task_dead_letter",
    TaskStatus.CANCELLED: "task_cancelled",
}


@dataclass(slots=True)
class PastTrends:
    """``take`` every step in the order of time, then ``finish``. ``buckets``: (seconds, begin in Unix ms) to what happened."""

    now_ms: int
    buckets: dict[tuple[int, int], Rollup] = field(default_factory=dict)
    _flow: Flow = field(default_factory=Flow)
    _trends: Trends | None = None
    _looked_ms: int = 0
    _levels: Counter[TaskStatus] = field(default_factory=Counter)

    def take(self, step: Step) -> None:
        at = step.after.updated_at
        if self._trends is None:
            self._looked_ms = at - 1000
            self._trends = Trends(self._flow, _moment(self._looked_ms))
        self._look_until(at)
        before, after = step.before, step.after
        if before is not None:
            self._levels[before.status] -= 1
        self._levels[after.status] += 1
        if before is None or before.status is not after.status:
            self._flow.fold(_event(step))

    def finish(self) -> None:
        if self._trends is not None:
            self._look_until(self.now_ms)
            self._keep(self._trends.stored_now())

    def _look_until(self, unix_ms: int) -> None:
        assert self._trends is not None
        while (due := self._looked_ms + self._pause_ms()) <= unix_ms:
            self._looked_ms = due
            self._keep(self._trends.look(self._now(), _moment(due)))

    def _pause_ms(self) -> int:
        ago_s = (self.now_ms - self._looked_ms) / 1000
        return 1000 * next((pause_s for limit_s, pause_s in LOOKS_S if ago_s <= limit_s), SELDOM_S)

    def _now(self) -> Levels:
        levels = self._levels
        queued, working = levels[TaskStatus.QUEUED], levels[TaskStatus.ASSIGNED]
        return Levels(queued, working, len(FLEET), levels[TaskStatus.DEAD_LETTER])

    def _keep(self, done: tuple[tuple[int, Rollup], ...]) -> None:
        for size, rollup in done:
            if rollup.start > self.now_ms - KEPT_S[size] * 1000:
                self.buckets[size, rollup.start] = rollup


def _event(step: Step) -> TaskEvent:
    before, after = step.before, step.after
    kind = _EVENTS.get(after.status, "task_retried") if before is not None else "task_submitted"
    failed = step.finish is not None and step.finish.failed > 0
    previous = before.status.value if before is not None else None
    return TaskEvent(kind, after, after.updated_at, after.assigned_to, previous, failed)


def _moment(unix_ms: int) -> Moment:
    return Moment(unix_ms / 1000, unix_ms)
