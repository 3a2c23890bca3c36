"""Bulk operations: exactly what was previewed, nothing twice, over restarts, beside the other work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from actors import bulk_operations, sqlite_search
from actors.task_queue import TaskQueueOptions
from actors.vocabulary import bulk as b
from actors.vocabulary import tasks as v
from tests.unit.queue.conftest import Queue
from tests.unit.queue.test_dead_groups import die, groups
from wire.task_filter import parse


def preview(queue: Queue, action: str, query: str = "", **fields: Any) -> b.Previewed:
    made = queue.ask(b.Preview(b.BulkAction(action), parse(query), **fields))
    while not made.is_complete:
        made = queue.ask(b.ContinuePreview(made.preview))
    return made  # type: ignore[no-any-return]


def start(queue: Queue, made: b.Previewed, **fields: Any) -> b.Operation:
    operation = queue.ask(b.StartOperation(made.preview, made.action, **fields))
    assert isinstance(operation, b.Operation), operation
    return operation


def read(queue: Queue, operation: b.Operation) -> b.OperationDetails:
    details = queue.ask(b.ReadOperation(operation.id))
    assert isinstance(details, b.OperationDetails)
    return details


def run(queue: Queue, operation: b.Operation, seconds: float = 30.0) -> b.Operation:
    queue.wait(seconds)
    now = read(queue, operation).operation
    assert now.state == "finished" and now.done + now.skipped + now.failed == now.total, now
    return now


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a handful of tasks needs many."""
    monkeypatch.setattr(bulk_operations, "STEP_TASKS", 2)
    monkeypatch.setattr(sqlite_search, "SCAN", 3)
    monkeypatch.setattr(sqlite_search, "GATHERED", 2)


def test_a_retry_of_a_filter_retries_each_that_it_named(queue: Queue) -> None:
    dead = [die(queue, "boom") for _ in range(7)]
    other = die(queue, "bang")
    made = preview(queue, "retry", "error:boom")
    assert (made.count, made.changed, len(made.samples)) == (7, 0, 5)
    done = run(queue, start(queue, made, made_by="me"))
    assert (done.done, done.skipped, done.failed, done.query, done.made_by) == (7, 0, 0, "error:boom", "me")
    assert {queue.task(task_id).status for task_id in dead} == {v.TaskStatus.QUEUED}
    assert queue.task(other).status is v.TaskStatus.DEAD_LETTER
    assert read(queue, done).outcome == {"queued": 7}


def test_what_changed_since_the_preview_is_skipped_and_counted(queue: Queue) -> None:
    dead = [die(queue, "boom") for _ in range(6)]
    made = preview(queue, "retry", "state:dead_letter")
    queue.ask(v.RetryDeadLetter(dead[0]))
    queue.ask(v.Cancel(dead[1]))
    again = queue.claim("a")
    assert again is not None
    queue.ask(v.RetryDeadLetter(dead[2]))
    died_again = queue.claim("a")
    assert died_again is not None
    queue.ask(v.Fail(dead[2], "a", died_again.generation, "boom"))
    late = die(queue, "boom")
    done = run(queue, start(queue, made))
    assert (done.total, done.done, done.skipped, done.failed) == (6, 3, 3, 0)
    assert (
        queue.task(late).status is v.TaskStatus.DEAD_LETTER and queue.task(dead[2]).generation == died_again.generation
    )
    assert {one["task_id"] for one in read(queue, done).problems} == set(dead[:3])


def test_a_filter_with_a_time_leaves_out_what_changed_after_it(queue: Queue) -> None:
    early = die(queue, "boom")
    as_of = queue.runtime.clock.time_ms()
    queue.wait(5)
    late = die(queue, "boom")
    made = preview(queue, "retry", "state:dead_letter", as_of=as_of)
    assert (made.count, made.changed) == (2, 1)
    done = run(queue, start(queue, made))
    assert (done.done, done.skipped) == (1, 1)
    assert queue.task(early).status is v.TaskStatus.QUEUED and queue.task(late).status is v.TaskStatus.DEAD_LETTER


def test_a_crash_in_the_middle_repeats_nothing_and_leaves_nothing_out(queue: Queue) -> None:
    dead = [die(queue, "boom") for _ in range(9)]
    operation = start(queue, preview(queue, "retry"), made_by="me")
    for _ in range(3):
        queue.wait(0.03)
        queue.reopen()
    done = run(queue, operation)
    assert done.done == 9
    by = {"by": "me", "operation": operation.id, "previous_status": "dead_letter"}
    assert [len([e for e in queue.task(t).history if e.details == by]) for t in dead] == [1] * 9


def test_starting_the_same_preview_twice_is_starting_it_once(queue: Queue) -> None:
    die(queue, "boom")
    made = preview(queue, "retry")
    first = start(queue, made)
    assert start(queue, made).id == first.id
    assert len(queue.ask(b.ListOperations())) == 1
    run(queue, first)
    queue.reopen()
    assert start(queue, made).id == first.id and len(queue.ask(b.ListOperations())) == 1


def test_an_operation_can_be_spread_over_a_time(queue: Queue) -> None:
    for _ in range(10):
        die(queue, "boom")
    operation = start(queue, preview(queue, "retry"), over_ms=100_000)
    queue.wait(50)
    half = read(queue, operation).operation
    assert half.state == "running" and 4 <= half.done <= 7
    queue.reopen()
    queue.wait(15)
    assert read(queue, operation).operation.state == "running"
    run(queue, operation, 100)


def test_a_cancelled_operation_stops_where_it_is_for_good(queue: Queue) -> None:
    for _ in range(10):
        die(queue, "boom")
    operation = start(queue, preview(queue, "retry"), over_ms=100_000)
    queue.wait(35)
    stopped = queue.ask(b.CancelOperation(operation.id, "me"))
    queue.wait(200)
    queue.reopen()
    after = read(queue, operation).operation
    assert after == stopped and after.state == "cancelled" and 0 < after.done < 10 and "by me" in after.note
    assert queue.ask(v.ReadStats()).dead_letter == 10 - after.done
    assert queue.ask(b.CancelOperation("op-000000000000")).reason is v.Refusal.NOT_FOUND


def answer_all(queue: Queue, *, fail: str | None = None) -> int:
    count = 0
    while (task := queue.claim("a")) is not None:
        count += 1
        if fail is None:
            queue.ask(v.Complete(task.id, "a", task.generation))
        else:
            queue.ask(v.Fail(task.id, "a", task.generation, fail))
    return count


def test_the_rest_follows_a_probe_that_completed(queue: Queue) -> None:
    for _ in range(8):
        die(queue, "boom")
    operation = start(queue, preview(queue, "retry"), probe=3)
    queue.wait(5)
    waiting = read(queue, operation).operation
    assert (waiting.state, waiting.done) == ("probing", 3) and "0 of 3" in waiting.note
    queue.reopen()
    assert answer_all(queue) == 3
    done = run(queue, operation)
    assert done.done == 8


def test_nothing_follows_a_probe_that_failed_again(queue: Queue) -> None:
    for _ in range(8):
        die(queue, "boom")
    operation = start(queue, preview(queue, "retry"), probe=3)
    queue.wait(5)
    assert answer_all(queue, fail="still broken") == 3
    queue.wait(5)
    ended = read(queue, operation).operation
    assert ended.state == "probe_failed" and ended.done == 3 and ended.ended_at is not None
    assert "still broken" in ended.note and "5 were not retried" in ended.note
    assert queue.ask(v.ReadStats()).dead_letter == 8


def test_a_group_tells_what_became_of_its_retry(queue: Queue) -> None:
    for n in range(4):
        die(queue, f"boom {n}")
    [group] = groups(queue)
    run(queue, start(queue, preview(queue, "retry", f"group:{group.id}")))
    for fail in (None, "boom 1"):
        task = queue.claim("a")
        assert task is not None
        message = (
            v.Complete(task.id, "a", task.generation) if fail is None else v.Fail(task.id, "a", task.generation, fail)
        )
        queue.ask(message)
    assert queue.claim("a") is not None
    queue.wait(5)
    [told] = groups(queue)
    assert told.last_retry is not None
    assert told.last_retry["outcome"] == {"completed": 1, "queued": 2, "assigned": 1} or told.last_retry["outcome"] == {
        "completed": 1,
        "dead_letter": 1,
        "assigned": 1,
        "queued": 1,
    }


@pytest.mark.parametrize(("action", "status"), [("cancel", "cancelled"), ("lane", "queued")])
def test_other_actions_do_what_they_say(queue: Queue, action: str, status: str) -> None:
    ids = [queue.submit() for _ in range(5)]
    dead = die_first(queue)
    done = run(queue, start(queue, preview(queue, action), lane=0 if action == "lane" else None))
    assert done.done == 5
    assert {(queue.task(id_).status.value, queue.task(id_).priority) for id_ in ids} == {
        (status, 0 if action == "lane" else 2)
    }
    assert queue.task(dead).status is v.TaskStatus.DEAD_LETTER


def die_first(queue: Queue) -> str:
    task_id = queue.submit(priority=0, max_retries=1)
    task = queue.claim("a")
    assert task is not None
    queue.ask(v.Fail(task_id, "a", task.generation, "boom"))
    return task_id


def test_discarding_and_recovering_many(queue: Queue) -> None:
    dead = [die(queue, "boom") for _ in range(5)]
    assert run(queue, start(queue, preview(queue, "discard"))).done == 5
    assert groups(queue) == []
    cancelled = queue.submit()
    queue.ask(v.Cancel(cancelled))
    back = preview(queue, "recover")
    assert back.count == 5
    assert run(queue, start(queue, back)).done == 5
    assert {queue.task(id_).status for id_ in dead} == {v.TaskStatus.DEAD_LETTER}
    assert groups(queue)[0].count == 5 and queue.task(cancelled).status is v.TaskStatus.CANCELLED


def test_ids_name_tasks_as_well(queue: Queue) -> None:
    dead = [die(queue, "boom") for _ in range(4)]
    made = queue.ask(b.Preview(b.BulkAction.RETRY, None, (dead[0], dead[3], "task-0000000000000000", "nonsense")))
    assert made.is_complete and made.count == 2
    assert run(queue, start(queue, made)).done == 2


def test_what_cannot_be_started_is_refused(queue: Queue) -> None:
    empty = preview(queue, "retry")
    queue.submit()
    made = preview(queue, "cancel")
    for message in (
        b.StartOperation(empty.preview, b.BulkAction.RETRY),
        b.StartOperation(made.preview, b.BulkAction.RETRY),
        b.StartOperation(made.preview, b.BulkAction.CANCEL, lane=1),
        b.StartOperation(made.preview, b.BulkAction.CANCEL, probe=3),
    ):
        assert queue.ask(message).reason is v.Refusal.INVALID_STATE
    assert queue.ask(b.StartOperation("pv-000000000000", b.BulkAction.RETRY)).reason is v.Refusal.NOT_FOUND
    queue.wait(bulk_operations.PREVIEW_S + 1)
    assert queue.ask(b.StartOperation(made.preview, b.BulkAction.CANCEL)).reason is v.Refusal.NOT_FOUND


def test_other_work_goes_on_between_the_steps(queue: Queue) -> None:
    for _ in range(10):
        die(queue, "boom")
    start(queue, preview(queue, "retry"), over_ms=0)
    new = queue.submit(priority=0)
    task = queue.claim("a")
    assert task is not None and task.id == new and queue.ask(v.ReadStats()).dead_letter > 0


def test_old_operations_are_forgotten_with_their_items(tmp_path: Path) -> None:
    queue = Queue(tmp_path / "hub.db", TaskQueueOptions(retention_days=0.001, prune_period_s=1))
    die(queue, "boom")
    operation = start(queue, preview(queue, "retry"))
    run(queue, operation)
    queue.wait(100)
    assert queue.ask(b.ReadOperation(operation.id)).reason is v.Refusal.NOT_FOUND
    queue.close()
