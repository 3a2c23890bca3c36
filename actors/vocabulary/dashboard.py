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

    def uptime_ms(self, monotonic_s: float) -> int:
        return int((monotonic_s - self.started_monotonic) * 1000)


@dataclass(frozen=True, slots=True)
class ReadSnapshot:
    """Answer: ``Snapshot``."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """``json`` is the body of ``GET /api/dashboard/state``, already encoded, true for event ``seq``."""

    seq: int
    json: bytes
    health_number: int
    """Of the newest ``HealthChanged`` that it contains."""


@dataclass(frozen=True, slots=True)
class ReadHealth:
    """Answer: ``Health``."""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Somebody looks after a condition."""

    by: str
    at: int
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """One reason why health is not ok. ``id`` is one of ``wire.conditions.CONDITIONS``."""

    id: str
    severity: str
    """warning or critical"""
    message: str
    since: int
    count: int = 1
    """Of the things that it is about: agents, tasks, lanes, kinds of failure, messages."""
    acknowledged: Acknowledged | None = None


@dataclass(frozen=True, slots=True)
class Health:
    status: str
    """ok, warning or critical"""
    conditions: tuple[Condition, ...]
    attention: str
    """The same over the conditions that nobody has acknowledged."""


@dataclass(frozen=True, slots=True)
class HealthChanged:
    """From ``DashboardState`` to ``Gateway``: a condition came, went, grew graver or was acknowledged.

    ``number`` grows with every change, also over restarts of its sender, and orders it against a ``Snapshot``. ``json`` is the
    snapshot's ``health``.
    """

    number: int
    json: bytes


@dataclass(frozen=True, slots=True)
class AcknowledgeCondition:
    """Answer, after the commit: ``Condition`` as it was acknowledged, or ``Refused(NOT_FOUND)`` when it is not there."""

    condition_id: str
    by: str
    note: str | None = None


@dataclass(frozen=True, slots=True)
class InputRejected:
    """So many messages of agents and clients were invalid since a web process last said so. No answer."""

    messages: int


@dataclass(frozen=True, slots=True)
class ReadFigures:
    """Answer: the numbers of the snapshot without its lists, and counts since the start, as plain types (``GET /metrics``)."""


@dataclass(frozen=True, slots=True)
class ReadRecent:
    """To ``Broadcaster``. Answer: ``Recent``."""


@dataclass(frozen=True, slots=True)
class Recent:
    """``json``: an array of the newest events, oldest first, as pages know them; those from before its start have no ``seq``."""

    json: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """From ``Broadcaster`` to ``Gateway``: the events of 100 ms, oldest first, consecutive.

    ``events`` are the encoded elements of ``data`` joined by commas, without the brackets, so that a reader that
    is behind can join several batches without parsing them.
    """

    first_seq: int
    last_seq: int
    events: bytes
