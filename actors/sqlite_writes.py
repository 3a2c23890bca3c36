"""What one batch of the queue changes in the task tables, collected and written with a few statements at its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from actors import sqlite_rows as rows
from actors.sqlite_connection import SqliteConnection
from actors.sqlite_rows import Row, RowsStatement, to_json
from actors.storage import Finish
from actors.vocabulary.tasks import ASSIGNED, HistoryEntry, Task


@dataclass(slots=True)
class _Change:
    """``before``: the row as the database has it, None for a new one. ``needs``, ``metadata``, ``extras``: of a new one."""

    before: Task | None
    after: Task
    texts: tuple[str, str, str] = ("", "", "")
    result: str | None = None


class TaskWrites:
    """The transitions of one batch. ``save`` checks everything, so that ``flush`` can fail only with the disk."""

    def __init__(self, connection: SqliteConnection) -> None:
        self._connection = connection
        self._changes: dict[int, _Change] = {}
        self._history: list[Row] = []
        self._minutes: dict[int, list[int]] = {}

    def __bool__(self) -> bool:
        return bool(self._changes or self._history or self._minutes)

    def clear(self) -> None:
        self._changes, self._history, self._minutes = {}, [], {}

    def pending(self, key: int) -> Task | None:
        """The task as this batch leaves it, if this batch changed it."""
        change = self._changes.get(key)
        return change.after if change is not None else None

    def pending_history(self, key: int) -> list[HistoryEntry]:
        """Newest first."""
        return [rows.entry_of(row[2:3] + row[4:]) for row in reversed(self._history) if row[0] == key]

    def minutes(self) -> dict[int, list[int]]:
        return self._minutes

    def save(
        self,
        before: Task | None,
        after: Task,
        entries: Sequence[tuple[int, HistoryEntry]],
        seq: int,
        finish: Finish | None,
    ) -> None:
        """``entries``: (generation, entry), numbered from ``seq`` on. Raises ``Unstorable`` before anything was changed."""
        change = self._checked(before, after)
        history = [
            (after.key, number, entry.event, generation, entry.timestamp, to_json(entry.details))
            for number, (generation, entry) in enumerate(entries, seq)
        ]
        self._changes[after.key] = change
        self._history += history
        if finish is not None:
            sums = self._minutes.setdefault(after.updated_at // 60_000, [0, 0, 0, 0])
            sums[0] += finish.completed
            sums[1] += finish.failed
            sums[2] += finish.duration_ms
            sums[3] += finish.tokens_used

    def _checked(self, before: Task | None, after: Task) -> _Change:
        result = to_json(after.result) if after.result is not None else None
        if before is None:
            rows.check_new(after)
            texts = (to_json(after.needed_capabilities), to_json(after.metadata), to_json(after.extras))
            return _Change(None, after, texts, result)
        rows.check_changed(after)
        earlier = self._changes.get(after.key)
        if earlier is None:
            return _Change(before, after, result=result)
        return _Change(earlier.before, after, earlier.texts, result)

    # --- at the end of the batch --------------------------------------------------------------------------------------

    def flush(self) -> list[Task]:
        """Write everything in the current transaction; the tasks as they are now."""
        changes = list(self._changes.values())
        self._insert_new([change for change in changes if change.before is None])
        self._update([(change.before, change.after) for change in changes if change.before is not None])
        results = [(change.after.key, change.result) for change in changes if change.result is not None]
        self._execute(rows.INSERT_RESULT, results)
        self._execute(rows.INSERT_HISTORY, self._history)
        self._write_minutes()
        self.clear()
        return [change.after for change in changes]

    def _insert_new(self, new: list[_Change]) -> None:
        plain: list[Row] = []
        others: list[Row] = []
        for change in new:
            if rows.is_plain(change.after):
                plain.append(rows.queued_row(change.after, change.texts[0]))
            else:
                others.append(rows.new_row(change.after, change.texts[0]))
        self._execute(rows.INSERT_QUEUED, plain)
        self._execute(rows.INSERT_TASK, others)
        contents = [(change.after.key, change.after.description, *change.texts[1:]) for change in new]
        self._execute(rows.INSERT_CONTENT, contents)

    def _update(self, changed: list[tuple[Task, Task]]) -> None:
        """Each (before, after) by the narrowest statement that says it. A new pin comes alone (``Storage.write_now``)."""
        claimed: list[Row] = []
        completed: list[Row] = []
        live: list[Row] = []
        others: list[Row] = []
        moved: list[Row] = []
        pinned: list[Row] = []
        for before, after in changed:
            if before.priority != after.priority:
                moved.append(rows.moved_row(after, before.generation))
            elif rows.is_claim(before, after):
                claimed.append(rows.claimed_row(before, after))
            elif rows.is_completion(before, after):
                completed.append(rows.completed_row(before, after))
            elif after.status is ASSIGNED and before.seq == after.seq:
                live.append(rows.live_row(after, before.generation))
            elif before.assign_to != after.assign_to:
                pinned.append(rows.pinned_row(after, before.generation))
            else:
                others.append(rows.changed_row(after, before.generation))
        for statement, those in (
            (rows.UPDATE_CLAIMED, claimed),
            (rows.UPDATE_COMPLETED, completed),
            (rows.UPDATE_LIVE, live),
            (rows.UPDATE_ANY, others),
            (rows.UPDATE_LANE, moved),
            (rows.UPDATE_PIN, pinned),
        ):
            if self._execute(statement, those) != len(those):  # the one writer knows every generation
                raise RuntimeError("a row is not what was read")

    def _write_minutes(self) -> None:
        statement = RowsStatement(
            "INSERT INTO minute",
            "(?, ?, ?, ?, ?)",
            " ON CONFLICT (minute) DO UPDATE SET"
            " completed = completed + excluded.completed, failed = failed + excluded.failed,"
            " duration_ms = duration_ms + excluded.duration_ms, tokens_used = tokens_used + excluded.tokens_used",
        )
        self._execute(statement, [(minute, *sums) for minute, sums in self._minutes.items()])

    def _execute(self, statement: RowsStatement, those: Sequence[Row]) -> int:
        """The number of rows that were changed."""
        changed = 0
        for sql, values in statement.chunks(those):
            changed += self._connection.run(sql, values).rowcount
        return changed
