"""Roll-ups are replaced, pruned by their size and kept over a restart; the head of each lane is found whatever is before it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from freezegun import freeze_time

from actors.utilisation import HOUR_MS, KEPT_HOURS, hour_of
from actors.vocabulary import tasks as v
from actors.vocabulary.fleet import ReadAgentRecords, RecordWork
from actors.vocabulary.trends import ReadRollups, ReadVitals, RecordRollups, Vitals
from tests.unit.queue.conftest import Queue
from wire.rollups import KEPT_S, Rollup, unpack


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    with freeze_time("2026-03-01T00:00:00Z"):
        opened = Queue(tmp_path / "hub.db")
        yield opened
        opened.runtime.close()


def now_ms(queue: Queue) -> int:
    return queue.runtime.clock.time_ms()


def kept(queue: Queue, size: int) -> list[Rollup]:
    return [unpack(one) for one in queue.ask(ReadRollups(size, 0)).packed]


def oldest(queue: Queue) -> tuple[int | None, ...]:
    vitals = queue.ask(ReadVitals())
    assert isinstance(vitals, Vitals)
    return vitals.oldest


def test_a_bucket_is_replaced_and_outlives_a_kill(queue: Queue) -> None:
    start = now_ms(queue)
    queue.ask(RecordRollups(((10, Rollup(start, submitted=1)), (60, Rollup(start, submitted=1))), start, "boot-1"))
    queue.ask(RecordRollups(((10, Rollup(start, submitted=2, wait=((40, 2),))),), start, "boot-1"))
    queue.reopen()
    assert kept(queue, 10) == [Rollup(start, submitted=2, wait=((40, 2),))]
    assert [one.submitted for one in kept(queue, 60)] == [1]
    assert queue.ask(ReadRollups(10, start + 1)).packed == ()


def work(queue: Queue, agent_id: str) -> tuple[tuple[int, int, int], ...]:
    found: tuple[tuple[int, int, int], ...] = queue.ask(ReadAgentRecords(agent_id)).work
    return found


def test_work_is_added_to_its_hour_and_outlives_a_kill(queue: Queue) -> None:
    hour = hour_of(now_ms(queue))
    queue.ask(RecordWork(hour - HOUR_MS, (("a", 1, 10), ("b", 2, 20))))
    queue.ask(RecordWork(hour, (("a", 3, 30),)))
    queue.ask(RecordWork(hour, (("a", 4, 40),)))
    queue.reopen()
    assert work(queue, "a") == ((hour - HOUR_MS, 1, 10), (hour, 7, 70))
    assert work(queue, "b") == ((hour - HOUR_MS, 2, 20),)
    assert work(queue, "nobody") == ()


def test_hours_of_work_go_after_a_week_and_none_has_more_agents_than_are_kept(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actors.rollup_keeper.AGENTS_KEPT", 2)
    hour = hour_of(now_ms(queue))
    queue.ask(RecordWork(hour - KEPT_HOURS * HOUR_MS, (("a", 1, 10),)))
    queue.ask(RecordWork(hour, (("a", 1, 10), ("b", 1, 10), ("c", 1, 10))))
    queue.ask(RecordWork(hour, (("b", 1, 10), ("c", 1, 10))))
    assert [len(work(queue, agent_id)) for agent_id in "abc"] == [1, 1, 0]
    assert work(queue, "b") == ((hour, 2, 20),)
    queue.ref.stop()
    queue.runtime.settle()
    with closing(sqlite3.connect(queue.path)) as db:
        assert db.execute("SELECT COUNT(*) FROM agent_hour").fetchone() == (2,)


def test_each_start_of_a_hub_is_marked_once(queue: Queue) -> None:
    start = now_ms(queue)
    for at, boot in ((start, "boot-1"), (start, "boot-1"), (start + 5_000, "boot-2")):
        queue.ask(RecordRollups((), at, boot))
    assert queue.ask(ReadRollups(10, start)).starts == ((start, "boot-1"), (start + 5_000, "boot-2"))
    assert queue.ask(ReadRollups(10, start + 1)).starts == ((start + 5_000, "boot-2"),)


def test_buckets_go_when_those_of_their_size_are_not_kept_any_longer(queue: Queue) -> None:
    now = now_ms(queue)
    for size, kept_s in KEPT_S.items():
        old, young = Rollup(now - kept_s * 1000 - 1), Rollup(now - kept_s * 1000)
        queue.ask(RecordRollups(((size, old), (size, young)), now, "boot-1"))
        assert kept(queue, size) == [young]


def test_the_oldest_ready_task_of_each_lane_is_told_in_the_batch_that_submits_it(queue: Queue) -> None:
    start = now_ms(queue)
    assert oldest(queue) == (None, None, None, None)
    queue.submit(priority=1)
    queue.runtime.advance(5.0)
    queue.submit(priority=1)
    queue.submit(priority=3, needed_capabilities=("nobody-has-this",))
    assert oldest(queue) == (None, start, None, start + 5_000)
    submitted_and_asked = queue.ask(v.Together((v.SubmitTasks((v.NewTask("x", priority=0),), "me"), ReadVitals())))
    assert submitted_and_asked[1].oldest[0] == start + 5_000
    queue.claim()
    queue.claim()
    assert oldest(queue) == (None, start + 5_000, None, start + 5_000)


def test_a_task_that_waits_out_a_back_off_is_not_ready_and_one_that_came_back_waits_from_then_on(queue: Queue) -> None:
    start = now_ms(queue)
    queue.submit()
    task = queue.claim("a")
    assert task is not None
    assert oldest(queue)[2] is None
    failed = queue.ask(v.Fail(task.id, "a", task.generation, "no"))
    assert oldest(queue)[2] is None
    queue.runtime.advance(2.0)
    assert oldest(queue)[2] == start + failed.retry_in_ms
    task = queue.claim("a")
    assert task is not None
    queue.ask(v.Reclaim(task.id, task.generation, v.ReclaimCause.AGENT_LEFT))
    assert oldest(queue)[2] == now_ms(queue)


def test_the_disk_is_told_as_a_process_without_privileges_sees_it(queue: Queue) -> None:
    vitals = queue.ask(ReadVitals())
    assert 0 < vitals.disk_free < vitals.disk_size
    assert vitals.no_space is None
