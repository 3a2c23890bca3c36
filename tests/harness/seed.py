"""A database full of tasks, written in a second: for tests of lists, groups and bulk operations with many rows.

Rows are made by SQL and not by a hub, but exactly as a hub would leave them: content, history, counters, causes of death. Which
task is what follows from its number, so a test can say what it must find.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from actors import migrations
from actors.fingerprint import fingerprint, shape_of
from actors.task_ids import make_key

#: A fixed time for the newest task, where a test does not care: 2026-01-01.
NOON_MS = 1_767_268_800_000

STATUSES = ("completed", "queued", "dead_letter", "assigned", "cancelled")

ERRORS = (
    "timeout after {n} s while asking the model",
    "cannot open /work/{n}/input.json: no such file",
    'KeyError: "field_{n}"',
)


@dataclass(frozen=True)
class Mix:
    """How many tasks of each status, oldest first in the order of ``STATUSES`` by turns. The rest is completed."""

    tasks: int
    queued: int = 0
    dead: int = 0
    cancelled: int = 0
    causes: int = 3
    agents: int = 40
    needs: tuple[str, ...] = ("nobody-has-this",)


def status_of(mix: Mix, n: int) -> str:
    """Of task ``n``: the few are spread evenly over the many; where two meet the first one of these has it."""
    for status, count, shift in (
        ("queued", mix.queued, 0),
        ("dead_letter", mix.dead, 7),
        ("cancelled", mix.cancelled, 13),
    ):
        if ((n + shift) * count) // mix.tasks != ((n + shift + 1) * count) // mix.tasks:
            return status
    return "completed"


def error_of(mix: Mix, n: int) -> str:
    return ERRORS[(n // 7) % min(mix.causes, len(ERRORS))].format(n=n)


def seed(data_dir: Path, mix: Mix, *, newest_ms: int = NOON_MS, step_ms: int = 1_000) -> None:
    """Make ``data_dir`` with a database of ``mix.tasks`` tasks, each ``step_ms`` younger than the one before."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    db = sqlite3.connect(data_dir / "hub.db", isolation_level=None)
    db.execute("PRAGMA journal_mode = wal")
    db.execute("PRAGMA synchronous = 0")
    migrations.migrate(db)
    db.execute("BEGIN")
    rows = [_row(mix, n, newest_ms - (mix.tasks - 1 - n) * step_ms) for n in range(mix.tasks)]
    db.executemany(f"INSERT INTO task VALUES ({', '.join('?' * 23)})", rows)
    contents = ((row[0], f"Task {n}: {_WORDS[n % len(_WORDS)]}", "{}", "{}") for n, row in enumerate(rows))
    db.executemany("INSERT INTO content VALUES (?, ?, ?, ?)", contents)
    history = ((row[0], n + 1, "queued", 0, row[20], '"submitted"') for n, row in enumerate(rows))
    db.executemany("INSERT INTO history VALUES (?, ?, ?, ?, ?, ?)", history)
    _count(db, mix)
    _bury(db)
    db.execute("COMMIT")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


_WORDS = ("tidy the README", "review the patch", "write the tests", "translate the page", "check the links")


def _row(mix: Mix, n: int, created: int) -> tuple[object, ...]:
    status = status_of(mix, n)
    is_open = status == "queued"
    agent = None if is_open or status == "cancelled" else f"agent-{n % mix.agents}"
    ended = created + 60_000 + (n % 100) * 100
    needs = '["' + '","'.join(mix.needs) + '"]' if mix.needs else "[]"
    return (
        *(make_key(n + 1, n % 65_536), n + 1, (n // 3) % 4, status, int(not is_open), int(agent is not None)),
        *(agent, created + 50_000 if agent else None, created + 50_001 if agent else None, None),
        *(3 if status == "dead_letter" else n % 3, 3, 0, None, needs, None, None),
        *(error_of(mix, n) if status == "dead_letter" else None, (n % 50) * 100, f"team-{n % 5}"),
        *(created, created if is_open else ended, ended if status in ("completed", "cancelled") else None),
    )


def _count(db: sqlite3.Connection, mix: Mix) -> None:
    counted = db.execute("SELECT 'status:' || status, count(*) FROM task GROUP BY status").fetchall()
    counted += db.execute(
        "SELECT 'priority:' || priority, count(*) FROM task WHERE status = 'queued' GROUP BY priority"
    ).fetchall()
    counted += [("seq", mix.tasks), ("history", mix.tasks)]
    db.executemany("INSERT INTO counter VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", counted)


def _bury(db: sqlite3.Connection) -> None:
    """The causes of death, as the queue keeps them."""
    dead = db.execute("SELECT key, last_error, priority, updated_at FROM task WHERE status = 'dead_letter'").fetchall()
    groups: dict[str, list[object]] = {}
    members = []
    hours: dict[tuple[str, int], int] = {}
    for key, error, lane, at in dead:
        shape = shape_of(error)
        id_ = fingerprint("failed", shape)
        group = groups.setdefault(id_, [id_, "failed", shape, 0, 0, 0, 0, 0, 0, at, at])
        group[3] += 1  # type: ignore[operator]
        group[5 + lane] += 1  # type: ignore[operator]
        group[9], group[10] = min(group[9], at), max(group[10], at)  # type: ignore[call-overload]
        members.append((key, id_, at, None))
        hours[id_, at // 3_600_000] = hours.get((id_, at // 3_600_000), 0) + 1
    db.executemany("INSERT INTO dead_member VALUES (?, ?, ?, ?)", members)
    db.executemany(f"INSERT INTO dead_group VALUES ({', '.join('?' * 11)})", groups.values())
    db.executemany("INSERT INTO dead_hour VALUES (?, ?, ?)", [(*hour, died) for hour, died in hours.items()])
