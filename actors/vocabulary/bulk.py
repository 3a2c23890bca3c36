"""What ``TaskQueue`` can be asked to do to many tasks at once, and to one by hand.

A bulk operation is previewed, which freezes the tasks it is about, then started; from then on it is in the database, works in
small steps between the other work, survives a restart, and does nothing twice. What changed since the preview is skipped and
counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from actors.vocabulary.tasks import TaskStatus
from wire.task_filter import Filter


class BulkAction(StrEnum):
    RETRY = "retry"
    CANCEL = "cancel"
    LANE = "lane"
    DISCARD = "discard"
    RECOVER = "recover"
    REASSIGN = "reassign"


#: What an action may be done to; other tasks of its filter are not part of the operation.
APPLIES_TO: dict[BulkAction, tuple[str, ...]] = {
    BulkAction.RETRY: ("dead_letter",),
    BulkAction.CANCEL: ("queued", "assigned"),
    BulkAction.LANE: ("queued",),
    BulkAction.DISCARD: ("dead_letter",),
    BulkAction.RECOVER: ("discarded",),
    BulkAction.REASSIGN: ("queued",),
}


@dataclass(frozen=True, slots=True)
class Preview:
    """Freeze the tasks that ``filter`` or ``ids`` name. Answer: ``Previewed`` or ``Refused``.

    ``as_of`` (Unix ms): tasks that changed later are skipped and counted; None means now.
    """

    action: BulkAction
    filter: Filter | None = None
    ids: tuple[str, ...] = ()
    as_of: int | None = None


@dataclass(frozen=True, slots=True)
class ContinuePreview:
    """Look further. Answer: ``Previewed`` or ``Refused(NOT_FOUND)``."""

    preview: str


@dataclass(frozen=True, slots=True)
class Previewed:
    """``is_complete``: everything was looked at, so it can be started. ``changed``: matched, but changed since ``as_of``."""

    preview: str
    action: BulkAction
    count: int
    changed: int
    as_of: int
    is_complete: bool
    samples: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class StartOperation:
    """Answer: ``Operation``; the same again for a preview that was started before. ``Refused`` when the preview is not known (any
    more), not complete, or of another action, and when too many operations run.

    ``over_ms``: spread over this time. ``probe``: do this many first, and the rest when all of them completed. ``agent``: who
    is to have what is reassigned; None: anybody.
    """

    preview: str
    action: BulkAction
    lane: int | None = None
    over_ms: int = 0
    probe: int = 0
    made_by: str | None = None
    agent: str | None = None


@dataclass(frozen=True, slots=True)
class ReadOperation:
    """Answer: ``OperationDetails`` or ``Refused(NOT_FOUND)``."""

    operation: str


@dataclass(frozen=True, slots=True)
class ListOperations:
    """Answer: ``tuple[Operation, ...]``, newest first, at most ``limit``."""

    limit: int = 50


@dataclass(frozen=True, slots=True)
class CancelOperation:
    """Stop where it is. Answer: ``Operation``, or ``Refused(NOT_FOUND)``; one that has ended stays as it is."""

    operation: str
    cancelled_by: str | None = None


@dataclass(frozen=True, slots=True)
class StepOperations:
    """The queue's own: do the next bit of what runs."""


@dataclass(frozen=True, slots=True)
class Operation:
    """``state``: running, probing (it waits for what becomes of the probe), finished, cancelled, probe_failed.

    ``done + skipped + failed`` grows to ``total``; ``position`` of the planned tasks were looked at. ``note`` says in a
    sentence how it stands.
    """

    id: str
    action: BulkAction
    lane: int | None
    query: str | None
    dead_group: str | None
    made_by: str | None
    as_of: int
    over_ms: int
    probe: int
    state: str
    total: int
    position: int
    done: int
    skipped: int
    failed: int
    note: str
    made_at: int
    ended_at: int | None
    agent: str | None = None


@dataclass(frozen=True, slots=True)
class OperationDetails:
    """``outcome``: what the tasks that it acted on are now, by status, from at most ``outcome_of`` of them. ``problems``: some
    of the tasks that were skipped or failed, and why."""

    operation: Operation
    outcome: dict[str, int]
    outcome_of: int
    problems: tuple[dict[str, str], ...]


# --- one task, by hand ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DiscardDeadLetter:
    """Out of the dead letters, recoverable for 24 hours. Answer: ``Changed`` or ``Refused``."""

    task_id: str
    discarded_by: str | None = None


@dataclass(frozen=True, slots=True)
class RecoverDiscarded:
    """Back into the dead letters. Answer: ``Changed`` or ``Refused(NOT_FOUND)`` (also when its 24 hours are over)."""

    task_id: str
    recovered_by: str | None = None


@dataclass(frozen=True, slots=True)
class ChangeLane:
    """Of a queued task, which goes to the end of the lane. Answer: ``Changed``, or ``Refused``."""

    task_id: str
    lane: int
    changed_by: str | None = None


@dataclass(frozen=True, slots=True)
class Reassign:
    """Only ``agent`` may have a queued task, which goes to the end of its lane; None: any that can do it. Answer: ``Changed``, or
    ``Refused`` (NOT_FOUND; INVALID_STATE, also for an agent that nobody knows)."""

    task_id: str
    agent: str | None
    changed_by: str | None = None


@dataclass(frozen=True, slots=True)
class Changed:
    task_id: str
    status: TaskStatus
    priority: int
