"""``/ws``: one case for every row of protocol.md section 1 that is in scope, over a real socket to a real hub."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.harness.hub import Hub
from tests.harness.socket import Refused, Socket
from tests.harness.waiting import wait_for

Connect = Callable[..., Socket]


def handed(hub: Hub, socket: Socket, agent_id: str, **fields: object) -> dict[str, object]:
    """Submit a task that only this agent may take; the assignment that it got."""
    task_id = hub.submit("for you", assign_to=agent_id, **fields)
    return socket.hear_until(lambda frame: frame["type"] == "task_assign" and frame["task_id"] == task_id)


# --- 1.1 closing, and what is said before identify ------------------------------------------------------------------


@pytest.mark.parametrize("frame", ['{"type":"ping"}', "[]", "42", "{}", '{"type":"identify"}', '{"type":"nonsense"}'])
def test_before_identify_everything_else_is_not_identified(hub: Hub, frame: str) -> None:
    socket = Socket(f"{hub.ws_url}/ws")
    socket.say(frame)
    assert socket.hear()["type"] == "error"
    socket.close()


def test_a_bad_token_is_an_error_and_the_third_one_closes(hub: Hub, agent_id: str) -> None:
    socket = Socket(f"{hub.ws_url}/ws")
    for _ in range(2):
        answer = socket.ask(type="identify", agent_id=agent_id, token="hub_agent_wrong")
        assert (answer["type"], answer["error"]) == ("error", "invalid_token")
    socket.say(type="identify", agent_id=agent_id, token="hub_agent_wrong")
    assert socket.closed() == 4401


def test_a_token_of_another_agent_is_a_mismatch(hub: Hub, agent_id: str) -> None:
    socket = Socket(f"{hub.ws_url}/ws")
    answer = socket.ask(type="identify", agent_id=agent_id, token=hub.agent_token(f"{agent_id}-other"))
    assert answer["error"] == "token_agent_mismatch"
    socket.close()


def test_the_token_may_come_in_the_upgrade(hub: Hub, agent_id: str) -> None:
    headers = {"Authorization": f"Bearer {hub.agent_token(agent_id)}"}
    socket = Socket(f"{hub.ws_url}/ws", headers)
    assert socket.ask(type="identify", agent_id=agent_id) == {"type": "identified", "agent_id": agent_id}
    socket.close()


def test_identifying_twice_changes_nothing(connect: Connect, hub: Hub, agent_id: str) -> None:
    """Lesson 69: ghosts and doubled subscriptions."""
    socket = connect(agent_id)
    answer = socket.ask(type="identify", agent_id="somebody-else", token=hub.agent_token("somebody-else"))
    assert answer["type"] == "error"
    ids = [agent["agent_id"] for agent in hub.get("/api/agents").json["agents"]]
    assert agent_id in ids and "somebody-else" not in ids


def test_the_newest_connection_wins_and_the_older_is_closed(connect: Connect, hub: Hub, agent_id: str) -> None:
    token = hub.agent_token(agent_id)
    old = connect(agent_id, token=token)
    new = connect(agent_id, token=token)
    assert old.closed() == 4409
    handed(hub, new, agent_id)


def test_a_revoked_agents_socket_is_closed(connect: Connect, hub: Hub, agent_id: str) -> None:
    """Lesson 71."""
    socket = connect(agent_id)
    assert hub.request("DELETE", f"/admin/tokens/{agent_id}").status == 200
    assert socket.closed() == 4403


def test_a_browser_cannot_be_an_agent(hub: Hub) -> None:
    with pytest.raises(Refused) as refused:
        Socket(f"{hub.ws_url}/ws", {"Origin": hub.url})
    assert refused.value.status == 403


@pytest.mark.parametrize("raw", ["not json", "{", '{"type": NaN}', "\u0000", b"binary", "[1]", "7", '{"no":"type"}'])
def test_junk_is_answered_and_the_connection_lives(connect: Connect, agent_id: str, raw: str | bytes) -> None:
    """Lesson 72: an array, a number or a binary frame crashed the connection."""
    socket = connect(agent_id)
    socket.say(raw)
    assert socket.hear()["type"] == "error"
    assert socket.ask(type="ping")["type"] == "pong"


def test_ten_violations_in_a_minute_close_the_connection(connect: Connect, agent_id: str) -> None:
    socket = connect(agent_id)
    for _ in range(10):
        socket.say(type="no_such_type")
    assert socket.closed() == 1008


def test_a_frame_beyond_the_limit_closes_with_1009(connect: Connect, agent_id: str) -> None:
    socket = connect(agent_id)
    socket.say(type="status", status="x" * 2_000_000)
    assert socket.closed() == 1009


# --- 1.2 client -> hub --------------------------------------------------------------------------------------------


def test_ping(connect: Connect, agent_id: str) -> None:
    answer = connect(agent_id).ask(type="ping")
    assert answer["type"] == "pong" and isinstance(answer["timestamp"], int)


def test_status(connect: Connect, hub: Hub, agent_id: str) -> None:
    socket = connect(agent_id)
    assert socket.ask(type="status", status="thinking") == {"type": "status_updated"}
    [agent] = [one for one in hub.get("/api/agents").json["agents"] if one["agent_id"] == agent_id]
    assert agent["status"] == "thinking"


def test_list_agents(connect: Connect, agent_id: str) -> None:
    answer = connect(agent_id, "code", {"name": "gpu", "level": 2}).ask(type="list_agents")
    assert answer["type"] == "agents"
    [me] = [agent for agent in answer["agents"] if agent["agent_id"] == agent_id]
    assert set(me) == {"agent_id", "name", "status", "capabilities", "connected_at"}
    assert me["capabilities"] == ["code", {"name": "gpu", "level": 2}]


def test_task_accepted_progress_and_complete(connect: Connect, hub: Hub, agent_id: str) -> None:
    socket = connect(agent_id)
    frame = handed(hub, socket, agent_id, metadata={"k": [1]})
    task_id, generation = frame["task_id"], frame["generation"]
    assert generation == 1 and frame["metadata"] == {"k": [1]} and isinstance(frame["assigned_at"], int)
    ack = socket.ask(type="task_accepted", task_id=task_id, generation=generation)
    assert (ack["type"], ack["task_id"], ack["status"]) == ("task_ack", task_id, "accepted")
    socket.say(type="task_progress", task_id=task_id, generation=generation, progress=40)
    ack = socket.ask(type="task_complete", task_id=task_id, generation=generation, result={"answer": 42})
    assert (ack["type"], ack["task_id"], ack["status"]) == ("task_ack", task_id, "complete")
    again = socket.ask(type="task_complete", task_id=task_id, generation=generation, result={"answer": 43})
    assert again["status"] == "complete"
    assert hub.task(str(task_id))["result"] == {"answer": 42}


def test_tokens_used_may_stand_in_the_result(connect: Connect, hub: Hub, agent_id: str) -> None:
    socket = connect(agent_id)
    frame = handed(hub, socket, agent_id)
    socket.ask(type="task_complete", task_id=frame["task_id"], generation=1, result={"tokens_used": 11})
    assert hub.task(str(frame["task_id"]))["tokens_used"] == 11


@pytest.mark.parametrize("field", ["error", "reason"])
def test_task_failed_is_retried_and_then_a_dead_letter(connect: Connect, hub: Hub, agent_id: str, field: str) -> None:
    socket = connect(agent_id)
    frame = handed(hub, socket, agent_id, max_retries=2)
    ack = socket.ask(type="task_failed", task_id=frame["task_id"], generation=1, **{field: "it broke"})
    assert (ack["status"], ack["task_id"]) == ("retried", frame["task_id"])
    again = socket.hear_type("task_assign", 20)
    assert again["generation"] == 3
    ack = socket.ask(type="task_failed", task_id=frame["task_id"], generation=3, **{field: "it broke"})
    assert ack["status"] == "dead_letter"
    assert hub.task(str(frame["task_id"]))["last_error"] == "it broke"


def test_results_that_are_stale_unknown_or_without_generation_are_refused(
    connect: Connect, hub: Hub, agent_id: str
) -> None:
    socket = connect(agent_id)
    frame = handed(hub, socket, agent_id)
    answers = [
        socket.ask(type="task_complete", task_id=frame["task_id"], generation=9),
        socket.ask(type="task_failed", task_id=frame["task_id"], generation=9),
        socket.ask(type="task_complete", task_id="task-0000000000000000", generation=1),
    ]
    assert [answer["error"] for answer in answers] == [
        "task_complete_failed: stale_generation",
        "task_fail_failed: stale_generation",
        "task_complete_failed: not_found",
    ]
    assert socket.ask(type="task_complete", task_id=frame["task_id"], generation=1)["status"] == "complete"


def test_task_recovering(connect: Connect, hub: Hub, agent_id: str) -> None:
    socket = connect(agent_id)
    frame = handed(hub, socket, agent_id)
    answer = socket.ask(type="task_recovering", task_id=frame["task_id"], description="", metadata={}, last_status="x")
    assert answer == {"type": "task_continue", "task_id": frame["task_id"], "generation": 1}
    answer = socket.ask(type="task_recovering", task_id="task-0000000000000000")
    assert answer == {"type": "task_reassign", "task_id": "task-0000000000000000"}
    socket.ask(type="task_complete", task_id=frame["task_id"], generation=1)


def test_task_rejected_gives_the_task_back(connect: Connect, hub: Hub, agent_id: str) -> None:
    socket = connect(agent_id)
    frame = handed(hub, socket, agent_id)
    ack = socket.ask(type="task_rejected", task_id=frame["task_id"], generation=1, reason="busy")
    assert (ack["type"], ack["status"]) == ("task_ack", "rejected")
    assert socket.hear_type("task_assign", 20)["generation"] == 3


def test_state_report(connect: Connect, hub: Hub, agent_id: str) -> None:
    socket = connect(agent_id)
    frame = handed(hub, socket, agent_id)
    answer = socket.ask(type="state_report", task_id=frame["task_id"], generation=1, status="working")
    about = {"task_id": frame["task_id"], "generation": frame["generation"]}
    assert answer == {"type": "state_report_ack", **about, "action": "continue"}
    answer = socket.ask(type="state_report", task_id=frame["task_id"], generation=7)
    assert answer["action"] == "abort"
    socket.ask(type="task_complete", task_id=frame["task_id"], generation=1)


def test_frames_without_an_answer_are_taken(connect: Connect, hub: Hub, agent_id: str) -> None:
    socket = connect(agent_id)
    frame = handed(hub, socket, agent_id)
    socket.say(type="wake_result", task_id=frame["task_id"], status="success", attempt=1)
    socket.say(
        type="resource_report",
        cpu_percent=3.5,
        ram_used_bytes=1,
        ram_total_bytes=2,
        vram_used_bytes=None,
        vram_total_bytes=None,
        timestamp=1,
    )
    socket.say(type="agent_restarting", reason="update")
    assert socket.ask(type="ping")["type"] == "pong"
    wait_for(lambda: hub.get(f"/api/agents/{agent_id}/state").json["fsm_state"] == "working")


# --- 1.3 hub -> client --------------------------------------------------------------------------------------------


def test_pushes_of_presence_go_to_those_who_ask(connect: Connect, agent_id: str) -> None:
    watcher = connect(f"{agent_id}-watcher", presence=True)
    other = connect(agent_id, "code")
    joined = watcher.hear_until(lambda f: f["type"] == "agent_joined" and f["agent"]["agent_id"] == agent_id)
    assert joined["agent"]["capabilities"] == ["code"]
    other.ask(type="status", status="busy")
    changed = watcher.hear_until(lambda f: f["type"] == "status_changed" and f["agent"]["agent_id"] == agent_id)
    assert changed["agent"]["status"] == "busy"
    other.close()
    assert watcher.hear_until(lambda f: f["type"] == "agent_left" and f["agent_id"] == agent_id)


def test_a_cancelled_task_is_told_to_its_agent(connect: Connect, hub: Hub, agent_id: str) -> None:
    socket = connect(agent_id)
    frame = handed(hub, socket, agent_id)
    assert hub.post(f"/api/tasks/{frame['task_id']}/cancel").json["status"] == "cancelled"
    push = socket.hear_type("task_cancelled")
    assert push["task_id"] == frame["task_id"] and isinstance(push["timestamp"], int)
    answer = socket.ask(type="task_complete", task_id=frame["task_id"], generation=1)
    assert answer["type"] == "error"


# --- several at once (our own) ------------------------------------------------------------------------------------


def test_an_agent_with_slots_gets_many_tasks_and_completes_them_in_one_message(
    connect: Connect, hub: Hub, agent_id: str
) -> None:
    socket = connect(agent_id, slots=3, batch=True)
    task_ids = {hub.submit("for you", assign_to=agent_id) for _ in range(4)}
    handed_out: dict[str, int] = {}
    while len(handed_out) < 3:
        handed_out |= {frame["task_id"]: frame["generation"] for frame in frames_of(socket, "task_assign")}
    assert set(handed_out) < task_ids
    socket.say([{"type": "task_complete", "task_id": one, "generation": gen} for one, gen in handed_out.items()])
    done: set[str] = set()
    while len(done) < 3:
        done |= {frame["task_id"] for frame in frames_of(socket, "task_ack")}
    assert done == set(handed_out)
    [last] = task_ids - done
    hub.wait_for_status(last, "assigned")


def frames_of(socket: Socket, type_: str) -> list[dict[str, object]]:
    """Those of one type in the next message, which may be a frame or an array of them."""
    message: object = socket.hear()
    frames = message if isinstance(message, list) else [message]
    return [frame for frame in frames if frame["type"] == type_]


@pytest.mark.parametrize("message", ["[]", "[1]", '[{"type":"ping"}, "x"]', f"[{','.join(['{}'] * 1001)}]"])
def test_an_array_that_is_not_of_frames_changes_nothing(connect: Connect, agent_id: str, message: str) -> None:
    socket = connect(agent_id)
    socket.say(message)
    assert socket.hear()["error"] == "invalid_frame"
    assert socket.ask(type="ping")["type"] == "pong"


def test_an_agent_delegates_tasks_with_one_frame(connect: Connect, hub: Hub, agent_id: str) -> None:
    socket = connect(agent_id)
    for_nobody = {"assign_to": f"{agent_id}-nobody"}  # what is left in the queue of this hub must not reach other tests
    one = {"description": "one", "idempotency_key": f"{agent_id}-1", **for_nobody}
    tasks = [one, {"priority": "high"}, {"description": "two", **for_nobody}]
    answer = socket.ask(type="submit", request_id=7, tasks=tasks)
    assert (answer["type"], answer["request_id"]) == ("submitted", 7)
    first, invalid, second = answer["results"]
    assert invalid["error"] == "validation_failed"
    assert invalid["errors"][0]["field"] == "tasks[1].description"
    assert [hub.task(one["task_id"])["submitted_by"] for one in (first, second)] == [agent_id, agent_id]
    socket.say(type="submit", request_id=8, tasks=tasks[:1])
    again = socket.hear_type("submitted")
    assert again["results"][0] == first | {"duplicate": True}
