"""A queued task is for whom an operator says: in memory, in the rows, in its lane, and in its history."""

from __future__ import annotations

import pytest

from actors.vocabulary import bulk as b
from actors.vocabulary import tasks as v
from actors.vocabulary.audit import Audited, Doer
from tests.unit.queue.conftest import Queue

PAGE = Doer("dashboard", "local", "page")


@pytest.fixture
def known(queue: Queue) -> Queue:
    for name in ("anna", "bert"):
        queue.ask(v.RecordPresence(name, name, v.AgentPresence.ONLINE))
    return queue


def test_only_the_named_agent_may_have_it_until_anybody_may_again(known: Queue) -> None:
    task_id = known.submit(needed_capabilities=("gpu",))
    known.ask(b.Reassign(task_id, "anna", "me"))
    assert known.claim("bert", "gpu") is None
    known.reopen()
    assert known.task(task_id).assign_to == "anna" and known.claim("bert", "gpu") is None
    known.ask(b.Reassign(task_id, None, "me"))
    assert known.claim("anna") is None, "what it needs counts again"
    claimed = known.claim("bert", "gpu")
    assert claimed is not None and (claimed.id, claimed.assign_to) == (task_id, None)


def test_it_goes_to_the_end_of_its_lane_and_keeps_the_lane(known: Queue) -> None:
    first, second = known.submit("first", priority=1), known.submit("second", priority=1)
    known.ask(b.Reassign(first, "anna"))
    known.ask(b.Reassign(first, None))
    assert [claimed.id for _ in range(2) if (claimed := known.claim("bert")) is not None] == [second, first]
    assert sum(known.ask(v.ReadStats()).queued_by_priority.values()) == 0


def test_everything_that_one_batch_does_to_it_is_in_its_row(known: Queue) -> None:
    """Each change has a statement of its own, and two of them must not become one that leaves out the pin."""
    task_id = known.submit("x", assign_to="anna")
    offer = v.Claim((v.Offer("bert", frozenset()),))
    batch = (b.ChangeLane(task_id, 0, "me"), b.Reassign(task_id, "bert", "me"), offer)
    answers = known.ask(v.Together(batch))
    assert answers[2][0].id == task_id
    known.reopen()
    task = known.task(task_id)
    assert (task.assign_to, task.priority, task.status, task.generation) == ("bert", 0, v.TaskStatus.ASSIGNED, 1)
    known.ask(v.Fail(task_id, "bert", 1, "broken"))
    assert known.task(task_id).assign_to == "bert"


def test_a_new_task_and_a_dead_one_that_was_retried_can_be_reassigned_in_the_same_batch(known: Queue) -> None:
    task_id = known.submit("x", max_retries=1)
    first = known.claim("bert")
    assert first is not None
    known.ask(v.Fail(task_id, "bert", first.generation, "broken"))
    known.ask(v.Together((v.RetryDeadLetter(task_id, "me"), b.Reassign(task_id, "anna", "me"))))
    known.reopen()
    task = known.task(task_id)
    assert (task.status, task.assign_to, task.retry_count) == (v.TaskStatus.QUEUED, "anna", 0)
    assert known.claim("bert") is None


def test_one_that_waits_out_a_back_off_waits_on(known: Queue) -> None:
    task_id = known.submit()
    first = known.claim("bert")
    assert first is not None
    failed = known.ask(v.Fail(task_id, "bert", first.generation, "broken"))
    known.ask(b.Reassign(task_id, "anna", "me"))
    assert known.claim("anna") is None
    known.wait(failed.retry_in_ms / 1000 + 2)
    again = known.claim("anna")
    assert again is not None and again.id == task_id


def test_what_cannot_be_is_refused_and_changes_nothing(known: Queue) -> None:
    queued, held = known.submit(priority=0, assign_to="anna"), known.submit(assign_to="bert")
    assert known.claim("bert") is not None
    for request, reason in (
        (b.Reassign("task-00000000000000ff", "anna"), v.Refusal.NOT_FOUND),
        (b.Reassign(held, "anna"), v.Refusal.INVALID_STATE),
        (b.Reassign(queued, "nobody-knows-it"), v.Refusal.INVALID_STATE),
    ):
        assert known.ask(request).reason == reason
    assert known.task(queued).assign_to == "anna" and known.task(held).assign_to == "bert"


def test_its_history_and_the_audit_log_say_who_did_it_and_how(known: Queue) -> None:
    task_id = known.submit()
    known.ask(Audited(b.Reassign(task_id, "anna", "dashboard"), PAGE, "task.reassign", task_id))
    known.ask(b.Reassign(task_id, "anna", "dashboard"))  # nothing to do
    [entry] = [one for one in known.task(task_id).history if one.event == "reassigned"]
    assert entry.details == {"by": "dashboard", "way": "page", "from": None, "to": "anna"}
    [event] = [one for one in known.events() if one.event == "task_reassigned"]
    assert (event.cause, event.task.assign_to, event.previous) == (None, "anna", "queued")
