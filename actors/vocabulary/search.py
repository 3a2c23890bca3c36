"""What ``TaskQueue`` can be asked to find: tasks by the filter language, how many they are, values to suggest, causes of death.

Every question looks at a bounded number of rows (``SCAN``), because the writer waits meanwhile; the answer says where it
stopped, and whoever wants more asks again from there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from actors.vocabulary.tasks import Task
from wire.task_filter import Filter

#: Rows that one question looks at.
SCAN = 20_000

#: Rows that suggestions are made from, the newest ones.
SUGGESTED_FROM = 10_000

#: The filter that every task passes.
EVERYTHING = Filter()

Order = Literal["created", "lane", "ended"]
"""created: any tasks. lane: those that wait or run, as the queue orders them. ended: final ones, by the time of their end."""


@dataclass(frozen=True, slots=True)
class FindTasks:
    """Answer: ``FoundTasks``, or ``Refused(INVALID_STATE)`` for a cursor or an order that does not fit.

    ``descending``: newest, lowest lane or last end first. ``backwards``: the page *before* ``cursor`` (without one: the last
    page). ``seek``: begin at this part of the way, 0 to 1; ``at``: begin at this time (Unix ms). Both need the order ``created``.
    """

    filter: Filter = EVERYTHING
    order: Order = "created"
    descending: bool = True
    cursor: str | None = None
    backwards: bool = False
    seek: float | None = None
    at: int | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class FoundTasks:
    """In order, whichever way was walked. ``previous`` and ``next``: cursors, None at the ends. ``stopped``: the page is not full
    because so many rows were looked at; the cursor goes on behind them."""

    tasks: tuple[Task, ...]
    previous: str | None
    next: str | None
    stopped: bool
    known_total: int | None
    """Where a kept counter says it."""


@dataclass(frozen=True, slots=True)
class CountTasks:
    """Answer: ``Counted``. ``position`` is that of the answer before."""

    filter: Filter = EVERYTHING
    position: str | None = None
    limit: int = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Counted:
    """``position``: where to go on counting; None when all were counted, or ``limit`` was reached (``is_all`` says which)."""

    count: int
    position: str | None
    is_all: bool


@dataclass(frozen=True, slots=True)
class SuggestValues:
    """Answer: ``tuple[Suggestion, ...]``, the most frequent first, among the newest ``SUGGESTED_FROM`` tasks."""

    key: str
    prefix: str = ""
    limit: int = 10


@dataclass(frozen=True, slots=True)
class Suggestion:
    value: str
    count: int
    says: str = ""


@dataclass(frozen=True, slots=True)
class ListDeadGroups:
    """Answer: ``DeadGroupPage``. ``order`` size: the largest first; recent: the last death first. ``only``: this one group."""

    order: Literal["size", "recent"] = "size"
    cursor: str | None = None
    limit: int = 50
    only: str | None = None


@dataclass(frozen=True, slots=True)
class Mute:
    """Somebody looks after a group of dead letters until then (Unix ms), or until it has ``until_count`` members."""

    by: str
    at: int
    until: int
    note: str | None
    until_count: int


@dataclass(frozen=True, slots=True)
class MuteDeadGroup:
    """For ``for_ms`` from now on; replaces an earlier one. Answer: ``Mute``, or ``Refused`` (NOT_FOUND; OVERLOADED when too many
    are muted)."""

    group: str
    for_ms: int
    by: str
    note: str | None = None


@dataclass(frozen=True, slots=True)
class UnmuteDeadGroup:
    """Answer: ``bool``, whether it was muted."""

    group: str


@dataclass(frozen=True, slots=True)
class DeadGroup:
    """Dead letters of one cause. ``hours``: deaths in each of the last 24 hours, oldest first. ``agents``: who had the newest
    ones."""

    id: str
    reason: str
    shape: str
    count: int
    discarded: int
    by_lane: tuple[int, int, int, int]
    first_at: int
    last_at: int
    hours: tuple[int, ...]
    agents: tuple[str, ...]
    sample: dict[str, Any] | None
    last_retry: dict[str, Any] | None
    """The newest bulk retry of this group within a day, with what became of it."""
    muted: Mute | None = None


@dataclass(frozen=True, slots=True)
class DeadGroupPage:
    groups: tuple[DeadGroup, ...]
    next_cursor: str | None
    total: int
    """Dead letters of all groups."""
