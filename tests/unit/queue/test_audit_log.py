"""The audit log: one entry for each write, in the same transaction, and never more than it is allowed."""

from __future__ import annotations

from typing import Any

import pytest

from actors.queue_options import TaskQueueOptions
from actors.vocabulary import fleet
from actors.vocabulary import tasks as v
from actors.vocabulary.audit import Audited, AuditEntry, AuditPage, Doer, ReadAudit, RecordAudit
from tests.unit.queue.conftest import Queue
from wire.roles import Role

ANN = Doer("ann", "operator", "cli")
PAGE = Doer("dashboard", "local", "page")


def read(queue: Queue, **query: Any) -> tuple[AuditEntry, ...]:
    page = queue.ask(ReadAudit(**query))
    assert isinstance(page, AuditPage)
    return page.entries


def agent(name: str) -> v.Identity:
    return v.Identity(f"id-{name}", name, Role.AGENT, b"s" * 32, 1)


def test_a_write_and_its_entry_are_one(queue: Queue) -> None:
    task_id = queue.submit()
    answer = queue.ask(Audited(v.Cancel(task_id, "ann"), ANN, "task.cancel", task_id))
    assert isinstance(answer, v.Cancelled)
    [entry] = read(queue)
    assert (entry.actor, entry.role, entry.way) == ("ann", "operator", "cli")
    assert (entry.action, entry.target, entry.outcome) == ("task.cancel", task_id, "ok")
    assert entry.details == {"before": "queued", "after": "cancelled", "agent": None}
    queue.reopen()
    assert read(queue) == (entry,)


def test_a_refused_write_is_written_down_as_refused(queue: Queue) -> None:
    refused = queue.ask(
        Audited(v.RetryDeadLetter("task-00000000000000ff"), PAGE, "task.retry", "task-00000000000000ff")
    )
    assert refused.reason == v.Refusal.NOT_FOUND
    assert [(one.outcome, one.details) for one in read(queue)] == [("not_found", {})]


def test_what_was_before_and_what_is_after_stand_in_it(queue: Queue) -> None:
    for value in (5, 9):
        queue.ask(Audited(v.WriteSetting("k", value), ANN, "setting.write", "k"))
    queue.ask(Audited(v.CreateIdentity(agent("w")), ANN, "token.create", "w"))
    queue.ask(Audited(fleet.OrderAgent("w", fleet.AgentOrder.DRAIN), PAGE, "agent.drain", "w"))
    queue.ask(Audited(v.RevokeIdentity("w"), ANN, "token.revoke", "w"))
    assert [one.details for one in read(queue)] == [
        {"tokens_ended": 1},
        {"before": "active", "after": "draining"},
        {"role": "agent", "token_id": "id-w"},
        {"before": 5, "after": 9},
        {"before": None, "after": 5},
    ]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"actor": "ann"}, [3, 1]),
        ({"way": "page"}, [2]),
        ({"action": "agent."}, [2, 1]),
        ({"action": "agent.pause"}, [1]),
        ({"target": "b"}, [3, 2]),
        ({"outcome": "not_found"}, [3]),
        ({"actor": "ann", "target": "b"}, [3]),
        ({"actor": "%"}, []),
    ],
)
def test_it_is_filtered(queue: Queue, query: dict[str, Any], found: list[int]) -> None:
    queue.ask(RecordAudit(ANN, "agent.pause", "a", "ok", {}))
    queue.ask(RecordAudit(PAGE, "agent.resume", "b", "ok", {}))
    queue.ask(RecordAudit(ANN, "task.cancel", "b", "not_found", {}))
    assert [one.seq for one in read(queue, **query)] == found


def test_it_is_paged_by_key_and_a_new_entry_moves_no_page(queue: Queue) -> None:
    for number in range(7):
        queue.ask(RecordAudit(ANN, f"x.{number}", None, "ok", {}))
    first = queue.ask(ReadAudit(limit=3))
    queue.ask(RecordAudit(ANN, "x.new", None, "ok", {}))
    second = queue.ask(ReadAudit(limit=3, cursor=first.next_cursor))
    third = queue.ask(ReadAudit(limit=3, cursor=second.next_cursor))
    assert [one.action for page in (first, second, third) for one in page.entries] == [
        f"x.{n}" for n in range(6, -1, -1)
    ]
    assert third.next_cursor is None
    assert queue.ask(ReadAudit(cursor="1-2-3")).reason == v.Refusal.INVALID_STATE


def test_it_keeps_the_newest_entries_and_those_only(tmp_path: Any) -> None:
    options = TaskQueueOptions(audit_entries=5, audit_days=300 / 86_400, prune_period_s=60.0)
    queue = Queue(tmp_path / "hub.db", options)
    for number in range(8):
        queue.ask(RecordAudit(ANN, f"x.{number}", None, "ok", {}))
    queue.wait(61)
    assert [one.action for one in read(queue)] == [f"x.{number}" for number in range(7, 2, -1)]
    queue.wait(240)
    queue.ask(RecordAudit(ANN, "x.new", None, "ok", {}))
    queue.wait(61)
    assert [one.action for one in read(queue)] == ["x.new"]
    queue.close()


def test_old_tokens_of_an_agent_end_when_told_and_those_of_a_person_do_not(queue: Queue) -> None:
    for number in range(2):
        queue.ask(v.CreateIdentity(v.Identity(f"a{number}", "w", Role.AGENT, b"s" * 32, number)))
        queue.ask(v.CreateIdentity(v.Identity(f"p{number}", "boss", Role.ADMIN, b"s" * 32, number)))
    assert queue.ask(fleet.EndOldTokens("w")) == 1
    assert queue.ask(fleet.EndOldTokens("boss")).reason == v.Refusal.NOT_FOUND
    assert queue.ask(fleet.EndOldTokens("nobody")).reason == v.Refusal.NOT_FOUND
    assert [one.token_id for one in queue.ask(v.ListIdentities())] == ["p0", "p1", "a1"]
    assert [one.token_id for one in queue.ask(v.ListIdentities("w"))] == ["a1"]
