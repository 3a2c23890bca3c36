"""Reading tasks. Every question is answered by an index or by a bounded scan along one, because the writer waits meanwhile."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from itertools import islice

from actors.sqlite_connection import SqliteConnection
from actors.sqlite_rows import COLUMNS, SELECT, Row, entry_of, from_json, task_of
from actors.storage import OpenTask, ReadyRow
from actors.vocabulary.fleet import FinishedAttempt
from actors.vocabulary.tasks import FINAL, HistoryEntry, ListTasks, Task, TaskPage, TaskStatus

#: Rows looked at for one page; a page of a rare filter may be shorter than asked and still have a successor.
SCAN_LIMIT = 20_000

#: Keys in one statement.
_CHUNK = 250

#: Places in a row of ``SELECT``.
_STATUS, _OWNER, _NEEDS = (COLUMNS.index(column) for column in ("status", "assigned_to", "needs"))

#: Rows that one step of an ordered scan fetches.
_SCAN_STEP = 500


class TaskReads:
    def __init__(self, connection: SqliteConnection) -> None:
        self._run = connection.run

    # --- by key -----------------------------------------------------------------------------------------------------

    def task(self, key: int) -> Task | None:
        row = self._run(f"{SELECT} WHERE task.key = ?", (key,)).fetchone()
        return task_of(row) if row is not None else None

    def tasks(self, keys: Sequence[int]) -> dict[int, Task]:
        """Those that exist."""
        found = {}
        for start in range(0, len(keys), _CHUNK):
            part = keys[start : start + _CHUNK]
            sql = f"{SELECT} WHERE task.key IN ({', '.join('?' * len(part))})"
            for row in self._run(sql, part).fetchall():
                found[row[0]] = task_of(row)
        return found

    def history(self, key: int, limit: int) -> list[HistoryEntry]:
        """Newest first."""
        sql = "SELECT event, at, details FROM history WHERE key = ? ORDER BY seq DESC LIMIT ?"
        return [entry_of(row) for row in self._run(sql, (key, limit))]

    # --- at the start -----------------------------------------------------------------------------------------------

    def open_tasks(self) -> Iterator[OpenTask]:
        """Every task that is not final, in the order of the queue, by one scan."""
        sql = (
            "SELECT key, seq, priority, needs, assign_to, not_before, complete_by, status FROM task"
            " WHERE is_final = 0 ORDER BY priority, seq"
        )
        sets: dict[str, frozenset[str]] = {}  # most tasks share a few sets
        assigned: list[int] = []
        for key, seq, priority, needs, assign_to, not_before, complete_by, status in self._run(sql):
            if status == TaskStatus.ASSIGNED:
                assigned.append(key)
                continue
            parsed = sets.get(needs)
            if parsed is None:
                parsed = sets[needs] = frozenset(from_json(needs))
            yield ReadyRow(key, seq, priority, parsed, assign_to, not_before, complete_by)
        yield from self.tasks(assigned).values()

    def count_ahead(self, task: Task, limit: int) -> int:
        sql = (
            "SELECT count(*) FROM (SELECT 1 FROM task WHERE is_final = 0 AND status = 'queued'"
            " AND (priority, seq) < (?, ?) LIMIT ?)"
        )
        count: int = self._run(sql, (task.priority, task.seq, limit)).fetchone()[0]
        return count

    # --- pages ------------------------------------------------------------------------------------------------------

    def page(self, query: ListTasks) -> TaskPage:
        """By (priority, seq). Raises ``ValueError`` for a cursor that is none of ours."""
        position = _position(query.cursor)
        found: list[Row] = []
        for number, row in enumerate(self._in_order(query.status, position)):
            if number == SCAN_LIMIT:
                return self._page(found, _place(row))
            position = (row[2], row[1])
            if not _fits(query, row):
                continue
            if len(found) == query.limit:
                return self._page(found, _place(found[-1]))
            found.append(row)
        return self._page(found, None)

    @staticmethod
    def _page(found: list[Row], cursor: str | None) -> TaskPage:
        return TaskPage(tuple(task_of(row) for row in found), cursor)

    def _in_order(self, status: TaskStatus | None, after: tuple[int, int]) -> Iterator[Row]:
        """Rows of ``SELECT`` by (priority, seq): open ones, final ones, or both merged."""
        wanted = [0, 1] if status is None else [int(status in FINAL)]
        scans = [self._scan(is_final, after) for is_final in wanted]
        return heapq.merge(*scans, key=lambda row: (row[2], row[1]))

    def _scan(self, is_final: int, after: tuple[int, int]) -> Iterator[Row]:
        sql = (
            f"{SELECT} WHERE task.is_final = {is_final} AND (task.priority, task.seq) > (?, ?)"
            " ORDER BY task.priority, task.seq LIMIT ?"
        )
        while True:
            rows = self._run(sql, (*after, _SCAN_STEP)).fetchall()
            yield from rows
            if len(rows) < _SCAN_STEP:
                return
            after = (rows[-1][2], rows[-1][1])

    def dead_letters(self, cursor: str | None, limit: int) -> TaskPage:
        """Newest first."""
        updated_at, seq = _position(cursor) if cursor is not None else (2**62, 2**62)
        sql = (
            f"{SELECT} WHERE task.is_final = 1 AND task.status = 'dead_letter'"
            " AND (task.updated_at, task.key) < (?, ?) ORDER BY task.updated_at DESC, task.key DESC LIMIT ?"
        )
        rows = self._run(sql, (updated_at, seq, limit + 1)).fetchall()
        tasks = tuple(task_of(row) for row in rows[:limit])
        more = len(rows) > limit
        return TaskPage(tasks, f"{tasks[-1].updated_at}-{tasks[-1].key}" if more else None)

    def completions(self, limit: int) -> tuple[Task, ...]:
        """Newest first."""
        sql = f"{SELECT} WHERE task.is_final = 1 AND task.status = 'completed' ORDER BY task.updated_at DESC LIMIT {limit}"
        return tuple(task_of(row) for row in self._run(sql))

    def finished(self, since_ms: int, limit: int) -> tuple[FinishedAttempt, ...]:
        """The newest of those that an agent had, oldest first."""
        sql = (
            "SELECT key, assigned_to, status, assigned_at, updated_at FROM task"
            " WHERE is_final = 1 AND status = ? AND updated_at >= ? AND assigned_to IS NOT NULL AND assigned_at IS NOT NULL"
            " ORDER BY updated_at DESC LIMIT ?"
        )
        ends = (TaskStatus.COMPLETED.value, TaskStatus.DEAD_LETTER.value)
        rows = [row for status in ends for row in self._run(sql, (status, since_ms, limit))]
        return tuple(sorted((FinishedAttempt(*row) for row in rows), key=lambda one: one.ended_at))

    def old(self, status: TaskStatus, before_ms: int, limit: int) -> list[Task]:
        """Final tasks that were not touched since ``before_ms``, oldest first."""
        sql = (
            f"{SELECT} WHERE task.is_final = 1 AND task.status = ? AND task.updated_at < ?"
            " ORDER BY task.updated_at LIMIT ?"
        )
        return [task_of(row) for row in islice(self._run(sql, (status.value, before_ms, limit)), limit)]


def _fits(query: ListTasks, row: Row) -> bool:
    """Whether a row of ``SELECT`` passes the filters that no index answers."""
    return (
        (query.status is None or row[_STATUS] == query.status)
        and (query.priority is None or row[2] == query.priority)
        and (query.assigned_to is None or row[_OWNER] == query.assigned_to)
        and (query.capability is None or query.capability in from_json(row[_NEEDS]))
    )


def _place(row: Row) -> str:
    return f"{row[2]}-{row[1]}"


def _position(cursor: str | None) -> tuple[int, int]:
    """A cursor is "a-b". Raises ``ValueError`` for anything else."""
    if cursor is None:
        return (-1, -1)
    first, separator, second = cursor.partition("-")
    digits = second.removeprefix("-")
    if not separator or not (first.isdecimal() and digits.isdecimal()) or len(cursor) > 45:
        raise ValueError("not a cursor of ours")
    numbers = int(first), int(second)
    if max(map(abs, numbers)) >= 2**63:
        raise ValueError("not a cursor of ours")
    return numbers
