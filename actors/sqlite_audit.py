"""The audit log on SQLite; part of the queue's transactions."""

from __future__ import annotations

from typing import Any

from actors.sqlite_connection import SqliteConnection
from actors.sqlite_rows import check_text, from_json, to_json
from actors.vocabulary.audit import AuditEntry, AuditPage, ReadAudit

#: Entries looked at for one page; a page of a rare filter may be shorter than asked and still have a successor.
SCAN_LIMIT = 10_000

_COLUMNS = "seq, at, actor, role, way, action, target, outcome, details"


class SqliteAudit:
    """See ``actors.storage.AuditStorage``."""

    def __init__(self, connection: SqliteConnection) -> None:
        self._connection = connection
        self._run = connection.run

    def add(self, entry: AuditEntry) -> None:
        check_text(entry.actor, entry.target or "")
        details = to_json(entry.details)
        self._connection.begin()
        sql = (
            "INSERT INTO audit (at, actor, role, way, action, target, outcome, details) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        )
        who = (entry.at, entry.actor, entry.role, entry.way)
        self._run(sql, (*who, entry.action, entry.target, entry.outcome, details))

    def page(self, query: ReadAudit) -> AuditPage:
        """By number, along which the scan for a filter is bounded."""
        before = _position(query.cursor)
        if before is None:
            before = int(self._run("SELECT COALESCE(MAX(seq), 0) FROM audit").fetchone()[0]) + 1
        oldest = max(0, before - SCAN_LIMIT)
        conditions = ["seq < ?", "seq >= ?"]
        values: list[object] = [before, oldest]
        for column in ("actor", "way", "target", "outcome"):
            if (wanted := getattr(query, column)) is not None:
                conditions.append(f"{column} = ?")
                values.append(wanted)
        if query.action is not None:
            conditions.append("substr(action, 1, length(?)) = ?")
            values += [query.action, query.action]
        sql = f"SELECT {_COLUMNS} FROM audit WHERE {' AND '.join(conditions)} ORDER BY seq DESC LIMIT ?"
        entries = [_entry(row) for row in self._run(sql, (*values, query.limit + 1))]
        if len(entries) > query.limit:
            return AuditPage(tuple(entries[:-1]), _cursor(entries[-2].seq))
        has_older = self._run("SELECT EXISTS (SELECT 1 FROM audit WHERE seq < ?)", (oldest,)).fetchone()[0]
        return AuditPage(tuple(entries), _cursor(oldest) if has_older else None)

    def prune(self, before_ms: int, keep: int, limit: int) -> int:
        """The oldest come first by number, so no index of the time is needed."""
        sql = (
            "DELETE FROM audit WHERE seq IN (SELECT seq FROM audit ORDER BY seq LIMIT ?)"
            " AND (at < ? OR seq <= (SELECT MAX(seq) FROM audit) - ?)"
        )
        oldest = self._run("SELECT at, (SELECT MAX(seq) FROM audit) - seq FROM audit ORDER BY seq LIMIT 1").fetchone()
        if oldest is None or (oldest[0] >= before_ms and oldest[1] < keep):
            return 0
        self._connection.begin()
        return self._run(sql, (limit, before_ms, keep)).rowcount


def _entry(row: tuple[Any, ...]) -> AuditEntry:
    seq, at, actor, role, way, action, target, outcome, details = row
    return AuditEntry(seq, at, actor, role, way, action, target, outcome, from_json(details))


def _cursor(seq: int) -> str:
    return f"0-{seq}"


def _position(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    first, _, second = cursor.partition("-")
    if first != "0" or not second.isdecimal() or len(second) > 18:
        raise ValueError("not a cursor of ours")
    return int(second)
