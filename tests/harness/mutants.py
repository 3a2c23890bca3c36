"""The eighteen planted faults of the reliability design, each as a patch of the running product.

A mutant is a function that takes pytest's ``MonkeyPatch``: real code of the product is replaced by a wrong version of it.
``test_mutants`` runs a script of clients on it, and the checkers must tell.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from actors import sqlite_connection
from actors import task_rules as rules
from actors.leases import Leases
from actors.sqlite_connection import SqliteConnection
from actors.sqlite_storage import SqliteStorage
from actors.storage import StorageFailed
from actors.task_queue import TaskQueue
from actors.vocabulary.events import TASKS
from actors.vocabulary.tasks import Refusal, Refused, Task, TaskStatus
from supervision.actor import Actor

Mutant = Callable[[pytest.MonkeyPatch], None]

_STALE = Refused(Refusal.STALE_GENERATION, "another attempt has the task")


def no_generation_in_the_fence(patch: pytest.MonkeyPatch) -> None:
    def is_live(task: Task, owner: str, generation: int | None) -> Refused | None:
        return None if task.status is TaskStatus.ASSIGNED and task.assigned_to == owner else _STALE

    patch.setattr(rules, "is_live", is_live)


def no_owner_in_the_fence(patch: pytest.MonkeyPatch) -> None:
    def is_live(task: Task, owner: str, generation: int | None) -> Refused | None:
        return None if task.status is TaskStatus.ASSIGNED and task.generation == generation else _STALE

    patch.setattr(rules, "is_live", is_live)


def generation_stands_still_on_reclaim(patch: pytest.MonkeyPatch) -> None:
    back = rules._back_to_queue
    patch.setattr(rules, "_back_to_queue", lambda task, now: replace(back(task, now), generation=task.generation))


def acknowledged_before_commit(patch: pytest.MonkeyPatch) -> None:
    handle_all = TaskQueue._handle_all

    def answer_at_once(self: TaskQueue, requests: list[Any]) -> list[object]:
        answers = handle_all(self, requests)
        for request, answer in zip(requests, answers, strict=True):
            request.reply(answer)
            request.reply_to = None  # it is answered only once
        return answers

    patch.setattr(TaskQueue, "_handle_all", answer_at_once)


def synchronous_normal(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(sqlite_connection.SETTINGS, "synchronous", 1)


def synchronous_off(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(sqlite_connection.SETTINGS, "synchronous", 0)


def dead_letter_in_two_transactions(patch: pytest.MonkeyPatch) -> None:
    save = SqliteStorage.save

    def delete_then_insert(self: SqliteStorage, before: Task | None, after: Task, *rest: Any) -> None:
        if before is None or after.status is not TaskStatus.DEAD_LETTER:
            save(self, before, after, *rest)
            return
        self._flush()
        for table in ("result", "content", "task"):
            self._run(f"DELETE FROM {table} WHERE key = ?", (after.key,))
        SqliteConnection.commit(self._connection)
        save(self, None, after, *rest)

    patch.setattr(SqliteStorage, "save", delete_then_insert)


def queue_by_millisecond_clock(patch: pytest.MonkeyPatch) -> None:
    def make_ready(self: TaskQueue, task: Task) -> None:
        self._ready.add(task.key, task.priority, task.created_at, frozenset(task.needed_capabilities), task.assign_to)

    patch.setattr(TaskQueue, "_make_ready", make_ready)


def reaper_that_ignores_its_own_absence(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Leases, "_was_away", lambda self, now: False)


def sign_of_life_without_a_fence(patch: pytest.MonkeyPatch) -> None:
    def progress(self: TaskQueue, message: Any) -> Refused | None:
        task = self._read(message.task_id)
        if task is not None and task.assigned_to is not None:
            self._leases.renew((task.assigned_to,), self._now_s)
        return None

    patch.setattr(TaskQueue, "progress", progress)


def key_stored_after_the_task(patch: pytest.MonkeyPatch) -> None:
    add_key = SqliteStorage.add_key

    def in_a_second_transaction(self: SqliteStorage, *args: Any) -> None:
        self._flush()
        self._write_counters()
        SqliteConnection.commit(self._connection)
        add_key(self, *args)

    patch.setattr(SqliteStorage, "add_key", in_a_second_transaction)


def event_before_commit(patch: pytest.MonkeyPatch) -> None:
    publish = TaskQueue._publish

    def at_once(self: TaskQueue, *args: Any, **more: Any) -> None:
        publish(self, *args, **more)
        self.runtime.bus.publish_all([(TASKS, self._events.pop())])

    patch.setattr(TaskQueue, "_publish", at_once)


def error_of_commit_swallowed(patch: pytest.MonkeyPatch) -> None:
    commit = SqliteStorage.commit

    def hopeful(self: SqliteStorage) -> None:
        try:
            commit(self)
        except StorageFailed:
            self.rollback()

    patch.setattr(SqliteStorage, "commit", hopeful)


def wall_clock_in_the_lease(patch: pytest.MonkeyPatch) -> None:
    def read_clocks(self: TaskQueue) -> None:
        self._now_ms = self.runtime.clock.time_ms()
        self._now_s = self._now_ms / 1000

    patch.setattr(TaskQueue, "_read_clocks", read_clocks)


def silent_deaths_are_not_counted(patch: pytest.MonkeyPatch) -> None:
    def reclaimed(task: Task, cause: Any, seq: int, max_reclaims: int, now: int) -> Task:
        return replace(rules._back_to_queue(task, now), seq=seq)

    patch.setattr(rules, "reclaimed", reclaimed)


def reader_held_open(patch: pytest.MonkeyPatch) -> None:
    """A second connection with a read transaction that never ends: the WAL can never start anew."""
    import sqlite3

    start = TaskQueue.on_start

    def with_reader(self: TaskQueue) -> None:
        start(self)
        reader = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM task").fetchall()
        self.held_open = reader  # type: ignore[attr-defined]

    patch.setattr(TaskQueue, "on_start", with_reader)


def request_without_a_deadline(patch: pytest.MonkeyPatch) -> None:
    def when_done(self: Actor, future: Any, then: Callable[[Any], None], timeout_s: float = 30.0) -> None:
        future.on_done(lambda done: self._come_back(then, done.outcome()))

    patch.setattr(Actor, "when_done", when_done)


def generations_begin_anew_after_a_restart(patch: pytest.MonkeyPatch) -> None:
    open_storage = SqliteStorage.__init__

    def forgetful(self: SqliteStorage, path: Any) -> None:
        open_storage(self, path)
        self._connection.begin()
        self._run("UPDATE task SET generation = 0 WHERE status = 'queued'")
        self._connection.commit()

    patch.setattr(SqliteStorage, "__init__", forgetful)


def wall_clock(patch: pytest.MonkeyPatch, shift_s: float) -> None:
    """Not a mutant: the machine's wall clock jumps; monotonic time goes on."""
    real = time.time
    patch.setattr(time, "time", lambda: real() + shift_s)
