"""Agents, tokens, enrolment, settings, health, the page."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from tests.unit.web.kit import Kit, Refuse, with_kit
from wire import tokens

AGENT: dict[str, Any] = {
    "agent_id": "a", "name": "A", "status": "busy", "capabilities": ["code", {"name": "gpu", "level": 2}], "connected_at": 5,
    "fsm_state": "working", "current_task_id": "task-1", "flags": ["unresponsive"], "last_state_change": 9, "mode": "paused",
}  # fmt: skip


def refuse(code: str) -> Any:
    def operation(**_: Any) -> None:
        raise Refuse(code)

    return operation


# --- agents -------------------------------------------------------------------------------------------------------------


@with_kit()
async def test_agents_and_their_states(kit: Kit) -> None:
    kit.hub.ops["agents.list"] = lambda: [AGENT]
    kit.hub.ops["agents.get"] = lambda agent_id: AGENT
    [row] = (await kit.get("/api/agents", token=None)).json["agents"]
    assert row == {
        name: AGENT[name]
        for name in ("agent_id", "name", "status", "capabilities", "connected_at", "fsm_state", "mode")
    }
    [row] = (await kit.get("/api/agents/states")).json["agents"]
    assert row["capabilities"] == [{"name": "code"}, {"name": "gpu", "level": 2}]
    assert row["flags"] == ["unresponsive"] and row["current_task_id"] == "task-1" and "last_state_change" not in row
    assert (await kit.get("/api/agents/a/state")).json == row | {"last_state_change": 9}
    kit.hub.ops["agents.get"] = refuse("not_found")
    answer = await kit.get("/api/agents/b/state")
    assert (answer.status, answer.json["error"]) == (404, "agent_not_found")


@with_kit()
async def test_a_lost_agent_can_be_forgotten(kit: Kit) -> None:
    kit.hub.ops["agents.forget"] = lambda agent_id: agent_id == "lost"
    assert (await kit.post("/api/agents/lost/forget")).json == {"status": "forgotten", "agent_id": "lost"}
    assert (await kit.post("/api/agents/other/forget")).status == 404


@pytest.mark.parametrize("order", ["pause", "drain", "resume", "disconnect"])
def test_an_order_goes_to_the_hub_and_its_refusal_to_the_caller(order: str) -> None:
    @with_kit()
    async def run(kit: Kit) -> None:
        answer = {"agent_id": "a", "mode": "paused", "previous": "active", "tasks_held": 1}
        kit.hub.ops[f"agents.{order}"] = lambda agent_id: answer
        done = await kit.post(f"/api/agents/a/{order}")
        assert done.json == (answer if order != "disconnect" else {"status": "disconnected", "agent_id": "a"})
        kit.hub.ops[f"agents.{order}"] = refuse("not_found")
        refused = await kit.post(f"/api/agents/b/{order}")
        assert (refused.status, refused.json["error"], refused.json["agent_id"]) == (404, "agent_not_found", "b")

    run()


@pytest.mark.parametrize(
    ("headers", "token", "by"),
    [
        ({"User-Agent": "agentcom-cli/1.0"}, "admin", ("admin", "admin", "cli")),
        ({"User-Agent": "curl/8"}, "admin", ("admin", "admin", "api")),
        ({"Origin": "{url}"}, "admin", ("admin", "admin", "page")),
        ({"Origin": "{url}"}, None, ("dashboard", "local", "page")),
    ],
)
def test_the_hub_hears_on_whose_behalf_and_in_which_way(
    headers: dict[str, str], token: str | None, by: tuple[str, str, str]
) -> None:
    @with_kit()
    async def run(kit: Kit) -> None:
        kit.hub.ops["agents.pause"] = lambda agent_id: {}
        sent = {name: value.format(url=kit.url) for name, value in headers.items()}
        assert (await kit.post("/api/agents/a/pause", token=token, headers=sent)).status == 200
        heard = kit.hub.called_by[-1]
        assert heard is not None and (heard.name, heard.role, heard.way) == by

    run()


@with_kit()
async def test_an_agents_token_is_rotated_and_nobody_elses(kit: Kit) -> None:
    kit.hub.ops["identities.end_old"] = lambda name: 1
    kit.hub.ops["identities.list"] = lambda name=None: [
        one for one in kit.hub.identities.values() if name in (None, one["name"])
    ]
    kit.hub.token("agent", "worker")
    kit.hub.token("operator", "boss")
    kept = await kit.post("/api/agents/worker/rotate-token")
    assert kept.status == 201 and kept.json["old_tokens_ended"] == 0 and tokens.parse(kept.json["token"])
    ended = await kit.post("/api/agents/worker/rotate-token", {"end_old": True})
    assert ended.json["old_tokens_ended"] == 1
    assert (await kit.post("/api/agents/boss/rotate-token")).status == 403
    assert (await kit.post("/api/agents/nobody/rotate-token")).status == 404
    assert (await kit.post("/api/agents/worker/rotate-token", {"end_old": "yes"})).status == 422


@with_kit()
async def test_the_audit_log_is_read_with_filters_that_are_checked(kit: Kit) -> None:
    asked: list[dict[str, Any]] = []
    kit.hub.ops["audit.read"] = lambda **args: asked.append(args) or {"entries": [{"seq": 1}], "next_cursor": "0-1"}
    answer = await kit.get("/api/dashboard/audit?way=cli&action=agent.&limit=7&cursor=0-9", token=None)
    assert answer.json == {"entries": [{"seq": 1}], "next_cursor": "0-1"}
    assert (asked[0]["way"], asked[0]["action"], asked[0]["limit"], asked[0]["cursor"]) == ("cli", "agent.", 7, "0-9")
    for wrong in ("way=telepathy", "limit=0", "cursor=x", "actor=a%20b"):
        assert (await kit.get(f"/api/dashboard/audit?{wrong}", token=None)).status == 422


# --- tokens -------------------------------------------------------------------------------------------------------------


@with_kit()
async def test_a_token_is_made_shown_once_and_valid_at_once(kit: Kit) -> None:
    kit.hub.ops["tasks.stats"] = lambda: {"by_status": {}, "queued_by_priority": {}, "dead_letter": 0, "ready": 0}
    answer = await kit.post("/admin/tokens", {"agent_id": "worker-1", "role": "submitter"})
    assert answer.status == 201 and answer.json["agent_id"] == "worker-1" and answer.json["role"] == "submitter"
    token = answer.json["token"]
    parsed = tokens.parse(token)
    assert parsed is not None and parsed == (kit.hub.calls[0][1]["identity"]["token_id"], parsed[1])
    assert kit.hub.calls[0][1]["identity"]["secret_sha256"] == parsed[1] and kit.hub.calls[0][1]["rotate"] is True
    assert (await kit.get("/api/tasks/stats", token=token)).status == 200
    listed = await kit.get("/admin/tokens")
    assert token not in listed.body.decode() and parsed[1].hex() not in listed.body.decode()
    row = next(row for row in listed.json["tokens"] if row["agent_id"] == "worker-1")
    assert row["token_prefix"] == f"hub_submitter_{parsed[0][:8]}..." and row["role"] == "submitter"


@with_kit()
async def test_a_revoked_token_is_refused(kit: Kit) -> None:
    token = (await kit.post("/admin/tokens", {"agent_id": "w"})).json["token"]
    answer = await kit.request("DELETE", "/admin/tokens/w")
    assert answer.json == {"status": "revoked", "agent_id": "w"}
    assert (await kit.get("/api/tasks/stats", token=token)).status == 401
    assert (await kit.request("DELETE", "/admin/tokens/never-there")).status == 200


@with_kit()
async def test_bad_token_requests(kit: Kit) -> None:
    for body in ({}, {"agent_id": "a b"}, {"agent_id": "a", "role": "root"}, {"agent_id": 7}):
        assert (await kit.post("/admin/tokens", body)).status == 422, body
    doubled = b'{"agent_id":"a","role":"agent","role":"admin"}'
    assert (await kit.post("/admin/tokens", doubled)).json["error"] == "invalid_json"
    assert "identities.create" not in [op for op, _ in kit.hub.calls]


@with_kit()
async def test_registering_needs_a_code_that_works_once(kit: Kit) -> None:
    """Lesson 78: anybody could register, and was admin."""
    codes: set[bytes] = set()
    kit.hub.ops["enrolment.create"] = lambda code_sha256, expires_at: codes.add(code_sha256)

    def redeem(code_sha256: bytes, identity: dict[str, Any]) -> dict[str, Any]:
        if code_sha256 not in codes:
            raise Refuse("not_found")
        codes.remove(code_sha256)
        kit.hub.identities[identity["token_id"]] = identity
        return identity

    kit.hub.ops["enrolment.redeem"] = redeem
    assert (await kit.post("/api/onboard/register", {"agent_id": "a"}, token=None)).status == 401
    answer = await kit.post("/api/onboard/codes")
    assert answer.status == 201 and answer.json["expires_in_s"] == 600
    code = answer.json["code"]
    assert codes == {hashlib.sha256(code.encode()).digest()}, "only its hash is stored"
    answer = await kit.post("/api/onboard/register", {"agent_id": "a", "code": code}, token=None)
    assert answer.status == 201
    assert answer.json["hub_ws_url"] == f"ws://{kit.host}/ws" and answer.json["hub_api_url"] == kit.url
    assert answer.json["default_repo"] is None and answer.json["agent_id"] == "a"
    assert (await kit.get("/admin/tokens", token=answer.json["token"])).status == 403, "an agent's token and no more"
    again = await kit.post("/api/onboard/register", {"agent_id": "b", "code": code}, token=None)
    assert (again.status, again.json["error"]) == (403, "invalid_code")


@with_kit()
async def test_an_admin_registers_without_a_code(kit: Kit) -> None:
    answer = await kit.post("/api/onboard/register", {"agent_id": "a"})
    assert answer.status == 201
    taken = await kit.post("/api/onboard/register", {"agent_id": "a"})
    assert (taken.status, taken.json["error"]) == (409, "agent_id already registered")
    operator = kit.hub.token("operator", "olga")
    assert (await kit.post("/api/onboard/register", {"agent_id": "b"}, token=operator)).status == 403
    assert (await kit.post("/api/onboard/register", {"agent_id": "b"}, token="nonsense")).status == 401


# --- settings and the hub -----------------------------------------------------------------------------------------------


@with_kit()
async def test_settings(kit: Kit) -> None:
    stored: dict[str, Any] = {}

    def read(key: str) -> Any:
        return stored.get(key)

    def write(key: str, value: Any) -> None:
        stored[key] = value

    kit.hub.ops |= {"settings.read": read, "settings.write": write}
    path = "/api/config/heartbeat-interval"
    assert (await kit.get(path)).json == {"heartbeat_interval_ms": 900000}
    answer = await kit.request("PUT", path, {"heartbeat_interval_ms": 60000})
    assert answer.json == {"heartbeat_interval_ms": 60000, "status": "updated"}
    assert (await kit.get(path)).json == {"heartbeat_interval_ms": 60000}
    for bad in (0, -1, "x", 1.5, None):
        assert (await kit.request("PUT", path, {"heartbeat_interval_ms": bad})).status == 422
    path = "/api/config/default-repo"
    assert (await kit.get(path)).json == {"default_repo": None, "configured": False}
    assert (await kit.request("PUT", path, {"url": "https://x.test/r"})).json["default_repo"] == "https://x.test/r"
    assert (await kit.get(path)).json == {"default_repo": "https://x.test/r", "configured": True}


@with_kit()
async def test_health_for_machines_and_for_people(kit: Kit) -> None:
    kit.hub.ops["agents.list"] = lambda: [AGENT, AGENT | {"fsm_state": "offline"}]
    health = {"status": "warning", "conditions": [{"id": "x", "severity": "warning", "message": "m", "since": 1}]}
    kit.hub.ops["dashboard.health"] = lambda: health
    answer = await kit.get("/health", token=None)
    assert answer.json == {"status": "ok", "service": "agent_com", "agents_connected": 1}
    for _ in range(5):
        await kit.get("/health", token=None)
    assert len([op for op, _ in kit.hub.calls if op == "agents.list"]) == 1, "asking often costs the hub nothing"
    assert (await kit.get("/api/health", token=None)).json == health


@with_kit()
async def test_the_snapshot_is_handed_on_as_the_hub_encoded_it(kit: Kit) -> None:
    answer = await kit.get("/api/dashboard/state", token=None)
    assert answer.json == kit.hub.snapshot()
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"


@with_kit()
async def test_reset_is_done_by_the_hub_in_the_admins_name(kit: Kit) -> None:
    kit.hub.ops["hub.reset"] = lambda triggered_by: None
    answer = await kit.post("/api/admin/reset")
    assert answer.json == {"status": "reset_scheduled", "triggered_by": "admin"}
