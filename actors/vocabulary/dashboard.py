"""The vocabulary of ``DashboardState`` and ``Broadcaster``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Boot:
    """One life of the hub process: made once by the composition root, given to every incarnation of an observer.

    So ``uptime_ms`` is the hub's age and not that of an actor that was restarted since.
    """

    boot_id: str
    started_at_ms: int
    """Unix milliseconds."""
    started_monotonic: float
    """Seconds of the runtime's monotonic clock."""
    environment: str | None = None
    """What the operator calls this hub (staging, demo), or nothing."""


@dataclass(frozen=True, slots=True)
class ReadSnapshot:
    """Answer: ``Snapshot``."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """``json`` is the body of ``GET /api/dashboard/state``, already encoded, true for event ``seq``."""

    seq: int
    json: bytes


@dataclass(frozen=True, slots=True)
class ReadHealth:
    """Answer: ``Health``."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One reason why health is not ok. ``id``: agent_offline, queue_growing, failure_rate, stuck_tasks."""

    id: str
    severity: str
    """warning or critical"""
    message: str
    since: int


@dataclass(frozen=True, slots=True)
class Health:
    status: str
    """ok, warning or critical"""
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class ForgetAgent:
    """An operator says that this agent will not come back. Answer: ``bool``, whether it was missing."""

    agent_id: str


@dataclass(frozen=True, slots=True)
class Batch:
    """From ``Broadcaster`` to ``Gateway``: the events of 100 ms, oldest first, consecutive.

    ``events`` are the encoded elements of ``data`` joined by commas, without the brackets, so that a reader that
    is behind can join several batches without parsing them.
    """

    first_seq: int
    last_seq: int
    events: bytes
