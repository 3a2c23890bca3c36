"""HTTP: one case for every row of protocol.md section 3 that is in scope, against a real hub."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable

import pytest

from tests.harness.hub import Hub
from tests.harness.socket import Socket
from tests.harness.waiting import wait_for

Connect = Callable[..., Socket]

TASK_FIELDS = {
    *("id", "description", "metadata", "priority", "status", "assigned_to", "assigned_at", "generation"),
    *("retry_count", "max_retries", "needed_capabilities", "last_error", "complete_by", "result", "tokens_used"),
    *("submitted_by", "created_at", "updated_at", "history"),
}

# --- health, page, agents -------------------------------------------------------------------------------------------


def test_health(hub: Hub) -> None:
    answer = hub.get("/health", token=None)
    assert answer.status == 200
    assert answer.json["status"] == "ok" and answer.json["service"] == "agent_com"
    assert isinstance(answer.json["agents_connected"], int)


def test_the_root_leads_to_the_dashboard(hub: Hub) -> None:
    answer = hub.get("/", token=None)
    assert answer.status == 200 and answer.headers["content-type"].startswith("text/html")
    assert b"<script" in answer.body and hub.get("/dashboard", token=None).body == answer.body


def test_agents_and_their_states(hub: Hub, connect: Connect, agent_id: str) -> None:
    connect(agent_id, "code")
    [row] = [one for one in hub.get("/api/agents", token=None).json["agents"] if one["agent_id"] == agent_id]
    assert set(row) >= {"agent_id", "name", "status", "capabilities", "connected_at", "fsm_state"}
    assert row["capabilities"] == ["code"]
    wait_for(lambda: hub.get(f"/api/agents/{agent_id}/state").json["fsm_state"] == "idle")
    [row] = [one for one in hub.get("/api/agents/states").json["agents"] if one["agent_id"] == agent_id]
    assert row["capabilities"] == [{"name": "code"}] and row["flags"] == [] and row["current_task_id"] is None
    assert "last_state_change" not in row
    one = hub.get(f"/api/agents/{agent_id}/state").json
    assert isinstance(one["last_state_change"], int)
    missing = hub.get("/api/agents/nobody/state")
    assert (missing.status, missing.json["error"]) == (404, "agent_not_found")


# --- tasks ----------------------------------------------------------------------------------------------------------


def test_submit_and_read_a_task(hub: Hub) -> None:
    body = {
        "description": "Say héllo",
        "priority": "urgent",
        "metadata": {"a": {"b": [1, 2.5, None]}},
        "needed_capabilities": ["nobody-has-this"],
        "max_retries": 5,
    }
    answer = hub.post("/api/tasks", body)
    assert answer.status == 201
    assert (answer.json["status"], answer.json["priority"]) == ("queued", 0)
    assert isinstance(answer.json["created_at"], int)
    task_id = answer.json["task_id"]
    assert task_id.startswith("task-") and len(task_id) == 21
    task = hub.task(task_id)
    assert set(task) >= TASK_FIELDS
    assert (task["description"], task["metadata"], task["generation"]) == (body["description"], body["metadata"], 0)
    assert (task["priority"], task["status"], task["max_retries"]) == (0, "queued", 5)
    assert task["history"][0]["event"] == "queued" and task["submitted_by"] == "admin"
    missing = hub.get("/api/tasks/task-0000000000000000")
    assert missing.status == 404
    assert (missing.json["error"], missing.json["task_id"]) == ("task_not_found", "task-0000000000000000")


@pytest.mark.parametrize(
    ("word", "number"), [("urgent", 0), ("high", 1), ("normal", 2), ("low", 3), ("critical", 0), (1, 1)]
)
def test_priorities(hub: Hub, word: object, number: int) -> None:
    """Lesson 25: the command line offered "critical", which silently meant normal."""
    answer = hub.post("/api/tasks", {"description": "x", "priority": word, "needed_capabilities": ["no"]})
    assert answer.json["priority"] == number


def test_a_submit_may_be_repeated_with_its_key(hub: Hub) -> None:
    body = {"description": "once", "needed_capabilities": ["no"]}
    first = hub.post("/api/tasks", body, headers={"Idempotency-Key": "k-1"})
    again = hub.post("/api/tasks", body, headers={"Idempotency-Key": "k-1"})
    clash = hub.post("/api/tasks", {**body, "description": "other"}, headers={"Idempotency-Key": "k-1"})
    assert (first.status, again.status, clash.status) == (201, 200, 409)
    assert first.json["task_id"] == again.json["task_id"] and again.json["duplicate"] is True
    assert clash.json["error"] == "idempotency_conflict"


def test_many_tasks_in_one_request(hub: Hub) -> None:
    bodies = [{"description": f"bulk {n}", "needed_capabilities": ["no"]} for n in range(5)]
    for answer in (hub.post("/api/tasks/bulk", bodies), hub.post("/api/tasks/bulk", {"tasks": bodies})):
        assert answer.status == 201
        assert len({result["task_id"] for result in answer.json["results"]}) == 5
    lines = "\n".join(json.dumps(body) for body in bodies).encode()
    answer = hub.post("/api/tasks/bulk", lines, headers={"Content-Type": "application/x-ndjson"})
    assert answer.status == 201 and len(answer.json["results"]) == 5


def test_listing_filters_and_pages(hub: Hub) -> None:
    """Lessons 76 and 92: no paging, and an unknown filter returned everything."""
    ids = [hub.submit(f"page {n}", needed_capabilities=["page-test"], priority="low") for n in range(5)]
    seen: list[str] = []
    cursor = ""
    while True:
        answer = hub.get(f"/api/tasks?status=queued&priority=low&capability=page-test&limit=2{cursor}")
        assert answer.status == 200 and answer.json["count"] == len(answer.json["tasks"]) <= 2
        seen += [task["id"] for task in answer.json["tasks"]]
        if not answer.json["next_cursor"]:
            break
        cursor = f"&cursor={answer.json['next_cursor']}"
    assert seen == ids
    assert hub.get("/api/tasks?assigned_to=nobody").json["tasks"] == []
    for bad in ("status=nonsense", "priority=nonsense", "limit=abc", "limit=0", "limit=501", "cursor=%00"):
        answer = hub.get(f"/api/tasks?{bad}")
        assert answer.status == 422 and answer.json["error"] == "validation_failed", bad


def test_statistics(hub: Hub) -> None:
    hub.submit(needed_capabilities=["no"])
    stats = hub.get("/api/tasks/stats").json
    assert set(stats) >= {"by_status", "by_priority", "dead_letter", "queued_index_size"}
    assert stats["by_status"]["queued"] >= 1 and stats["by_priority"]["2"] >= 1


def test_dead_letters_and_their_retry(hub: Hub, connect: Connect, agent_id: str) -> None:
    socket = connect(agent_id)
    task_id = hub.submit(assign_to=agent_id, max_retries=1)
    socket.hear_type("task_assign")
    assert socket.ask(type="task_failed", task_id=task_id, generation=1, error="no")["status"] == "dead_letter"
    answer = hub.get("/api/tasks/dead-letter")
    assert task_id in [task["id"] for task in answer.json["tasks"]] and answer.json["count"] >= 1
    assert task_id in [task["id"] for task in hub.get("/api/tasks?status=dead_letter").json["tasks"]]
    retried = hub.post(f"/api/tasks/{task_id}/retry")
    assert retried.status == 200
    assert (retried.json["status"], retried.json["task_id"], retried.json["priority"]) == ("requeued", task_id, 2)
    again = hub.post(f"/api/tasks/{task_id}/retry")
    assert (again.status, again.json["error"]) == (404, "task_not_found")
    frame = socket.hear_type("task_assign")
    assert frame["generation"] == 3
    assert socket.ask(type="task_complete", task_id=task_id, generation=3)["status"] == "complete"


def test_cancelling(hub: Hub, connect: Connect, agent_id: str) -> None:
    task_id = hub.submit(needed_capabilities=["no"])
    answer = hub.post(f"/api/tasks/{task_id}/cancel")
    assert answer.json == {"status": "cancelled", "task_id": task_id, "previous_status": "queued"}
    assert hub.task(task_id)["status"] == "cancelled"
    assert hub.post("/api/tasks/task-0000000000000000/cancel").status == 404
    socket = connect(agent_id)
    done = hub.submit(assign_to=agent_id)
    socket.hear_type("task_assign")
    socket.ask(type="task_complete", task_id=done, generation=1)
    refused = hub.post(f"/api/tasks/{done}/cancel")
    assert (refused.status, refused.json["error"]) == (409, "invalid_state")


def test_pushing_a_task_to_an_agent(hub: Hub, connect: Connect, agent_id: str) -> None:
    socket = connect(agent_id)
    body = {"agent_id": agent_id, "description": "now", "metadata": {"x": 1}}
    answer = hub.post("/api/admin/push-task", body)
    assert answer.status == 200
    assert (answer.json["status"], answer.json["agent_id"]) == ("pushed", agent_id)
    frame = socket.hear_type("task_assign")
    assert frame["task_id"] == answer.json["task_id"] and frame["metadata"] == {"x": 1}
    socket.ask(type="task_complete", task_id=frame["task_id"], generation=frame["generation"])
    missing = hub.post("/api/admin/push-task", {**body, "agent_id": "nobody"})
    assert (missing.status, missing.json["error"]) == (404, "agent_not_connected")
    assert hub.post("/api/admin/push-task", {"description": "x"}).status == 422


# --- tokens, onboarding, settings -----------------------------------------------------------------------------------


def test_tokens_are_made_listed_and_revoked(hub: Hub, agent_id: str) -> None:
    made = hub.post("/admin/tokens", {"agent_id": agent_id})
    assert made.status == 201 and made.json["agent_id"] == agent_id
    token = made.json["token"]
    assert hub.get("/api/tasks/stats", token=token).status == 200
    [row] = [one for one in hub.get("/admin/tokens").json["tokens"] if one["agent_id"] == agent_id]
    assert token not in json.dumps(row) and "token_prefix" in row
    assert hub.request("DELETE", f"/admin/tokens/{agent_id}").json["status"] == "revoked"
    assert hub.request("DELETE", "/admin/tokens/never-there").status == 200
    wait_for(lambda: hub.get("/api/tasks/stats", token=token).status == 401)


def test_the_admin_token_is_private(hub: Hub) -> None:
    assert stat.S_IMODE(os.stat(hub.data_dir / "admin.token").st_mode) == 0o600
    assert stat.S_IMODE(os.stat(hub.data_dir).st_mode) == 0o700


def test_registering_needs_a_code_that_works_once(hub: Hub, agent_id: str) -> None:
    """Lesson 78: anybody could register, and was admin."""
    assert hub.post("/api/onboard/register", {"agent_id": agent_id}, token=None).status in (401, 403, 404)
    code = hub.post("/api/onboard/codes").json["code"]
    answer = hub.post("/api/onboard/register", {"agent_id": agent_id, "code": code}, token=None)
    assert answer.status == 201
    assert set(answer.json) >= {"agent_id", "token", "hub_ws_url", "hub_api_url", "default_repo"}
    assert hub.get("/api/tasks/stats", token=answer.json["token"]).status == 200
    again = hub.post("/api/onboard/register", {"agent_id": f"{agent_id}-2", "code": code}, token=None)
    assert again.status in (401, 403, 404)
    taken = hub.post("/api/onboard/register", {"agent_id": agent_id})
    assert taken.status == 409


def test_settings(hub: Hub) -> None:
    assert hub.get("/api/config/heartbeat-interval").json == {"heartbeat_interval_ms": 900000}
    answer = hub.request("PUT", "/api/config/heartbeat-interval", {"heartbeat_interval_ms": 60000})
    assert answer.json == {"heartbeat_interval_ms": 60000, "status": "updated"}
    assert hub.get("/api/config/heartbeat-interval").json == {"heartbeat_interval_ms": 60000}
    for bad in (0, -1, "x", 1.5, None):
        answer = hub.request("PUT", "/api/config/heartbeat-interval", {"heartbeat_interval_ms": bad})
        assert answer.status == 422, bad


def test_reset_restarts_the_actors_and_not_the_listener(hub: Hub, connect: Connect, agent_id: str) -> None:
    """Lesson 86: the port never came back."""
    before = hub.where()
    task_id = hub.submit(needed_capabilities=["no"])
    answer = hub.post("/api/admin/reset")
    assert answer.status == 200
    assert (answer.json["status"], answer.json["triggered_by"]) == ("reset_scheduled", "admin")
    wait_for(lambda: hub.get(f"/api/tasks/{task_id}").status == 200)
    assert hub.where() == before
    handed = connect(agent_id)
    pinned = hub.submit(assign_to=agent_id)
    assert handed.hear_type("task_assign", 20)["task_id"] == pinned


# --- access ---------------------------------------------------------------------------------------------------------

NEEDS_TOKEN = [
    ("GET", "/api/tasks"),
    ("POST", "/api/tasks"),
    ("POST", "/api/tasks/bulk"),
    ("GET", "/api/tasks/stats"),
    ("GET", "/api/tasks/dead-letter"),
    ("GET", "/api/tasks/task-1"),
    ("POST", "/api/tasks/task-1/retry"),
    ("POST", "/api/tasks/task-1/cancel"),
    ("GET", "/api/agents/states"),
    ("GET", "/api/agents/x/state"),
    ("POST", "/api/admin/push-task"),
    ("POST", "/api/admin/reset"),
    ("GET", "/admin/tokens"),
    ("POST", "/admin/tokens"),
    ("DELETE", "/admin/tokens/x"),
    ("POST", "/api/onboard/codes"),
    ("PUT", "/api/config/heartbeat-interval"),
]


@pytest.mark.parametrize(("method", "path"), NEEDS_TOKEN)
def test_without_a_token_there_is_only_401(hub: Hub, method: str, path: str) -> None:
    body = None if method == "GET" else {}
    for token in (None, "nonsense", "hub_admin_AAAAAAAAAAAAAAAA_" + "A" * 43):
        answer = hub.request(method, path, body, token=token)
        assert (answer.status, answer.json["error"]) == (401, "unauthorized")
    assert answer.json["hint"] == "provide Authorization: Bearer <token>"


ADMIN_ONLY = [path for path in NEEDS_TOKEN if "admin" in path[1] or path[1] == "/api/onboard/codes"]


@pytest.mark.parametrize(("method", "path"), ADMIN_ONLY)
def test_an_agents_token_is_no_admins(hub: Hub, agent_id: str, method: str, path: str) -> None:
    """Lesson 77: any token could mint and revoke anybody's."""
    body = None if method == "GET" else {"agent_id": "x", "description": "y"}
    answer = hub.request(method, path, body, token=hub.agent_token(agent_id))
    assert (answer.status, answer.json["error"]) == (403, "forbidden")


def test_a_token_in_the_address_is_refused(hub: Hub) -> None:
    """Lesson 81: it ends in logs and histories."""
    answer = hub.get(f"/api/config/heartbeat-interval?token={hub.admin_token}", token=None)
    assert (answer.status, answer.json["error"]) == (400, "token_in_url")
    assert hub.admin_token not in hub.log()


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/nothing"), ("POST", "/health"), ("PUT", "/api/tasks"), ("GET", "/api/tasks/a/b/c")]
)
def test_unknown_paths_and_methods_are_not_found(hub: Hub, method: str, path: str) -> None:
    answer = hub.request(method, path, None if method == "GET" else {})
    assert (answer.status, answer.json["error"]) == (404, "not_found")


def test_the_supervision_tree(hub: Hub) -> None:
    answer = hub.get("/api/system/tree", token=None)
    assert answer.status == 200
    ids = [child["id"] for child in answer.json["children"]]
    assert ids == ["task_queue", "agent_supervisor", "scheduler", "gateway", "observation_supervisor"]
    observers = [child["id"] for child in answer.json["children"][-1]["children"]]
    assert observers == ["dashboard_state", "broadcaster", "watcher", "output"]
    assert answer.json["alarms"] == []
    assert answer.json["strategy"] == "rest_for_one" and answer.json["state"] == "running"
