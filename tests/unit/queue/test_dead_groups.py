"""Dead letters by cause: what makes two of them one, and that the kept counts are what a scan would find."""

from __future__ import annotations

from pathlib import Path

import pytest

from actors.fingerprint import fingerprint, shape_of
from actors.task_queue import TaskQueueOptions
from actors.vocabulary import bulk as b
from actors.vocabulary import search as s
from actors.vocabulary import tasks as v
from actors.vocabulary.trends import ReadVitals
from tests.unit.queue.conftest import Queue


def die(queue: Queue, error: str, **fields: object) -> str:
    task_id = queue.submit(max_retries=1, **fields)
    task = queue.claim("a")
    assert task is not None and task.id == task_id
    assert queue.ask(v.Fail(task_id, "a", task.generation, error)).status is v.TaskStatus.DEAD_LETTER
    return task_id


def groups(queue: Queue) -> list[s.DeadGroup]:
    return list(queue.ask(s.ListDeadGroups()).groups)


def counts(queue: Queue) -> dict[str, int]:
    return {group.shape: group.count for group in groups(queue)}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("timeout after 31 s", "timeout after 7.5 s"),
        ("task-0000000100000002 is gone", "task-ff00000100000002 is gone"),
        ("cannot open /tmp/a/b.txt", "cannot open /home/x/c.json"),
        ("no key 'alpha'", 'no key "beta"'),
        ("at 0x7fff12ab", "at 0x12"),
        ("commit 1f3a9c2 failed", "commit deadbeef12 failed"),
        ("GET http://a.example/x?y=1: refused", "GET https://b.example: refused"),
        ("3f2b9c01-aaaa-bbbb-cccc-1234567890ab", "00000000-0000-0000-0000-000000000000"),
        ("a  b\nc", "a b c"),
    ],
)
def test_what_differs_by_chance_makes_no_other_cause(one: str, other: str) -> None:
    assert shape_of(one) == shape_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("timeout", "refused"), ("cannot open file", "cannot close file"), ("decade facade", "cascade facade"), ("", "x")],
)
def test_what_differs_in_words_is_another_cause(one: str, other: str) -> None:
    assert shape_of(one) != shape_of(other)


def test_of_a_traceback_the_error_and_the_place_count() -> None:
    def trace(line: int, function: str, error: str) -> str:
        return f'Traceback (most recent call last):\n  File "/x/y.py", line {line}, in {function}\n    f()\n{error}'

    assert shape_of(trace(3, "run", "KeyError: 'a'")) == shape_of(trace(99, "run", "KeyError: 'b'"))
    assert shape_of(trace(3, "run", "KeyError: 'a'")) != shape_of(trace(3, "walk", "KeyError: 'a'"))


def test_a_fingerprint_is_twelve_hexadecimal_digits_of_reason_and_shape() -> None:
    assert len(fingerprint("failed", "x")) == 12 and int(fingerprint("failed", "x"), 16) >= 0
    assert fingerprint("failed", "x") != fingerprint("deadline", "x")


def test_the_same_cause_is_one_group_with_its_count_times_and_agents(queue: Queue) -> None:
    first = die(queue, "timeout after 3 s", priority=0)
    queue.wait(10)
    last = die(queue, "timeout after 9 s", priority=3)
    die(queue, "no such file")
    [timeouts, files] = groups(queue)
    assert (timeouts.shape, timeouts.count, timeouts.reason) == ("timeout after N s", 2, "failed")
    assert timeouts.by_lane == (1, 0, 0, 1) and timeouts.agents == ("a",) and sum(timeouts.hours) == 2
    assert timeouts.last_at - timeouts.first_at >= 10_000
    assert timeouts.sample is not None and timeouts.sample["id"] == last
    assert (files.shape, files.count) == ("no such file", 1)
    assert queue.ask(s.ListDeadGroups()).total == 3
    found = queue.ask(s.FindTasks(s.Filter((s_term("group", timeouts.id),))))
    assert [task.id for task in found.tasks] == [last, first]


def s_term(key: str, value: str) -> object:
    from wire.task_filter import Term

    return Term(key, (value,))


def test_reasons_are_told_apart(queue: Queue) -> None:
    die(queue, "deadline passed")
    late = queue.submit(complete_by=queue.runtime.clock.time_ms() + 1_000)
    queue.wait(3)
    assert queue.task(late).status is v.TaskStatus.DEAD_LETTER
    assert sorted(group.reason for group in groups(queue)) == ["deadline", "failed"]


def test_a_retry_a_cancel_and_a_second_death_move_the_counts(queue: Queue) -> None:
    one, two = die(queue, "boom 1"), die(queue, "boom 2")
    queue.ask(v.RetryDeadLetter(one))
    assert counts(queue) == {"boom N": 1}
    task = queue.claim("a")
    assert task is not None
    queue.ask(v.Fail(one, "a", task.generation, "bang"))
    assert counts(queue) == {"boom N": 1, "bang": 1}
    queue.ask(v.Cancel(two))
    assert counts(queue) == {"bang": 1}


def test_what_was_discarded_can_be_recovered_until_its_time_is_over(tmp_path: Path) -> None:
    queue = Queue(tmp_path / "hub.db", TaskQueueOptions(discarded_hours=0.01, prune_period_s=1))
    task_id = die(queue, "boom")
    assert queue.ask(b.DiscardDeadLetter(task_id, "me")).status is v.TaskStatus.CANCELLED
    assert groups(queue) == [] and queue.ask(v.ReadStats()).dead_letter == 0
    queue.wait(30)
    assert queue.ask(b.RecoverDiscarded(task_id, "me")).status is v.TaskStatus.DEAD_LETTER
    assert counts(queue) == {"boom": 1}
    assert [entry.event for entry in queue.task(task_id).history[:2]] == ["recovered", "discarded"]
    queue.ask(b.DiscardDeadLetter(task_id))
    queue.wait(40)
    assert queue.ask(b.RecoverDiscarded(task_id)).reason is v.Refusal.NOT_FOUND
    assert queue.task(task_id).status is v.TaskStatus.CANCELLED
    queue.close()


def test_only_dead_letters_are_discarded_and_only_discarded_ones_recovered(queue: Queue) -> None:
    task_id = queue.submit()
    assert queue.ask(b.DiscardDeadLetter(task_id)).reason is v.Refusal.INVALID_STATE
    queue.ask(v.Cancel(task_id))
    assert queue.ask(b.RecoverDiscarded(task_id)).reason is v.Refusal.NOT_FOUND
    assert queue.ask(b.DiscardDeadLetter("task-0000000000000000")).reason is v.Refusal.NOT_FOUND


def test_groups_outlive_a_crash_and_are_pruned_with_their_tasks(tmp_path: Path) -> None:
    queue = Queue(tmp_path / "hub.db", TaskQueueOptions(retention_days=0.001, prune_period_s=1))
    die(queue, "boom")
    queue.reopen()
    assert counts(queue) == {"boom": 1}
    queue.wait(100)
    assert counts(queue) == {} and queue.ask(v.ReadStats()).dead_letter == 0
    queue.close()


def test_a_task_moves_to_the_end_of_another_lane(queue: Queue) -> None:
    first, second = queue.submit(priority=2), queue.submit(priority=1)
    third = queue.submit(priority=1)
    moved = queue.ask(b.ChangeLane(first, 1, "me"))
    assert (moved.status, moved.priority) == (v.TaskStatus.QUEUED, 1)
    assert queue.ask(v.ReadStats()).queued_by_priority == {0: 0, 1: 3, 2: 0, 3: 0}
    queue.reopen()
    order = [task.id for _ in range(3) if (task := queue.claim("a")) is not None]
    assert order == [second, third, first]
    assert queue.ask(b.ChangeLane(first, 0)).reason is v.Refusal.INVALID_STATE


def test_a_task_that_waits_out_a_back_off_still_does_so_in_its_new_lane(queue: Queue) -> None:
    task_id = queue.submit(max_retries=3)
    task = queue.claim("a")
    assert task is not None
    queue.ask(v.Fail(task_id, "a", 1, "no"))
    queue.ask(b.ChangeLane(task_id, 0))
    assert queue.claim("a") is None
    queue.wait(5)
    again = queue.claim("a")
    assert again is not None and again.id == task_id and again.priority == 0


def test_a_task_that_moves_and_is_handed_out_in_one_batch_keeps_its_lane(queue: Queue) -> None:
    task_id = queue.submit(priority=2)
    queue.reopen()
    claim = v.Claim((v.Offer("a", frozenset()),))
    queue.ask(v.Together((b.ChangeLane(task_id, 0), claim)))
    queue.reopen()
    assert (queue.task(task_id).status, queue.task(task_id).priority) == (v.TaskStatus.ASSIGNED, 0)


# --- muting -----------------------------------------------------------------------------------------------------------


def mute(queue: Queue, error: str, hours: float = 1.0) -> s.Mute:
    [group] = [one for one in groups(queue) if one.shape == shape_of(error)]
    muted = queue.ask(s.MuteDeadGroup(group.id, int(hours * 3_600_000), "ann", "known"))
    assert isinstance(muted, s.Mute)
    return muted


def told(queue: Queue) -> list[str]:
    """Kinds of which health is told that they are muted, or were."""
    return [shape for shape, _, _ in queue.ask(ReadVitals()).mutes]


def test_a_muted_group_says_who_and_until_when_also_after_a_restart(queue: Queue) -> None:
    die(queue, "boom")
    muted = mute(queue, "boom")
    assert (muted.by, muted.note, muted.until - muted.at, muted.until_count) == ("ann", "known", 3_600_000, 11)
    queue.reopen()
    [group] = groups(queue)
    assert group.muted == muted and told(queue) == ["boom"]
    queue.wait(3_601)
    [group] = groups(queue)
    assert group.muted is None and told(queue) == ["boom"], "health still has to know what died meanwhile"


def test_a_mute_ends_by_hand_and_when_the_group_has_grown(queue: Queue) -> None:
    die(queue, "boom")
    die(queue, "bang")
    mute(queue, "boom")
    [bang] = [one for one in groups(queue) if one.shape == "bang"]
    mute(queue, "bang")
    assert queue.ask(s.UnmuteDeadGroup(bang.id)) is True and queue.ask(s.UnmuteDeadGroup(bang.id)) is False
    for _ in range(9):
        die(queue, "boom")
    assert told(queue) == ["boom"]
    die(queue, "boom")
    assert told(queue) == [] and all(one.muted is None for one in groups(queue))


def test_only_a_group_with_members_can_be_muted_and_not_too_many(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    assert queue.ask(s.MuteDeadGroup("000000000000", 60_000, "ann")).reason == v.Refusal.NOT_FOUND
    monkeypatch.setattr("actors.task_queue.MUTES", 1)
    die(queue, "boom")
    die(queue, "bang")
    mute(queue, "boom")
    [bang] = [one for one in groups(queue) if one.shape == "bang"]
    assert queue.ask(s.MuteDeadGroup(bang.id, 60_000, "ann")).reason == v.Refusal.OVERLOADED
