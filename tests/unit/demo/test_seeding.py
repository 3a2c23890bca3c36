"""What a seeded database says of the past is what happened in it, on every page."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from agentcom.demo.seeding import read, seed
from agentcom.failures import Failure
from wire.rollups import unpack

NOW_MS = 1_773_324_161_000
TASKS = 400


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("seeded") / "data"
    seed(directory, seed=7, tasks=TASKS, now_ms=NOW_MS, frozen=True)
    return directory


@pytest.fixture
def rows(seeded: Path) -> sqlite3.Connection:
    return sqlite3.connect(seeded / "hub.db")


def test_counters_trends_and_tasks_agree(rows: sqlite3.Connection) -> None:
    by_status = dict(rows.execute("SELECT status, count(*) FROM task GROUP BY status"))
    counters = dict(rows.execute("SELECT substr(name, 8), value FROM counter WHERE name LIKE 'status:%' AND value > 0"))
    assert by_status == counters and sum(by_status.values()) == TASKS
    hours = [unpack(packed) for (packed,) in rows.execute("SELECT packed FROM rollup WHERE size = 3600")]
    assert sum(hour.submitted for hour in hours) == TASKS
    assert sum(hour.completed for hour in hours) == by_status["completed"]
    assert sum(hour.dead for hour in hours) == by_status["dead_letter"]


def test_agents_were_never_busier_than_they_were_there_and_as_long_as_their_tasks(rows: sqlite3.Connection) -> None:
    hours = rows.execute("SELECT busy, there FROM agent_hour").fetchall()
    assert hours and all(0 <= busy <= there for busy, there in hours)
    week_ago = rows.execute("SELECT MIN(start) FROM agent_hour").fetchone()[0]
    of_tasks = "SELECT SUM(updated_at - assigned_at) FROM task WHERE status = 'completed' AND assigned_at >= ?"
    assert sum(busy for busy, _ in hours) >= rows.execute(of_tasks, (week_ago,)).fetchone()[0] > 0


def test_a_group_of_dead_letters_began_before_it_ended(rows: sqlite3.Connection) -> None:
    """They die within one batch here, which is when the first time was once the last."""
    deaths: dict[str, list[int]] = {}
    for group, died_at in rows.execute("SELECT dead_group, died_at FROM dead_member"):
        deaths.setdefault(group, []).append(died_at)
    kept = {group: (first, last) for group, first, last in rows.execute("SELECT id, first_at, last_at FROM dead_group")}
    assert kept == {group: (min(times), max(times)) for group, times in deaths.items()}
    assert any(first < last for first, last in kept.values())


def test_cancellations_stand_in_the_audit_log_with_who_did_it(rows: sqlite3.Connection) -> None:
    cancelled = rows.execute("SELECT submitted_by FROM task WHERE status = 'cancelled' ORDER BY updated_at").fetchall()
    assert cancelled
    assert rows.execute("SELECT actor FROM audit WHERE action = 'task.cancel' ORDER BY at").fetchall() == cancelled


def test_the_directory_may_be_written_anew_and_no_other(seeded: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    seed(again, seed=1, tasks=10, now_ms=NOW_MS, frozen=False)
    seed(again, seed=2, tasks=20, now_ms=NOW_MS, frozen=True)
    assert (read(again).seed, read(again).tasks, read(again).frozen) == (2, 20, True)
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "hub.db").write_text("somebody's")
    with pytest.raises(Failure):
        seed(tmp_path / "real", seed=1, tasks=1, now_ms=NOW_MS, frozen=False)
    assert (tmp_path / "real" / "hub.db").read_text() == "somebody's"
