"""The queue itself: durable, fenced, ordered, and answering exactly as its vocabulary says."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pykka
import pytest
from freezegun import freeze_time

from actors.sqlite_connection import SETTINGS
from actors.sqlite_storage import SqliteStorage
from actors.storage import StorageFailed, StorageRefused
from actors.task_ids import key_of
from actors.task_queue import TaskQueueOptions
from actors.vocabulary import tasks as v
from actors.vocabulary.bulk import ChangeLane
from actors.vocabulary.tasks import Refusal, Refused, TaskStatus
from tests.unit.queue.conftest import Queue


def test_the_whole_life_with_its_history_counters_and_events(queue: Queue) -> None:
    task_id = queue.submit("paint", metadata={"a": [1, None]}, needed_capabilities=("x",))
    assert queue.claim("a") is None
    claimed = queue.claim("a", "x", "y")
    assert claimed is not None and claimed.id == task_id and claimed.generation == 1
    accepted = queue.ask(v.Accept(task_id, "a", 1))
    assert isinstance(accepted, v.Task) and accepted.accepted_at is not None
    assert queue.ask(v.Progress(task_id, "a", 1, 50)) is None
    assert queue.ask(v.Complete(task_id, "a", 1, {"r": 1}, 9)) == v.Completed(task_id)
    assert queue.ask(v.Complete(task_id, "a", 1, {"r": 2}, 9)) == v.Completed(task_id, duplicate=True)
    task = queue.task(task_id)
    assert (task.status, task.result, task.tokens_used) == (TaskStatus.COMPLETED, {"r": 1}, 9)
    assert [entry.event for entry in task.history] == ["completed", "assigned", "queued"]
    assert [event.event for event in queue.events()] == [
        *("task_submitted", "task_assigned", "task_accepted", "task_progress", "task_completed")
    ]
    stats = queue.ask(v.ReadStats())
    assert stats.by_status == {"queued": 0, "assigned": 0, "completed": 1, "cancelled": 0}


def test_everything_survives_a_crash(queue: Queue) -> None:
    first, second = queue.submit(priority=3), queue.submit(priority=0)
    claimed = queue.claim()
    assert claimed is not None and claimed.id == second
    queue.reopen()
    assert queue.ask(v.AssignedTo("a"))[0].id == second
    assert queue.ask(v.Complete(second, "a", 1)) == v.Completed(second)
    again = queue.claim()
    assert again is not None and again.id == first


def test_order_is_lane_and_then_sequence_within_one_millisecond_and_with_a_clock_that_steps_back(queue: Queue) -> None:
    """Lesson 21, D8: order by a clock breaks inside one millisecond and at every step of the clock."""
    ids = []
    with freeze_time("2026-01-01 12:00:00"):
        ids += [queue.submit(f"{n}") for n in range(50)]
    with freeze_time("2026-01-01 11:00:00"):
        ids += [queue.submit(f"{n}") for n in range(50)]
    taken = [queue.claim(f"agent-{n}") for n in range(100)]
    assert [task.id for task in taken if task is not None] == ids


def test_a_retried_task_waits_and_then_queues_behind_its_lane(queue: Queue) -> None:
    """Lesson 21: one poison task owned its lane."""
    poison, healthy = queue.submit("poison"), queue.submit("healthy")
    assert queue.claim() is not None
    failed = queue.ask(v.Fail(poison, "a", 1, "no"))
    assert isinstance(failed, v.Failed) and 500 <= failed.retry_in_ms <= 1000
    later = queue.submit("later")
    assert [getattr(queue.claim(f"b{n}"), "id", None) for n in range(3)] == [healthy, later, None]
    queue.wait(2)
    assert getattr(queue.claim("c"), "id", None) == poison
    assert "task_ready" in [event.event for event in queue.events()]


def test_a_back_off_survives_a_restart(queue: Queue) -> None:
    task_id = queue.submit()
    queue.claim()
    queue.ask(v.Fail(task_id, "a", 1))
    queue.reopen()
    assert queue.claim() is None
    queue.wait(2)
    assert getattr(queue.claim(), "id", None) == task_id


def test_results_of_others_and_of_old_attempts_change_nothing(queue: Queue) -> None:
    """Lesson 23, I4."""
    task_id = queue.submit()
    queue.claim()
    for message in (
        v.Complete(task_id, "b", 1),
        v.Complete(task_id, "a", 0),
        v.Fail(task_id, "b", 1),
        v.Progress(task_id, "b", 1),
        v.Accept(task_id, "b", 1),
        v.Recover(task_id, "b", 1),
    ):
        answer = queue.ask(message)
        assert isinstance(answer, Refused) and answer.reason is Refusal.STALE_GENERATION, message
    assert queue.ask(v.Complete("task-0", "a", 1)).reason is Refusal.NOT_FOUND
    assert queue.task(task_id).status is TaskStatus.ASSIGNED


def test_a_stale_heartbeat_does_not_keep_another_workers_lease(queue: Queue) -> None:
    """D3."""
    task_id = queue.submit()
    queue.claim("a")
    for _ in range(20):
        queue.wait(10)
        queue.ask(v.Progress(task_id, "b", 1))
        queue.ask(v.RenewLeases(("b",)))
    assert queue.task(task_id).status is TaskStatus.QUEUED


def test_a_deadline_ends_a_task_once_wherever_it_is(queue: Queue) -> None:
    """Lesson 11: every new assignee was interrupted, for ever."""
    now = queue.runtime.clock.time_ms()
    queued = queue.submit(complete_by=now + 5000, needed_capabilities=("no",))
    assigned = queue.submit(complete_by=now + 5000)
    queue.claim()
    queue.wait(6)
    for task_id in (queued, assigned):
        task = queue.task(task_id)
        assert (task.status, task.last_error) == (TaskStatus.DEAD_LETTER, "deadline passed")
    assert isinstance(queue.ask(v.Complete(assigned, "a", 1)), Refused)
    ends = [event for event in queue.events() if event.event == "task_dead_letter"]
    assert [(event.failed, event.cause) for event in ends] == [(True, "deadline")] * 2


def test_waiting_alone_never_ends_a_task(queue: Queue) -> None:
    """Lesson 18, D7: overnight submissions were dead letters after ten minutes."""
    task_id = queue.submit()
    queue.wait(3600)
    assert queue.task(task_id).status is TaskStatus.QUEUED


def test_a_key_makes_a_submit_repeatable_also_in_one_batch_and_after_a_crash(queue: Queue) -> None:
    new = v.NewTask("x", idempotency_key="k")
    first, twin = queue.ask(v.SubmitTasks((new, new), "me"))
    assert twin == v.Submitted(first.task_id, first.priority, first.created_at, duplicate=True)
    queue.reopen()
    [again] = queue.ask(v.SubmitTasks((new,), "me"))
    assert again.task_id == first.task_id
    [clash] = queue.ask(v.SubmitTasks((v.NewTask("y", idempotency_key="k"),), "me"))
    assert clash.reason is Refusal.IDEMPOTENCY_CONFLICT
    [other] = queue.ask(v.SubmitTasks((v.NewTask("y", idempotency_key="k"),), "somebody else"))
    assert isinstance(other, v.Submitted) and not other.duplicate


def test_a_full_queue_refuses_and_says_why(tmp_path: Path) -> None:
    queue = Queue(tmp_path / "hub.db", TaskQueueOptions(max_queued=2))
    answers = queue.ask(v.SubmitTasks(tuple(v.NewTask(str(n)) for n in range(3)), None))
    assert [type(answer).__name__ for answer in answers] == ["Submitted", "Submitted", "Refused"]
    assert answers[2].reason is Refusal.QUEUE_FULL
    queue.close()


def test_cancelling_keeps_the_record(queue: Queue) -> None:
    """D11."""
    task_id = queue.submit()
    queue.claim()
    assert queue.ask(v.Cancel(task_id)) == v.Cancelled(task_id, TaskStatus.ASSIGNED, "a")
    assert queue.ask(v.Cancel(task_id)) == v.Cancelled(task_id, TaskStatus.CANCELLED)
    assert isinstance(queue.ask(v.Complete(task_id, "a", 1)), Refused)
    assert queue.task(task_id).status is TaskStatus.CANCELLED
    assert queue.ask(v.Cancel("task-0")).reason is Refusal.NOT_FOUND


def test_old_tasks_are_pruned_and_their_number_is_kept(tmp_path: Path) -> None:
    queue = Queue(tmp_path / "hub.db", TaskQueueOptions(retention_days=1, prune_period_s=1))
    done, waiting = queue.submit(), queue.submit(priority=3)
    queue.claim()
    queue.ask(v.Complete(done, "a", 1))
    queue.wait(60)
    queue.runtime.clock.advance(2 * 86_400)  # type: ignore[attr-defined]
    queue.wait(5)
    assert isinstance(queue.ask(v.GetTask(done)), Refused)
    pruned = [event for event in queue.events() if event.event == "task_pruned"]
    assert [(event.task.id, event.previous) for event in pruned] == [(done, "completed")]
    assert queue.task(waiting).status is TaskStatus.QUEUED
    queue.close()
    reopened = SqliteStorage(tmp_path / "hub.db")
    assert reopened.counters()["pruned:completed"] == 1
    reopened.close()


def test_values_that_cannot_be_stored_are_refused_and_spare_their_neighbours(queue: Queue) -> None:
    bad = v.NewTask("\ud800")
    answers = queue.ask(v.SubmitTasks((v.NewTask("good"), bad, v.NewTask("good too")), None))
    assert [type(answer).__name__ for answer in answers] == ["Submitted", "Refused", "Submitted"]
    task = queue.claim()
    assert task is not None
    assert isinstance(queue.ask(v.Complete(task.id, "a", 1, {"x": "\ud800"})), Refused)
    assert queue.ref.is_alive()


def test_every_setting_of_the_database_is_in_force(queue: Queue) -> None:
    storage = SqliteStorage(queue.path.with_name("other.db"))
    connection = storage._connection.db
    for name, value in SETTINGS.items():
        assert connection.execute(f"PRAGMA {name}").fetchone()[0] == value, name
    storage.close()
    assert oct(queue.path.stat().st_mode & 0o777) == "0o600"


@pytest.mark.parametrize("damage", ["newer", "foreign", "garbage"])
def test_a_database_that_is_not_ours_is_refused_and_untouched(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "hub.db"
    if damage == "garbage":
        path.write_bytes(b"not a database " * 1000)
    else:
        with sqlite3.connect(path) as db:
            db.execute("CREATE TABLE t (x)")
            db.execute("PRAGMA user_version = 99")
            db.execute(f"PRAGMA application_id = {0x41674331 if damage == 'newer' else 7}")
        db.close()
    before = path.read_bytes()
    with pytest.raises(StorageRefused):
        SqliteStorage(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("suffix", ["", "-wal"])
def test_a_file_pulled_away_stops_the_writer(queue: Queue, suffix: str) -> None:
    """Durability rules: with its log deleted, SQLite says OK to every commit and nobody ever sees the rows."""
    queue.submit()
    Path(f"{queue.path}{suffix}").unlink()
    queue.wait(5)
    assert queue.fatal and isinstance(queue.fatal[0], StorageFailed)


@pytest.mark.parametrize("suffix", ["", "-shm"])
def test_opening_the_database_in_this_process_stops_the_writer(queue: Queue, suffix: str) -> None:
    """Durability rules: closing any descriptor of the file drops our locks; then others can write, or delete the log."""
    queue.submit()
    queue.wait(2)
    assert not queue.fatal
    with Path(f"{queue.path}{suffix}").open("rb") as file:
        file.read(16)
    queue.wait(2)
    assert queue.fatal and "locks" in str(queue.fatal[0])


def test_no_number_of_tokens_can_break_the_sums(queue: Queue) -> None:
    for _ in range(3):
        task_id = queue.submit()
        queue.claim()
        assert queue.ask(v.Complete(task_id, "a", 1, None, 2**53 - 1)) == v.Completed(task_id)
    assert queue.ask(v.ReadOverview()).minutes[-1].tokens_used == 3 * 10**12


def test_a_failed_commit_answers_nobody_with_success(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lesson 29, D4: "accepted" was answered although nothing was stored."""

    def fail(_: object) -> None:
        raise StorageFailed("disk on fire")

    monkeypatch.setattr("actors.sqlite_connection.SqliteConnection.commit", fail)
    with pytest.raises(pykka.ActorDeadError):
        queue.ref.ask(v.SubmitTasks((v.NewTask("x"),), None), timeout=10)
    assert isinstance(queue.fatal[0], StorageFailed)
    assert queue.events() == []


#: Submits for ever and prints each id once it is acknowledged.
SUBMITTER = """
import sys
from pathlib import Path
from actors.task_queue import TaskQueue
from actors.vocabulary.tasks import NewTask, SubmitTasks
from supervision.runtime import Runtime
runtime = Runtime()
queue = runtime.spawn(TaskQueue, Path(sys.argv[1]))
while True:
    answers = queue.ask(SubmitTasks(tuple(NewTask(f"task {n}") for n in range(3)), "me"), timeout=10)
    for answer in answers:
        sys.stdout.write(answer.task_id + "\\n")
    sys.stdout.flush()
"""


def test_nothing_acknowledged_is_lost_when_the_process_is_killed(tmp_path: Path) -> None:
    """P1."""
    acknowledged: list[str] = []
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", SUBMITTER, str(tmp_path / "hub.db")], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        wanted = len(acknowledged) + 300
        killer = threading.Timer(30, process.kill)
        killer.start()
        for line in process.stdout:
            if line.endswith("\n"):
                acknowledged.append(line.strip())
            if len(acknowledged) >= wanted:
                process.kill()
        killer.cancel()
        process.wait(timeout=10)
    storage = SqliteStorage(tmp_path / "hub.db")
    missing = [task_id for task_id in acknowledged if storage.read(key_of(task_id) or 0) is None]
    assert len(acknowledged) >= 900 and missing == []
    storage.close()


def test_a_task_that_changed_in_the_batch_of_a_list_is_read_as_it_is_afterwards(queue: Queue) -> None:
    """The list is written for before it is read, in the middle of the batch; what was read before must not come back."""
    task_id = queue.submit()
    assert queue.task(task_id).status == "queued"  # it is remembered
    queue.ask(v.Together((v.Cancel(task_id), v.ListTasks())))
    assert queue.task(task_id).status == "cancelled"


def test_a_task_that_is_changed_before_and_after_a_list_of_the_same_batch_is_counted_once(queue: Queue) -> None:
    """The list writes what came before it; what was remembered of the task in memory is from before that."""
    task_id = queue.submit()
    lanes = [ChangeLane(task_id, 0), v.ListTasks(), ChangeLane(task_id, 3), v.ListTasks(), v.Cancel(task_id, "me")]
    answers = queue.ask(v.Together(tuple(lanes)))
    assert [one.priority for one in answers[1].tasks] == [0] and [one.priority for one in answers[3].tasks] == [3]
    assert sum(queue.ask(v.ReadStats()).queued_by_priority.values()) == 0
    assert min(queue.ask(v.ReadStats()).queued_by_priority.values()) == 0
    assert queue.ask(v.Cancel(task_id)).previous_status == v.TaskStatus.CANCELLED
