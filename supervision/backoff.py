"""Pauses before a child is started again, growing with each failure in a row. OTP has none; every newer supervisor does."""

from __future__ import annotations

from dataclasses import dataclass

#: Doublings beyond this are more than any number of seconds that means something.
_MAX_EXPONENT = 64


@dataclass(frozen=True, slots=True)
class Backoff:
    """Seconds. The pause before attempt n (from 0) is ``initial_s * factor ** n``, at most ``max_s``, and up to ``jitter`` more
    by chance, so that many children do not come back at the same moment.

    ``reset_after_s``: a child that was up for so long begins anew; default: the mean of ``initial_s`` and ``max_s`` (Akka's
    rule). ``max_in_a_row``: more failures in a row and the supervisor gives up, whatever its window says.
    """

    initial_s: float
    max_s: float
    factor: float = 2.0
    jitter: float = 0.2
    reset_after_s: float | None = None
    max_in_a_row: int | None = None

    @property
    def quiet_s(self) -> float:
        return self.reset_after_s if self.reset_after_s is not None else (self.initial_s + self.max_s) / 2

    def pause_s(self, failures: int, chance: float = 0.0) -> float:
        """After ``failures`` earlier failures in a row; ``chance`` from 0 to 1."""
        grown = self.initial_s * self.factor ** min(failures, _MAX_EXPONENT)
        return min(grown, self.max_s) * (1 + self.jitter * chance)

    def fault(self, max_restarts: int, period_s: float) -> str | None:
        """What makes it unusable under a supervisor with this window; None when it is fine."""
        if not (0 < self.initial_s <= self.max_s and self.factor >= 1 and 0 <= self.jitter <= 1 and self.quiet_s > 0):
            return "needs 0 < initial_s <= max_s, factor >= 1, 0 <= jitter <= 1 and reset_after_s > 0"
        fastest_s = sum(self.pause_s(number) for number in range(max_restarts))
        if self.max_in_a_row is None and fastest_s > period_s:
            return (
                f"{max_restarts + 1} restarts take {fastest_s:g} s with these pauses, so a window of {period_s:g} s is never"
                " full and nothing ever gives up; set max_in_a_row, or a longer period_s"
            )
        return None
