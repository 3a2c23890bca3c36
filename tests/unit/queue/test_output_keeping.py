"""The ends of what tasks printed, in the database: replaced, bounded in all, and gone with their task."""

from __future__ import annotations

from pathlib import Path

import pytest

from actors.queue_options import TaskQueueOptions
from actors.vocabulary import tasks as v
from actors.vocabulary.output import ReadTails, SaveTails, Tail
from tests.unit.queue.conftest import Queue


def tail(task_id: str, generation: int = 1, parts: bytes = b"[]") -> Tail:
    return Tail(task_id, generation, "anna", parts)


def stored(queue: Queue, task_id: str) -> list[tuple[int, bytes]]:
    return [(one.generation, one.parts) for one in queue.ask(ReadTails(task_id))]


def test_each_attempt_has_one_tail_the_newest_and_it_outlives_a_kill(queue: Queue) -> None:
    task_id = queue.submit()
    queue.ask(SaveTails((tail(task_id, 1, b"[1]"), tail(task_id, 2, b"[2]"))))
    queue.ask(SaveTails((tail(task_id, 2, b"[3]"),)))
    queue.reopen()
    assert stored(queue, task_id) == [(1, b"[1]"), (2, b"[3]")]


def test_nothing_is_stored_of_a_task_that_is_not_there(queue: Queue) -> None:
    queue.ask(SaveTails((tail("task-00000000000000ff"), tail("no id"))))
    assert stored(queue, "task-00000000000000ff") == [] and stored(queue, "no id") == []


def test_all_of_them_are_bounded_and_the_oldest_go(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.sqlite_output.STORED_BYTES", 3_500)
    ids = [queue.submit() for _ in range(5)]
    for number, task_id in enumerate(ids):
        queue.ask(SaveTails((tail(task_id, parts=b"x" * 800),)))
        queue.wait(1)
        if number == 2:
            queue.ask(
                SaveTails((tail(ids[0], parts=b"y" * 800),))
            )  # it printed again, so it is not the oldest any more
            queue.wait(1)
            queue.reopen()
    assert [bool(stored(queue, task_id)) for task_id in ids] == [True, False, False, True, True]
    assert stored(queue, ids[0]) == [(1, b"y" * 800)]


def test_it_goes_with_its_task(tmp_path: Path) -> None:
    queue = Queue(tmp_path / "hub.db", TaskQueueOptions(retention_days=1 / 86_400, prune_period_s=5.0))
    task_id = queue.submit()
    queue.ask(SaveTails((tail(task_id, parts=b"[1]"),)))
    queue.ask(v.Cancel(task_id, "me"))
    queue.wait(20)
    assert isinstance(queue.ask(v.GetTask(task_id)), v.Refused) and stored(queue, task_id) == []
    queue.close()
