"""A task that was made after another one says so, and so does the other one."""

from __future__ import annotations

from typing import Any

from tests.harness.hub import Hub


def page(hub: Hub, task_id: str) -> dict[str, Any]:
    answer = hub.get(f"/api/dashboard/tasks/{task_id}", token=None)
    assert answer.status == 200, answer.json
    found: dict[str, Any] = answer.json
    return found


def test_a_duplicate_and_its_original_name_each_other_and_the_original_is_unchanged(hub: Hub) -> None:
    original = hub.submit("Paint it blue", assign_to="nobody", metadata={"colour": "blue"})
    before = hub.task(original)
    copies = [hub.submit("Paint it red", assign_to="nobody", duplicate_of=original) for _ in range(2)]
    assert page(hub, copies[0])["task"]["duplicate_of"] == original
    assert sorted(page(hub, original)["duplicates"]) == sorted(copies)
    assert page(hub, copies[0])["duplicates"] == []
    assert hub.task(original) == before


def test_a_duplicate_of_nothing_is_refused_and_queues_nothing(hub: Hub) -> None:
    before = hub.get("/api/tasks/stats").json
    for task_id in ("task-00000000deadbeef", "not a task", ""):
        answer = hub.post("/api/tasks", {"description": "work", "duplicate_of": task_id})
        assert (answer.status, answer.json["errors"][0]["field"]) == (422, "duplicate_of")
    assert hub.get("/api/tasks/stats").json == before


def test_the_page_says_when_each_attempt_began_and_ended(hub: Hub) -> None:
    from tests.harness.socket import Socket

    agent = Socket(f"{hub.ws_url}/ws")
    agent.ask(type="identify", agent_id="attempter", token=hub.agent_token("attempter"))
    task_id = hub.submit("twice", assign_to="attempter", max_retries=1)
    agent.hear_type("task_assign")
    agent.ask(type="task_accepted", task_id=task_id, generation=1)
    [one] = page(hub, task_id)["attempts"]
    assert (one["agent_id"], one["generation"], one["outcome"], one["ended_at"]) == ("attempter", 1, "running", None)
    assert one["accepted_at"] >= one["assigned_at"]
    agent.ask(type="task_failed", task_id=task_id, generation=1, error="no luck")
    [one] = page(hub, task_id)["attempts"]
    assert (one["outcome"], one["reason"]) == ("failed", "no luck")
    assert one["duration_ms"] == one["ended_at"] - one["assigned_at"] >= 0
    agent.close()
