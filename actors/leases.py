"""How long an owner may be silent: leases on the monotonic clock. Liveness only; generations are the safety.

Whoever looks must look regularly. A look that comes more than two periods late was itself away (a paused process, a suspended
machine); then nothing is taken from anybody before one more lease has passed, because the silence may be our own.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass

from actors.vocabulary.tasks import ReclaimCause


@dataclass(slots=True)
class Lease:
    task_id: str
    generation: int
    owner: str
    deadline: float
    cause: ReclaimCause


class Leases:
    """Times are monotonic seconds, given by the caller."""

    def __init__(self, lease_s: float, period_s: float) -> None:
        self._lease_s = lease_s
        self._period_s = period_s
        self._by_task: dict[str, Lease] = {}
        self._by_owner: dict[str, set[str]] = {}
        self._heap: list[tuple[float, str]] = []
        self._last_look: float | None = None

    def __len__(self) -> int:
        return len(self._by_task)

    def grant(self, task_id: str, generation: int, owner: str, now: float, seconds: float | None = None) -> None:
        self.end(task_id)
        deadline = now + (self._lease_s if seconds is None else seconds)
        lease = Lease(task_id, generation, owner, deadline, ReclaimCause.LEASE_EXPIRED)
        self._by_task[task_id] = lease
        self._by_owner.setdefault(owner, set()).add(task_id)
        heapq.heappush(self._heap, (deadline, task_id))

    def end(self, task_id: str) -> None:
        lease = self._by_task.pop(task_id, None)
        if lease is not None:
            owned = self._by_owner[lease.owner]
            owned.discard(task_id)
            if not owned:
                del self._by_owner[lease.owner]

    def renew(self, owners: Iterable[str], now: float) -> None:
        """A full lease from now for everything that these owners hold. Never shortens one."""
        for owner in owners:
            for task_id in self._by_owner.get(owner, ()):
                lease = self._by_task[task_id]
                lease.cause = ReclaimCause.LEASE_EXPIRED
                # The heap learns of it when the old deadline comes: one entry for each lease, not one for each sign of life.
                lease.deadline = max(lease.deadline, now + self._lease_s)

    def limit(self, task_id: str, generation: int, cause: ReclaimCause, now: float, seconds: float) -> None:
        """The owner is away: it has ``seconds`` to come back."""
        lease = self._by_task.get(task_id)
        if lease is not None and lease.generation == generation:
            lease.cause = cause
            lease.deadline = now + seconds
            heapq.heappush(self._heap, (lease.deadline, task_id))

    def expired(self, now: float) -> list[Lease]:
        """The leases that have run out, oldest first; they stay until they are ended."""
        if self._was_away(now):
            self.renew(list(self._by_owner), now)
            return []
        found: dict[str, Lease] = {}
        while self._heap and self._heap[0][0] <= now:
            _, task_id = heapq.heappop(self._heap)
            lease = self._by_task.get(task_id)
            if lease is None:
                continue
            if lease.deadline <= now:
                found[task_id] = lease
            else:
                heapq.heappush(self._heap, (lease.deadline, task_id))
        return list(found.values())

    def _was_away(self, now: float) -> bool:
        last, self._last_look = self._last_look, now
        return last is not None and now - last > 2 * self._period_s + 1.0
