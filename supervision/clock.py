"""The two clocks: monotonic seconds for every wait and window, wall-clock milliseconds for display only."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    def monotonic(self) -> float:
        """Seconds since an arbitrary start; never goes back."""

    def time_ms(self) -> int:
        """Unix milliseconds; may jump, so nothing is decided by it."""


class SystemClock:
    #: Not a method of ours: it is called for every message.
    monotonic = staticmethod(time.monotonic)

    def time_ms(self) -> int:
        return int(time.time() * 1000)


class ManualClock:
    """Stands still until ``advance``. Its wall clock is the system's shifted by the same amount, so freezegun still works."""

    def __init__(self, start: float = 1000.0) -> None:
        self._now = start
        self._shift_ms = 0

    def monotonic(self) -> float:
        return self._now

    def time_ms(self) -> int:
        return int(time.time() * 1000) + self._shift_ms

    def advance(self, seconds: float) -> None:
        self._now += seconds
        self._shift_ms += int(seconds * 1000)
