"""What ``agentcom top`` knows: the last snapshot, how fresh it is, and what the person at the keys chose. No I/O, no drawing.

Every number comes from a snapshot of the hub and never from counting events, so it cannot drift from what the hub says. ``now_s``
is any monotonic clock.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum

from agentcom.client import Json

#: Seconds without a word after which what is shown counts as old: a snapshot is asked for at least every ``feed.IDLE_S``.
STALE_S = 12.0

#: Rates are averages over this time, in seconds, and are shown once this part of it has been seen.
RATE_WINDOW_S = 60.0
RATE_LEAST_S = 5.0


class Connection(StrEnum):
    CONNECTING = "connecting"
    LIVE = "live"
    STALE = "stale"
    HUB_AWAY = "hub away"
    LOST = "disconnected"


class Sort(StrEnum):
    """Of the agents; the key ``s`` goes to the next one."""

    STATE = "state"
    NAME = "name"
    AGE = "time in state"


#: Who needs help comes first.
_STATE_ORDER = ("blocked", "offline", "assigned", "working", "idle")


@dataclass(frozen=True, slots=True)
class Rates:
    """Tasks a minute; None until enough was seen."""

    submitted: float | None
    completed: float | None


@dataclass(slots=True)
class View:
    snapshot: Json = None
    """As in ``GET /api/dashboard/state``; None before the first."""
    sort: Sort = Sort.STATE
    is_paused: bool = False
    pending: int = 0
    """Snapshots that came while it was paused; the last of them is in ``_held``."""
    lost_at_ms: int | None = None
    retry_at_s: float = 0.0
    reason: str = ""
    _held: Json = None
    _held_s: float = 0.0
    _received_s: float = 0.0
    _heard_s: float = 0.0
    _stopped_s: float | None = None
    """Since when what is shown is a picture of the past."""
    _connection: Connection = Connection.CONNECTING
    _totals: deque[tuple[float, int, int]] = field(default_factory=lambda: deque(maxlen=1000))
    _boot_id: str = ""

    # --- what happened ------------------------------------------------------------------------------------------------

    def heard(self, now_s: float) -> None:
        self._heard_s = now_s

    def take(self, snapshot: Json, now_s: float) -> None:
        self._connection = Connection.LIVE
        self.lost_at_ms = None
        self._heard_s = now_s
        self._count(snapshot, now_s)
        if self.is_paused:
            self._held, self._held_s = snapshot, now_s
            self.pending += 1
            return
        self.snapshot, self._received_s, self._stopped_s = snapshot, now_s, None

    def connecting(self) -> None:
        if self.lost_at_ms is None:  # until it is back, a lost connection is shown as lost
            self._connection = Connection.CONNECTING

    def lost(self, reason: str, *, at_ms: int, retry_at_s: float) -> None:
        self._connection = Connection.LOST
        self.reason = reason
        self.retry_at_s = retry_at_s
        if self.lost_at_ms is None:
            self.lost_at_ms = at_ms
        if self._stopped_s is None:
            self._stopped_s = self._heard_s

    def hub_went(self, *, away: bool) -> None:
        self._connection = Connection.HUB_AWAY if away else Connection.LIVE

    def toggle_pause(self, now_s: float) -> None:
        self.is_paused = not self.is_paused
        if self.is_paused:
            self._stopped_s = now_s if self._stopped_s is None else self._stopped_s
            return
        if self._held is not None:
            self.snapshot, self._received_s = self._held, self._held_s
        self._stopped_s = self._heard_s if self._connection is Connection.LOST else None
        self._held, self.pending = None, 0

    def next_sort(self) -> None:
        order = list(Sort)
        self.sort = order[(order.index(self.sort) + 1) % len(order)]

    # --- what to show -------------------------------------------------------------------------------------------------

    def connection(self, now_s: float) -> Connection:
        if self._connection is Connection.LIVE and now_s - self._heard_s > STALE_S:
            return Connection.STALE
        return self._connection

    def silent_s(self, now_s: float) -> float:
        return now_s - self._heard_s

    def now_ms(self, now_s: float) -> int:
        """The hub's clock, whatever this machine's says. What is paused, or was lost, does not grow older."""
        if self.snapshot is None:
            return 0
        until_s = now_s if self._stopped_s is None else self._stopped_s
        return int(self.snapshot["timestamp"] + 1000 * max(0.0, until_s - self._received_s))

    def agents(self) -> list[Json]:
        agents: list[Json] = list(self.snapshot["agents"]) if self.snapshot is not None else []
        keys = {
            Sort.STATE: lambda one: (_rank(one["fsm_state"]), one["last_state_change"], one["agent_id"]),
            Sort.NAME: lambda one: (one["agent_id"],),
            Sort.AGE: lambda one: (one["last_state_change"], one["agent_id"]),
        }
        return sorted(agents, key=keys[self.sort])

    def rates(self, now_s: float) -> Rates:
        recent = [total for total in self._totals if total[0] >= now_s - RATE_WINDOW_S]
        if len(recent) < 2 or recent[-1][0] - recent[0][0] < RATE_LEAST_S:
            return Rates(None, None)
        minutes = (recent[-1][0] - recent[0][0]) / 60
        # Pruning makes totals smaller; a rate does not go below nothing.
        submitted, completed = (max(0, recent[-1][part] - recent[0][part]) / minutes for part in (1, 2))
        return Rates(submitted, completed)

    def _count(self, snapshot: Json, now_s: float) -> None:
        if snapshot.get("boot_id") != self._boot_id:
            self._boot_id = snapshot.get("boot_id")
            self._totals.clear()
        counts = snapshot["queue"]["by_status"]
        total = sum(counts.values()) + snapshot["queue"]["dead_letter"]
        self._totals.append((now_s, total, counts["completed"]))


def _rank(state: str) -> int:
    return _STATE_ORDER.index(state) if state in _STATE_ORDER else -1
