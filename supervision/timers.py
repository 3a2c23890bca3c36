"""Delayed and periodic messages: one heap and one thread for all of them.

A timer belongs to one incarnation of an actor: it is cancelled when that incarnation ends, and never fires into a later one.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count

from supervision import threads
from supervision.clock import Clock, ManualClock

#: Entries of the heap from which on those that were cancelled are thrown out when there are as many of them as of others. Nearly
#: every request is answered long before its timeout.
PURGE_FROM = 4096


class Timer:
    """One pending timer. ``cancel`` is idempotent and may be called from any thread."""

    __slots__ = ("action", "cancelled", "due", "period_s")

    def __init__(self, due: float, period_s: float | None, action: Callable[[], None]) -> None:
        self.due = due
        self.period_s = period_s
        self.action = action
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True
        self.action = _nothing


def _nothing() -> None:
    return None


class Timers:
    """With a ``ManualClock`` nothing fires by itself: call ``fire_due`` after moving the clock (``Runtime.advance`` does)."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heap: list[tuple[float, int, Timer]] = []
        self._numbers = count()
        self._purge_at = PURGE_FROM
        self._lock = threads.new_lock()
        self._loop = None if isinstance(clock, ManualClock) else threads.BackgroundLoop("timers", self.fire_due)

    def after(self, delay_s: float, action: Callable[[], None], period_s: float | None = None) -> Timer:
        """Run ``action`` (short, never blocking) in ``delay_s`` seconds, and every ``period_s`` from then on if given."""
        timer = Timer(self._clock.monotonic() + max(delay_s, 0.0), period_s, action)
        if self._push(timer) and self._loop is not None:
            self._loop.wake()
        return timer

    def _push(self, timer: Timer) -> bool:
        """True when the new timer is now the first."""
        with self._lock:
            if len(self._heap) >= self._purge_at:
                self._purge()
            heapq.heappush(self._heap, (timer.due, next(self._numbers), timer))
            return self._heap[0][2] is timer

    def _purge(self) -> None:
        self._heap = [entry for entry in self._heap if not entry[2].cancelled]
        heapq.heapify(self._heap)
        self._purge_at = max(PURGE_FROM, 2 * len(self._heap))

    def fire_due(self) -> float | None:
        """Fire what is due; the seconds until the next one, None when there is none."""
        while True:
            timer = self._pop_due()
            if timer is None:
                return self._until_next()
            timer.action()
            if timer.period_s is not None and not timer.cancelled:
                # From now and not from the due time: after a pause one tick is enough.
                timer.due = max(timer.due + timer.period_s, self._clock.monotonic())
                self._push(timer)

    def _pop_due(self) -> Timer | None:
        now = self._clock.monotonic()
        with self._lock:
            while self._heap and (self._heap[0][2].cancelled or self._heap[0][0] <= now):
                timer = heapq.heappop(self._heap)[2]
                if not timer.cancelled:
                    return timer
        return None

    def _until_next(self) -> float | None:
        due = self.next_due()
        return max(due - self._clock.monotonic(), 0.0) if due is not None else None

    def next_due(self) -> float | None:
        """Monotonic time of the first live timer."""
        with self._lock:
            while self._heap and self._heap[0][2].cancelled:
                heapq.heappop(self._heap)
            return self._heap[0][0] if self._heap else None

    def close(self) -> None:
        with self._lock:
            self._heap.clear()
        if self._loop is not None:
            self._loop.close()
