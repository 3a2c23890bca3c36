"""Health: four conditions over what the dashboard knows, each with a threshold to fire and a calmer one to clear.

    agent_offline   warning    an agent left without a goodbye and has not returned
    queue_growing   warning    the queue was deeper at each of three checks in a row
    failure_rate    critical   more than half of the attempts of the last hour failed
    stuck_tasks     warning    assigned tasks without a sign of work for five minutes

The ids are stable: page, JSON route, metrics and command line show the same. Health is critical when one condition is,
else a warning when there is one, else ok. Pure: both clocks are arguments (``Moment``). Whoever owns a ``HealthModel``
tells it what happened and asks it every second or so, which is the precision of ``since``.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

from actors.rolling import HourTotals
from actors.vocabulary.dashboard import Condition, Health

OK = "ok"
WARNING = "warning"
CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Moment:
    """Now, on both clocks: decisions use ``monotonic_s``, ``unix_ms`` is for display."""

    monotonic_s: float
    unix_ms: int

    def unix_ms_at(self, monotonic_s: float) -> int:
        """The wall-clock time of another point of the monotonic clock."""
        return self.unix_ms - round((self.monotonic_s - monotonic_s) * 1000)


@dataclass(frozen=True, slots=True)
class HealthOptions:
    """Thresholds: unit in the name, reason beside it."""

    offline_shown_s: float = 3600.0
    """After an hour a lost agent is a decision that somebody took, not news; its tasks went back long before."""

    offline_grace_s: float = 30.0
    """After a start: agents reconnect within seconds, the slowest after a back-off of half a minute."""

    queue_check_s: float = 60.0
    """Between two looks at the depth: longer than a burst of submissions, shorter than an operator's patience."""

    queue_rising_checks: int = 3
    """Checks in a row, each deeper than the one before: two points are no trend."""

    queue_calm_checks: int = 3
    """Checks in a row that are not deeper, to clear: one steady check within a rise says nothing."""

    queue_min_depth: int = 10
    """Tasks at the last check: 0 -> 1 -> 2 rises too, and nobody needs to know."""

    failure_fires_above: float = 0.5
    """Share of the finished attempts of the last hour; exactly half is fine."""

    failure_clears_below: float = 0.4
    """Share; apart from the firing one, so that a rate near a half does not flap."""

    failure_min_finished: int = 10
    """Attempts, to fire: one failure out of one is not a rate."""

    failure_keep_finished: int = 5
    """Attempts, to stay: with fewer left in the window the share says nothing any more."""

    stuck_after_s: float = 300.0
    """Without accept or progress: the dashboard contract's five minutes."""

    names_shown: int = 5
    """Ids in a sentence; the number of all is in it as well."""


@dataclass(frozen=True, slots=True)
class _Missing:
    name: str
    gone: Moment
    shown_from_s: float


class OfflineAgents:
    """Agents that somebody should miss. One that said goodbye is not among them."""

    def __init__(self, options: HealthOptions) -> None:
        self._options = options
        self._missing: dict[str, _Missing] = {}

    def left(self, agent_id: str, name: str, *, clean: bool, now: Moment) -> None:
        if clean:
            self._missing.pop(agent_id, None)
        else:
            self._missing[agent_id] = _Missing(name, now, now.monotonic_s)

    def expect(self, agent_id: str, name: str, *, gone: Moment, shown_from_s: float) -> None:
        """Known from before this start and not seen since: missed from ``shown_from_s`` on unless it returns."""
        self._missing[agent_id] = _Missing(name, gone, shown_from_s)

    def returned(self, agent_id: str) -> None:
        self._missing.pop(agent_id, None)

    def forget(self, agent_id: str) -> str | None:
        """An operator does not wait for it any longer; its name, or None when it was not missing."""
        missing = self._missing.pop(agent_id, None)
        return None if missing is None else missing.name

    def condition(self, now: Moment) -> Condition | None:
        self._forget_long_gone(now)
        shown = [(agent_id, one) for agent_id, one in self._missing.items() if one.shown_from_s <= now.monotonic_s]
        if not shown:
            return None
        number = _counted(len(shown), "agent")
        some = _some(sorted(agent_id for agent_id, _ in shown), self._options.names_shown)
        since = min(one.gone.unix_ms for _, one in shown)
        return Condition("agent_offline", WARNING, f"Agent offline: {some} ({number} left without a goodbye)", since)

    def _forget_long_gone(self, now: Moment) -> None:
        horizon_s = now.monotonic_s - self._options.offline_shown_s
        for agent_id in [agent_id for agent_id, one in self._missing.items() if one.gone.monotonic_s <= horizon_s]:
            del self._missing[agent_id]


class QueueGrowth:
    """Samples the number of queued tasks; a rise must last, be of some size, and end for good."""

    def __init__(self, options: HealthOptions) -> None:
        self._options = options
        self._samples: deque[int] = deque(maxlen=options.queue_rising_checks)
        self._due_s = float("-inf")
        self._rise: tuple[int, ...] = ()
        self._calm = 0
        self._since = 0

    def observe(self, depth: int, now: Moment) -> None:
        """Call often; takes a sample when one is due, and returns at once otherwise."""
        if now.monotonic_s < self._due_s:
            return
        self._due_s = now.monotonic_s + self._options.queue_check_s
        self._calm = 0 if self._samples and depth > self._samples[-1] else self._calm + 1
        self._samples.append(depth)
        if self._is_rising():
            self._since = self._since if self._rise else now.unix_ms
            self._rise = tuple(self._samples)
        elif self._calm >= self._options.queue_calm_checks:
            self._rise = ()

    def _is_rising(self) -> bool:
        samples = tuple(self._samples)
        long_enough = len(samples) == self._options.queue_rising_checks
        rising = all(earlier < later for earlier, later in pairwise(samples))
        return long_enough and rising and samples[-1] >= self._options.queue_min_depth

    def condition(self) -> Condition | None:
        if not self._rise:
            return None
        depths = " -> ".join(str(depth) for depth in self._rise)
        checks = f"at {len(self._rise)} checks {self._options.queue_check_s:.0f} s apart"
        last = self._samples[-1]
        now = "" if last == self._rise[-1] else f", {last} at the latest"
        return Condition("queue_growing", WARNING, f"Queue growing: {depths} tasks {checks}{now}", self._since)


class FailureRate:
    """The share of failures among the attempts that finished within the rolling hour."""

    def __init__(self, options: HealthOptions) -> None:
        self._options = options
        self._since: int | None = None

    def condition(self, hour: HourTotals, now: Moment) -> Condition | None:
        if self._since is None:
            self._since = now.unix_ms if self._fires(hour) else None
        elif self._clears(hour):
            self._since = None
        if self._since is None:
            return None
        share = f"{hour.failed / hour.finished:.0%}"
        message = f"High failure rate: {hour.failed}/{hour.finished} attempts failed in the last hour ({share})"
        return Condition("failure_rate", CRITICAL, message, self._since)

    def _fires(self, hour: HourTotals) -> bool:
        limit = self._options.failure_fires_above * hour.finished
        return hour.finished >= self._options.failure_min_finished and hour.failed > limit

    def _clears(self, hour: HourTotals) -> bool:
        limit = self._options.failure_clears_below * hour.finished
        return hour.finished < max(self._options.failure_keep_finished, 1) or hour.failed < limit


class StuckTasks:
    """Assigned tasks by their last sign of work. Each costs O(1) for each event, however many are assigned or stuck."""

    def __init__(self, options: HealthOptions) -> None:
        self._options = options
        # OrderedDict and not dict: taking the oldest out again and again is O(1) only there.
        self._working: OrderedDict[str, float] = OrderedDict()
        """Task id -> monotonic seconds of the last sign of work, oldest first."""
        self._stuck: OrderedDict[str, int] = OrderedDict()
        """Task id -> Unix ms at which it became stuck, oldest first."""

    def working(self, task_id: str, now_s: float) -> None:
        """It was assigned, accepted, or reported progress. ``now_s`` must not go back between calls."""
        self._stuck.pop(task_id, None)
        self._working[task_id] = now_s
        self._working.move_to_end(task_id)

    def released(self, task_id: str) -> None:
        self._working.pop(task_id, None)
        self._stuck.pop(task_id, None)

    def condition(self, now: Moment) -> Condition | None:
        self._move_stuck(now)
        if not self._stuck:
            return None
        shown = list(islice(self._stuck, self._options.names_shown))
        some = _some(shown, self._options.names_shown, total=len(self._stuck))
        number = _counted(len(self._stuck), "assigned task")
        silence = f"no accept or progress for over {self._options.stuck_after_s:.0f} s"
        since = self._stuck[shown[0]]
        return Condition("stuck_tasks", WARNING, f"Stuck tasks: {some} ({number}, {silence})", since)

    def _move_stuck(self, now: Moment) -> None:
        while self._working:
            task_id, last_s = next(iter(self._working.items()))
            if now.monotonic_s - last_s <= self._options.stuck_after_s:
                return
            del self._working[task_id]
            self._stuck[task_id] = now.unix_ms_at(last_s + self._options.stuck_after_s)


class HealthModel:
    """All four. The parts are told what happened; ``evaluate`` says what it means."""

    def __init__(self, options: HealthOptions | None = None) -> None:
        self.options = options or HealthOptions()
        self.agents = OfflineAgents(self.options)
        self.queue = QueueGrowth(self.options)
        self.failures = FailureRate(self.options)
        self.tasks = StuckTasks(self.options)

    def evaluate(self, hour: HourTotals, now: Moment) -> Health:
        """Conditions in their documented order, critical ones first: the pages of the protocol show only the first."""
        found = (
            self.agents.condition(now),
            self.queue.condition(),
            self.failures.condition(hour, now),
            self.tasks.condition(now),
        )
        conditions = sorted((one for one in found if one is not None), key=lambda one: one.severity != CRITICAL)
        return Health(conditions[0].severity if conditions else OK, tuple(conditions))


def _some(names: Sequence[str], limit: int, total: int | None = None) -> str:
    """The first ``limit`` names, and how many more there are."""
    more = (len(names) if total is None else total) - limit
    listed = ", ".join(names[:limit])
    return f"{listed} and {more} more" if more > 0 else listed


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
