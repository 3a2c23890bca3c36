"""The restart window: how many restart passes are tolerated within how many seconds.

OTP counts in whole seconds; this counts with the float clock, which decides like OTP outside (period, period + 1) and for
some phase of OTP's clock inside it. The edge is inclusive: a pass exactly ``period_s`` old still counts.
"""

from __future__ import annotations

from collections import deque


class RestartWindow:
    def __init__(self, max_restarts: int, period_s: float) -> None:
        self.max_restarts = max_restarts
        self.period_s = period_s
        self._passes: deque[float] = deque()

    def count(self, now: float) -> bool:
        """Count one pass at ``now``. False: that was one too many, give up."""
        self._forget_before(now - self.period_s)
        self._passes.append(now)
        return len(self._passes) <= self.max_restarts

    def passes(self, now: float) -> int:
        """How many passes the window holds now."""
        self._forget_before(now - self.period_s)
        return len(self._passes)

    def passes_seen(self, now: float) -> int:
        """As ``passes``, but changes nothing: for observers in other threads."""
        return sum(at >= now - self.period_s for at in tuple(self._passes))

    def _forget_before(self, edge: float) -> None:
        while self._passes and self._passes[0] < edge:
            self._passes.popleft()
