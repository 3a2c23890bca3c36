"""Between tasks and rows: one place for the order of the columns and for JSON in them."""

from __future__ import annotations

from typing import Any

import msgspec

from actors.storage import Unstorable
from actors.vocabulary.tasks import HistoryEntry, Task, TaskStatus

COLUMNS = (
    *("id", "seq", "priority", "status", "generation", "assigned_to", "assigned_at", "accepted_at"),
    *("retry_count", "max_retries", "reclaim_count", "assign_to", "needs", "complete_by", "not_before"),
    *("last_error", "tokens_used", "submitted_by", "created_at", "updated_at", "completed_at"),
    *("description", "metadata", "extras", "result"),
)

#: What never changes after a submit; leaving it out of an update keeps transitions small.
FIXED = frozenset(
    {"id", "max_retries", "assign_to", "needs", "submitted_by", "created_at", "description", "metadata", "extras"}
)

CHANGING = tuple(column for column in COLUMNS if column not in FIXED)

SELECT = f"SELECT {', '.join(COLUMNS)} FROM task"
INSERT = f"INSERT INTO task ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"
UPDATE = f"UPDATE task SET {', '.join(f'{column} = ?' for column in CHANGING)} WHERE id = ? AND generation = ?"

#: SQLite's integers; anything beyond raises at bind time, in the middle of a transaction.
_MAX_INTEGER = 2**63 - 1

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def to_json(value: object) -> str:
    """Compact JSON. Raises ``Unstorable`` (NaN would silently become null, a lone surrogate would fail at bind time)."""
    try:
        return _encode(value).decode()
    except (msgspec.MsgspecError, UnicodeError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise Unstorable("the value cannot be written as JSON") from error


def from_json(text: str | None) -> Any:
    return None if text is None else _decode(text)


def check_text(*texts: str | None) -> None:
    for text in texts:
        if text is not None and not text.isascii():
            try:
                text.encode()
            except UnicodeEncodeError as error:
                raise Unstorable("the text is not valid Unicode") from error


def check_integers(*numbers: int | None) -> None:
    if any(number is not None and abs(number) > _MAX_INTEGER for number in numbers):
        raise Unstorable("the number is out of range")


def insert_values(task: Task) -> tuple[Any, ...]:
    """The values for ``INSERT``. Raises ``Unstorable``."""
    check_text(task.description, task.submitted_by, task.assign_to)
    check_integers(task.complete_by, task.max_retries)
    return (
        *(task.id, task.seq, task.priority, task.status.value, task.generation, task.assigned_to),
        *(task.assigned_at, task.accepted_at, task.retry_count, task.max_retries, task.reclaim_count),
        *(task.assign_to, to_json(task.needed_capabilities), task.complete_by, task.not_before, task.last_error),
        *(task.tokens_used, task.submitted_by, task.created_at, task.updated_at, task.completed_at),
        *(task.description, to_json(task.metadata), to_json(task.extras), _result(task)),
    )


def update_values(before: Task, after: Task) -> tuple[Any, ...]:
    """The values for ``UPDATE``; the generation before it is part of the condition. Raises ``Unstorable``."""
    check_text(after.last_error, after.assigned_to)
    check_integers(after.tokens_used)
    return (
        *(after.seq, after.priority, after.status.value, after.generation, after.assigned_to, after.assigned_at),
        *(after.accepted_at, after.retry_count, after.reclaim_count, after.complete_by, after.not_before),
        *(after.last_error, after.tokens_used, after.updated_at, after.completed_at, _result(after)),
        *(after.id, before.generation),
    )


def _result(task: Task) -> str | None:
    return to_json(task.result) if task.result is not None else None


def task_of(row: tuple[Any, ...]) -> Task:
    values = dict(zip(COLUMNS, row, strict=True))
    values["status"] = TaskStatus(values["status"])
    values["needed_capabilities"] = tuple(from_json(values.pop("needs")))
    for column in ("metadata", "extras", "result"):
        values[column] = from_json(values[column])
    return Task(**values)


def entry_of(row: tuple[Any, ...]) -> HistoryEntry:
    return HistoryEntry(row[0], row[1], from_json(row[2]))
