"""Health, trends and metrics over HTTP: one model behind all of them, kept over restarts, bounded."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.harness.hub import Hub
from tests.harness.socket import Socket
from tests.harness.waiting import wait_for

Connect = Callable[..., Socket]


def conditions(hub: Hub) -> dict[str, dict[str, Any]]:
    return {one["id"]: one for one in hub.get("/api/health", token=None).json["conditions"]}


def metric(hub: Hub, name: str) -> float:
    found = re.search(rf"^{re.escape(name)} (\S+)$", hub.get("/metrics", token=None).body.decode(), re.MULTILINE)
    assert found is not None, name
    return float(found[1])


def fail_one(hub: Hub, agent: Socket, error: str) -> None:
    hub.submit("to fail", max_retries=1, assign_to="clumsy")
    frame = agent.hear_type("task_assign")
    agent.ask(type="task_failed", task_id=frame["task_id"], generation=frame["generation"], error=error)


@pytest.fixture
def own_hub(tmp_path: Path) -> Any:
    with Hub(tmp_path / "data", "--boot-grace", "1s", "--offline-after", "1s", web_processes=1) as started:
        yield started


def test_every_surface_shows_the_same_condition_and_who_acknowledged_it_also_after_a_restart(own_hub: Hub) -> None:
    hub = own_hub
    agent = Socket(f"{hub.ws_url}/ws")
    agent.ask(type="identify", agent_id="clumsy", token=hub.agent_token("clumsy"))
    for number in range(10):
        fail_one(hub, agent, f"connection to 10.0.0.{number} refused")
    wait_for(lambda: set(conditions(hub)) == {"failure_rate", "dead_letters_new"}, 5, "two conditions")
    found = conditions(hub)
    assert found["failure_rate"]["severity"] == "critical" and found["failure_rate"]["count"] == 10
    assert found["dead_letters_new"]["count"] == 1, "ten addresses, one kind of failure"
    assert {one["id"]: one for one in hub.snapshot()["health"]["details"]} == found
    assert metric(hub, 'agentcom_health_condition{condition="failure_rate",severity="critical"}') == 1
    assert metric(hub, 'agentcom_health_condition{condition="storage",severity="critical"}') == 0
    assert metric(hub, "agentcom_health_status") == 2
    assert metric(hub, "agentcom_dead_total") == 10

    assert hub.post("/api/health/storage/acknowledge").json["error"] == "condition_not_found"
    assert hub.post("/api/health/failure_rate/acknowledge", {"note": "x" * 501}).status == 422
    assert hub.post("/api/health/failure_rate/acknowledge", {}, token=None).status == 401
    assert hub.post("/api/health/failure_rate/acknowledge", {}, token=hub.agent_token("other")).status == 403
    answer = hub.post("/api/health/failure_rate/acknowledge", {"note": "the network team is on it"})
    assert (answer.status, answer.json["condition"]["acknowledged"]["by"]) == (200, "admin")
    assert hub.post("/api/health/dead_letters_new/acknowledge").status == 200
    assert set(conditions(hub)) == {"failure_rate"}
    health = hub.snapshot()["health"]
    assert (health["status"], health["attention"]) == ("critical", "ok")
    assert metric(hub, 'agentcom_health_condition_acknowledged{condition="failure_rate"}') == 1

    before = conditions(hub)["failure_rate"]
    agent.close()
    assert hub.stop() == 0
    hub.start()
    after = conditions(hub)
    assert after["failure_rate"]["acknowledged"] == before["acknowledged"]
    assert after["failure_rate"]["since"] == before["since"]
    assert "dead_letters_new" not in after


def test_trends_go_on_after_a_restart_with_a_mark_and_are_the_same_as_csv(own_hub: Hub) -> None:
    hub = own_hub
    for _ in range(3):
        hub.submit("to be counted")

    def submitted(range_: str = "1h") -> float:
        found = hub.get(f"/api/dashboard/trends?range={range_}", token=None).json
        return sum(one or 0 for one in found["series"]["submitted_per_min"]) * found["step_s"] / 60

    wait_for(lambda: round(submitted(), 1) == 3, 5, "three submissions in the open bucket")
    assert hub.stop() == 0
    hub.start()
    hub.submit("after the restart")
    wait_for(lambda: round(submitted(), 1) == 4, 5, "those from before the restart as well")
    for range_, points, step_s in (
        ("15m", 90, 10),
        ("6h", 360, 60),
        ("24h", 720, 120),
        ("7d", 168, 3600),
        ("90d", 720, 10800),
    ):
        found = hub.get(f"/api/dashboard/trends?range={range_}", token=None).json
        assert (found["range"], found["step_s"], len(found["times"])) == (range_, step_s, points)
        assert all(len(values) == points for values in found["series"].values())
        assert len(found["restarts"]) == 2
        assert found["times"][-1] == found["partial_since"] <= found["now"] < found["times"][-1] + step_s * 1000
        assert round(submitted(range_), 1) == 4
        assert found["series"]["queued"][0] is None, "nothing is known of before the start"
    assert hub.get("/api/dashboard/trends?range=2y", token=None).status == 422
    assert hub.get("/api/dashboard/trends?format=xml", token=None).status == 422

    answer = hub.get("/api/dashboard/trends?range=15m&format=csv", token=None)
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.body.decode())))
    assert len(rows) == 90 and list(rows[0])[:3] == ["time", "submitted_per_min", "completed_per_min"]
    assert round(sum(float(row["submitted_per_min"] or 0) for row in rows) / 6, 1) == 4
    assert rows[0]["queued"] == ""


def test_the_snapshot_tells_each_lane_with_its_oldest_task_and_the_past_hour(
    hub: Hub, connect: Connect, agent_id: str
) -> None:
    agent = connect(agent_id)
    hub.submit("work", priority="high", assign_to=agent_id)
    frame = agent.hear_type("task_assign")
    agent.ask(type="task_complete", task_id=frame["task_id"], generation=frame["generation"])
    waiting = hub.submit("for nobody", priority="high", needed_capabilities=["nobody-has-this"])
    try:

        def is_summed_up() -> bool:
            """What flows and waits is looked at once a second, so it shows a little later than the tasks themselves."""
            shown = hub.snapshot()
            lane = shown["lanes"][1]
            flowed = sum(lane["in_per_minute"]) >= 2 and sum(lane["out_per_minute"]) >= 1
            return flowed and lane["oldest_since"] is not None and shown["run"]["count"] >= 1

        wait_for(is_summed_up, 15, "the flow and the wait in the picture")
        shown = hub.snapshot()
        lane = shown["lanes"][1]
        assert (lane["lane"], lane["queued"]) == ("high", shown["queue"]["by_priority"]["1"])
        assert 0 < lane["oldest_since"] <= hub.get(f"/api/tasks/{waiting}").json["created_at"]
        assert shown["wait"]["count"] >= 1 and shown["run"]["p99_ms"] is not None
        assert set(shown["hour_ago"]) >= {"queued", "working", "agents_online", "dead_letter", "wait_p95_ms"}
    finally:
        hub.post(f"/api/tasks/{waiting}/cancel")


def test_input_that_breaks_the_rules_is_counted_on_every_door_and_warned_of(own_hub: Hub) -> None:
    hub = own_hub
    agent = Socket(f"{hub.ws_url}/ws")
    agent.ask(type="identify", agent_id="odd", token=hub.agent_token("odd"))
    for _ in range(9):
        agent.ask(type="no_such_type")
    for _ in range(45):
        assert hub.post("/api/tasks", {"description": ""}).status == 422
    wait_for(lambda: "rejected_input" in conditions(hub), 5, "the warning")
    assert conditions(hub)["rejected_input"]["count"] == 54
    agent.close()


def test_metrics_are_well_formed_and_hold_no_name_that_somebody_chose(
    hub: Hub, connect: Connect, agent_id: str
) -> None:
    connect(agent_id, "secret-capability")
    task_id = hub.submit("a secret description", assign_to=agent_id)
    text = hub.get("/metrics", token=None).body.decode()
    sample = re.compile(r'[a-z_]+(\{[a-z]+="[A-Za-z0-9_.+-]+"(,[a-z]+="[A-Za-z0-9_.+-]+")*\})? -?[0-9.e+]+')
    hub.post(f"/api/tasks/{task_id}/cancel")
    lines = text.splitlines()
    assert all(line.startswith("# ") or sample.fullmatch(line) for line in lines), text
    assert agent_id not in text and "secret" not in text
    assert len(lines) < 250
    typed = {line.split()[2] for line in lines if line.startswith("# TYPE")}
    named = {re.sub(r"_(bucket|sum|count)$", "", re.split(r"[{ ]", line)[0]) for line in lines if line[0] != "#"}
    assert named - typed <= {"agentcom_health_condition"}, "each series has its type"


def test_what_happened_before_a_page_was_opened_is_told_also_after_a_restart(own_hub: Hub) -> None:
    hub = own_hub
    agent = Socket(f"{hub.ws_url}/ws")
    agent.ask(type="identify", agent_id="busy", token=hub.agent_token("busy"))
    task_id = hub.submit("to be done", assign_to="busy")
    frame = agent.hear_type("task_assign")
    agent.ask(type="task_complete", task_id=task_id, generation=frame["generation"])

    def told() -> list[tuple[str, str]]:
        events = hub.get("/api/dashboard/events", token=None).json["events"]
        return [(one.get("event", one["type"]), one.get("task_id", one["agent_id"])) for one in events]

    wait_for(lambda: ("task_completed", task_id) in told(), 5, "the completion among what is told")
    assert told().index(("agent_joined", "busy")) < told().index(("task_submitted", task_id))
    agent.close()
    hub.stop()
    hub.start()
    assert ("task_completed", task_id) in told()


def test_a_muted_cause_is_not_counted_by_health_and_says_who_mutes_it(own_hub: Hub) -> None:
    hub = own_hub
    agent = Socket(f"{hub.ws_url}/ws")
    agent.ask(type="identify", agent_id="clumsy", token=hub.agent_token("clumsy"))
    fail_one(hub, agent, "out of memory")
    wait_for(lambda: "dead_letters_new" in conditions(hub), 5, "the condition")
    [group] = hub.get("/api/dashboard/dead-letter/groups", token=None).json["groups"]
    path = f"/api/dead-letter/groups/{group['id']}"
    assert hub.post(f"{path}/mute", {"for_s": 5}).status == 422
    assert hub.post("/api/dead-letter/groups/000000000000/mute", {"for_s": 60}).json["error"] == "group_not_found"
    assert hub.post(f"{path}/mute", {"for_s": 3600}, token=None).status == 401
    muted = hub.post(f"{path}/mute", {"for_s": 3600, "note": "a new machine comes"}).json["muted"]
    assert (muted["by"], muted["note"], muted["until"] - muted["at"]) == ("admin", "a new machine comes", 3_600_000)
    wait_for(lambda: "dead_letters_new" not in conditions(hub), 12, "no condition")
    fail_one(hub, agent, "out of memory")
    [group] = hub.get("/api/dashboard/dead-letter/groups", token=None).json["groups"]
    assert group["count"] == 2 and group["muted"] == muted
    assert "dead_letters_new" not in conditions(hub)
    assert hub.post(f"{path}/unmute").json == {"group": group["id"], "was_muted": True}
    wait_for(lambda: "dead_letters_new" in conditions(hub), 12, "the condition again")
    entries = hub.get("/api/dashboard/audit?action=dead_group.", token=None).json["entries"]
    assert [(one["action"], one["outcome"]) for one in entries][:2] == [
        ("dead_group.unmute", "ok"),
        ("dead_group.mute", "ok"),
    ]
    agent.close()
