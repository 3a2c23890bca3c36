"""How long an owner may be silent: leases on the monotonic clock. Liveness only; generations are the safety.

Whoever looks must look regularly. A look that comes more than two periods late was itself away (a paused process, a suspended
machine); then nothing is taken from anybody before one more lease has passed, because the silence may be our own.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field

from actors.vocabulary.tasks import ReclaimCause

#: Entries of the heap beyond twice the leases: those of ended leases, which are then dropped all at once.
_STALE_ENTRIES = 10_000


@dataclass(slots=True)
class Lease:
    """``key``: the task's. ``deadline`` holds unless the owner was seen after it was set (``Leases.renew``)."""

    key: int
    generation: int
    owner: str
    deadline: float
    cause: ReclaimCause = ReclaimCause.LEASE_EXPIRED
    limited_at: int | None = None
    """The number of the step in which the owner went away."""


@dataclass(slots=True)
class _Owner:
    """``seen_at``: when it last showed life, and in which step."""

    keys: set[int] = field(default_factory=set)
    seen_at: float = float("-inf")
    seen_step: int = -1


class Leases:
    """Times are monotonic seconds, given by the caller. A sign of life costs the same however much its owner holds."""

    def __init__(self, lease_s: float, period_s: float) -> None:
        self._lease_s = lease_s
        self._period_s = period_s
        self._by_task: dict[int, Lease] = {}
        self._owners: dict[str, _Owner] = {}
        self._heap: list[tuple[float, int]] = []
        self._last_look: float | None = None
        self._steps = 0

    def __len__(self) -> int:
        return len(self._by_task)

    def held_by(self, owner: str) -> list[int]:
        """The keys of its tasks."""
        known = self._owners.get(owner)
        return list(known.keys) if known is not None else []

    def deadline_of(self, key: int) -> float:
        """When the task is taken back unless its owner shows life until then; ``KeyError`` for one without a lease."""
        lease = self._by_task[key]
        owner = self._owners[lease.owner]
        if lease.limited_at is None or owner.seen_step > lease.limited_at:
            return max(lease.deadline, owner.seen_at + self._lease_s)
        return lease.deadline

    def grant(self, key: int, generation: int, owner: str, now: float, seconds: float | None = None) -> None:
        self.end(key)
        lease = Lease(key, generation, owner, now + (self._lease_s if seconds is None else seconds))
        self._by_task[key] = lease
        known = self._owners.get(owner)
        if known is None:
            known = self._owners[owner] = _Owner()
        known.keys.add(key)
        self._push(lease.deadline, key)

    def end(self, key: int) -> None:
        lease = self._by_task.pop(key, None)
        if lease is not None:
            owner = self._owners[lease.owner]
            owner.keys.discard(key)
            if not owner.keys:
                del self._owners[lease.owner]

    def renew(self, owners: Iterable[str], now: float) -> None:
        """A full lease from now for everything that these owners hold. Never shortens one."""
        self._steps += 1
        for name in owners:
            owner = self._owners.get(name)
            if owner is not None:
                owner.seen_at, owner.seen_step = now, self._steps

    def limit(self, key: int, generation: int, cause: ReclaimCause, now: float, seconds: float) -> None:
        """The owner is away: it has ``seconds`` to come back."""
        lease = self._by_task.get(key)
        if lease is not None and lease.generation == generation:
            self._steps += 1
            lease.cause = cause
            lease.deadline = now + seconds
            lease.limited_at = self._steps
            self._push(lease.deadline, key)

    def expired(self, now: float) -> list[Lease]:
        """The leases that have run out, oldest first; they stay until they are ended."""
        if self._was_away(now):
            self.renew(list(self._owners), now)
            return []
        found: dict[int, Lease] = {}
        while self._heap and self._heap[0][0] <= now:
            _, key = heapq.heappop(self._heap)
            lease = self._by_task.get(key)
            if lease is None:
                continue
            self._count_in_life(lease)
            if lease.deadline <= now:
                found[key] = lease
            else:
                self._push(lease.deadline, key)
        return list(found.values())

    def _count_in_life(self, lease: Lease) -> None:
        """The heap learns of a sign of life when the old deadline comes: one entry for each lease, not one for each sign."""
        owner = self._owners[lease.owner]
        if lease.limited_at is None or owner.seen_step > lease.limited_at:
            lease.cause, lease.limited_at = ReclaimCause.LEASE_EXPIRED, None
            lease.deadline = max(lease.deadline, owner.seen_at + self._lease_s)

    def _push(self, deadline: float, key: int) -> None:
        if len(self._heap) > 2 * len(self._by_task) + _STALE_ENTRIES:
            self._heap = [(lease.deadline, lease.key) for lease in self._by_task.values()]
            heapq.heapify(self._heap)
        heapq.heappush(self._heap, (deadline, key))

    def _was_away(self, now: float) -> bool:
        last, self._last_look = self._last_look, now
        return last is not None and now - last > 2 * self._period_s + 1.0
