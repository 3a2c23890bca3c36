"""How busy each agent of the invented past was, hour by hour."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from actors.utilisation import HOUR_MS, hour_of, kept_hours
from actors.vocabulary.tasks import TaskStatus
from agentcom.demo.past import Step
from agentcom.demo.story import FLEET


@dataclass(slots=True)
class PastWork:
    """``take`` every step in the order of time; then ``hours`` says what to write of each."""

    now_ms: int
    _busy: dict[int, dict[str, int]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))
    _from_ms: int | None = None

    def take(self, step: Step) -> None:
        before, after = step.before, step.after
        if self._from_ms is None:
            self._from_ms = after.updated_at
        if before is None or before.status is not TaskStatus.ASSIGNED or after.status is TaskStatus.ASSIGNED:
            return
        assert before.assigned_to is not None and before.assigned_at is not None
        for hour in range(hour_of(before.assigned_at), after.updated_at, HOUR_MS):
            within = min(after.updated_at, hour + HOUR_MS) - max(before.assigned_at, hour)
            self._busy[hour][before.assigned_to] += within

    def hours(self) -> list[tuple[int, list[tuple[str, int, int]]]]:
        """(hour, its parts as ``RecordWork`` has them) of those that are kept. Everybody was there all the time."""
        from_ms = self._from_ms if self._from_ms is not None else self.now_ms
        found = []
        for hour in kept_hours(self.now_ms):
            there = min(self.now_ms, hour + HOUR_MS) - max(from_ms, hour)
            if there > 0:
                found.append((hour, [(one.name, self._busy[hour][one.name], there) for one in FLEET]))
        return found
