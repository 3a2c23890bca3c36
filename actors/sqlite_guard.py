"""Notices when somebody touches the database file under us, which would cost work that was acknowledged.

POSIX locks belong to the process: if anything in this process opens and closes the file, its ``-wal`` or its ``-shm``, all of
our locks on it are gone without an error. Another process can then write into our transaction, or take itself for the last
user and delete the WAL, and every later commit of ours succeeds into a file that nobody will ever read. Two looks:

- the three paths still lead to the files that were there when we opened them (a deleted or replaced one shows);
- the kernel still lists our locks on them (``/proc/locks``, on Linux), so the first step is seen before the second happens.
"""

from __future__ import annotations

import os
from pathlib import Path

from actors.storage import StorageFailed

_LOCKS = "/proc/locks"

#: The kernel's list is not read in one piece: while other processes take and leave locks, one reading of it may miss ours. A lock
#: that is really gone is in none.
LOOKS = 5


class FileGuard:
    """Made after the first transaction, when all three files exist and our locks are taken."""

    def __init__(self, path: Path) -> None:
        self._paths = [f"{path}{suffix}" for suffix in ("", "-wal", "-shm")]
        self._files = [_identity(one) for one in self._paths]
        # SQLite keeps a lock on the database and one on the -shm as long as the connection lives; the WAL has none.
        self._locked = [str(self._files[index][1]) for index in (0, 2)]
        self._sees_locks = _held_inodes().issuperset(self._locked)

    def check(self) -> None:
        """Raises ``StorageFailed``."""
        for path, known in zip(self._paths, self._files, strict=True):
            try:
                found = _identity(path)
            except OSError:
                raise StorageFailed(f"{path} was deleted or moved while the hub uses it") from None
            if found != known:
                raise StorageFailed(f"{path} was replaced while the hub uses it")
        if self._sees_locks and not any(_held_inodes().issuperset(self._locked) for _ in range(LOOKS)):
            raise StorageFailed(f"the locks on {self._paths[0]} are gone: something in this process opened the file")


def _identity(path: str) -> tuple[int, int]:
    """Device and inode; ``stat`` does not open the file."""
    found = os.stat(path)
    return found.st_dev, found.st_ino


def _held_inodes() -> set[str]:
    """Inodes on which this process holds POSIX locks, as the kernel lists them; empty where it does not."""
    pid = str(os.getpid())
    held: set[str] = set()
    try:
        with open(_LOCKS, encoding="ascii") as lines:
            for line in lines:
                # "1: POSIX  ADVISORY  READ 1234 fe:01:131090 128 128"; a waiting lock has "->" in front of POSIX.
                words = line.split()
                if len(words) >= 8 and words[1] == "POSIX" and words[4] == pid:
                    held.add(words[5].rpartition(":")[2])
    except OSError:
        return set()
    return held
