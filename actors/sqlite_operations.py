"""Bulk operations in the database: the frozen plan, how far it got, and what was done to each task."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

from actors.sqlite_connection import SqliteConnection
from actors.vocabulary.bulk import BulkAction, Operation

#: Planned tasks in one row of ``operation_plan``.
PLAN_CHUNK = 1_000

_COLUMNS = ", ".join(field for field in Operation.__dataclass_fields__)
_RUNNING = "('running', 'probing')"


class SqliteOperations:
    """Reads what is stored and writes at once, in the current transaction."""

    def __init__(self, connection: SqliteConnection) -> None:
        self._connection = connection
        self._run = connection.run

    # --- writing ------------------------------------------------------------------------------------------------------

    def add(self, operation: Operation, plan: Sequence[int]) -> None:
        """``plan``: key and generation of each task, one after the other."""
        self._connection.begin()
        width = 2 * PLAN_CHUNK
        chunks = [
            (operation.id, start // width, array("q", plan[start : start + width]).tobytes())
            for start in range(0, len(plan), width)
        ]
        marks = ", ".join("?" * len(Operation.__dataclass_fields__))
        self._run(f"INSERT INTO operation ({_COLUMNS}) VALUES ({marks})", _values(operation))
        self._connection.run_many("INSERT INTO operation_plan VALUES (?, ?, ?)", chunks)

    def write(self, operation: Operation, items: Sequence[tuple[int, str, str]]) -> None:
        """How far it is, and (key, outcome, detail) of what was looked at since the last time."""
        self._connection.begin()
        sql = (
            "UPDATE operation SET state = ?, position = ?, done = ?, skipped = ?, failed = ?, note = ?, ended_at = ?"
            " WHERE id = ?"
        )
        counts = (operation.position, operation.done, operation.skipped, operation.failed)
        self._run(sql, (operation.state, *counts, operation.note, operation.ended_at, operation.id))
        rows = [(operation.id, *item) for item in items]
        self._connection.run_many("INSERT OR IGNORE INTO operation_item VALUES (?, ?, ?, ?)", rows)
        if operation.ended_at is not None:
            self._run("DELETE FROM operation_plan WHERE operation = ?", (operation.id,))

    def prune(self, before_ms: int, limit: int) -> None:
        """Forget operations that ended before, a slice of their items at a time."""
        row = self._run("SELECT id, ended_at FROM operation ORDER BY made_at LIMIT 1").fetchone()
        if row is None or row[1] is None or row[1] >= before_ms:
            return
        self._connection.begin()
        sql = (
            "DELETE FROM operation_item WHERE operation = ? AND key IN"
            " (SELECT key FROM operation_item WHERE operation = ? LIMIT ?)"
        )
        if self._run(sql, (row[0], row[0], limit)).rowcount < limit:
            self._run("DELETE FROM operation WHERE id = ?", (row[0],))

    # --- reading ------------------------------------------------------------------------------------------------------

    def read(self, id_: str) -> Operation | None:
        row = self._run(f"SELECT {_COLUMNS} FROM operation WHERE id = ?", (id_,)).fetchone()
        return _operation(row) if row is not None else None

    def newest(self, limit: int) -> tuple[Operation, ...]:
        rows = self._run(f"SELECT {_COLUMNS} FROM operation ORDER BY made_at DESC, id LIMIT ?", (limit,))
        return tuple(_operation(row) for row in rows)

    def running(self) -> list[Operation]:
        """Oldest first; at the start."""
        rows = self._run(f"SELECT {_COLUMNS} FROM operation WHERE state IN {_RUNNING} ORDER BY made_at, id")
        return [_operation(row) for row in rows]

    def last_retry(self, group: str, since_ms: int) -> Operation | None:
        sql = (
            f"SELECT {_COLUMNS} FROM operation WHERE dead_group = ? AND made_at >= ? AND action = 'retry'"
            " ORDER BY made_at DESC LIMIT 1"
        )
        row = self._run(sql, (group, since_ms)).fetchone()
        return _operation(row) if row is not None else None

    def retried_groups(self, since_ms: int, limit: int) -> list[str]:
        """Groups with a bulk retry since then, the last one first."""
        sql = (
            "SELECT dead_group FROM operation WHERE dead_group IS NOT NULL AND made_at >= ? AND action = 'retry'"
            " GROUP BY dead_group ORDER BY max(made_at) DESC LIMIT ?"
        )
        return [group for (group,) in self._run(sql, (since_ms, limit))]

    def plan(self, id_: str, position: int, count: int) -> list[tuple[int, int]]:
        """(key, generation) of at most ``count`` planned tasks from ``position`` on, of one row of the plan."""
        chunk, offset = divmod(position, PLAN_CHUNK)
        sql = "SELECT items FROM operation_plan WHERE operation = ? AND chunk = ?"
        row = self._run(sql, (id_, chunk)).fetchone()
        if row is None:
            return []
        numbers = array("q")
        numbers.frombytes(row[0])
        part = numbers[2 * offset : 2 * (offset + count)]
        return list(zip(part[::2], part[1::2], strict=True))

    def done_keys(self, id_: str, limit: int) -> list[int]:
        sql = "SELECT key FROM operation_item WHERE operation = ? AND outcome = 'done' LIMIT ?"
        return [key for (key,) in self._run(sql, (id_, limit))]

    def problems(self, id_: str, limit: int) -> list[tuple[int, str, str]]:
        sql = "SELECT key, outcome, detail FROM operation_item WHERE operation = ? AND outcome <> 'done' LIMIT ?"
        return self._run(sql, (id_, limit)).fetchall()

    def outcome(self, id_: str, limit: int) -> dict[str, int]:
        """What the tasks that it acted on are now, by status, of at most ``limit``."""
        sql = (
            "SELECT task.status, count(*) FROM (SELECT key FROM operation_item WHERE operation = ? AND outcome = 'done' LIMIT ?)"
            " AS item CROSS JOIN task ON task.key = item.key GROUP BY task.status"
        )
        return dict(self._run(sql, (id_, limit)).fetchall())


def _values(operation: Operation) -> tuple[Any, ...]:
    return tuple(getattr(operation, field) for field in Operation.__dataclass_fields__)


def _operation(row: tuple[Any, ...]) -> Operation:
    id_, action, *rest = row
    return Operation(id_, BulkAction(action), *rest)
