"""What one agent did in the last hour, in slices of five minutes on the monotonic clock, and its last tasks. Pure.

Adding costs the same however much was counted. A fact counts for at least an hour and for less than an hour and five minutes.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

SLICE_S = 300

#: Whole slices of the window.
SLICES = 12

#: Attempts that are kept of each agent; percentiles are those of the completed ones among them.
KEPT = 50

OUTCOMES = ("completed", "failed", "dead_letter", "reclaimed", "cancelled")

_NUMBERS = {outcome: number for number, outcome in enumerate(OUTCOMES)}

_FIELDS = 4


@dataclass(slots=True)
class _Slice:
    number: int
    done: int = 0
    failed: int = 0
    busy_s: float = 0.0
    online_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Attempt:
    key: int
    outcome: str
    ended_at: int
    duration_ms: int


@dataclass(frozen=True, slots=True)
class HourOfWork:
    """``busy_s``: seconds of slots at work. ``p50_ms``, ``p95_ms``: None when nothing of what is kept was completed."""

    done: int
    failed: int
    busy_s: float
    online_s: float
    p50_ms: int | None
    p95_ms: int | None


class AgentWork:
    """Times in seconds of the monotonic clock, which must not go back between calls."""

    __slots__ = ("_last", "_slices")

    def __init__(self) -> None:
        self._slices: deque[_Slice] = deque()
        self._last = array("q")

    def ended(self, key: int, outcome: str, ended_at: int, began_s: float, now_s: float, *, failed: bool) -> None:
        """``was_busy`` is told apart: how long a task took is known of the past, how long its agent was there is not."""
        current = self._slice(now_s)
        current.done += outcome == "completed"
        current.failed += failed
        self._last.extend((key, _NUMBERS[outcome], ended_at, int((now_s - began_s) * 1000)))
        if len(self._last) >= 2 * KEPT * _FIELDS:  # now and then, so that it costs nothing each time
            del self._last[: -KEPT * _FIELDS]

    def was_busy(self, began_s: float, now_s: float) -> None:
        current = self._slice(now_s)
        if began_s >= current.number * SLICE_S:  # nearly always, and ten thousand times a second
            current.busy_s += now_s - began_s
            return
        for part, seconds in self._parts(began_s, now_s):
            part.busy_s += seconds

    def was_online(self, began_s: float, now_s: float) -> None:
        for part, seconds in self._parts(began_s, now_s):
            part.online_s += seconds

    def last(self) -> list[Attempt]:
        """Newest first."""
        numbers = self._last[-KEPT * _FIELDS :]
        rows = (numbers[at : at + _FIELDS] for at in range(len(numbers) - _FIELDS, -1, -_FIELDS))
        return [Attempt(key, OUTCOMES[outcome], ended_at, ms) for key, outcome, ended_at, ms in rows]

    def hour(self, now_s: float) -> HourOfWork:
        self._forget(now_s)
        durations = sorted(self._completed_ms())
        return HourOfWork(
            sum(one.done for one in self._slices),
            sum(one.failed for one in self._slices),
            sum(one.busy_s for one in self._slices),
            sum(one.online_s for one in self._slices),
            _percentile(durations, 0.5),
            _percentile(durations, 0.95),
        )

    def _completed_ms(self) -> Iterator[int]:
        numbers = self._last[-KEPT * _FIELDS :]
        return (numbers[at + 3] for at in range(0, len(numbers), _FIELDS) if numbers[at + 1] == 0)

    def _parts(self, began_s: float, now_s: float) -> Iterator[tuple[_Slice, float]]:
        """The slices that a stretch of time touches, with the seconds in each; what is older than the window is left out."""
        self._slice(now_s)
        began_s = max(began_s, window_start(now_s))
        for one in self._slices:
            seconds = min(now_s, (one.number + 1) * SLICE_S) - max(began_s, one.number * SLICE_S)
            if seconds > 0:
                yield one, seconds

    def _slice(self, now_s: float) -> _Slice:
        """The current one; those that nobody asked for meanwhile are made, so that a stretch finds all of its slices."""
        number = int(now_s // SLICE_S)
        if self._slices and self._slices[-1].number >= number:
            return self._slices[-1]
        if not self._slices:
            self._slices.extend(_Slice(one) for one in range(number - SLICES, number + 1))
        while self._slices[-1].number < number:
            self._slices.append(_Slice(max(self._slices[-1].number + 1, number - SLICES)))
        self._forget(now_s)
        return self._slices[-1]

    def _forget(self, now_s: float) -> None:
        oldest = int(now_s // SLICE_S) - SLICES
        while self._slices and self._slices[0].number < oldest:
            self._slices.popleft()


def window_start(now_s: float) -> float:
    return (int(now_s // SLICE_S) - SLICES) * SLICE_S


def _percentile(ordered: list[int], part: float) -> int | None:
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else None
