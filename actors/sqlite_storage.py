"""The storage port on SQLite: one writer, one connection, one transaction for each batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from actors import migrations
from actors.sqlite_connection import SqliteConnection
from actors.sqlite_rows import (
    INSERT,
    SELECT,
    UPDATE,
    check_text,
    entry_of,
    from_json,
    insert_values,
    task_of,
    to_json,
    update_values,
)
from actors.storage import Finish, KnownKey, ReadyRow
from actors.vocabulary.tasks import (
    AgentPresence,
    FinishedMinute,
    HistoryEntry,
    Identity,
    KnownAgent,
    ListTasks,
    Task,
    TaskPage,
    TaskStatus,
)
from wire.roles import Role

SEQ = "seq"

#: Rows looked at for one page of a filter without an index; a page may be shorter than asked and still have a successor.
SCAN_LIMIT = 20_000


class SqliteStorage:
    """See ``actors.storage.Storage``. Raises ``StorageRefused`` when the file cannot be used."""

    def __init__(self, path: Path) -> None:
        self._connection = SqliteConnection(path)
        try:
            migrations.migrate(self._connection.db)
            self._connection.wait_for_other_writers()
        except BaseException:
            self._connection.close()
            raise
        self._run = self._connection.run
        rows = self._run("SELECT name, value FROM counter").fetchall()
        self._committed: Counter[str] = Counter(dict(rows))
        self._counters = self._committed.copy()
        self._history: list[tuple[object, ...]] = []
        self._minutes: dict[int, list[int]] = {}

    # --- transactions ---------------------------------------------------------------------------------------------

    def commit(self) -> None:
        self._flush()
        self._connection.commit()
        self._committed = self._counters.copy()

    def rollback(self) -> None:
        self._history.clear()
        self._minutes.clear()
        self._counters = self._committed.copy()
        self._connection.rollback()

    def close(self) -> None:
        self._connection.close()

    def idle(self, now_s: float) -> None:
        self._connection.idle(now_s)

    def _flush(self) -> None:
        """Write what was collected for the whole batch: history, minutes, and each changed counter once."""
        if self._history:
            sql = "INSERT INTO history (task_id, event, generation, at, details) VALUES (?, ?, ?, ?, ?)"
            self._connection.run_many(sql, self._history)
            self._history = []
        if self._minutes:
            sql = (
                "INSERT INTO minute VALUES (?, ?, ?, ?, ?) ON CONFLICT (minute) DO UPDATE SET"
                " completed = completed + excluded.completed, failed = failed + excluded.failed,"
                " duration_ms = duration_ms + excluded.duration_ms, tokens_used = tokens_used + excluded.tokens_used"
            )
            self._connection.run_many(sql, [(minute, *sums) for minute, sums in self._minutes.items()])
            self._minutes = {}
        changed = [(n, v) for n, v in self._counters.items() if self._committed.get(n) != v]
        if changed:
            self._connection.begin()
            sql = "INSERT INTO counter VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
            self._connection.run_many(sql, changed)  # type: ignore[arg-type]

    # --- writing tasks --------------------------------------------------------------------------------------------

    def next_seq(self) -> int:
        self._counters[SEQ] += 1
        return self._counters[SEQ]

    def save(self, before: Task | None, after: Task, entry: HistoryEntry | None, finish: Finish | None = None) -> None:
        details = to_json(entry.details) if entry is not None else ""
        values = insert_values(after) if before is None else update_values(before, after)
        self._connection.begin()
        cursor = self._run(INSERT if before is None else UPDATE, values)
        if cursor.rowcount != 1:  # the one writer knows every generation: this is a fault of ours
            raise RuntimeError(f"the row of {after.id} is not what was read")
        if entry is not None:
            self._history.append((after.id, entry.event, after.generation, entry.timestamp, details))
        if finish is not None:
            sums = self._minutes.setdefault(after.updated_at // 60_000, [0, 0, 0, 0])
            added = (finish.completed, finish.failed, finish.duration_ms, finish.tokens_used)
            for index, number in enumerate(added):
                sums[index] += number
        self._count(before, -1)
        self._count(after, 1)

    def _count(self, task: Task | None, change: int) -> None:
        if task is not None:
            self._counters[f"status:{task.status.value}"] += change
            if task.status is TaskStatus.QUEUED:
                self._counters[f"priority:{task.priority}"] += change

    def prune(self, before_ms: int, limit: int) -> list[Task]:
        found: list[Task] = []
        for status in (TaskStatus.COMPLETED, TaskStatus.CANCELLED, TaskStatus.DEAD_LETTER):
            sql = f"{SELECT} WHERE status = ? AND updated_at < ? ORDER BY updated_at LIMIT ?"
            rows = self._run(sql, (status.value, before_ms, limit - len(found))).fetchall()
            found += [task_of(row) for row in rows]
        if found:
            self._connection.begin()
            ids: list[tuple[object, ...]] = [(task.id,) for task in found]
            self._connection.run_many("DELETE FROM history WHERE task_id = ?", ids)
            self._connection.run_many("DELETE FROM task WHERE id = ?", ids)
            for task in found:
                self._counters[f"status:{task.status.value}"] -= 1
                self._counters[f"pruned:{task.status.value}"] += 1
        return found

    # --- reading tasks --------------------------------------------------------------------------------------------

    def read(self, task_id: str) -> Task | None:
        row = self._run(f"{SELECT} WHERE id = ?", (task_id,)).fetchone()
        return task_of(row) if row is not None else None

    def history(self, task_id: str, limit: int) -> tuple[HistoryEntry, ...]:
        sql = "SELECT event, at, details FROM history WHERE task_id = ? ORDER BY seq DESC LIMIT ?"
        stored = [entry_of(row) for row in self._run(sql, (task_id, limit))]
        waiting = [(e, at, d) for id_, e, _, at, d in self._history if id_ == task_id]
        return (*(entry_of(row) for row in reversed(waiting)), *stored)[:limit]

    def ready_rows(self) -> Iterator[ReadyRow]:
        sql = (
            "SELECT id, seq, priority, needs, assign_to, not_before, complete_by FROM task"
            " WHERE status = 'queued' ORDER BY priority, seq"
        )
        sets: dict[str, frozenset[str]] = {}  # most tasks share a few sets
        for id_, seq, priority, needs, assign_to, not_before, complete_by in self._run(sql):
            parsed = sets.get(needs)
            if parsed is None:
                parsed = sets[needs] = frozenset(from_json(needs))
            yield ReadyRow(id_, seq, priority, parsed, assign_to, not_before, complete_by)

    def assigned(self, owner: str | None = None) -> tuple[Task, ...]:
        sql, values = f"{SELECT} WHERE status = 'assigned'", ()
        if owner is not None:
            sql, values = f"{sql} AND assigned_to = ?", (owner,)  # type: ignore[assignment]
        return tuple(task_of(row) for row in self._run(f"{sql} ORDER BY assigned_at, seq", values))

    def list_tasks(self, query: ListTasks) -> TaskPage:
        conditions, values = ["(priority, seq) > (?, ?)"], list(_position(query.cursor))
        for column, value in (
            ("status", query.status.value if query.status is not None else None),
            ("priority", query.priority),
            ("assigned_to", query.assigned_to),
        ):
            if value is not None:
                conditions.append(f"{column} = ?")
                values.append(value)  # type: ignore[arg-type]
        if query.capability is not None:
            conditions.append("instr(needs, ?) > 0")
            values.append(to_json(query.capability))  # type: ignore[arg-type]
        sql = f"{SELECT} WHERE {' AND '.join(conditions)} ORDER BY priority, seq LIMIT ?"
        tasks = [task_of(row) for row in self._run(sql, (*values, query.limit + 1))]
        page = tasks[: query.limit]
        more = len(tasks) > query.limit
        return TaskPage(tuple(page), f"{page[-1].priority}-{page[-1].seq}" if more else None)

    def list_dead_letters(self, cursor: str | None, limit: int) -> TaskPage:
        updated_at, seq = _position(cursor) if cursor is not None else (2**62, 2**62)
        sql = (
            f"{SELECT} WHERE status = 'dead_letter' AND (updated_at, seq) < (?, ?)"
            " ORDER BY updated_at DESC, seq DESC LIMIT ?"
        )
        tasks = [task_of(row) for row in self._run(sql, (updated_at, seq, limit + 1))]
        page = tasks[:limit]
        more = len(tasks) > limit
        return TaskPage(tuple(page), f"{page[-1].updated_at}-{page[-1].seq}" if more else None)

    def completions(self, limit: int) -> tuple[Task, ...]:
        sql = f"{SELECT} WHERE status = 'completed' ORDER BY updated_at DESC LIMIT ?"
        return tuple(task_of(row) for row in self._run(sql, (limit,)))

    def counters(self) -> dict[str, int]:
        return dict(self._counters)

    def minutes(self, since_minute: int) -> tuple[FinishedMinute, ...]:
        stored = {row[0]: list(row[1:]) for row in self._run("SELECT * FROM minute WHERE minute >= ?", (since_minute,))}
        for minute, sums in self._minutes.items():
            stored[minute] = [a + b for a, b in zip(stored.get(minute, [0] * 4), sums, strict=True)]
        return tuple(FinishedMinute(minute, *stored[minute]) for minute in sorted(stored))

    # --- idempotency keys -----------------------------------------------------------------------------------------

    def find_key(self, submitted_by: str, key: str) -> KnownKey | None:
        sql = "SELECT body_hash, task_id, created_at, priority FROM idempotency_key WHERE submitted_by = ? AND key = ?"
        row = self._run(sql, (submitted_by, key)).fetchone()
        return KnownKey(*row) if row is not None else None

    def add_key(self, submitted_by: str, key: str, body_hash: bytes, task: Task) -> None:
        values = (submitted_by, key, body_hash, task.id, task.created_at, task.priority)
        self._connection.begin()
        self._run("INSERT INTO idempotency_key VALUES (?, ?, ?, ?, ?, ?)", values)

    def prune_keys(self, before_ms: int, limit: int) -> int:
        sql = (
            "SELECT k.submitted_by, k.key FROM idempotency_key k LEFT JOIN task t ON t.id = k.task_id"
            " WHERE k.created_at < ? AND (t.id IS NULL OR"
            " (t.status IN ('completed', 'cancelled', 'dead_letter') AND t.updated_at < ?)) LIMIT ?"
        )
        old = self._run(sql, (before_ms, before_ms, limit)).fetchall()
        if old:
            self._connection.begin()
            self._connection.run_many("DELETE FROM idempotency_key WHERE submitted_by = ? AND key = ?", old)
        return len(old)

    # --- identities, settings, agents -----------------------------------------------------------------------------

    def identities(self) -> tuple[Identity, ...]:
        sql = "SELECT token_id, name, role, secret_sha256, created_at FROM identity ORDER BY name, created_at, token_id"
        return tuple(Identity(id_, name, Role(role), sha, at) for id_, name, role, sha, at in self._run(sql))

    def add_identity(self, identity: Identity) -> None:
        check_text(identity.token_id, identity.name)
        self._connection.begin()
        values = (identity.token_id, identity.name, identity.role.value, identity.secret_sha256, identity.created_at)
        self._run("INSERT INTO identity VALUES (?, ?, ?, ?, ?)", values)

    def remove_identities(self, name: str, keep_token_ids: tuple[str, ...] = ()) -> int:
        self._connection.begin()
        marks = ", ".join("?" * len(keep_token_ids))
        sql = f"DELETE FROM identity WHERE name = ? AND token_id NOT IN ({marks})"
        return self._run(sql, (name, *keep_token_ids)).rowcount

    def setting(self, key: str) -> Any:
        row = self._run("SELECT value FROM setting WHERE key = ?", (key,)).fetchone()
        return from_json(row[0]) if row is not None else None

    def write_setting(self, key: str, value: Any) -> None:
        encoded = to_json(value)
        self._connection.begin()
        sql = "INSERT INTO setting VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
        self._run(sql, (key, encoded))

    def agents(self) -> tuple[KnownAgent, ...]:
        sql = "SELECT agent_id, name, presence, since FROM agent ORDER BY agent_id"
        return tuple(KnownAgent(id_, name, AgentPresence(p), since) for id_, name, p, since in self._run(sql))

    def record_agent(self, agent: KnownAgent) -> None:
        check_text(agent.agent_id, agent.name)
        self._connection.begin()
        sql = (
            "INSERT INTO agent VALUES (?, ?, ?, ?) ON CONFLICT (agent_id) DO UPDATE SET"
            " name = excluded.name, presence = excluded.presence, since = excluded.since"
        )
        self._run(sql, (agent.agent_id, agent.name, agent.presence.value, agent.since))

    def add_enrolment(self, code_sha256: bytes, expires_at: int) -> None:
        self._connection.begin()
        self._run("INSERT OR REPLACE INTO enrolment VALUES (?, ?)", (code_sha256, expires_at))

    def has_enrolment(self, code_sha256: bytes, now: int) -> bool:
        sql = "SELECT 1 FROM enrolment WHERE code_sha256 = ? AND expires_at > ?"
        return self._run(sql, (code_sha256, now)).fetchone() is not None

    def spend_enrolment(self, code_sha256: bytes, now: int) -> bool:
        self._connection.begin()
        self._run("DELETE FROM enrolment WHERE expires_at <= ?", (now,))
        return self._run("DELETE FROM enrolment WHERE code_sha256 = ?", (code_sha256,)).rowcount == 1


def _position(cursor: str | None) -> tuple[int, int]:
    """A cursor is "a-b". Raises ``ValueError`` for anything else."""
    if cursor is None:
        return (-1, -1)
    first, separator, second = cursor.partition("-")
    if not separator or not (first.isdecimal() and second.isdecimal()) or len(cursor) > 40:
        raise ValueError("not a cursor of ours")
    return int(first), int(second)
