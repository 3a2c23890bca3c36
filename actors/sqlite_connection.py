"""The one connection to the database: its settings, its errors, its checkpoints, and the guard against a file pulled away.

Nothing else in this process may ever open the database or its ``-wal`` and ``-shm``: closing *any* descriptor of such a file
drops the locks of all of them, and then acknowledged commits can vanish without an error.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from actors import migrations
from actors.sqlite_guard import FileGuard
from actors.storage import StorageFailed, StorageRefused

#: Read back by a test after every open.
SETTINGS: dict[str, str | int] = {
    "journal_mode": "wal",
    "synchronous": 2,  # FULL: NORMAL loses acknowledged tasks on a power cut
    "wal_autocheckpoint": 0,  # we checkpoint between batches, when nobody waits
    "journal_size_limit": 64 * 1024 * 1024,
    "busy_timeout": 5000,
    "mmap_size": 0,  # an I/O error must be an error code and not a SIGBUS
    "temp_store": 2,
    "foreign_keys": 1,
    "trusted_schema": 0,
    "cell_size_check": 1,
    "fullfsync": 1,  # macOS only; harmless elsewhere
    "checkpoint_fullfsync": 1,
}

#: Results of SQLite after which nothing about the last transaction is known.
_FATAL = frozenset(
    {
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
    }
)

PAGES_BEFORE_CHECKPOINT = 1000
WAL_LIMIT_BYTES = 64 * 1024 * 1024
GUARD_PERIOD_S = 1.0
IDLE_CHECKPOINT_S = 5.0
PAGE_BYTES = 4096


def is_fatal(error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and (code & 0xFF) in _FATAL


def failed(error: sqlite3.Error) -> Exception:
    """The storage error for one of SQLite."""
    return StorageFailed(f"{type(error).__name__}: {error}")


class SqliteConnection:
    """Opened, checked and closed by one thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._wal = Path(f"{path}-wal")
        self._last_guard = float("-inf")
        self._last_write = float("-inf")
        self._writes = 0
        self.commits = 0
        previous = os.umask(0o077)
        try:
            self.db = sqlite3.connect(str(path), isolation_level=None, check_same_thread=False, cached_statements=256)
            migrations.check(self.db)  # before anything is changed, the journal mode included
            self._configure()
        except StorageRefused:
            self.db.close()
            raise
        except sqlite3.Error as error:
            raise StorageRefused(f"cannot open {path}: {error}") from error
        finally:
            os.umask(previous)
        self._guard = FileGuard(path)

    def _configure(self) -> None:
        if self.db.execute("PRAGMA journal_mode = wal").fetchone()[0] != "wal":
            raise StorageRefused(f"{self.path} is on a file system without shared memory; use a local disk")
        for name, value in SETTINGS.items():
            if name != "journal_mode":
                self.db.execute(f"PRAGMA {name} = {value}")
        result = self.db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if result != "ok":
            raise StorageRefused(f"{self.path} is damaged ({result}); restore a backup. Nothing was changed")

    # --- transactions ---------------------------------------------------------------------------------------------

    def wait_for_other_writers(self) -> None:
        """Return when no transaction of an earlier incarnation of the writer is open any more."""
        self.run("BEGIN IMMEDIATE")
        self.rollback()

    def begin(self) -> None:
        """Begin unless there is a transaction."""
        if not self.db.in_transaction:
            self.run("BEGIN IMMEDIATE")

    def run(self, sql: str, values: Sequence[object] = ()) -> sqlite3.Cursor:
        """Execute one statement. Raises ``StorageFailed`` for errors of the disk; others are faults of ours."""
        try:
            return self.db.execute(sql, values)
        except sqlite3.Error as error:
            if is_fatal(error):
                raise failed(error) from error
            raise

    def run_many(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        try:
            self.db.executemany(sql, rows)
        except sqlite3.Error as error:
            if is_fatal(error):
                raise failed(error) from error
            raise

    def commit(self) -> None:
        """Durable when it returns. Any error here means that the outcome is unknown."""
        if self.db.in_transaction:
            try:
                self.db.execute("COMMIT")
            except sqlite3.Error as error:
                raise failed(error) from error
            self._writes += 1
            self.commits += 1

    def rollback(self) -> None:
        # After some errors SQLite has rolled back by itself.
        if self.db.in_transaction:
            self.db.execute("ROLLBACK")

    # --- housekeeping ---------------------------------------------------------------------------------------------

    def idle(self, now_s: float) -> None:
        """Between batches. Raises ``StorageFailed`` when the files under us are not ours any more."""
        if now_s - self._last_guard >= GUARD_PERIOD_S:
            self._last_guard = now_s
            self._guard.check()
        if self._writes:
            self._writes = 0
            self._last_write = now_s
            self._checkpoint_if_large()
        elif 0 < now_s - self._last_write >= IDLE_CHECKPOINT_S and self._last_write != float("-inf"):
            self._last_write = float("-inf")
            self._checkpoint("TRUNCATE")

    def sizes(self) -> tuple[int, int]:
        """Bytes of the database file and of its WAL. ``stat`` opens nothing."""
        return _size(self.path), _size(self._wal)

    def _checkpoint_if_large(self) -> None:
        size = _size(self._wal)
        if size > WAL_LIMIT_BYTES:
            self._checkpoint("TRUNCATE")
        elif size > PAGES_BEFORE_CHECKPOINT * PAGE_BYTES:
            self._checkpoint("PASSIVE")

    def _checkpoint(self, mode: str) -> None:
        self.run(f"PRAGMA wal_checkpoint({mode})").fetchall()

    def close(self) -> None:
        self.rollback()
        self.db.close()


def _size(path: Path) -> int:
    """0 for a file that is not there."""
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0
