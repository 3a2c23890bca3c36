"""Notices when somebody touches the database file under us, which would cost work that was acknowledged.

POSIX locks belong to the process: if anything in this process opens and closes the file, its ``-wal`` or its ``-shm``, all of
our locks on it are gone without an error. Another process can then write into our transaction, or take itself for the last
user and delete the WAL, and every later commit of ours succeeds into a file that nobody will ever read. Two looks:

- the three paths still lead to the files that were there when we opened them (a deleted or replaced one shows);
- the kernel still lists our locks beside our descriptors of them (``/proc/self/fdinfo``, on Linux), so the first step is seen
  before the second happens. ``/proc/locks`` says the same of the whole machine, but it is not read in one piece: a line may be
  missing while others lock and unlock.
"""

from __future__ import annotations

import os
from pathlib import Path

from actors.storage import StorageFailed

_DESCRIPTORS = "/proc/self/fd"
_DESCRIPTOR_FACTS = "/proc/self/fdinfo"


class FileGuard:
    """Made after the first transaction, when all three files exist and our locks are taken."""

    def __init__(self, path: Path) -> None:
        self._paths = [f"{path}{suffix}" for suffix in ("", "-wal", "-shm")]
        self._files = [_identity(one) for one in self._paths]
        # SQLite keeps a lock on the database and one on the -shm as long as the connection lives; the WAL has none.
        holders = [_holder(self._files[index]) for index in (0, 2)]
        self._holders = [one for one in holders if one is not None] if None not in holders else []

    def check(self) -> None:
        """Raises ``StorageFailed``."""
        for path, known in zip(self._paths, self._files, strict=True):
            try:
                found = _identity(path)
            except OSError:
                raise StorageFailed(f"{path} was deleted or moved while the hub uses it") from None
            if found != known:
                raise StorageFailed(f"{path} was replaced while the hub uses it")
        if not all(map(_holds_lock, self._holders)):
            raise StorageFailed(f"the locks on {self._paths[0]} are gone: something in this process opened the file")


def _identity(path: str) -> tuple[int, int]:
    """Device and inode; ``stat`` does not open the file."""
    found = os.stat(path)
    return found.st_dev, found.st_ino


def _holder(file: tuple[int, int]) -> str | None:
    """The number of our descriptor of ``file`` that holds a lock; None: none does, or the system does not say."""
    try:
        numbers = os.listdir(_DESCRIPTORS)
    except OSError:
        return None
    return next((one for one in numbers if _leads_to(one, file) and _holds_lock(one)), None)


def _leads_to(number: str, file: tuple[int, int]) -> bool:
    try:
        return _identity(f"{_DESCRIPTORS}/{number}") == file
    except OSError:  # closed since it was listed
        return False


def _holds_lock(number: str) -> bool:
    try:
        with open(f"{_DESCRIPTOR_FACTS}/{number}", encoding="ascii") as facts:
            return any(line.startswith("lock:") for line in facts)
    except OSError:
        return False
