"""Health: one model behind the page, the JSON route, the metrics and the command line.

    no_agents         critical   nobody is online although work waits or somebody is missing
    failure_rate      critical   more than half of the attempts of the last hour failed
    storage           critical   less than 5 % of the disk is free, or new tasks are refused for want of it
    agent_offline     warning    an agent left without a goodbye a minute ago and has not returned
    queue_growing     warning    the queue was deeper at each of three checks in a row and needs more than ten minutes
    stuck_tasks       warning    assigned tasks without a sign of work for five minutes
    oldest_wait       warning    the oldest task of a lane waits for longer than the lane's target
    dead_letters_new  warning    a kind of failure among the dead letters that nobody has acknowledged
    rejected_input    warning    more than 50 invalid messages within an hour
    webhook_disabled  warning    somebody who should be told is not told any more, because every attempt failed

The ids are stable. Health is critical when one condition is, else a warning when there is one, else ok. Whoever
acknowledges a condition says that somebody looks after it: it stays in the list with that name, and does not ask for attention
again before it has cleared and fired anew. Pure: whoever owns a ``HealthModel`` tells its rules what happened and asks it every
second or so, which is the precision of ``since``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from actors.health_rules import (
    Facts,
    FailureRate,
    HealthOptions,
    Moment,
    NewFailures,
    NoAgents,
    OfflineAgents,
    OldestWait,
    QueueGrowth,
    RejectedInput,
    StorageSpace,
    StuckTasks,
    disabled_webhooks,
)
from actors.vocabulary.dashboard import Acknowledged, Condition, Health
from wire.conditions import CONDITIONS, CRITICAL, OK, WARNING

__all__ = ["CRITICAL", "OK", "WARNING", "Facts", "HealthModel", "HealthOptions", "Moment"]

#: Seconds after a start within which a condition that was there before is the same one: the slowest rule needs five minutes
#: to see again what it saw before.
REMEMBERED_S = 600.0


@dataclass(frozen=True, slots=True)
class _Active:
    since: int
    acknowledged: Acknowledged | None = None


class _Memory(msgspec.Struct, frozen=True):
    conditions: dict[str, _Active]
    seen_failures: list[str]


class HealthModel:
    """The parts are told what happened; ``evaluate`` says what it means."""

    def __init__(self, options: HealthOptions | None = None, started_s: float = 0.0) -> None:
        """``started_s``: when the hub was started, on the monotonic clock."""
        self.options = options or HealthOptions()
        self._started_s = started_s
        self.agents = OfflineAgents(self.options)
        self.none_online = NoAgents(self.options, started_s)
        self.queue = QueueGrowth(self.options)
        self.failures = FailureRate(self.options)
        self.tasks = StuckTasks(self.options)
        self.waits = OldestWait(self.options)
        self.storage = StorageSpace(self.options)
        self.dead = NewFailures(self.options)
        self.rejected = RejectedInput(self.options)
        self._active: dict[str, _Active] = {}
        self._earlier: dict[str, _Active] = {}
        """From before this start."""

    def evaluate(self, facts: Facts, now: Moment) -> Health:
        """Conditions in their documented order, critical ones first: the pages of the protocol show only the first."""
        found = (
            self.none_online.condition(facts, len(self.agents), now),
            self.failures.condition(facts.hour, now),
            self.storage.condition(facts, now),
            self.agents.condition(now),
            self.queue.condition(),
            self.tasks.condition(now),
            self.waits.condition(facts, now),
            self.dead.condition(facts),
            self.rejected.condition(now),
            disabled_webhooks(facts, self.options.names_shown),
        )
        conditions = self._known([one for one in found if one is not None], now)
        open_ones = [one for one in conditions if one.acknowledged is None]
        return Health(_worst(conditions), conditions, _worst(open_ones))

    def _known(self, found: list[Condition], now: Moment) -> tuple[Condition, ...]:
        """With what is remembered of each: since when it is there, and who looks after it."""
        if now.monotonic_s > self._started_s + REMEMBERED_S:
            self._earlier = {}
        active: dict[str, _Active] = {}
        for one in found:
            known = self._active.get(one.id) or self._earlier.get(one.id)
            active[one.id] = _Active(min(one.since, known.since), known.acknowledged) if known else _Active(one.since)
            self._earlier.pop(one.id, None)
        self._active = active
        return tuple(
            replace(one, since=active[one.id].since, acknowledged=active[one.id].acknowledged) for one in found
        )

    def acknowledge(self, condition_id: str, by: Acknowledged) -> bool:
        """False: it is not there. The caller evaluates first."""
        known = self._active.get(condition_id)
        if known is None:
            return False
        if condition_id == "dead_letters_new":  # its cause is that nobody had looked
            self.dead.acknowledge()
            del self._active[condition_id]
        else:
            self._active[condition_id] = _Active(known.since, by)
        return True

    # --- what outlives the process ----------------------------------------------------------------------------------

    def memory(self) -> Any:
        """As JSON. Changes only when a condition comes, goes, or is acknowledged."""
        return msgspec.to_builtins(_Memory({**self._earlier, **self._active}, self.dead.seen()))

    def restore(self, memory: object) -> None:
        """What ``memory`` gave before; anything else is nothing."""
        try:
            known = msgspec.convert(memory, _Memory)
        except msgspec.ValidationError:
            return
        self._earlier = {id_: one for id_, one in known.conditions.items() if id_ in CONDITIONS}
        self.dead.restore(known.seen_failures)


def _worst(conditions: Sequence[Condition]) -> str:
    if any(one.severity == CRITICAL for one in conditions):
        return CRITICAL
    return WARNING if conditions else OK
