"""The guard over the database file: it sees a lock that is gone, and takes nothing that others do for that."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from actors.sqlite_storage import SqliteStorage
from actors.storage import StorageFailed

LOCK_AND_UNLOCK = """
import fcntl, sys
with open(sys.argv[1], "w") as own:
    print(flush=True)
    while True:
        fcntl.lockf(own, fcntl.LOCK_EX)
        fcntl.lockf(own, fcntl.LOCK_UN)
"""


def test_others_that_lock_and_unlock_all_the_time_are_no_loss(tmp_path: Path) -> None:
    storage = SqliteStorage(tmp_path / "hub.db")
    others = [
        subprocess.Popen([sys.executable, "-c", LOCK_AND_UNLOCK, str(tmp_path / str(n))], stdout=subprocess.PIPE)
        for n in range(2)
    ]
    try:
        for one in others:
            assert one.stdout is not None
            one.stdout.readline()
        for second in range(2_000):
            storage.idle(float(second))
    finally:
        for one in others:
            one.kill()
            one.communicate()
    storage.close()


def test_a_lock_that_something_in_this_process_dropped_is_one(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    storage = SqliteStorage(path)
    storage.idle(1.0)
    path.open("rb").close()
    with pytest.raises(StorageFailed, match="something in this process opened the file"):
        storage.idle(3.0)
    storage.close()
