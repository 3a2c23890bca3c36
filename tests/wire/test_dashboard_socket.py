"""``/ws/dashboard`` and ``/api/dashboard/state``: shape, agreement, pace, sequence, and bounded memory."""

from __future__ import annotations

import socket as sockets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.harness.hub import Hub
from tests.harness.socket import Refused, Socket

Connect = Callable[..., Socket]

SHAPE = {
    "uptime_ms": int,
    "timestamp": int,
    "seq": int,
    "boot_id": str,
    "health": dict,
    "agents": list,
    "queue": dict,
    "dead_letter_tasks": list,
    "recent_completions": list,
    "throughput": dict,
}


def watch(hub: Hub) -> Socket:
    return Socket(f"{hub.ws_url}/ws/dashboard", {"Origin": hub.url})


def check_shape(snapshot: dict[str, Any]) -> None:
    assert {name: type(snapshot.get(name)) for name in SHAPE} == SHAPE
    assert snapshot["health"]["status"] in ("ok", "warning", "critical")
    assert all(isinstance(text, str) for text in snapshot["health"]["conditions"])
    assert set(snapshot["queue"]["by_priority"]) == {"0", "1", "2", "3"}
    assert set(snapshot["queue"]["by_status"]) >= {"queued", "assigned", "completed"}
    assert isinstance(snapshot["queue"]["dead_letter"], int)
    assert set(snapshot["throughput"]) >= {"completed_last_hour", "avg_completion_ms", "total_tokens_hour"}
    for agent in snapshot["agents"]:
        wanted = {
            "agent_id",
            "name",
            "fsm_state",
            "current_task_id",
            "capabilities",
            "connected_at",
            "last_state_change",
        }
        assert set(agent) >= wanted and all("name" in one for one in agent["capabilities"])
    for letter in snapshot["dead_letter_tasks"]:
        assert set(letter) >= {"id", "description", "last_error", "retry_count", "created_at"}
    for done in snapshot["recent_completions"]:
        assert set(done) >= {"task_id", "agent_id", "description", "duration_ms", "tokens_used", "completed_at"}


def without_clock(snapshot: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in snapshot.items() if key not in ("uptime_ms", "timestamp")}


def test_the_route_and_the_first_frame_have_the_shape_and_agree(hub: Hub, connect: Connect, agent_id: str) -> None:
    agent = connect(agent_id, "code")
    task_id = hub.submit(assign_to=agent_id)
    agent.hear_type("task_assign")
    agent.ask(type="task_complete", task_id=task_id, generation=1, tokens_used=5)
    page = watch(hub)
    frame = page.hear()
    assert frame["type"] == "snapshot"
    assert frame["seq"] == frame["data"]["seq"] and frame["boot_id"] == frame["data"]["boot_id"]
    check_shape(frame["data"])
    route = hub.snapshot()
    check_shape(route)
    if route["seq"] == frame["seq"]:
        assert without_clock(route) == without_clock(frame["data"])
    assert task_id in [done["task_id"] for done in route["recent_completions"]]
    page.close()


def test_events_follow_the_snapshot_without_a_hole_and_each_fact_comes_once(
    hub: Hub, connect: Connect, agent_id: str
) -> None:
    """Lessons 38 and 50."""
    page = watch(hub)
    last = page.hear()["seq"]
    agent = connect(agent_id)
    task_id = hub.submit(assign_to=agent_id)
    agent.hear_type("task_assign")
    agent.ask(type="task_accepted", task_id=task_id, generation=1)
    agent.ask(type="task_complete", task_id=task_id, generation=1)
    agent.ask(type="task_complete", task_id=task_id, generation=1)
    agent.ask(type="task_complete", task_id="task-ffffffffffffffff", generation=1)
    seen: list[dict[str, Any]] = []
    while not any(event.get("event") == "task_completed" and event["task_id"] == task_id for event in seen):
        frame = page.hear_type("events")
        assert frame["first_seq"] <= last + 1, "a hole"
        assert all(event["seq"] > last for event in frame["data"])
        last = frame["seq"]
        seen += frame["data"]
    mine = [event["event"] for event in seen if event.get("task_id") == task_id]
    assert mine == ["task_submitted", "task_assigned", "task_accepted", "task_completed"]
    assert [event["agent_id"] for event in seen if event.get("task_id") == task_id][-1] == agent_id
    assert not [event for event in seen if event.get("task_id") == "task-ffffffffffffffff"]
    page.close()


def test_commands_of_the_page(hub: Hub, connect: Connect, agent_id: str) -> None:
    page = watch(hub)
    page.hear()
    page.say(type="request_snapshot")
    assert page.hear_type("snapshot")
    for junk in ("not json", "[]", '{"type":"nonsense"}', "7"):
        page.say(junk)
    page.say(type="retry_task", task_id="task-0000000000000000")
    assert page.hear_type("retry_result") == {
        "type": "retry_result",
        "task_id": "task-0000000000000000",
        "status": "not_found",
    }
    agent = connect(agent_id)
    task_id = hub.submit(assign_to=agent_id, max_retries=1)
    agent.hear_type("task_assign")
    agent.ask(type="task_failed", task_id=task_id, generation=1, error="no")
    page.say(type="retry_task", task_id=task_id)
    assert page.hear_type("retry_result")["status"] == "requeued"
    agent.hear_type("task_assign")
    page.say(type="cancel_task", task_id=task_id)
    assert page.hear_type("cancel_result")["status"] == "cancelled"
    page.close()


@pytest.mark.parametrize("origin", ["http://evil.test", "null", "http://127.0.0.1:1"])
def test_a_foreign_page_cannot_open_the_socket(hub: Hub, origin: str) -> None:
    """Lesson 79."""
    with pytest.raises(Refused):
        Socket(f"{hub.ws_url}/ws/dashboard", {"Origin": origin})


def test_never_more_than_ten_frames_in_any_second_and_no_hole_under_load(
    hub: Hub, connect: Connect, agent_id: str
) -> None:
    """At least 500 events a second, and a page that asks for a snapshot at every frame (lesson 49)."""
    agent = connect(agent_id)
    task_id = hub.submit(assign_to=agent_id)
    agent.hear_type("task_assign")
    agent.ask(type="task_accepted", task_id=task_id, generation=1)
    page = watch(hub)
    last = page.hear()["seq"]
    arrivals: list[float] = []
    events = 0
    start = time.monotonic()
    bodies = [{"description": f"load {n}", "needed_capabilities": ["no"]} for n in range(200)]
    while time.monotonic() - start < 4:
        assert hub.post("/api/tasks/bulk", bodies).status == 201
        page.say(type="request_snapshot")
        while (frame := _next(page)) is not None:
            arrivals.append(time.monotonic())
            if frame["type"] == "snapshot":
                assert frame["seq"] >= last
            elif frame["type"] == "events":
                assert frame["first_seq"] <= last + 1, "a hole"
                events += len(frame["data"])
            last = frame["seq"]
    elapsed = time.monotonic() - start
    assert events / elapsed > 100
    # Arrival times are the reader's: it may be late and then see several frames at once, so whole seconds are counted.
    assert len(arrivals) <= 10 * (elapsed + 1)
    agent.ask(type="task_complete", task_id=task_id, generation=1)
    page.close()


def _next(page: Socket) -> dict[str, Any] | None:
    try:
        return page.hear(0.05)
    except TimeoutError:
        return None


def test_a_browser_that_never_reads_costs_bounded_memory(hub: Hub) -> None:
    host, port = hub.url.removeprefix("http://").split(":")
    deaf = []
    for _ in range(20):
        connection = sockets.create_connection((host, int(port)))
        connection.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
        upgrade = (
            f"GET /ws/dashboard HTTP/1.1\r\nHost: {host}:{port}\r\nOrigin: {hub.url}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        connection.sendall(upgrade.encode())
        assert b"101" in connection.recv(64)
        deaf.append(connection)
    before = [_rss_mib(pid) for pid in hub.web_pids]
    bodies = [{"description": "x" * 500, "needed_capabilities": ["no"]} for _ in range(500)]
    for _ in range(20):
        assert hub.post("/api/tasks/bulk", bodies).status == 201
    after = [_rss_mib(pid) for pid in hub.web_pids]
    for connection in deaf:
        connection.close()
    assert max(now - then for now, then in zip(after, before, strict=True)) < 80


def _rss_mib(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / 2**20
