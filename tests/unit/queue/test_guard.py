"""The guard over the database file: it sees a lock that is gone, and takes no line of the list that it missed for one."""

from __future__ import annotations

from pathlib import Path

import pytest

from actors import sqlite_guard
from actors.sqlite_storage import SqliteStorage
from actors.storage import StorageFailed


def test_a_line_that_was_missed_while_others_locked_and_unlocked_is_no_loss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = SqliteStorage(tmp_path / "hub.db")
    held, looks = sqlite_guard._held_inodes, iter((False, False, True))
    monkeypatch.setattr(sqlite_guard, "_held_inodes", lambda: held() if next(looks) else set())
    storage.idle(1.0)
    assert next(looks, None) is None
    storage.close()


def test_a_lock_that_something_in_this_process_dropped_is(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    storage = SqliteStorage(path)
    storage.idle(1.0)
    path.open("rb").close()
    with pytest.raises(StorageFailed, match="something in this process opened the file"):
        storage.idle(3.0)
    storage.close()
