"""What happened to a task, told from as few rows as possible.

A task's own row says when it was submitted, who has it, since when, and when it was completed. So nothing more is written for a
task that goes straight to its end, and that is most of them; the rest is written when the row is about to forget it. What has
to be in the table for which transition is decided here, and so is how it is put together again.
"""

from __future__ import annotations

from collections.abc import Sequence

from actors.vocabulary.tasks import ASSIGNED, COMPLETED, HistoryEntry, Task

#: In these the row tells of its newest attempt.
_HAS_ATTEMPT = frozenset({ASSIGNED, COMPLETED})


def submitted(task: Task) -> HistoryEntry:
    return HistoryEntry("queued", task.created_at, "submitted")


def assigned(task: Task) -> HistoryEntry:
    """The attempt in the row. It has one while it is assigned, and keeps it when it is completed."""
    return HistoryEntry(
        "assigned", task.assigned_at or 0, {"agent_id": task.assigned_to, "generation": task.generation}
    )


def completed(task: Task) -> HistoryEntry:
    return HistoryEntry("completed", task.completed_at or 0, {"tokens_used": task.tokens_used})


def to_store(before: Task | None, after: Task, entry: HistoryEntry | None) -> Sequence[tuple[int, HistoryEntry]]:
    """(generation, entry) of what has to be written with this transition, oldest first."""
    if before is None or after.status in _HAS_ATTEMPT:
        return ()
    lost = [(before.generation, assigned(before))] if before.status is ASSIGNED else []
    return [*lost, (after.generation, entry)] if entry is not None else lost


def whole(task: Task, stored: Sequence[HistoryEntry], limit: int) -> tuple[HistoryEntry, ...]:
    """Newest first, as ``stored`` is. A database of an earlier version has every entry in the table already."""
    newest = [completed(task)] if task.status is COMPLETED else []
    if task.status in _HAS_ATTEMPT:
        newest.append(assigned(task))
    entries = [entry for entry in newest if entry not in stored]
    entries += stored
    if len(stored) < limit and submitted(task) not in stored:
        entries.append(submitted(task))
    return tuple(entries[:limit])
