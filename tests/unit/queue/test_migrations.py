"""A database of an earlier version opens with everything that was in it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from actors import migrations
from actors.task_ids import id_of, key_of, make_key
from actors.vocabulary import tasks as v
from tests.unit.queue.conftest import Queue

#: id, seq, priority, status, generation, owner, result.
OLD = [
    ("task-00000000000000ff", 1, 0, "queued", 0, None, None),
    ("task-f123456789abcdef", 2, 2, "assigned", 3, "a", None),
    ("task-8000000000000000", 3, 3, "completed", 1, "b", '{"x":1}'),
    ("task-ffffffffffffffff", 4, 1, "dead_letter", 2, "b", None),
]

#: What the row itself says of each, and the entry that the old history has: nothing twice.
TOLD = {
    "queued": ["queued"],
    "assigned": ["assigned", "queued"],
    "completed": ["completed", "assigned", "queued"],
    "dead_letter": ["queued"],
}


def old_database(path: Path) -> None:
    """As the first schema left it."""
    db = sqlite3.connect(path, isolation_level=None)
    [(_, _, first), *_] = migrations.available()
    db.executescript(first)
    for id_, seq, priority, status, generation, owner, result in OLD:
        db.execute(
            "INSERT INTO task VALUES (?, ?, ?, ?, ?, ?, 5, NULL, 0, 3, 0, NULL, '[\"gpu\"]', NULL, NULL, NULL, 7, 'me', 1, 2,"
            " NULL, 'text', '{\"m\":1}', '{\"repo\":\"r\"}', ?)",
            (id_, seq, priority, status, generation, owner, result),
        )
        db.execute(
            "INSERT INTO history (task_id, event, generation, at, details) VALUES (?, 'queued', 0, 1, '\"submitted\"')",
            (id_,),
        )
        db.execute(
            "INSERT INTO counter VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1",
            (f"status:{status}",),
        )
    db.execute("INSERT INTO counter VALUES ('seq', 4), ('priority:0', 1)")
    db.execute("INSERT INTO idempotency_key VALUES ('me', 'k', x'00', ?, 1, 0)", (OLD[0][0],))
    db.execute(f"PRAGMA application_id = {migrations.APPLICATION_ID}")
    db.execute("PRAGMA user_version = 1")
    db.close()


def test_the_first_schema_becomes_the_newest_with_every_task_in_its_state(tmp_path: Path) -> None:
    old_database(tmp_path / "hub.db")
    queue = Queue(tmp_path / "hub.db")
    for id_, seq, priority, status, generation, owner, result in OLD:
        task = queue.task(id_)
        assert (task.id, task.seq, task.priority, task.status, task.generation) == (
            id_,
            seq,
            priority,
            status,
            generation,
        )
        assert task.assigned_to == owner and task.result == (None if result is None else {"x": 1})
        assert (task.description, task.metadata, task.extras) == ("text", {"m": 1}, {"repo": "r"})
        assert [entry.event for entry in task.history] == TOLD[status]
    claimed = queue.claim("worker", "gpu")
    assert claimed is not None and claimed.id == OLD[0][0]
    assert queue.ask(v.Complete(OLD[1][0], "a", 3, None, 0)) == v.Completed(OLD[1][0])
    assert queue.submit() not in {id_ for id_, *_ in OLD}
    queue.close()


def test_ids_are_numbers_and_numbers_are_ids() -> None:
    for id_, *_ in OLD:
        key = key_of(id_)
        assert key is not None and id_of(key) == id_
    assert id_of(make_key(1, 2)) == "task-0000000100000002"
    for wrong in (
        "",
        "task-",
        "task-1",
        "task-00000000000000FF",
        "job-00000000000000ff",
        "task-0000000000000_ff",
        "task- 000000000000ff",
    ):
        assert key_of(wrong) is None, wrong
