"""How a task becomes rows of the database and comes back: one narrow row that changes, its content, and its result."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from actors.storage import Unstorable
from actors.task_ids import id_of
from actors.vocabulary.tasks import FINAL, HistoryEntry, Task, TaskStatus

Row = tuple[Any, ...]

COLUMNS = (
    *("key", "seq", "priority", "status", "is_final", "generation", "assigned_to", "assigned_at", "accepted_at"),
    *(
        "accepted_on",
        "retry_count",
        "max_retries",
        "reclaim_count",
        "assign_to",
        "needs",
        "complete_by",
        "not_before",
        "last_error",
    ),
    *("tokens_used", "submitted_by", "created_at", "updated_at", "completed_at"),
)

#: What a claim and an acceptance change: no column of an index, so they cost no more than the row.
LIVE = (
    *("status", "generation", "assigned_to", "assigned_at", "accepted_at", "accepted_on", "not_before"),
    "updated_at",
)

#: What any transition may change.
CHANGING = (
    *("seq", "status", "is_final", "generation", "assigned_to", "assigned_at", "accepted_at", "accepted_on"),
    *(
        "retry_count",
        "reclaim_count",
        "complete_by",
        "not_before",
        "last_error",
        "tokens_used",
        "updated_at",
        "completed_at",
    ),
)

#: Columns of ``task_of``.
READ = ", ".join(
    [f"task.{column}" for column in COLUMNS]
    + ["content.description", "content.metadata", "content.extras", "result.value"]
)
SELECT = f"SELECT {READ} FROM task JOIN content USING (key) LEFT JOIN result USING (key)"

#: SQLite's integers; anything beyond raises at bind time, in the middle of a transaction.
_MAX_INTEGER = 2**63 - 1

#: Rows in one statement. The interpreter is left and entered again once a statement, which is dear while other threads work.
_CHUNK = 100

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class RowsStatement:
    """One SQL statement for many rows: ``head VALUES (?, …), (?, …) tail``."""

    def __init__(self, head: str, columns: int, tail: str = "") -> None:
        self._head, self._tail = head, tail
        self._row = f"({', '.join('?' * columns)})"
        self._sql: dict[int, str] = {}

    def chunks(self, rows: Sequence[Row]) -> Iterable[tuple[str, list[Any], int]]:
        """(SQL, values, number of rows) for at most ``_CHUNK`` rows each."""
        for start in range(0, len(rows), _CHUNK):
            part = rows[start : start + _CHUNK]
            yield self._for(len(part)), [value for row in part for value in row], len(part)

    def _for(self, rows: int) -> str:
        sql = self._sql.get(rows)
        if sql is None:
            sql = self._sql[rows] = f"{self._head} VALUES {', '.join([self._row] * rows)}{self._tail}"
        return sql


def _insert(table: str, columns: int) -> RowsStatement:
    return RowsStatement(f"INSERT INTO {table}", columns)


def _update(columns: tuple[str, ...]) -> RowsStatement:
    """Rows are (key, generation before, *columns). A row whose generation is another one is not changed."""
    changes = ", ".join(f"{column} = new.column{number}" for number, column in enumerate(columns, 3))
    tail = ") AS new WHERE task.key = new.column1 AND task.generation = new.column2"
    return RowsStatement(f"UPDATE task SET {changes} FROM (", 2 + len(columns), tail)


INSERT_TASK = _insert("task", len(COLUMNS))
INSERT_CONTENT = _insert("content", 4)
INSERT_RESULT = RowsStatement("INSERT INTO result", 2, " ON CONFLICT (key) DO UPDATE SET value = excluded.value")
INSERT_HISTORY = _insert("history", 6)
UPDATE_LIVE = _update(LIVE)
UPDATE_ANY = _update(CHANGING)


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


def _check_integer(number: int | None) -> None:
    if number is not None and not -_MAX_INTEGER <= number <= _MAX_INTEGER:
        raise Unstorable("the number is out of range")


def check_new(task: Task) -> None:
    """Raises ``Unstorable`` for texts and numbers that the database cannot hold."""
    check_text(task.description, task.submitted_by, task.assign_to)
    _check_integer(task.complete_by)
    _check_integer(task.max_retries)


def check_changed(task: Task) -> None:
    check_text(task.last_error, task.assigned_to)
    _check_integer(task.tokens_used)


def new_row(task: Task, needs: str) -> Row:
    return (
        *(task.key, task.seq, task.priority, task.status.value, task.status in FINAL, task.generation),
        *(task.assigned_to, task.assigned_at, task.accepted_at, task.accepted_on, task.retry_count),
        *(
            task.max_retries,
            task.reclaim_count,
            task.assign_to,
            needs,
            task.complete_by,
            task.not_before,
            task.last_error,
        ),
        *(task.tokens_used, task.submitted_by, task.created_at, task.updated_at, task.completed_at),
    )


def live_row(task: Task, generation_before: int) -> Row:
    return (
        *(task.key, generation_before, task.status.value, task.generation, task.assigned_to),
        *(task.assigned_at, task.accepted_at, task.accepted_on, task.not_before, task.updated_at),
    )


def changed_row(task: Task, generation_before: int) -> Row:
    return (
        *(task.key, generation_before, task.seq, task.status.value, task.status in FINAL, task.generation),
        *(task.assigned_to, task.assigned_at, task.accepted_at, task.accepted_on, task.retry_count),
        *(
            task.reclaim_count,
            task.complete_by,
            task.not_before,
            task.last_error,
            task.tokens_used,
            task.updated_at,
            task.completed_at,
        ),
    )


def task_of(row: Row) -> Task:
    """A row of ``SELECT``."""
    key, seq, priority, status, _, generation, assigned_to, assigned_at, accepted_at, accepted_on = row[:10]
    retry_count, max_retries, reclaim_count, assign_to, needs, complete_by, not_before, last_error = row[10:18]
    tokens_used, submitted_by, created_at, updated_at, completed_at, description, metadata, extras, result = row[18:]
    return Task(
        id=id_of(key),
        key=key,
        seq=seq,
        description=description,
        metadata=_decode(metadata),
        priority=priority,
        status=TaskStatus(status),
        assigned_to=assigned_to,
        assigned_at=assigned_at,
        accepted_at=accepted_at,
        accepted_on=accepted_on,
        generation=generation,
        retry_count=retry_count,
        max_retries=max_retries,
        reclaim_count=reclaim_count,
        needed_capabilities=tuple(_decode(needs)),
        assign_to=assign_to,
        last_error=last_error,
        complete_by=complete_by,
        not_before=not_before,
        result=from_json(result),
        tokens_used=tokens_used,
        submitted_by=submitted_by,
        created_at=created_at,
        updated_at=updated_at,
        completed_at=completed_at,
        extras=_decode(extras),
    )


def entry_of(row: Row) -> HistoryEntry:
    return HistoryEntry(row[0], row[1], from_json(row[2]))
