"""An agent with several slots: as many tasks at once, each with a life of its own."""

from __future__ import annotations

from typing import Any

from actors.vocabulary import names
from link.messages import AgentFrame, AgentUp
from tests.harness.box import Box


def up(
    box: Box,
    agent: str = "many",
    slots: int = 3,
    *,
    batch: bool = False,
    connection: str | None = None,
    resumed: bool = False,
) -> str:
    connection = connection or f"{agent}-1"
    box.web(AgentUp(connection, agent, agent, "connected", [], False, 1, resumed, slots, batch))
    return connection


def assignments(box: Box, connection: str) -> list[dict[str, Any]]:
    return [frame for frame in box.frames(connection) if frame["type"] == "task_assign"]


def test_it_gets_as_many_tasks_as_it_has_slots_and_the_next_when_one_is_free(box: Box) -> None:
    connection = up(box, slots=3)
    for _ in range(5):
        box.submit()
    first = assignments(box, connection)
    assert len(first) == 3
    box.says(connection, "task_complete", task_id=first[1]["task_id"], generation=1)
    assert len(assignments(box, connection)) == 4
    view = box.view("many")
    assert view is not None and (view.slots, view.slots_used) == (3, 3)


def test_its_state_is_the_busiest_of_its_slots(box: Box) -> None:
    connection = up(box, slots=2)
    tasks = [box.submit(), box.submit()]
    assert box.state("many") == "assigned"
    box.says(connection, "task_accepted", task_id=tasks[1], generation=1)
    assert box.state("many") == "working"
    box.says(connection, "task_complete", task_id=tasks[1], generation=1)
    assert box.state("many") == "assigned"
    box.says(connection, "task_complete", task_id=tasks[0], generation=1)
    assert box.state("many") == "idle"


def test_many_completions_at_once_are_one_answer_for_an_agent_that_reads_arrays(box: Box) -> None:
    connection = up(box, slots=4, batch=True)
    tasks = [box.submit() for _ in range(4)]
    frames = [{"type": "task_complete", "task_id": task_id, "generation": 1} for task_id in tasks]
    before = len(box.outlet.messages)
    box.web(*(AgentFrame(connection, frame) for frame in frames))
    [message] = [one for one in box.outlet.messages[before:] if one.connections == [connection]]
    assert list(message.answers) == [("task_complete", task_id) for task_id in tasks]
    assert all(box.task(task_id).status == "completed" for task_id in tasks)


def test_one_stale_result_among_good_ones_is_refused_alone(box: Box) -> None:
    connection = up(box, slots=2)
    tasks = [box.submit(), box.submit()]
    before = len(box.frames(connection))
    box.web(
        AgentFrame(connection, {"type": "task_complete", "task_id": tasks[0], "generation": 9}),
        AgentFrame(connection, {"type": "task_complete", "task_id": tasks[1], "generation": 1}),
    )
    refused, done = box.frames(connection)[before:][:2]
    assert refused["error"] == "task_complete_failed: stale_generation"
    assert (done["task_id"], done["status"]) == (tasks[1], "complete")
    assert box.state("many") == "assigned", "the refused one is still in its slot"


def test_each_slot_has_its_own_acceptance_timeout(box: Box) -> None:
    connection = up(box, slots=2)
    tasks = [box.submit(), box.submit()]
    box.says(connection, "task_accepted", task_id=tasks[0], generation=1)
    box.wait(61, connection)
    assert box.task(tasks[0]).status == "assigned"
    assert "task_reclaimed" in box.task_events(tasks[1])


def test_a_return_with_fewer_slots_gives_the_surplus_back(box: Box) -> None:
    old = up(box, slots=3)
    tasks = [box.submit() for _ in range(3)]
    for task_id in tasks:
        box.says(old, "task_accepted", task_id=task_id, generation=1)
    box.down(old)
    new = up(box, slots=1, connection="many-2")
    for task_id in tasks:
        box.says(new, "state_report", task_id=task_id, generation=1, status="working")
    view = box.view("many")
    assert view is not None and view.slots_used <= view.slots
    assert sum(box.task(task_id).assigned_to == "many" for task_id in tasks) == view.slots_used


def test_a_crash_of_its_actor_loses_none_of_its_tasks(box: Box) -> None:
    connection = up(box, slots=3)
    tasks = [box.submit() for _ in range(3)]
    box.says(connection, "task_accepted", task_id=tasks[0], generation=1)
    box.crash(names.agent_fsm("many"))
    for task_id in tasks:
        [ack] = [f for f in box.says(connection, "task_complete", task_id=task_id, generation=1) if "status" in f]
        assert ack["status"] == "complete"


def test_a_crash_of_the_scheduler_never_fills_a_slot_twice(box: Box) -> None:
    connection = up(box, slots=2)
    tasks = [box.submit() for _ in range(6)]
    box.crash(names.SCHEDULER)  # and with it the gateway, so the web process announces its connections again
    box.announce()
    up(box, slots=2, resumed=True)
    for _ in tasks:
        open_ones = [task_id for task_id in tasks if box.task(task_id).status != "completed"]
        held = [task_id for task_id in open_ones if box.task(task_id).assigned_to == "many"]
        assert 0 < len(held) <= 2
        box.says(connection, "task_complete", task_id=held[0], generation=box.task(held[0]).generation)
    assert all("task_reclaimed" not in box.task_events(task_id) for task_id in tasks)


def test_tasks_are_spread_over_agents_and_not_piled_on_the_first(box: Box) -> None:
    up(box, "a", slots=4)
    up(box, "b", slots=4)
    for _ in range(4):
        box.submit()
    assert len(assignments(box, "a-1")) == len(assignments(box, "b-1")) == 2
