"""The ends of what tasks printed, on SQLite; part of the queue's transactions, and bounded in all."""

from __future__ import annotations

from collections.abc import Sequence

from actors.sqlite_connection import SqliteConnection
from actors.vocabulary.output import Tail

#: Bytes of all attempts together, and what each of them counts beside its lines; those that were saved first go first.
STORED_BYTES = 64 * 1024 * 1024
ROW_BYTES = 256

#: Attempts of one task that are told.
ATTEMPTS_TOLD = 20


class SqliteOutput:
    """See ``actors.storage.OutputStorage``. ``key`` is the number of a task's id."""

    def __init__(self, connection: SqliteConnection) -> None:
        self._connection = connection
        self._run = connection.run
        self._size: int | None = None
        """Of all of them; None: it has to be added up."""

    def recount(self) -> None:
        """Something was taken away, or taken back."""
        self._size = None

    def save(self, tails: Sequence[tuple[int, Tail]], now: int) -> None:
        self._connection.begin()
        before = self._added_up()
        for key, one in tails:
            before += len(one.parts) + ROW_BYTES - self._size_of(key, one.generation)
        rows = [(key, one.generation, one.agent_id, now, one.parts) for key, one in tails]
        self._connection.run_many("INSERT OR REPLACE INTO output VALUES (?, ?, ?, ?, ?)", rows)
        self._size = self._bounded(before)

    def _added_up(self) -> int:
        if self._size is not None:
            return self._size
        sql = "SELECT COALESCE(SUM(LENGTH(parts) + ?), 0) FROM output"
        return int(self._run(sql, (ROW_BYTES,)).fetchone()[0])

    def _size_of(self, key: int, generation: int) -> int:
        sql = "SELECT LENGTH(parts) + ? FROM output WHERE key = ? AND generation = ?"
        row = self._run(sql, (ROW_BYTES, key, generation)).fetchone()
        return int(row[0]) if row is not None else 0

    def _bounded(self, size: int) -> int:
        while size > STORED_BYTES:
            sql = "SELECT key, generation, LENGTH(parts) FROM output ORDER BY saved_at, key LIMIT 1"
            key, generation, length = self._run(sql).fetchone()
            self._run("DELETE FROM output WHERE key = ? AND generation = ?", (key, generation))
            size -= length + ROW_BYTES
        return size

    def read(self, key: int) -> tuple[tuple[int, str, bytes], ...]:
        """(generation, agent, parts), oldest first."""
        sql = "SELECT generation, agent_id, parts FROM output WHERE key = ? ORDER BY generation DESC LIMIT ?"
        return tuple(reversed(self._run(sql, (key, ATTEMPTS_TOLD)).fetchall()))
