"""A fleet at work on a real hub: everything completes, evenly, urgent first, and a dead agent's task is done by another."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.harness.fleet import Fleet
from tests.harness.hub import Hub
from tests.harness.judge import faults
from tests.harness.waiting import wait_for


def submit_many(hub: Hub, number: int, priority: str = "normal") -> set[str]:
    bodies = [{"description": f"task {n}", "priority": priority} for n in range(number)]
    answer = hub.post("/api/tasks/bulk", bodies)
    assert answer.status == 201, answer.json
    return {result["task_id"] for result in answer.json["results"]}


def wait_until_done(hub: Hub, number: int, timeout_s: float = 60.0) -> None:
    def completed() -> bool:
        return int(hub.snapshot()["queue"]["by_status"]["completed"]) >= number

    wait_for(completed, timeout_s, f"{number} completions")


def test_two_agents_share_ten_tasks(tmp_path: Path) -> None:
    with Hub(tmp_path / "data") as hub, Fleet(hub, tmp_path / "fleet") as fleet:
        fleet.add("one", work_ms=60)
        fleet.add("two", work_ms=60)
        wait_for(lambda: fleet.online() == 2)
        accepted = submit_many(hub, 10)
        wait_until_done(hub, 10)
        final = hub.all_tasks()
        by_agent = Counter(task["result"]["by"] for task in final)
        assert faults(accepted, fleet.history(), final) == []
        assert all(abs(by_agent[name] - 5) <= 2 for name in ("one", "two")), by_agent


def test_four_agents_take_urgent_before_low(tmp_path: Path) -> None:
    with Hub(tmp_path / "data") as hub, Fleet(hub, tmp_path / "fleet") as fleet:
        accepted = {lane: submit_many(hub, 5, lane) for lane in ("low", "normal", "high", "urgent")}
        names = ["a", "b", "c", "d"]
        for name in names:
            fleet.add(name, work_ms=60)
        wait_until_done(hub, 20)
        history, final = fleet.history(), hub.all_tasks()
        by_agent = Counter(task["result"]["by"] for task in final)
        assert faults(set().union(*accepted.values()), history, final) == []
        assert all(abs(by_agent[name] - 5) <= 2 for name in names), by_agent
        order = sorted(final, key=lambda task: int(task["assigned_at"]))
        place = {task["id"]: number for number, task in enumerate(order)}
        assert max(place[one] for one in accepted["urgent"]) < min(place[one] for one in accepted["low"])


def test_a_killed_agents_task_completes_exactly_once(tmp_path: Path) -> None:
    with Hub(tmp_path / "data", "--grace", "1s") as hub, Fleet(hub, tmp_path / "fleet") as fleet:
        fleet.add("victim", work_ms=60_000)
        wait_for(lambda: fleet.online() == 1)
        task_id = hub.submit("survive me")
        hub.wait_for_status(task_id, "assigned")
        fleet.add("survivor", work_ms=20)
        wait_for(lambda: fleet.online() == 2)
        fleet.kill("victim")
        task = hub.wait_for_status(task_id, "completed")
        assert task["result"]["by"] == "survivor"
        assert task["history"][0]["event"] == "completed"
        assert [entry["details"] for entry in task["history"] if entry["event"] == "reclaimed"] == ["agent_lost"]
        assert faults({task_id}, fleet.history(), hub.all_tasks()) == []
