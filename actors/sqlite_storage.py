"""The storage port on SQLite: one writer, one connection, one transaction for each batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from actors import migrations
from actors.recent_tasks import RecentTasks
from actors.sqlite_audit import SqliteAudit
from actors.sqlite_connection import SqliteConnection
from actors.sqlite_dead_letters import DeadLetters
from actors.sqlite_directory import SqliteDirectory
from actors.sqlite_notices import SqliteNotices
from actors.sqlite_operations import SqliteOperations
from actors.sqlite_output import SqliteOutput
from actors.sqlite_reads import TaskReads
from actors.sqlite_rollups import OldestWaiting, SqliteRollups
from actors.sqlite_search import TaskSearch
from actors.sqlite_writes import TaskWrites
from actors.storage import Finish, KnownKey, OpenTask
from actors.task_history import to_store, whole
from actors.task_ids import id_of
from actors.vocabulary.fleet import FinishedAttempt
from actors.vocabulary.tasks import FINAL, QUEUED, FinishedMinute, HistoryEntry, ListTasks, Task, TaskPage, TaskStatus

#: Counters that are no counts: the next place in the queue, and the next number of a history entry.
SEQ = "seq"
HISTORY = "history"

#: The history entry of a dead letter that was taken away and can be recovered.
DISCARDED = "discarded"

_DEAD = TaskStatus.DEAD_LETTER


class SqliteStorage:
    """See ``actors.storage.Storage``. Raises ``StorageRefused`` when the file cannot be used."""

    def __init__(self, path: Path) -> None:
        self._connection = SqliteConnection(path)
        try:
            self.schema = migrations.migrate(self._connection.db)
            self._connection.wait_for_other_writers()
        except BaseException:
            self._connection.close()
            raise
        self._run = self._connection.run
        self._reads = TaskReads(self._connection)
        self._writes = TaskWrites(self._connection)
        self._recent = RecentTasks()
        self._flushed: list[Task] = []
        """Written in this transaction for a reader, and not committed."""
        self.directory = SqliteDirectory(self._connection)
        self.notices = SqliteNotices(self._connection)
        self.rollups = SqliteRollups(self._connection)
        self._oldest = OldestWaiting(self._connection)
        self._dead = DeadLetters(self._connection)
        self.operations = SqliteOperations(self._connection)
        self._search = TaskSearch(self._connection, self._reads, self.counters)
        self.audit = SqliteAudit(self._connection)
        self.output = SqliteOutput(self._connection)
        self._committed: Counter[str] = Counter(dict(self._run("SELECT name, value FROM counter").fetchall()))
        self._counters = self._committed.copy()

    # --- transactions ---------------------------------------------------------------------------------------------

    def commit(self) -> None:
        written, self._flushed = [*self._flushed, *(self._flush() if self._writes or self._dead else [])], []
        self._write_counters()
        self._connection.commit()
        self._committed = self._counters.copy()
        for task in written:
            self._recent.note(task, len(task.description) + 200)

    def rollback(self) -> None:
        self._writes.clear()
        self._flushed = []
        self._dead.clear()
        self._counters = self._committed.copy()
        self.output.recount()
        self._connection.rollback()

    @property
    def commits(self) -> int:
        return self._connection.commits

    def sizes(self) -> tuple[int, int]:
        return self._connection.sizes()

    def close(self) -> None:
        self._connection.close()

    def idle(self, now_s: float) -> None:
        self._connection.idle(now_s)

    def _flush(self) -> list[Task]:
        self._connection.begin()
        if self._dead:
            self._dead.flush()
        return self._writes.flush()

    def _write_counters(self) -> None:
        """Each changed counter once."""
        changed = [(n, v) for n, v in self._counters.items() if self._committed.get(n) != v]
        if changed:
            self._connection.begin()
            sql = "INSERT INTO counter VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
            self._connection.run_many(sql, changed)

    # --- writing tasks --------------------------------------------------------------------------------------------

    def next_seq(self) -> int:
        self._counters[SEQ] += 1
        return self._counters[SEQ]

    def save(self, before: Task | None, after: Task, entry: HistoryEntry | None, finish: Finish | None = None) -> None:
        entries = to_store(before, after, entry)
        self._writes.save(before, after, entries, self._counters[HISTORY] + 1, finish)
        if entries:
            self._counters[HISTORY] += len(entries)
        self._count(before, -1)
        self._count(after, 1)
        if after.status is _DEAD or (before is not None and before.status is _DEAD):
            self._dead.moved(before, after, discarded=entry is not None and entry.event == DISCARDED)

    def _count(self, task: Task | None, change: int) -> None:
        if task is not None:
            self._counters[_STATUS_COUNTERS[task.status]] += change
            if task.status is QUEUED:
                self._counters[_LANE_COUNTERS[task.priority]] += change

    def prune(self, before_ms: int, limit: int) -> list[Task]:
        found: list[Task] = []
        for status in sorted(FINAL):
            found += self._reads.old(status, before_ms, limit - len(found))
        if found:
            self._connection.begin()
            keys: list[tuple[object, ...]] = [(task.key,) for task in found]
            for table in ("history", "result", "content", "duplicate", "output", "task"):
                self._connection.run_many(f"DELETE FROM {table} WHERE key = ?", keys)
            self.output.recount()
            for task in found:
                if task.status is _DEAD:
                    self._dead.moved(task, None, discarded=False)
                self._counters[f"status:{task.status.value}"] -= 1
                self._counters[f"pruned:{task.status.value}"] += 1
        return found

    def write_now(self) -> None:
        self._write_before_reading()

    # --- reading tasks --------------------------------------------------------------------------------------------

    def read(self, key: int) -> Task | None:
        return self._writes.pending(key) or self._recent.get(key) or self._reads.task(key)

    def read_many(self, keys: Sequence[int]) -> dict[int, Task]:
        found: dict[int, Task] = {}
        for key in keys:
            task = self._writes.pending(key) or self._recent.get(key)
            if task is not None:
                found[key] = task
        missing = [key for key in keys if key not in found]
        return found | self._reads.tasks(missing) if missing else found

    def history(self, task: Task, limit: int) -> tuple[HistoryEntry, ...]:
        stored = [*self._writes.pending_history(task.key), *self._reads.history(task.key, limit)]
        return whole(task, stored[:limit], limit)

    def add_duplicate(self, original: int | None, key: int) -> None:
        if original is not None:
            self._connection.begin()
            self._run("INSERT INTO duplicate (key, original) VALUES (?, ?)", (key, original))

    def duplicates(self, original: int, limit: int) -> tuple[str, ...]:
        sql = "SELECT key FROM duplicate WHERE original = ? ORDER BY key DESC LIMIT ?"
        return tuple(id_of(row[0]) for row in self._run(sql, (original, limit)))

    def open_tasks(self) -> Iterator[OpenTask]:
        return self._reads.open_tasks()

    def count_ahead(self, task: Task, limit: int) -> int:
        return self._reads.count_ahead(task, limit)

    def list_tasks(self, query: ListTasks) -> TaskPage:
        self._write_before_reading()
        return self._reads.page(query)

    def list_dead_letters(self, cursor: str | None, limit: int) -> TaskPage:
        self._write_before_reading()
        return self._reads.dead_letters(cursor, limit)

    def completions(self, limit: int) -> tuple[Task, ...]:
        self._write_before_reading()
        return self._reads.completions(limit)

    def finished(self, since_ms: int, limit: int) -> tuple[FinishedAttempt, ...]:
        if limit == 0:
            return ()
        self._write_before_reading()
        return self._reads.finished(since_ms, limit)

    def oldest_waiting(self, now_ms: int) -> tuple[int | None, ...]:
        self._write_before_reading()
        return tuple(self._oldest.in_lane(lane, now_ms) for lane in range(len(_LANE_COUNTERS)))

    # --- searching ------------------------------------------------------------------------------------------------

    @property
    def search(self) -> TaskSearch:
        self._write_before_reading()
        return self._search

    @property
    def dead_letters(self) -> DeadLetters:
        self._write_before_reading()
        return self._dead

    def _write_before_reading(self) -> None:
        """A list sees what came before it in the same batch."""
        if self._writes or self._dead:
            flushed = self._flush()
            for task in flushed:  # what is remembered of it is from before; from now on the row tells
                self._recent.forget(task.key)
            self._flushed += flushed

    def counters(self) -> Counter[str]:
        return self._counters

    def minutes(self, since_minute: int) -> tuple[FinishedMinute, ...]:
        stored = {row[0]: list(row[1:]) for row in self._run("SELECT * FROM minute WHERE minute >= ?", (since_minute,))}
        for minute, sums in self._writes.minutes().items():
            stored[minute] = [a + b for a, b in zip(stored.get(minute, [0] * 4), sums, strict=True)]
        return tuple(FinishedMinute(minute, *stored[minute]) for minute in sorted(stored))

    # --- idempotency keys -----------------------------------------------------------------------------------------

    def find_key(self, submitted_by: str, key: str) -> KnownKey | None:
        sql = "SELECT body_hash, task, created_at, priority FROM idempotency_key WHERE submitted_by = ? AND key = ?"
        row = self._run(sql, (submitted_by, key)).fetchone()
        return KnownKey(row[0], id_of(row[1]), row[2], row[3]) if row is not None else None

    def add_key(self, submitted_by: str, key: str, body_hash: bytes, task: Task) -> None:
        values = (submitted_by, key, body_hash, task.key, task.created_at, task.priority)
        self._connection.begin()
        self._run("INSERT INTO idempotency_key VALUES (?, ?, ?, ?, ?, ?)", values)

    def prune_keys(self, before_ms: int, limit: int) -> int:
        sql = (
            "SELECT k.submitted_by, k.key FROM idempotency_key k LEFT JOIN task t ON t.key = k.task"
            " WHERE k.created_at < ? AND (t.key IS NULL OR (t.is_final = 1 AND t.updated_at < ?)) LIMIT ?"
        )
        old = self._run(sql, (before_ms, before_ms, limit)).fetchall()
        if old:
            self._connection.begin()
            self._connection.run_many("DELETE FROM idempotency_key WHERE submitted_by = ? AND key = ?", old)
        return len(old)


_STATUS_COUNTERS = {status: f"status:{status.value}" for status in TaskStatus}
_LANE_COUNTERS = [f"priority:{lane}" for lane in range(4)]
