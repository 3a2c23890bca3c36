"""What the hub says of its own storage."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReadStorage:
    """To ``TaskQueue``. Answer: ``StorageFigures``."""


@dataclass(frozen=True, slots=True)
class Commit:
    """A transaction that is on the disk: when (Unix ms), how many messages shared it, and how long it took, from the first of
    them to the moment from which nothing of it can be lost."""

    at: int
    messages: int
    took_us: int


@dataclass(frozen=True, slots=True)
class StorageFigures:
    """Sizes are bytes; ``wal_bytes``: what is on the disk but not in the database yet. ``commits``: since the queue started."""

    path: str
    schema: int
    database_bytes: int
    wal_bytes: int
    disk_free: int
    disk_size: int
    commits: int
    last_commit: Commit | None
