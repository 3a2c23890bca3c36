"""What an agent may do to the hub and what the hub then does: each lesson of an earlier implementation, played through."""

from __future__ import annotations

from actors.vocabulary import names
from actors.vocabulary.events import AgentJoined, AgentLeft
from tests.harness.box import Box


def assigned(box: Box, agent: str = "a", **fields: object) -> tuple[str, str, int]:
    """(connection, task id, generation) of an agent that was just handed a task."""
    connection = box.up(agent)
    task_id = box.submit(**fields)  # type: ignore[arg-type]
    frame = box.assignment(connection)
    assert frame["task_id"] == task_id
    return connection, task_id, frame["generation"]


def test_a_task_goes_through_its_life(box: Box) -> None:
    connection, task_id, generation = assigned(box)
    assert generation == 1 and box.state("a") == "assigned"
    [ack] = box.says(connection, "task_accepted", task_id=task_id, generation=generation)
    assert ack == {"type": "task_ack", "task_id": task_id, "status": "accepted", "generation": 1}
    assert box.state("a") == "working"
    [ack] = box.says(connection, "task_complete", task_id=task_id, generation=1, result={"x": 1}, tokens_used=7)
    assert ack["status"] == "complete"
    task = box.task(task_id)
    assert (task.status, task.result, task.tokens_used, task.assigned_to) == ("completed", {"x": 1}, 7, "a")
    assert box.state("a") == "idle"
    wanted = ["task_submitted", "task_assigned", "task_accepted", "task_completed"]
    assert box.task_events(task_id) == wanted


def test_a_completion_without_an_accept_frees_the_agent_and_leaves_no_flag(box: Box) -> None:
    """Lesson 9."""
    connection, task_id, generation = assigned(box)
    box.says(connection, "task_complete", task_id=task_id, generation=generation)
    view = box.view("a")
    assert view is not None and view.fsm_state == "idle" and view.flags == ()
    second = box.submit()
    assert box.assignment(connection)["task_id"] == second


def test_a_failure_is_retried_after_its_back_off_and_ends_in_the_dead_letters(box: Box) -> None:
    """Lesson 1: the failure path had never worked."""
    connection, task_id, _ = assigned(box, max_retries=3)
    statuses = []
    for _ in range(3):
        generation = box.assignment(connection)["generation"]
        [ack] = box.says(connection, "task_failed", task_id=task_id, generation=generation, error="no luck")
        statuses.append(ack["status"])
        box.wait(10, connection)
    assert statuses == ["retried", "retried", "dead_letter"]
    task = box.task(task_id)
    assert (task.status, task.last_error, task.retry_count) == ("dead_letter", "no luck", 3)
    assert box.call("tasks.retry", task_id=task_id).value["task_id"] == task_id
    generation = box.assignment(connection)["generation"]
    [ack] = box.says(connection, "task_complete", task_id=task_id, generation=generation)
    assert ack["status"] == "complete"


def test_a_refused_result_frees_the_agent_for_the_next_task(box: Box) -> None:
    """Lesson 3: the agent stayed "working" and got nothing any more."""
    connection, task_id, generation = assigned(box)
    box.says(connection, "task_accepted", task_id=task_id, generation=generation)
    [error] = box.says(connection, "task_complete", task_id=task_id, generation=generation + 7)
    assert error["error"] == "task_complete_failed: stale_generation"
    assert box.state("a") == "working", "it still holds the attempt that it was given"
    box.call("tasks.cancel", task_id=task_id)
    assert box.state("a") == "idle"
    assert box.frames(connection)[-1]["type"] == "task_cancelled"
    assert box.assignment(connection)["task_id"] != box.submit()  # read before the submit
    assert box.state("a") == "assigned"


def test_another_agent_cannot_finish_a_task_with_the_right_generation(box: Box) -> None:
    """Lesson 23."""
    _, task_id, generation = assigned(box)
    thief = box.up("thief")
    for type_ in ("task_complete", "task_failed"):
        [error] = box.says(thief, type_, task_id=task_id, generation=generation)
        assert error["error"].endswith("stale_generation")
    assert box.task(task_id).status == "assigned"


def test_eight_submits_at_once_give_one_agent_one_task(box: Box) -> None:
    """Lesson 5: two tasks at once."""
    connection = box.up("a")
    for _ in range(8):
        box.submit()
    assert len([f for f in box.frames(connection) if f["type"] == "task_assign"]) == 1


def test_a_new_connection_takes_over_and_the_old_one_is_closed(box: Box) -> None:
    """Lesson 4: the older socket's end deleted the newer one's presence, and tasks vanished."""
    old = box.up("a")
    new = box.up("a", connection="a-2")
    assert box.outlet.closed == {old: 4409}
    box.down(old)
    assert box.state("a") == "idle"
    box.submit()
    assert box.assignment(new) and not [f for f in box.frames(old) if f["type"] == "task_assign"]
    assert box.says(old, "status", status="ghost") == []


def test_a_quick_reconnect_goes_on_with_the_work_that_it_reports(box: Box) -> None:
    """Lessons 7 and 8: "continue" is an acceptance; no timer may take the task away later."""
    connection, task_id, generation = assigned(box)
    box.says(connection, "task_accepted", task_id=task_id, generation=generation)
    box.down(connection)
    assert box.state("a") == "offline"
    back = box.up("a", connection="a-2")
    [ack] = box.says(back, "state_report", task_id=task_id, generation=generation, status="working")
    assert ack == {"type": "state_report_ack", "task_id": task_id, "generation": generation, "action": "continue"}
    box.wait(300, back)
    assert box.state("a") == "working"
    [ack] = box.says(back, "task_complete", task_id=task_id, generation=generation)
    assert ack["status"] == "complete"


def test_an_agent_that_comes_back_without_its_task_gets_work_again(box: Box) -> None:
    connection, task_id, _ = assigned(box)
    box.down(connection)
    back = box.up("a", connection="a-2")
    box.wait(15, back)
    assert box.assignment(back)["task_id"] == task_id
    assert box.assignment(back)["generation"] == 3


def test_a_lost_agents_task_goes_to_another_after_the_grace_and_not_before(box: Box) -> None:
    connection, task_id, generation = assigned(box)
    box.says(connection, "task_accepted", task_id=task_id, generation=generation)
    other = box.up("b")
    box.down(connection)
    box.wait(9, other)
    assert box.task(task_id).assigned_to == "a"
    box.wait(3, other)
    assert box.assignment(other)["task_id"] == task_id
    assert box.task(task_id).history[1].details == "agent_lost"
    left = box.events(lambda event: isinstance(event, AgentLeft))
    assert [(event.agent_id, event.clean) for event in left] == [("a", False)]
    assert box.view("a") is None


def test_a_clean_goodbye_gives_the_task_back_at_once_and_uncharged(box: Box) -> None:
    connection, task_id, _ = assigned(box)
    other = box.up("b")
    box.down(connection, clean=True)
    assert box.assignment(other)["task_id"] == task_id
    assert box.task(task_id).reclaim_count == 0
    assert [event.clean for event in box.events(lambda event: isinstance(event, AgentLeft))] == [True]


def test_a_task_that_kills_its_agents_ends_in_the_dead_letters(box: Box) -> None:
    """Lesson 10 and P10: silent deaths count, against a limit of their own."""
    task_id = box.submit()
    for number in range(3):
        connection = box.up(f"victim-{number}")
        assert box.assignment(connection)["task_id"] == task_id
        box.down(connection)
        box.wait(12)
    task = box.task(task_id)
    assert (task.status, task.retry_count, task.reclaim_count) == ("dead_letter", 0, 3)


def test_an_agent_that_never_accepts_is_flagged_and_held_back_until_it_accepts(box: Box) -> None:
    """Lesson 10: the same task every 60 s for ever, and a flag that nobody ever cleared."""
    connection, first, _ = assigned(box)
    other_task = box.submit()
    box.wait(61, connection)
    view = box.view("a")
    assert view is not None and view.flags == ("unresponsive",)
    box.wait(6, connection)
    frame = box.assignment(connection)
    assert frame["task_id"] in (first, other_task)
    box.says(connection, "task_accepted", task_id=frame["task_id"], generation=frame["generation"])
    view = box.view("a")
    assert view is not None and view.flags == () and view.fsm_state == "working"


def test_a_long_task_is_left_alone_while_its_agent_shows_life(box: Box) -> None:
    """Lesson 2: tasks of more than five minutes were taken back while their agents worked."""
    connection, task_id, generation = assigned(box)
    box.says(connection, "task_accepted", task_id=task_id, generation=generation)
    box.wait(3600, connection)
    [ack] = box.says(connection, "task_complete", task_id=task_id, generation=generation)
    assert ack["status"] == "complete"


def test_a_silent_agents_lease_runs_out(box: Box) -> None:
    connection, task_id, generation = assigned(box)
    box.says(connection, "task_accepted", task_id=task_id, generation=generation)
    other = box.up("b")
    box.wait(120, other)
    assert box.task(task_id).assigned_to == "b"
    assert box.task(task_id).history[1].details == "lease_expired"


def test_a_rejected_task_goes_back_uncharged_and_the_agent_pauses(box: Box) -> None:
    """Lesson 6: the hub did not know the frame."""
    connection, task_id, generation = assigned(box)
    [ack] = box.says(connection, "task_rejected", task_id=task_id, generation=generation, reason="busy")
    assert ack["status"] == "rejected"
    task = box.task(task_id)
    assert (task.status, task.retry_count, task.reclaim_count) == ("queued", 0, 0)
    box.wait(3, connection)
    assert box.assignment(connection)["generation"] == 3


def test_recovering_continues_or_reassigns_and_a_crash_counts(box: Box) -> None:
    connection, task_id, generation = assigned(box)
    [answer] = box.says(connection, "task_recovering", task_id=task_id, generation=generation, last_status="working")
    assert answer == {"type": "task_continue", "task_id": task_id, "generation": generation}
    [answer] = box.says(connection, "task_recovering", task_id="task-unknown", last_status="working")
    assert answer == {"type": "task_reassign", "task_id": "task-unknown"}
    answers = box.says(connection, "task_recovering", task_id=task_id, generation=generation, last_status="crashed")
    assert answers[0] == {"type": "task_reassign", "task_id": task_id, "generation": generation}
    assert box.task(task_id).reclaim_count == 1


def test_an_abort_names_its_attempt_because_the_agent_may_have_a_later_one(box: Box) -> None:
    """It came after the assignment of generation 3 and ended that: the task stayed with an agent that had dropped it."""
    connection, task_id, generation = assigned(box)
    box.says(connection, "task_rejected", task_id=task_id, generation=generation, reason="busy")
    box.wait(3, connection)
    assert box.assignment(connection)["generation"] == 3
    answers = box.says(connection, "state_report", task_id=task_id, generation=generation, status="working")
    assert answers[-1] == {
        "type": "state_report_ack",
        "task_id": task_id,
        "generation": generation,
        "action": "abort",
    }


def test_a_crashed_fsm_finds_its_connection_and_its_task_again(box: Box) -> None:
    """Lesson 14: a connected agent without an FSM was invisible until it happened to reconnect."""
    connection, task_id, generation = assigned(box)
    box.says(connection, "task_accepted", task_id=task_id, generation=generation)
    box.crash(names.agent_fsm("a"))
    assert box.state("a") == "working"
    [ack] = box.says(connection, "task_complete", task_id=task_id, generation=generation)
    assert ack["status"] == "complete"


def test_a_crashed_scheduler_schedules_what_waits(box: Box) -> None:
    """Lesson 15: nothing scheduled at start."""
    connection = box.up("a", "gpu")
    waiting = box.submit(needed_capabilities=("cpu",))
    box.crash(names.SCHEDULER)
    box.announce()
    other = box.up("b", "cpu")
    box.up("a", "gpu", connection=connection, resumed=True)
    assert box.assignment(other)["task_id"] == waiting


def test_a_restarted_queue_loses_nothing_and_repeats_nothing(box: Box) -> None:
    connection, task_id, generation = assigned(box)
    box.says(connection, "task_accepted", task_id=task_id, generation=generation)
    waiting = box.submit()
    box.crash(names.TASK_QUEUE)
    box.announce()
    box.up("a", connection=connection, resumed=True)
    assert box.state("a") == "working"
    ack = box.says(connection, "task_complete", task_id=task_id, generation=generation)[0]
    assert ack["status"] == "complete"
    assert box.assignment(connection)["task_id"] == waiting


def test_a_dead_web_process_drops_exactly_its_agents(box: Box) -> None:
    box.up("a")
    box.lose_web()
    assert box.state("a") == "offline"


def test_pushing_a_task_makes_a_durable_task_for_one_agent(box: Box) -> None:
    """Lesson 13: a pushed task was not in the queue, so its completion was not found."""
    box.up("a")
    other = box.up("b")
    reply = box.call("agents.push", agent_id="b", description="just you", metadata={"k": 1}, submitted_by="ops")
    frame = box.assignment(other)
    assert frame["task_id"] == reply.value["task_id"] and frame["metadata"] == {"k": 1}
    assert box.says(other, "task_complete", task_id=frame["task_id"], generation=1)[0]["status"] == "complete"
    assert box.call("agents.push", agent_id="zz", description="x").refusal == "not_found"


def test_capabilities_decide_and_the_longest_idle_agent_goes_first(box: Box) -> None:
    first, second = box.up("first", {"name": "gpu"}), box.up("second", "gpu", "big")
    task_id = box.submit(needed_capabilities=("gpu",))
    assert box.assignment(first)["task_id"] == task_id
    big = box.submit(needed_capabilities=("gpu", "big"))
    assert box.assignment(second)["task_id"] == big


def test_presence_goes_to_those_who_asked_and_not_to_oneself(box: Box) -> None:
    """Lesson 70: every agent got every change."""
    asked = box.up("asked", presence=True)
    quiet = box.up("quiet")
    box.says(quiet, "status", status="thinking")
    box.down(quiet, clean=True)
    kinds = [frame["type"] for frame in box.frames(asked)]
    assert kinds == ["agent_joined", "status_changed", "agent_left"]
    assert [frame["type"] for frame in box.frames(quiet)] == ["status_updated"]
    assert len(box.events(lambda event: isinstance(event, AgentJoined))) == 2


def test_an_agent_that_says_it_restarts_keeps_its_task_through_the_grace(box: Box) -> None:
    connection, task_id, generation = assigned(box)
    box.says(connection, "task_accepted", task_id=task_id, generation=generation)
    box.says(connection, "agent_restarting", reason="update")
    box.down(connection, clean=True)
    assert box.task(task_id).status == "assigned"
    back = box.up("a", connection="a-2")
    [ack] = box.says(back, "state_report", task_id=task_id, generation=generation)
    assert ack["action"] == "continue"
