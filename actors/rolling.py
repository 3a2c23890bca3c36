"""What finished within the last hour, in one-minute buckets on the monotonic clock.

A fact counts for at least 3,600 s and for less than 3,660 s: a bucket goes when its last second is an hour old. Adding
and reading cost the same however much was counted. Pure: the time is an argument.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from actors.vocabulary.tasks import FinishedMinute

#: Seconds that one bucket covers: fine enough for an hour, and at most 61 buckets are kept.
BUCKET_S = 60

#: Whole buckets of the window.
WINDOW_BUCKETS = 60

#: Seconds of history that a rebuild needs: the hour, and the bucket that its beginning falls into.
REBUILD_WINDOW_S = (WINDOW_BUCKETS + 1) * BUCKET_S


@dataclass(frozen=True, slots=True)
class HourTotals:
    """``duration_ms`` and ``tokens_used`` are sums over the completed attempts."""

    completed: int = 0
    failed: int = 0
    duration_ms: int = 0
    tokens_used: int = 0

    @property
    def finished(self) -> int:
        """Attempts that ended by completing or by failing; each attempt once."""
        return self.completed + self.failed

    @property
    def avg_completion_ms(self) -> int:
        """0 when nothing completed."""
        return self.duration_ms // self.completed if self.completed else 0


@dataclass(slots=True)
class _Bucket:
    number: int
    completed: int = 0
    failed: int = 0
    duration_ms: int = 0
    tokens_used: int = 0

    def add(self, completed: int, failed: int, duration_ms: int, tokens_used: int) -> None:
        self.completed += completed
        self.failed += failed
        self.duration_ms += duration_ms
        self.tokens_used += tokens_used


class RollingHour:
    """Sums over the last hour. ``now_s`` is the runtime's monotonic clock and must not go back between calls."""

    def __init__(self) -> None:
        self._buckets: deque[_Bucket] = deque()
        self._sum = _Bucket(number=0)

    @classmethod
    def from_minutes(cls, minutes: Iterable[FinishedMinute], *, now_s: float, now_ms: int) -> RollingHour:
        """Rebuild from stored rows of wall-clock minutes; a row counts as old as its youngest possible fact.

        ``now_ms`` is the wall clock at ``now_s``. A row from the future (the wall clock was set back) counts as now.
        """
        hour = cls()
        for row in sorted(minutes, key=lambda row: row.minute):
            youngest_ms = min((row.minute + 1) * BUCKET_S * 1000 - 1, now_ms)
            bucket = hour._bucket_at(now_s - (now_ms - youngest_ms) / 1000)
            hour._count(bucket, row.completed, row.failed, row.duration_ms, row.tokens_used)
        hour._forget_before(now_s)
        return hour

    def add_completed(self, now_s: float, *, duration_ms: int, tokens_used: int) -> None:
        self._count(self._bucket_at(now_s), 1, 0, duration_ms, tokens_used)
        self._forget_before(now_s)

    def add_failed(self, now_s: float) -> None:
        self._count(self._bucket_at(now_s), 0, 1, 0, 0)
        self._forget_before(now_s)

    def totals(self, now_s: float) -> HourTotals:
        self._forget_before(now_s)
        total = self._sum
        return HourTotals(total.completed, total.failed, total.duration_ms, total.tokens_used)

    def _bucket_at(self, at_s: float) -> _Bucket:
        number = int(at_s // BUCKET_S)
        if not self._buckets or self._buckets[-1].number < number:
            self._buckets.append(_Bucket(number))
        return self._buckets[-1]

    def _count(self, bucket: _Bucket, completed: int, failed: int, duration_ms: int, tokens_used: int) -> None:
        bucket.add(completed, failed, duration_ms, tokens_used)
        self._sum.add(completed, failed, duration_ms, tokens_used)

    def _forget_before(self, now_s: float) -> None:
        oldest_kept = int(now_s // BUCKET_S) - WINDOW_BUCKETS
        while self._buckets and self._buckets[0].number < oldest_kept:
            gone = self._buckets.popleft()
            self._sum.add(-gone.completed, -gone.failed, -gone.duration_ms, -gone.tokens_used)
