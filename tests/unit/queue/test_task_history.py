"""A task's history is the same for whoever reads it, however little of it is in the table."""

from __future__ import annotations

from pathlib import Path

from actors.vocabulary import bulk as b
from actors.vocabulary import tasks as v
from actors.vocabulary.audit import Audited, Doer
from tests.unit.queue.conftest import Queue


def told(queue: Queue, task_id: str) -> list[str]:
    """Oldest first."""
    return [entry.event for entry in reversed(queue.task(task_id).history)]


def test_a_task_that_goes_straight_to_its_end_leaves_no_row_and_tells_everything(tmp_path: Path) -> None:
    queue = Queue(tmp_path / "hub.db")
    task_id = queue.submit()
    assert told(queue, task_id) == ["queued"]
    claimed = queue.claim("worker")
    assert claimed is not None and told(queue, task_id) == ["queued", "assigned"]
    queue.ask(v.Complete(task_id, "worker", claimed.generation, "done", 7))
    task = queue.task(task_id)
    assert [(entry.event, entry.details) for entry in reversed(task.history)] == [
        ("queued", "submitted"),
        ("assigned", {"agent_id": "worker", "generation": 1}),
        ("completed", {"tokens_used": 7}),
    ]
    assert [entry.timestamp for entry in task.history] == [task.completed_at, task.assigned_at, task.created_at]
    queue.close()


def test_every_attempt_that_ended_otherwise_stays_in_the_history(tmp_path: Path) -> None:
    queue = Queue(tmp_path / "hub.db")
    task_id = queue.submit(max_retries=1)
    first = queue.claim("a")
    assert first is not None
    queue.ask(v.Reclaim(task_id, first.generation, v.ReclaimCause.AGENT_LEFT))
    second = queue.claim("b")
    assert second is not None
    queue.ask(v.Fail(task_id, "b", second.generation, "broken"))
    queue.ask(v.RetryDeadLetter(task_id))
    third = queue.claim("c")
    assert third is not None
    queue.ask(v.Complete(task_id, "c", third.generation, None, 0))
    expected = [
        *("queued", "assigned", "reclaimed", "assigned", "dead_letter"),
        *("queued", "assigned", "completed"),
    ]
    assert told(queue, task_id) == expected
    owners = [entry.details["agent_id"] for entry in queue.task(task_id).history if entry.event == "assigned"]
    assert owners == ["c", "b", "a"]
    queue.close()
    reopened = Queue(tmp_path / "hub.db")
    assert told(reopened, task_id) == expected
    reopened.close()


def test_what_was_done_by_hand_says_who_did_it_and_how(tmp_path: Path) -> None:
    queue = Queue(tmp_path / "hub.db")
    ann, page = Doer("ann", "operator", "cli"), Doer("dashboard", "local", "page")
    task_id = queue.submit(max_retries=1)
    first = queue.claim("a")
    assert first is not None
    queue.ask(v.Fail(task_id, "a", first.generation, "broken"))
    queue.ask(Audited(v.RetryDeadLetter(task_id, "ann"), ann, "task.retry", task_id))
    queue.ask(Audited(b.ChangeLane(task_id, 0, "dashboard"), page, "task.lane", task_id))
    queue.ask(v.Cancel(task_id, "somebody"))
    entries = {entry.event: entry.details for entry in queue.task(task_id).history if isinstance(entry.details, dict)}
    assert entries["queued"] == {"by": "ann", "way": "cli", "previous_status": "dead_letter"}
    assert entries["moved"] == {"by": "dashboard", "way": "page", "from": 2, "to": 0}
    assert entries["cancelled"] == {"by": "somebody", "previous_status": "queued"}, "how it was asked for was not said"
    queue.close()
