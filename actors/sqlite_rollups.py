"""The roll-ups and the starts of the hub on SQLite; part of the queue's transactions."""

from __future__ import annotations

from collections.abc import Sequence

from actors.sqlite_connection import SqliteConnection


class SqliteRollups:
    """See ``actors.storage.RollupStorage``."""

    def __init__(self, connection: SqliteConnection) -> None:
        self._connection = connection
        self._run = connection.run

    def record(self, buckets: Sequence[tuple[int, int, bytes]]) -> None:
        self._connection.begin()
        self._connection.run_many("INSERT OR REPLACE INTO rollup VALUES (?, ?, ?)", buckets)

    def read(self, size: int, since: int) -> tuple[bytes, ...]:
        sql = "SELECT packed FROM rollup WHERE size = ? AND start >= ? ORDER BY start"
        return tuple(packed for (packed,) in self._run(sql, (size, since)))

    def prune(self, size: int, before: int) -> None:
        self._connection.begin()
        self._run("DELETE FROM rollup WHERE size = ? AND start < ?", (size, before))

    def record_start(self, at: int, boot_id: str, forget_before: int) -> None:
        if self._run("SELECT 1 FROM hub_start WHERE at = ?", (at,)).fetchone() is not None:
            return
        self._connection.begin()
        self._run("INSERT INTO hub_start VALUES (?, ?)", (at, boot_id))
        self._run("DELETE FROM hub_start WHERE at < ?", (forget_before,))

    def starts(self, since: int, limit: int) -> tuple[tuple[int, str], ...]:
        sql = "SELECT at, boot_id FROM hub_start WHERE at >= ? ORDER BY at DESC LIMIT ?"
        return tuple(reversed(self._run(sql, (since, limit)).fetchall()))

    def add_work(self, hour: int, parts: Sequence[tuple[str, int, int]]) -> None:
        self._connection.begin()
        sql = (
            "INSERT INTO agent_hour VALUES (?, ?, ?, ?) ON CONFLICT (start, agent_id)"
            " DO UPDATE SET busy = busy + excluded.busy, there = there + excluded.there"
        )
        self._connection.run_many(sql, [(hour, *part) for part in parts])

    def work(self, agent_id: str, hours: Sequence[int]) -> tuple[tuple[int, int, int], ...]:
        places = ", ".join("?" * len(hours))
        sql = f"SELECT start, busy, there FROM agent_hour WHERE start IN ({places}) AND agent_id = ? ORDER BY start"
        return tuple(self._run(sql, (*hours, agent_id)).fetchall())

    def prune_work(self, before: int) -> None:
        self._connection.begin()
        self._run("DELETE FROM agent_hour WHERE start < ?", (before,))


class OldestWaiting:
    """Since when the head of each lane has waited."""

    #: Open tasks that are looked at in one lane: those that are with agents come first there, at most as many as there are slots.
    LOOKED_AT = 10_000

    #: Waiting ones among them: one that an agent gave back keeps its place, but has waited less long than those behind it.
    COMPARED = 100

    def __init__(self, connection: SqliteConnection) -> None:
        self._run = connection.run

    def in_lane(self, lane: int, now_ms: int) -> int | None:
        """Unix ms; None when nothing waits for an agent. Tasks that wait out a back-off are not ready."""
        sql = (
            "SELECT MIN(since) FROM (SELECT MAX(updated_at, COALESCE(not_before, 0)) AS since FROM ("
            "SELECT status, updated_at, not_before FROM task WHERE is_final = 0 AND priority = ? ORDER BY seq LIMIT ?)"
            " WHERE status = 'queued' AND COALESCE(not_before, 0) <= ? LIMIT ?)"
        )
        found: int | None = self._run(sql, (lane, self.LOOKED_AT, now_ms, self.COMPARED)).fetchone()[0]
        return found
