"""How a task becomes rows of the database and comes back: one narrow row that changes, its content, and its result."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import msgspec

from actors.storage import Unstorable
from actors.task_ids import id_of
from actors.vocabulary.tasks import ASSIGNED, COMPLETED, FINAL, QUEUED, HistoryEntry, Task, TaskStatus

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

#: What an acceptance and the like change: no column of an index, so they cost no more than the row.
LIVE = (
    *("status", "generation", "assigned_to", "assigned_at", "accepted_at", "accepted_on", "not_before"),
    "updated_at",
)

#: What any transition may change.
CHANGING = (
    *("seq", "status", "is_final", "generation", "assigned_to", "assigned_at", "accepted_at", "accepted_on"),
    *("retry_count", "reclaim_count", "complete_by", "not_before", "last_error", "tokens_used", "updated_at"),
    "completed_at",
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
    """One SQL statement for many rows: ``head VALUES row, row, … tail``. ``row``: how one is written, ``(?, …)``."""

    def __init__(self, head: str, row: str, tail: str = "") -> None:
        self._head, self._row, self._tail = head, row, tail
        self._sql: dict[int, str] = {}

    def chunks(self, rows: Sequence[Row]) -> Iterable[tuple[str, list[Any]]]:
        """(SQL, values) for at most ``_CHUNK`` rows each."""
        for start in range(0, len(rows), _CHUNK):
            part = rows[start : start + _CHUNK]
            yield self._for(len(part)), list(chain.from_iterable(part))

    def _for(self, rows: int) -> str:
        sql = self._sql.get(rows)
        if sql is None:
            sql = self._sql[rows] = f"{self._head} VALUES {', '.join([self._row] * rows)}{self._tail}"
        return sql


def _places(columns: int) -> str:
    return f"({', '.join('?' * columns)})"


def _update(changes: str, columns: int) -> RowsStatement:
    """Rows are (key, generation before, …): ``new.column3`` and so on in ``changes``. A row whose generation is another one is
    not changed."""
    tail = ") AS new WHERE task.key = new.column1 AND task.generation = new.column2"
    return RowsStatement(f"UPDATE task SET {changes} FROM (", _places(2 + columns), tail)


def _update_columns(columns: tuple[str, ...]) -> RowsStatement:
    changes = ", ".join(f"{column} = new.column{number}" for number, column in enumerate(columns, 3))
    return _update(changes, len(columns))


INSERT_TASK = RowsStatement("INSERT INTO task", _places(len(COLUMNS)))
INSERT_CONTENT = RowsStatement("INSERT INTO content", _places(4))
INSERT_RESULT = RowsStatement(
    "INSERT INTO result", _places(2), " ON CONFLICT (key) DO UPDATE SET value = excluded.value"
)
INSERT_HISTORY = RowsStatement("INSERT INTO history", _places(6))
UPDATE_LIVE = _update_columns(LIVE)
UPDATE_ANY = _update_columns(CHANGING)
UPDATE_LANE = _update_columns(("priority", *CHANGING))
UPDATE_PIN = _update_columns(("assign_to", *CHANGING))

# The way that nearly every task goes has statements of its own, because a value costs more on its way into the database than in
# it, and None most of all: the driver asks every time whether somebody has registered a conversion for it.

#: A task as it comes in, without a pin, a deadline or a pause.
INSERT_QUEUED = RowsStatement(
    "INSERT INTO task (key, seq, priority, status, is_final, generation, retry_count, max_retries, reclaim_count, needs,"
    " tokens_used, submitted_by, created_at, updated_at)",
    "(?, ?, ?, 'queued', 0, 0, 0, ?, 0, ?, 0, ?, ?, ?)",
)

UPDATE_CLAIMED = _update(
    "status = 'assigned', generation = task.generation + 1, assigned_to = new.column3, assigned_at = new.column4,"
    " accepted_at = NULL, accepted_on = NULL, not_before = NULL, updated_at = new.column4",
    columns=2,
)

UPDATE_COMPLETED = _update(
    "status = 'completed', is_final = 1, tokens_used = new.column3, updated_at = new.column4, completed_at = new.column4",
    columns=2,
)


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


def is_plain(task: Task) -> bool:
    """What ``INSERT_QUEUED`` can write."""
    return (
        task.status is QUEUED
        and task.generation == 0
        and task.assign_to is None
        and task.complete_by is None
        and task.not_before is None
        and task.submitted_by is not None
        and task.last_error is None
    )


def queued_row(task: Task, needs: str) -> Row:
    return (
        *(task.key, task.seq, task.priority, task.max_retries, needs, task.submitted_by, task.created_at),
        task.updated_at,
    )


def is_claim(before: Task, after: Task) -> bool:
    """One hand-out and nothing else, as ``UPDATE_CLAIMED`` writes it."""
    return (
        before.status is QUEUED
        and after.status is ASSIGNED
        and after.generation == before.generation + 1
        and after.seq == before.seq
        and after.accepted_at is None
        and after.updated_at == after.assigned_at
    )


def claimed_row(before: Task, after: Task) -> Row:
    return after.key, before.generation, after.assigned_to, after.assigned_at


def is_completion(before: Task, after: Task) -> bool:
    """Of an attempt that the database knows as it is, as ``UPDATE_COMPLETED`` writes it."""
    return (
        before.status is ASSIGNED
        and after.status is COMPLETED
        and after.generation == before.generation
        and after.accepted_at == before.accepted_at
        and after.accepted_on == before.accepted_on
    )


def completed_row(before: Task, after: Task) -> Row:
    return after.key, before.generation, after.tokens_used, after.completed_at


def new_row(task: Task, needs: str) -> Row:
    return (
        *(task.key, task.seq, task.priority, task.status.value, int(task.status in FINAL), task.generation),
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
        *(task.key, generation_before, task.seq, task.status.value, int(task.status in FINAL), task.generation),
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


def moved_row(task: Task, generation_before: int) -> Row:
    key, generation, *changing = changed_row(task, generation_before)
    return (key, generation, task.priority, *changing)


def pinned_row(task: Task, generation_before: int) -> Row:
    key, generation, *changing = changed_row(task, generation_before)
    return (key, generation, task.assign_to, *changing)


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
