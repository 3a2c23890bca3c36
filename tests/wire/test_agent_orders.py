"""Orders of an operator over HTTP, with real agents' sockets, and what the audit log says of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.harness.hub import Hub
from tests.harness.socket import Socket
from tests.harness.waiting import wait_for

Connect = Callable[..., Socket]


def audit(hub: Hub, **query: str) -> list[dict[str, Any]]:
    pairs = "&".join(f"{name}={value}" for name, value in query.items())
    answer = hub.get(f"/api/dashboard/audit?{pairs}", token=None)
    assert answer.status == 200, answer.json
    entries: list[dict[str, Any]] = answer.json["entries"]
    return entries


def shown_mode(hub: Hub, agent_id: str) -> str:
    [mode] = [one["mode"] for one in hub.snapshot()["agents"] if one["agent_id"] == agent_id]
    return str(mode)


def test_A57_a_drained_agent_finishes_its_task_gets_none_and_is_forgotten_when_it_is_gone(
    hub: Hub, connect: Connect, agent_id: str
) -> None:
    agent = connect(agent_id, agent_id)
    first = hub.submit(needed_capabilities=[agent_id])
    frame = agent.hear_type("task_assign")
    about = {"task_id": first, "generation": frame["generation"]}
    agent.ask(type="task_accepted", **about)
    answer = hub.post(f"/api/agents/{agent_id}/drain", token=None, headers={"Origin": hub.url})
    assert answer.json == {"agent_id": agent_id, "mode": "draining", "previous": "active", "tasks_held": 1}
    waiting = hub.submit(needed_capabilities=[agent_id])
    assert agent.ask(type="task_complete", **about)["status"] == "complete"
    wait_for(lambda: shown_mode(hub, agent_id) == "drained", 10, "the agent being drained")
    assert hub.task(waiting)["status"] == "queued"
    assert hub.post(f"/api/agents/{agent_id}/forget").status == 409
    agent.close()
    wait_for(lambda: hub.post(f"/api/agents/{agent_id}/forget").status == 200, 20, "the agent being gone")
    hub.post(f"/api/tasks/{waiting}/cancel")


def test_A73_every_order_has_its_entry_with_who_how_and_before_and_after(
    hub: Hub, connect: Connect, agent_id: str
) -> None:
    agent = connect(agent_id)
    operator = hub.post("/admin/tokens", {"agent_id": f"op-{agent_id}", "role": "operator"}).json["token"]
    hub.post(f"/api/agents/{agent_id}/pause", token=operator, headers={"User-Agent": "agentcom-cli/1"})
    hub.post(f"/api/agents/{agent_id}/resume", token=None, headers={"Origin": hub.url})
    hub.post(f"/api/agents/{agent_id}/disconnect", token=operator)
    wait_for(lambda: len(audit(hub, target=agent_id, action="agent.")) == 3, 10, "the entries")
    entries = audit(hub, target=agent_id, action="agent.")
    assert [(one["action"], one["actor"], one["role"], one["way"], one["outcome"]) for one in entries] == [
        ("agent.disconnect", f"op-{agent_id}", "operator", "api", "ok"),
        ("agent.resume", "dashboard", "local", "page", "ok"),
        ("agent.pause", f"op-{agent_id}", "operator", "cli", "ok"),
    ]
    assert entries[2]["details"] == {"before": "active", "after": "paused"}
    assert agent.closed() == 4410
    [made] = audit(hub, target=f"op-{agent_id}")
    assert (made["action"], made["actor"], made["details"]["role"]) == ("token.create", "admin", "operator")
    assert "hub_operator" not in str(made)


def test_A70_a_submitter_orders_no_agent_about(hub: Hub, connect: Connect, agent_id: str) -> None:
    connect(agent_id)
    for role in ("submitter", "agent"):
        token = hub.post("/admin/tokens", {"agent_id": f"{role}-{agent_id}", "role": role}).json["token"]
        for order in ("pause", "drain", "resume", "disconnect", "forget", "rotate-token", "end-old-tokens"):
            assert hub.post(f"/api/agents/{agent_id}/{order}", token=token).status == 403
            assert hub.post(f"/api/agents/{agent_id}/{order}", token=None).status == 401
            foreign = hub.post(f"/api/agents/{agent_id}/{order}", token=None, headers={"Origin": "http://evil.test"})
            assert foreign.status == 403
    assert audit(hub, target=agent_id, action="agent.") == []


def test_a_rotated_token_works_beside_the_old_one_until_that_is_ended(
    hub: Hub, connect: Connect, agent_id: str
) -> None:
    old = hub.agent_token(agent_id)
    new = hub.post(f"/api/agents/{agent_id}/rotate-token").json["token"]
    assert new != old and new.startswith("hub_agent_")
    agent = connect(agent_id, token=old)
    assert hub.post(f"/api/agents/{agent_id}/end-old-tokens").json["old_tokens_ended"] == 1
    assert agent.closed() == 4403
    connect(agent_id, token=new)
    assert hub.post("/api/agents/admin/rotate-token").status == 403


def test_A73_what_other_actors_than_the_queue_do_has_its_entry_too(hub: Hub) -> None:
    refused = hub.post("/api/health/no_such_condition/acknowledge", {}, headers={"User-Agent": "agentcom-cli/1"})
    assert refused.status == 404
    wait_for(lambda: audit(hub, action="health."), 10, "the entry")
    [entry] = audit(hub, action="health.")
    assert (entry["actor"], entry["way"], entry["target"], entry["outcome"]) == (
        *("admin", "cli", "no_such_condition", "not_found"),
    )


def test_the_pages_are_told_what_each_agent_does_and_did(hub: Hub, connect: Connect, agent_id: str) -> None:
    agent = connect(agent_id, agent_id, slots=2)
    done = hub.submit("first of it", needed_capabilities=[agent_id])
    frame = agent.hear_type("task_assign")
    agent.ask(type="task_complete", task_id=done, generation=frame["generation"])
    held = hub.submit("the one in hand", needed_capabilities=[agent_id])
    frame = agent.hear_type("task_assign")
    agent.ask(type="task_accepted", task_id=held, generation=frame["generation"])

    def row() -> dict[str, Any]:
        answer = hub.get(f"/api/dashboard/agents?q={agent_id}", token=None)
        assert answer.status == 200, answer.json
        [found] = [one for one in answer.json["agents"] if one["agent_id"] == agent_id]
        return dict(found)

    wait_for(lambda: row()["state"] == "working", 10, "its work being seen")
    found = row()
    assert (found["done_hour"], found["failed_hour"], found["slots"], found["slots_used"]) == (1, 0, 2, 1)
    assert found["current"]["task_id"] == held and found["heartbeat_ms"] < 60_000 and found["p50_ms"] is not None
    one = hub.get(f"/api/dashboard/agents/{agent_id}", token=None).json
    [lease] = one["held"]
    assert (lease["task_id"], lease["description"]) == (held, "the one in hand") and 0 < lease["left_ms"] <= 90_000
    assert [(last["task_id"], last["description"]) for last in one["last_tasks"]] == [(done, "first of it")]
    assert [entry["presence"] for entry in one["connections"]] == ["online"]
    assert hub.get("/api/dashboard/agents/nobody-of-that-name", token=None).status == 404
    for wrong in ("cursor=x", "limit=0", "cursor=1-2-"):
        assert hub.get(f"/api/dashboard/agents?{wrong}", token=None).status == 422
