"""The rules of health: each is told what happened, and says whether its condition is there.

A rule fires at one threshold and clears at a calmer one, so that a figure near either does not make it come and go. Pure: both
clocks are arguments (``Moment``). Decisions use the monotonic clock; ``since`` is for display.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise

from actors.fingerprint import shape_of
from actors.rolling import HourTotals
from actors.vocabulary.dashboard import Condition
from actors.vocabulary.tasks import Priority
from wire.conditions import CRITICAL, WARNING
from wire.rollups import LANES


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

    start_grace_s: float = 30.0
    """After a start: agents reconnect within seconds, the slowest after a back-off of half a minute."""

    no_agents_after_s: float = 10.0
    """A web process that is killed takes its agents with it; they are back within seconds."""

    offline_after_s: float = 60.0
    """An agent that is back within a minute was not missed by anybody."""

    offline_shown_s: float = 3600.0
    """After an hour a lost agent is a decision that somebody took, not news; its tasks went back long before."""

    queue_check_s: float = 60.0
    """Between two looks at the depth: longer than a burst of submissions, shorter than an operator's patience."""

    queue_rising_checks: int = 3
    """Checks in a row, each deeper than the one before: two points are no trend."""

    queue_calm_checks: int = 3
    """Checks in a row that are not deeper, to clear: one steady check within a rise says nothing."""

    queue_min_depth: int = 10
    """Tasks at the last check: 0 -> 1 -> 2 rises too, and nobody needs to know."""

    queue_drain_s: float = 600.0
    """A queue that is worked off within ten minutes may grow."""

    wait_targets_s: tuple[float, ...] = (60.0, 300.0, 900.0, 3600.0)
    """By lane, urgent first: how long its oldest task may wait for an agent."""

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

    disk_fires_below: float = 0.05
    """Share of the disk that is free."""

    disk_clears_above: float = 0.06
    """Share; a log that is rotated must not make it come and go."""

    rejected_fires_above: int = 50
    """Invalid messages of the last hour: one program that does not speak the protocol sends them by the dozen."""

    rejected_clears_below: int = 25

    names_shown: int = 5
    """Ids in a sentence; the number of all is in it as well."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules look at besides what they were told."""

    hour: HourTotals = field(default_factory=HourTotals)
    online: int = 0
    queued: int = 0
    buried: int = 0
    oldest: tuple[int | None, ...] = (None,) * LANES
    """By lane: Unix ms since when its oldest task waits."""
    disk_free: int = 0
    disk_size: int = 0
    """Bytes; 0 while unknown."""
    no_space: str | None = None
    """Why new tasks are refused for want of disk."""
    disabled_webhooks: tuple[tuple[str, int], ...] = ()
    """(what people call it, Unix ms since when)."""


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

    def __len__(self) -> int:
        return len(self._missing)

    def left(self, agent_id: str, name: str, *, clean: bool, now: Moment) -> None:
        if clean:
            self._missing.pop(agent_id, None)
        else:
            self.expect(agent_id, name, gone=now, shown_from_s=now.monotonic_s)

    def expect(self, agent_id: str, name: str, *, gone: Moment, shown_from_s: float) -> None:
        """Not seen since ``gone``: missed from ``shown_from_s`` on, and not before a minute, unless it returns."""
        shown_from_s = max(shown_from_s, gone.monotonic_s + self._options.offline_after_s)
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
        message = f"Agent offline: {some} ({number} left without a goodbye)"
        return Condition("agent_offline", WARNING, message, since, len(shown))

    def _forget_long_gone(self, now: Moment) -> None:
        horizon_s = now.monotonic_s - self._options.offline_shown_s
        for agent_id in [agent_id for agent_id, one in self._missing.items() if one.gone.monotonic_s <= horizon_s]:
            del self._missing[agent_id]


class NoAgents:
    """Work waits, or somebody is missing, and nobody at all is there."""

    def __init__(self, options: HealthOptions, started_s: float) -> None:
        self._options = options
        self._from_s = started_s + options.start_grace_s
        self._alone: Moment | None = None

    def condition(self, facts: Facts, missing: int, now: Moment) -> Condition | None:
        if facts.online or not (missing or facts.queued):
            self._alone = None
            return None
        if self._alone is None:
            self._alone = now
        since_s = self._alone.monotonic_s
        if now.monotonic_s < max(self._from_s, since_s + self._options.no_agents_after_s):
            return None
        waiting = f"{facts.queued} task waits" if facts.queued == 1 else f"{facts.queued} tasks wait"
        gone = f", {_counted(missing, 'agent')} left without a goodbye" if missing else ""
        message = f"No agents: none is online, {waiting}{gone}"
        return Condition("no_agents", CRITICAL, message, self._alone.unix_ms, facts.queued)


class QueueGrowth:
    """Samples the number of queued tasks; a rise must last, be of some size, not be worked off soon, and end for good."""

    def __init__(self, options: HealthOptions) -> None:
        self._options = options
        self._samples: deque[int] = deque(maxlen=options.queue_rising_checks)
        self._due_s = float("-inf")
        self._rise: tuple[int, ...] = ()
        self._calm = 0
        self._since = 0

    def observe(self, depth: int, now: Moment, drain_s: float | None = None) -> None:
        """Call often; takes a sample when one is due, and returns at once otherwise. ``drain_s`` None: nothing leaves."""
        if now.monotonic_s < self._due_s:
            return
        self._due_s = now.monotonic_s + self._options.queue_check_s
        self._calm = 0 if self._samples and depth > self._samples[-1] else self._calm + 1
        self._samples.append(depth)
        if self._is_rising(drain_s):
            self._since = self._since if self._rise else now.unix_ms
            self._rise = tuple(self._samples)
        elif self._calm >= self._options.queue_calm_checks:
            self._rise = ()

    def _is_rising(self, drain_s: float | None) -> bool:
        samples = tuple(self._samples)
        long_enough = len(samples) == self._options.queue_rising_checks
        rising = all(earlier < later for earlier, later in pairwise(samples))
        is_slow = drain_s is None or drain_s > self._options.queue_drain_s
        return long_enough and rising and is_slow and samples[-1] >= self._options.queue_min_depth

    def condition(self) -> Condition | None:
        if not self._rise:
            return None
        depths = " -> ".join(str(depth) for depth in self._rise)
        checks = f"at {len(self._rise)} checks {self._options.queue_check_s:.0f} s apart"
        last = self._samples[-1]
        now = "" if last == self._rise[-1] else f", {last} at the latest"
        message = f"Queue growing: {depths} tasks {checks}{now}"
        return Condition("queue_growing", WARNING, message, self._since, last)


class OldestWait:
    """The oldest task of a lane waits for longer than the lane's target."""

    def __init__(self, options: HealthOptions) -> None:
        self._targets_s = options.wait_targets_s
        self._since: int | None = None

    def condition(self, facts: Facts, now: Moment) -> Condition | None:
        late = [
            f"{lane.name.lower()} {_span(wait_s)} (target {_span(target_s)})"
            for lane, target_s, since in zip(Priority, self._targets_s, facts.oldest, strict=True)
            if since is not None and (wait_s := (now.unix_ms - since) / 1000) > target_s
        ]
        if not late:
            self._since = None
            return None
        if self._since is None:
            self._since = now.unix_ms
        return Condition("oldest_wait", WARNING, f"Waiting too long: {', '.join(late)}", self._since, len(late))


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
        return Condition("failure_rate", CRITICAL, message, self._since, hour.failed)

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
        message = f"Stuck tasks: {some} ({number}, {silence})"
        return Condition("stuck_tasks", WARNING, message, since, len(self._stuck))

    def _move_stuck(self, now: Moment) -> None:
        while self._working:
            task_id, last_s = next(iter(self._working.items()))
            if now.monotonic_s - last_s <= self._options.stuck_after_s:
                return
            del self._working[task_id]
            self._stuck[task_id] = now.unix_ms_at(last_s + self._options.stuck_after_s)


class StorageSpace:
    """The disk of the database nears its end. A write that fails ends the hub, so there is no condition for it."""

    def __init__(self, options: HealthOptions) -> None:
        self._options = options
        self._since: int | None = None

    def condition(self, facts: Facts, now: Moment) -> Condition | None:
        share = facts.disk_free / facts.disk_size if facts.disk_size else 1.0
        limit = self._options.disk_fires_below if self._since is None else self._options.disk_clears_above
        if share >= limit and facts.no_space is None:
            self._since = None
            return None
        if self._since is None:
            self._since = now.unix_ms
        free = f"{facts.disk_free / 2**30:.1f} GiB ({share:.0%}) of the disk are free"
        refused = "; new tasks are refused" if facts.no_space is not None else ""
        return Condition("storage", CRITICAL, f"Storage: {free}{refused}", self._since, 1)


@dataclass(slots=True)
class _NewKind:
    since: int
    tasks: int = 1


class NewFailures:
    """Kinds of failures among the dead letters that nobody has acknowledged yet."""

    #: Kinds that are remembered as seen, and that may be new at once; beyond it the oldest is forgotten.
    KINDS_KEPT = 200

    def __init__(self, options: HealthOptions) -> None:
        self._options = options
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._new: OrderedDict[str, _NewKind] = OrderedDict()
        self._mutes: dict[str, tuple[int, int]] = {}
        """Kind -> (at, until) in Unix ms, of those that somebody looks after, or did."""
        self._quiet: OrderedDict[str, _NewKind] = OrderedDict()
        """What died of them meanwhile."""

    def buried(self, error: str | None, at: int) -> None:
        """A task became a dead letter."""
        kind = shape_of(error)
        muted_at, until = self._mutes.get(kind, (0, 0))
        if at <= until:
            if at > muted_at:
                self._count(self._quiet, kind, at)
            return
        if kind in self._seen:
            self._seen.move_to_end(kind)
        else:
            self._count(self._new, kind, at)

    def _count(self, kinds: OrderedDict[str, _NewKind], kind: str, at: int) -> None:
        if kind in kinds:
            kinds[kind].tasks += 1
            return
        kinds[kind] = _NewKind(at)
        if len(kinds) > self.KINDS_KEPT:
            kinds.popitem(last=False)

    def set_mutes(self, mutes: Iterable[tuple[str, int, int]], now_ms: int) -> None:
        """(kind, at, until) of all there are. A new one takes its kind out of what asks for attention; after its time the kind is
        like one that was never seen. One that is gone before its time had grown too much, or was taken back: then what came
        meanwhile is news."""
        before, self._mutes = self._mutes, {}
        for kind, at, until in mutes:
            if until >= self._mutes.get(kind, (0, 0))[1]:  # two groups of one text: the longer one
                self._mutes[kind] = (at, until)
        for kind, (at, until) in self._mutes.items():
            if until > now_ms and before.get(kind, (0, 0))[0] != at:
                self._new.pop(kind, None)
                self._seen.pop(kind, None)
        for kind, (_, until) in before.items():
            if kind not in self._mutes and until > now_ms and kind in self._quiet:
                self._new[kind] = self._quiet.pop(kind)
        for kind in [kind for kind in self._quiet if self._mutes.get(kind, (0, 0))[1] <= now_ms]:
            del self._quiet[kind]

    def seen(self) -> list[str]:
        return list(self._seen)

    def restore(self, seen: Iterable[str]) -> None:
        self._see(seen)

    def acknowledge(self) -> None:
        self._see(self._new)
        self._new.clear()

    def _see(self, kinds: Iterable[str]) -> None:
        for kind in kinds:
            self._seen[kind] = None
        while len(self._seen) > self.KINDS_KEPT:
            self._seen.popitem(last=False)

    def condition(self, facts: Facts) -> Condition | None:
        if not facts.buried:  # all of them were retried or discarded: there is nothing left to look at
            self._new.clear()
        if not self._new:
            return None
        first = next(iter(self._new.values()))
        number = _counted(len(self._new), "new kind")
        tasks = _counted(sum(one.tasks for one in self._new.values()), "task")
        message = f"New dead letters: {number} of failure, {tasks}"  # no text of a task: health is told to others
        return Condition("dead_letters_new", WARNING, message, first.since, len(self._new))


class RejectedInput:
    """Invalid messages of agents and clients within the last hour, counted by the web processes."""

    _MINUTE_S = 60.0
    _MINUTES = 60

    def __init__(self, options: HealthOptions) -> None:
        self._options = options
        self._minutes: deque[tuple[int, int]] = deque()
        """(minute of the monotonic clock, messages)."""
        self._sum = 0
        self._since: int | None = None

    def add(self, messages: int, now: Moment) -> None:
        minute = int(now.monotonic_s // self._MINUTE_S)
        earlier = self._minutes.pop()[1] if self._minutes and self._minutes[-1][0] == minute else 0
        self._minutes.append((minute, earlier + messages))
        self._sum += messages

    def in_hour(self, now: Moment) -> int:
        oldest = int(now.monotonic_s // self._MINUTE_S) - self._MINUTES
        while self._minutes and self._minutes[0][0] < oldest:
            self._sum -= self._minutes.popleft()[1]
        return self._sum

    def condition(self, now: Moment) -> Condition | None:
        number = self.in_hour(now)
        if self._since is None:
            self._since = now.unix_ms if number > self._options.rejected_fires_above else None
        elif number < self._options.rejected_clears_below:
            self._since = None
        if self._since is None:
            return None
        message = f"Rejected input: {number} invalid messages of agents and clients in the last hour"
        return Condition("rejected_input", WARNING, message, self._since, number)


def disabled_webhooks(facts: Facts, names_shown: int) -> Condition | None:
    """Whoever relies on being told must hear of it somewhere else."""
    if not facts.disabled_webhooks:
        return None
    number = _counted(len(facts.disabled_webhooks), "webhook")
    some = _some([name for name, _ in facts.disabled_webhooks], names_shown)
    since = min(at for _, at in facts.disabled_webhooks)
    message = f"Webhooks disabled: {some} ({number} failed until given up; mend, then enable under settings)"
    return Condition("webhook_disabled", WARNING, message, since, len(facts.disabled_webhooks))


def _some(names: Sequence[str], limit: int, total: int | None = None) -> str:
    """The first ``limit`` names, and how many more there are."""
    more = (len(names) if total is None else total) - limit
    listed = ", ".join(names[:limit])
    return f"{listed} and {more} more" if more > 0 else listed


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _span(seconds: float) -> str:
    """``90 s``, ``12 min``, ``3.5 h``: two digits are enough to be late by."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
