"""What an operator orders of an agent: it holds for what is to come, for what is on its way, and over every restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from actors.vocabulary import names
from actors.vocabulary.agents import Assign
from actors.vocabulary.audit import AuditPage, ReadAudit
from actors.vocabulary.events import AgentForgotten, AgentModeChanged
from tests.harness.box import Box


def mode(box: Box, agent_id: str) -> str:
    view = box.view(agent_id)
    assert view is not None
    return view.mode


def hands_out(box: Box, connection: str) -> list[str]:
    return [frame["task_id"] for frame in box.frames(connection) if frame["type"] == "task_assign"]


def entries(box: Box) -> list[tuple[str, str | None, str, Any]]:
    page = box.queue(ReadAudit())
    assert isinstance(page, AuditPage)
    return [(one.action, one.target, one.outcome, one.details) for one in page.entries]


@pytest.mark.parametrize("order", ["pause", "drain"])
def test_it_gets_nothing_new_while_others_work_until_it_is_resumed(box: Box, order: str) -> None:
    held_back, other = box.up("a"), box.up("b")
    assert box.call(f"agents.{order}", agent_id="a").value["previous"] == "active"
    for _ in range(3):
        task_id = box.submit()
        assert hands_out(box, other)[-1] == task_id
        box.says(other, "task_complete", task_id=task_id, generation=1)
    waiting = box.submit(assign_to="a")
    assert hands_out(box, held_back) == []
    assert box.call("agents.resume", agent_id="a").value["mode"] == "active"
    assert hands_out(box, held_back) == [waiting]


def test_a_draining_agent_finishes_what_it_has_and_is_drained_then(box: Box) -> None:
    connection = box.up("a")
    task_id = box.submit()
    box.says(connection, "task_accepted", task_id=task_id, generation=1)
    answer = box.call("agents.drain", agent_id="a").value
    assert answer == {"agent_id": "a", "mode": "draining", "previous": "active", "tasks_held": 1}
    assert (mode(box, "a"), box.state("a")) == ("draining", "working")
    box.submit()
    [ack] = box.says(connection, "task_complete", task_id=task_id, generation=1)
    assert ack["status"] == "complete"
    assert (mode(box, "a"), box.state("a")) == ("drained", "idle")
    assert hands_out(box, connection) == [task_id]


def test_what_was_on_its_way_when_the_order_came_goes_back_uncharged(box: Box) -> None:
    connection = box.up("a")
    box.call("agents.pause", agent_id="a")
    waiting = box.submit()
    from actors.vocabulary.tasks import Claim, Offer

    [claimed] = box.queue(Claim((Offer("a", frozenset()),)))  # as the scheduler does that has not heard of the order
    ref = box.runtime.names.whereis(names.agent_fsm("a"))
    assert ref is not None
    ref.tell(Assign((claimed,), 1))
    box.runtime.settle()
    task = box.task(waiting)
    assert (task.status, task.reclaim_count, task.history[0].details) == ("queued", 0, "agent_paused")
    assert hands_out(box, connection) == []


def test_orders_outlive_connection_state_machine_and_hub(box: Box, tmp_path: Path) -> None:
    connection = box.up("a")
    box.call("agents.pause", agent_id="a")
    box.down(connection, clean=True)
    box.up("a", connection="a-2")
    assert mode(box, "a") == "paused"
    box.crash(names.agent_fsm("a"))
    assert mode(box, "a") == "paused"
    box.crash(names.TASK_QUEUE)
    box.announce()
    again = box.up("a", connection="a-3")
    assert mode(box, "a") == "paused"
    box.submit()
    assert hands_out(box, again) == []
    box.close()
    second = Box(tmp_path)
    try:
        last = second.up("a", connection="a-4")
        assert mode(second, "a") == "paused"
        second.call("agents.resume", agent_id="a")
        assert len(hands_out(second, last)) == 1
    finally:
        second.close()


def test_an_order_for_an_agent_that_is_away_holds_when_it_comes(box: Box) -> None:
    box.down(box.up("a"), clean=True)
    assert box.call("agents.drain", agent_id="a").value["mode"] == "drained"
    connection = box.up("a", connection="a-2")
    box.submit()
    assert hands_out(box, connection) == [] and mode(box, "a") == "drained"


def test_nobody_orders_an_agent_that_was_never_heard_of(box: Box) -> None:
    for op in ("agents.pause", "agents.drain", "agents.resume", "agents.disconnect"):
        assert box.call(op, agent_id="ghost").refusal == "not_found"
    assert box.call("agents.forget", agent_id="ghost").value is False


def test_the_same_order_again_is_no_news_but_is_written_down(box: Box) -> None:
    box.up("a")
    for _ in range(2):
        assert box.call("agents.pause", agent_id="a").value["mode"] == "paused"
    assert len(box.events(lambda event: isinstance(event, AgentModeChanged))) == 1
    assert [(action, details) for action, _, _, details in entries(box)] == [
        ("agent.pause", {"before": "paused", "after": "paused"}),
        ("agent.pause", {"before": "active", "after": "paused"}),
    ]


def test_a_disconnected_agent_keeps_its_task_through_the_grace(box: Box) -> None:
    connection = box.up("a")
    task_id = box.submit()
    box.says(connection, "task_accepted", task_id=task_id, generation=1)
    assert box.call("agents.disconnect", agent_id="a").value == {"agent_id": "a"}
    assert box.outlet.closed == {connection: 4410}
    box.down(connection)
    assert box.task(task_id).assigned_to == "a"
    back = box.up("a", connection="a-2")
    [ack] = box.says(back, "state_report", task_id=task_id, generation=1, status="working")
    assert ack["action"] == "continue"


def test_only_an_agent_that_is_gone_is_forgotten_and_with_it_what_was_wanted_of_it(box: Box) -> None:
    connection = box.up("a")
    box.call("agents.pause", agent_id="a")
    assert box.call("agents.forget", agent_id="a").refusal == "invalid_state"
    box.down(connection)
    assert box.call("agents.forget", agent_id="a").refusal == "invalid_state", "it may still return"
    box.wait(11)
    assert box.call("agents.forget", agent_id="a").value is True
    assert len(box.events(lambda event: isinstance(event, AgentForgotten))) == 1
    assert box.call("agents.forget", agent_id="a").value is False
    box.up("a", connection="a-2")
    assert mode(box, "a") == "active"


def test_a_paused_agent_explains_why_a_task_waits(box: Box) -> None:
    box.up("a", "gpu")
    box.call("agents.pause", agent_id="a")
    needs = box.call("tasks.explain", task_id=box.submit(needed_capabilities=("gpu",))).value
    assert (needs["reason"], "agent resume a" in needs["next_step"]) == ("agents_paused", True)
    pinned = box.call("tasks.explain", task_id=box.submit(assign_to="a")).value
    assert pinned["reason"] == "pinned_agent_paused"
