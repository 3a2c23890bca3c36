"""huey on SQLite, as its manual has it for durability: WAL, full sync, no results."""

from __future__ import annotations

import os
from pathlib import Path

from huey import SqliteHuey

from bench.peers.done import note

huey = SqliteHuey(
    filename=str(Path(os.environ["BENCH_FOLDER"]) / "huey.db"),
    fsync=True,
    journal_mode="wal",
    results=False,
    timeout=30,
)


@huey.task()
def nothing(number: int) -> None:
    note()


def enqueue(count: int) -> None:
    for number in range(count):
        nothing(number)
