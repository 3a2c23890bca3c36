"""Counts what flows through the queue, event by event, and makes of it buckets of 10 seconds, a minute and an hour.

``Flow`` is the part that every event passes, so it does nothing but add; ``Trends`` looks at it once a second, when it may
take longer. A bucket is known by the wall clock, for people; how long ago it was is measured by the monotonic clock, so a wall
clock that is set makes a bucket shorter or longer and nothing else. Pure: the time is an argument.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from actors.health import Moment
from actors.vocabulary.events import TaskEvent
from actors.vocabulary.tasks import TaskStatus
from wire import histogram
from wire.histogram import bucket_of
from wire.rollups import KEPT_S, LANES, SHARES, Rollup

#: Seconds of the smallest bucket: what a crash can cost the trends.
FINE_S = 10
MINUTE_S = 60

#: Minutes of a rolling hour.
HOUR_MINUTES = 60

#: Minutes that are kept: the hour, and the one before it for "how much more than an hour ago".
KEPT_MINUTES = 2 * HOUR_MINUTES

#: Whole minutes from which the pace of a lane is taken: fewer make it jump, more make it late.
PACE_MINUTES = 5

#: An hour ago means the minute that is nearest to it, and no further away than this.
NEAR_S = 150.0


class Flow:
    """What happened since the current bucket of ``FINE_S`` began."""

    __slots__ = ("completed", "dead", "failed", "lanes_in", "lanes_out", "run", "submitted", "tokens", "wait")

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.submitted = self.completed = self.failed = self.dead = self.tokens = 0
        self.lanes_in = [0] * LANES
        self.lanes_out = [0] * LANES
        self.wait = histogram.empty()
        self.run = histogram.empty()

    def fold(self, event: TaskEvent) -> None:
        """Take one committed event in; each is to be folded once. The usual ones are looked at first."""
        kind, task = event.event, event.task
        if kind == "task_submitted":
            self.submitted += 1
            self.lanes_in[task.priority] += 1
        elif kind == "task_assigned":
            self.lanes_out[task.priority] += 1
            if task.generation == 1 and task.assigned_at is not None:
                self.wait[bucket_of(task.assigned_at - task.created_at)] += 1
        elif kind == "task_completed":
            self.completed += 1
            self.tokens += task.tokens_used
            if task.assigned_at is not None and task.completed_at is not None:
                self.run[bucket_of(task.completed_at - task.assigned_at)] += 1
        elif event.previous != task.status:
            self._fold_seldom(event)

    def _fold_seldom(self, event: TaskEvent) -> None:
        task = event.task
        if event.failed:
            self.failed += 1
        if task.status == TaskStatus.DEAD_LETTER:
            self.dead += 1
        if task.status == TaskStatus.QUEUED:
            self.lanes_in[task.priority] += 1
        elif event.previous == TaskStatus.QUEUED:
            self.lanes_out[task.priority] += 1


@dataclass(frozen=True, slots=True)
class Levels:
    """What there is at one moment."""

    queued: int
    working: int
    online: int
    buried: int
    """Dead letters."""


class _Open:
    """A bucket that is not over."""

    def __init__(self, start: int, begun_with: Rollup | None = None) -> None:
        """``begun_with``: what was stored of it before this actor was started again."""
        known = begun_with if begun_with is not None and begun_with.start == start else Rollup(start)
        self.start = start
        self.samples = known.samples
        self.submitted, self.completed, self.failed = known.submitted, known.completed, known.failed
        self.dead, self.tokens = known.dead, known.tokens
        self.queued_sum, self.queued_max = known.queued_sum, known.queued_max
        self.working_sum, self.online_sum, self.buried_sum = known.working_sum, known.online_sum, known.buried_sum
        self.lanes_in, self.lanes_out = list(known.lanes_in), list(known.lanes_out)
        self.wait, self.run = histogram.empty(), histogram.empty()
        histogram.add(self.wait, known.wait)
        histogram.add(self.run, known.run)

    def sample(self, levels: Levels) -> None:
        self.samples += 1
        self.queued_sum += levels.queued
        self.queued_max = max(self.queued_max, levels.queued)
        self.working_sum += levels.working
        self.online_sum += levels.online
        self.buried_sum += levels.buried

    def take(self, flow: Flow, wait: histogram.Pairs, run: histogram.Pairs) -> None:
        self.submitted += flow.submitted
        self.completed += flow.completed
        self.failed += flow.failed
        self.dead += flow.dead
        self.tokens += flow.tokens
        self.lanes_in = [a + b for a, b in zip(self.lanes_in, flow.lanes_in, strict=True)]
        self.lanes_out = [a + b for a, b in zip(self.lanes_out, flow.lanes_out, strict=True)]
        histogram.add(self.wait, wait)
        histogram.add(self.run, run)

    def rollup(self) -> Rollup:
        return Rollup(
            start=self.start,
            samples=self.samples,
            submitted=self.submitted,
            completed=self.completed,
            failed=self.failed,
            dead=self.dead,
            tokens=self.tokens,
            queued_sum=self.queued_sum,
            queued_max=self.queued_max,
            working_sum=self.working_sum,
            online_sum=self.online_sum,
            buried_sum=self.buried_sum,
            lanes_in=tuple(self.lanes_in),
            lanes_out=tuple(self.lanes_out),
            wait=histogram.pairs_of(self.wait),
            run=histogram.pairs_of(self.run),
        )


@dataclass(frozen=True, slots=True)
class _Minute:
    rollup: Rollup
    began_s: float
    """Monotonic."""


@dataclass(frozen=True, slots=True)
class LaneFlow:
    """The last 60 minutes, oldest first, the newest one not over; and what leaves in a minute, over the last whole ones."""

    into: tuple[int, ...]
    out: tuple[int, ...]
    out_per_minute: float


@dataclass(frozen=True, slots=True)
class Durations:
    """Percentiles in ms over the rolling hour; None when nothing was counted."""

    count: int
    p50_ms: int | None = None
    p95_ms: int | None = None
    p99_ms: int | None = None


@dataclass(frozen=True, slots=True)
class HourAgo:
    """What the same figures were an hour before; None where nothing is known of it."""

    levels: Levels | None
    completed: int | None
    wait_p95_ms: int | None


@dataclass(frozen=True, slots=True)
class Figures:
    """Made once a second, so that a snapshot need not."""

    lanes: tuple[LaneFlow, ...]
    wait: Durations
    run: Durations
    hour_ago: HourAgo


class Trends:
    """``flow`` is what others fold events into. ``stored``: by size the bucket that was kept last; ``minutes``: the last ones."""

    def __init__(
        self, flow: Flow, now: Moment, stored: Mapping[int, Rollup] | None = None, minutes: Iterable[Rollup] = ()
    ) -> None:
        self._flow = flow
        found = stored or {}
        self._open = {size: _Open(_start_of(size, now), found.get(size)) for size in KEPT_S}
        self._minutes: deque[_Minute] = deque()
        self._minute_began_s = now.monotonic_s
        self._looked_s = now.monotonic_s
        self._wait, self._run = histogram.empty(), histogram.empty()
        """Of the whole minutes of the last hour."""
        self._in_hour: deque[_Minute] = deque()
        self.totals: dict[str, int] = dict.fromkeys(("submitted", "completed", "failed", "dead", "tokens"), 0)
        """Since the hub's observers were started."""
        self.total_wait, self.total_run = histogram.empty(), histogram.empty()
        self._restore(minutes, now)
        self._ago = self._hour_ago(now.monotonic_s)

    def _restore(self, minutes: Iterable[Rollup], now: Moment) -> None:
        current = self._open[MINUTE_S].start
        self._minute_began_s = min(now.monotonic_s, _at(current, now))
        for rollup in sorted(minutes, key=lambda one: one.start):
            if rollup.start < current:
                self._keep_minute(_Minute(rollup, _at(rollup.start, now)))
        self._forget_before(now.monotonic_s)

    # --- once a second ------------------------------------------------------------------------------------------------

    def look(self, levels: Levels, now: Moment) -> tuple[tuple[int, Rollup], ...]:
        """The buckets that are to be stored, with their size: none, or all three after a fine one is over."""
        if now.monotonic_s <= self._looked_s:  # time stands still (``agentcom demo --frozen``), so no second is over
            return ()
        self._looked_s = now.monotonic_s
        done = self._close(now) if self._open[FINE_S].start != _start_of(FINE_S, now) else ()
        for bucket in self._open.values():
            bucket.sample(levels)
        return done

    def stored_now(self) -> tuple[tuple[int, Rollup], ...]:
        """All three as they are: for the last moment before an end."""
        self._pour()
        return tuple((size, bucket.rollup()) for size, bucket in self._open.items())

    def _close(self, now: Moment) -> tuple[tuple[int, Rollup], ...]:
        done = self.stored_now()
        for size, rollup in done:
            start = _start_of(size, now)
            if start == rollup.start:
                continue
            self._open[size] = _Open(start)
            if size == MINUTE_S:
                self._keep_minute(_Minute(rollup, self._minute_began_s))
                self._minute_began_s = now.monotonic_s
                self._ago = self._hour_ago(now.monotonic_s)
        self._forget_before(now.monotonic_s)
        return done

    def _pour(self) -> None:
        """What was folded goes into the open buckets."""
        flow, wait, run = self._flow, histogram.pairs_of(self._flow.wait), histogram.pairs_of(self._flow.run)
        for bucket in self._open.values():
            bucket.take(flow, wait, run)
        for name in self.totals:
            self.totals[name] += getattr(flow, name)
        histogram.add(self.total_wait, wait)
        histogram.add(self.total_run, run)
        flow.clear()

    def _keep_minute(self, minute: _Minute) -> None:
        self._minutes.append(minute)
        self._in_hour.append(minute)
        histogram.add(self._wait, minute.rollup.wait)
        histogram.add(self._run, minute.rollup.run)

    def _forget_before(self, now_s: float) -> None:
        while self._in_hour and self._in_hour[0].began_s <= now_s - HOUR_MINUTES * MINUTE_S:
            gone = self._in_hour.popleft().rollup
            histogram.add(self._wait, gone.wait, -1)
            histogram.add(self._run, gone.run, -1)
        while self._minutes and self._minutes[0].began_s <= now_s - (KEPT_MINUTES + 1) * MINUTE_S:
            self._minutes.popleft()

    # --- what it says -------------------------------------------------------------------------------------------------

    def open_buckets(self) -> dict[int, Rollup]:
        """As they are now, by size."""
        return dict(self.stored_now())

    def figures(self, now: Moment) -> Figures:
        self._pour()
        self._forget_before(now.monotonic_s)
        current = self._open[MINUTE_S]
        return Figures(
            lanes=tuple(self._lane(lane, now.monotonic_s) for lane in range(LANES)),
            wait=_durations(self._wait, current.wait),
            run=_durations(self._run, current.run),
            hour_ago=self._ago,
        )

    def _lane(self, lane: int, now_s: float) -> LaneFlow:
        into, out = [0] * HOUR_MINUTES, [0] * HOUR_MINUTES
        into[-1], out[-1] = self._open[MINUTE_S].lanes_in[lane], self._open[MINUTE_S].lanes_out[lane]
        for minute in self._in_hour:
            place = HOUR_MINUTES - 1 - max(1, round((self._minute_began_s - minute.began_s) / MINUTE_S))
            if place >= 0:
                into[place] += minute.rollup.lanes_in[lane]
                out[place] += minute.rollup.lanes_out[lane]
        return LaneFlow(tuple(into), tuple(out), self._pace(lane, now_s))

    def _pace(self, lane: int, now_s: float) -> float:
        """From what was there: a hub that has just been started has no whole minute yet."""
        earliest_s = now_s - PACE_MINUTES * MINUTE_S
        recent = [one for one in islice(reversed(self._in_hour), PACE_MINUTES) if one.began_s >= earliest_s - MINUTE_S]
        current = self._open[MINUTE_S]
        seconds = sum(one.rollup.samples for one in recent) + current.samples
        left = sum(one.rollup.lanes_out[lane] for one in recent) + current.lanes_out[lane]
        return left * MINUTE_S / seconds if seconds else 0.0

    def _hour_ago(self, now_s: float) -> HourAgo:
        then_s = now_s - HOUR_MINUTES * MINUTE_S
        nearest = min(self._minutes, key=lambda one: abs(one.began_s - then_s), default=None)
        if nearest is None or abs(nearest.began_s - then_s) > NEAR_S or not nearest.rollup.samples:
            return HourAgo(None, None, None)
        then = nearest.rollup
        before = [one.rollup for one in self._minutes if one.began_s <= then_s]
        levels = Levels(
            queued=round(then.queued_sum / then.samples),
            working=round(then.working_sum / then.samples),
            online=round(then.online_sum / then.samples),
            buried=round(then.buried_sum / then.samples),
        )
        wait = histogram.empty()
        for one in before:
            histogram.add(wait, one.wait)
        is_whole = self._minutes[0].began_s <= then_s - (HOUR_MINUTES - 3) * MINUTE_S
        completed = sum(one.completed for one in before) if is_whole else None
        return HourAgo(levels, completed, _durations(wait, ()).p95_ms)


def _durations(whole: Sequence[int], current: Sequence[int]) -> Durations:
    counts = [a + b for a, b in zip(whole, current, strict=True)] if current else whole
    found = histogram.quantiles(histogram.pairs_of(counts), SHARES)
    return Durations(sum(counts), *found) if found is not None else Durations(0)


def _start_of(size: int, now: Moment) -> int:
    return now.unix_ms // (size * 1000) * size * 1000


def _at(unix_ms: int, now: Moment) -> float:
    """On the monotonic clock."""
    return now.monotonic_s - (now.unix_ms - unix_ms) / 1000
