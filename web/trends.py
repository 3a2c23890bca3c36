"""Series for the charts, from the hub's roll-ups: as many points as a chart has room for, nothing where nothing is known.

A range is cut into steps that begin at multiples of the step, so that a point keeps its place while time goes on. The newest
step is not over. Counts are told per minute, levels as averages, durations as percentiles in ms. What is asked for again within
two seconds is not asked of the hub.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol, TypeAlias

from link.client import HubLink
from web.options import WebLimits
from web.single_flight import SingleFlight
from wire import codec
from wire.bodies import TrendRange
from wire.histogram import quantiles
from wire.rollups import SHARES, Rollup, unpack

Number: TypeAlias = "int | float | None"

#: Seconds for which an answer serves everybody.
FRESH_S = 2.0


@dataclass(frozen=True, slots=True)
class Cut:
    """``size``: seconds of the buckets that are read; ``merged``: how many of them make one step."""

    seconds: int
    size: int
    merged: int = 1

    @property
    def step_ms(self) -> int:
        return self.size * self.merged * 1000

    @property
    def points(self) -> int:
        return self.seconds * 1000 // self.step_ms


#: At most 720 points each: more than a chart is wide in pixels helps nobody.
CUTS = {
    TrendRange.QUARTER_HOUR: Cut(900, 10),
    TrendRange.HOUR: Cut(3600, 60),
    TrendRange.SIX_HOURS: Cut(6 * 3600, 60),
    TrendRange.DAY: Cut(24 * 3600, 60, merged=2),
    TrendRange.WEEK: Cut(7 * 86_400, 3600),
    TrendRange.MONTH: Cut(30 * 86_400, 3600),
    TrendRange.QUARTER: Cut(90 * 86_400, 3600, merged=3),
}


class _Step:
    """The buckets of one step, added up."""

    def __init__(self, rollups: Sequence[Rollup]) -> None:
        self.rollups = rollups
        self.samples = sum(one.samples for one in rollups)

    def per_minute(self, count: Callable[[Rollup], int], step_ms: int) -> float:
        return round(sum(map(count, self.rollups)) * 60_000 / step_ms, 4)

    def average(self, summed: Callable[[Rollup], int]) -> float | None:
        return round(sum(map(summed, self.rollups)) / self.samples, 2) if self.samples else None

    def percentiles(self, pairs: Callable[[Rollup], Iterable[tuple[int, int]]]) -> Sequence[int | None]:
        if len(self.rollups) == 1:
            return quantiles(tuple(pairs(self.rollups[0])), SHARES) or (None,) * len(SHARES)
        merged: Counter[int] = Counter()
        for one in self.rollups:
            for bucket, number in pairs(one):
                merged[bucket] += number
        return quantiles(sorted(merged.items()), SHARES) or (None,) * len(SHARES)


def series(
    range_: TrendRange, rollups: Iterable[Rollup], starts: Iterable[tuple[int, str]], now_ms: int
) -> dict[str, Any]:
    """The body of ``GET /api/dashboard/trends``. ``times`` are the beginnings of the steps."""
    cut = CUTS[range_]
    step_ms = cut.step_ms
    newest = now_ms // step_ms * step_ms
    first = newest - (cut.points - 1) * step_ms
    grouped: list[list[Rollup]] = [[] for _ in range(cut.points)]
    for rollup in rollups:
        place = (rollup.start - first) // step_ms
        if 0 <= place < cut.points:
            grouped[place].append(rollup)
    columns: dict[str, list[Number]] = {name: [] for name in NAMES}
    for found in grouped:
        for name, value in zip(NAMES, _values(_Step(found), step_ms), strict=True):
            columns[name].append(value)
    return {
        "range": range_.value,
        "step_s": step_ms // 1000,
        "now": now_ms,
        "partial_since": newest,
        "restarts": [{"at": at, "boot_id": boot_id} for at, boot_id in starts if at >= first],
        "times": [first + place * step_ms for place in range(cut.points)],
        "series": columns,
    }


#: The series, and the columns of the CSV.
NAMES = (
    *("submitted_per_min", "completed_per_min", "failed_per_min", "dead_per_min", "tokens_per_min"),
    *("queued", "queued_max", "working", "agents_online", "dead_letters"),
    *("wait_p50_ms", "wait_p95_ms", "wait_p99_ms", "run_p50_ms", "run_p95_ms", "run_p99_ms"),
)


def _values(step: _Step, step_ms: int) -> Sequence[Number]:
    """In the order of ``NAMES``; all None for a step in which the hub was not there."""
    if not step.rollups:
        return (None,) * len(NAMES)
    return (
        step.per_minute(lambda one: one.submitted, step_ms),
        step.per_minute(lambda one: one.completed, step_ms),
        step.per_minute(lambda one: one.failed, step_ms),
        step.per_minute(lambda one: one.dead, step_ms),
        step.per_minute(lambda one: one.tokens, step_ms),
        step.average(lambda one: one.queued_sum),
        max(one.queued_max for one in step.rollups) if step.samples else None,
        step.average(lambda one: one.working_sum),
        step.average(lambda one: one.online_sum),
        step.average(lambda one: one.buried_sum),
        *step.percentiles(lambda one: one.wait),
        *step.percentiles(lambda one: one.run),
    )


def as_csv(found: dict[str, Any]) -> str:
    """One line for each step, with its beginning in UTC; empty where nothing is known. The newest step is not over."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(("time", *NAMES))
    for place, time_ms in enumerate(found["times"]):
        time = datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        lines.writerow((time, *(_cell(found["series"][name][place]) for name in NAMES)))
    return text.getvalue()


def _cell(value: Number) -> str:
    """As the page writes it: a whole number without a point."""
    return "" if value is None else f"{value:.15g}"


@dataclass(frozen=True, slots=True)
class Known:
    """``json`` is ``found``, encoded once for everybody who asks."""

    read_at: float
    found: dict[str, Any]
    json: bytes


class Clock(Protocol):
    def time(self) -> float: ...


class TrendsReader:
    """Asks the hub for each range at most once in ``FRESH_S``, however many charts there are."""

    def __init__(self, link: HubLink, limits: WebLimits, clock: Clock, now_ms: Callable[[], int]) -> None:
        self._link = link
        self._limits = limits
        self._clock = clock
        self._now_ms = now_ms
        self._known: dict[TrendRange, Known] = {}
        self._flights = {one: SingleFlight(partial(self._ask, one)) for one in TrendRange}

    async def read(self, range_: TrendRange) -> Known:
        """Raises ``HubUnavailable`` or ``HubRefused``."""
        known = self._known.get(range_)
        if known is None or not self._link.is_up or self._clock.time() - known.read_at >= FRESH_S:
            known = await self._flights[range_].shared()
        return known

    async def _ask(self, range_: TrendRange) -> Known:
        cut, now_ms = CUTS[range_], self._now_ms()
        since = now_ms - cut.seconds * 1000 - cut.step_ms
        answer = await self._link.call("dashboard.trends", self._limits.call_timeout_s, size=cut.size, since=since)
        found = series(range_, map(unpack, answer["packed"]), answer["starts"], now_ms)
        self._known[range_] = Known(self._clock.time(), found, codec.encode(found))
        return self._known[range_]
