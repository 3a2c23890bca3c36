"""The last batches of events, so that a page that is a little behind gets what it missed instead of everything anew.

``seq`` numbers every event of one life of the hub. A batch covers ``first_seq`` to ``last_seq`` without a hole; it fits after
``n`` when ``first_seq <= n + 1``. What does not fit is a gap, and only a snapshot closes it. Pure.
"""

from __future__ import annotations

from collections import deque
from itertools import takewhile

from link.messages import DashboardBatch
from wire import codec


class EventRing:
    """Bounded by number and bytes; the oldest go first."""

    def __init__(self, max_batches: int, max_bytes: int) -> None:
        self._max_batches = max_batches
        self._max_bytes = max_bytes
        self._bytes = 0
        self._batches: deque[DashboardBatch] = deque()

    @property
    def last_seq(self) -> int | None:
        """The newest event; None while the ring is empty."""
        return self._batches[-1].last_seq if self._batches else None

    def clear(self) -> None:
        self._batches.clear()
        self._bytes = 0

    def push(self, batch: DashboardBatch) -> None:
        """Take a batch; after a gap what was before is of no use to anybody."""
        if self._batches and batch.first_seq != self._batches[-1].last_seq + 1:
            self.clear()
        self._batches.append(batch)
        self._bytes += len(batch.events)
        while len(self._batches) > self._max_batches or (self._bytes > self._max_bytes and len(self._batches) > 1):
            self._bytes -= len(self._batches.popleft().events)

    def continues(self, seq: int) -> bool:
        """Whether somebody who knows everything up to ``seq`` from elsewhere surely misses nothing that is not here."""
        return bool(self._batches) and self.covers(seq)

    def covers(self, seq: int) -> bool:
        """Whether everything after ``seq`` is here (also when that is nothing)."""
        return not self._batches or self._batches[0].first_seq <= seq + 1

    def after(self, seq: int) -> bytes:
        """The events after ``seq`` as JSON objects joined by commas; only when it ``covers`` them."""
        newer = list(takewhile(lambda batch: batch.last_seq > seq, reversed(self._batches)))
        newer.reverse()
        parts = [batch.events for batch in newer]
        if newer and newer[0].first_seq <= seq:  # a snapshot was taken in the middle of this one
            parts[0] = _cut(newer[0].events, seq)
        return b",".join(part for part in parts if part)


def _cut(events: bytes, seq: int) -> bytes:
    kept = [event for event in codec.decode_own(b"[" + events + b"]") if event["seq"] > seq]
    return codec.encode(kept)[1:-1]
