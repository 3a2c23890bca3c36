"""Lists by a filter, dead letters by cause and bulk operations, over HTTP as a page and a program use them."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.harness.hub import Answer, Hub
from tests.harness.seed import Mix, seed
from tests.harness.socket import Socket
from tests.harness.waiting import wait_for

MIX = Mix(12_000, queued=600, dead=300, cancelled=120)


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    folder = tmp_path_factory.mktemp("search")
    seed(folder / "data", MIX)
    with Hub(folder / "data", "--retention-days", "36500", web_processes=1) as hub:
        yield hub
        assert "Traceback" not in hub.log()


def listed(hub: Hub, path: str = "/api/dashboard/tasks", **query: Any) -> Any:
    answer = hub.get(f"{path}?{urlencode(query)}", token=None if "dashboard" in path else "admin")
    assert answer.status == 200, answer.json
    return answer.json


def page_post(hub: Hub, path: str, body: Any = None) -> Answer:
    """As the page writes: without a token, with its own origin."""
    return hub.post(path, body, token=None, headers={"Origin": hub.url})


def test_pages_of_a_filter_follow_each_other_and_a_page_is_never_larger_than_a_hundred(seeded: Hub) -> None:
    first = listed(seeded, q="state:queued", limit=500, total=1)
    assert first["total"] == {"count": 600, "is_exact": True} and first["count"] == 100
    ids = [task["id"] for task in first["tasks"]]
    cursor = first["next_cursor"]
    while cursor:
        page = listed(seeded, q="state:queued", cursor=cursor)
        assert page["count"] <= 100
        ids += [task["id"] for task in page["tasks"]]
        cursor = page["next_cursor"]
    assert len(set(ids)) == len(ids) == 600 and ids == sorted(ids, reverse=True)
    assert first["previous_cursor"] is None


def test_the_api_shows_whole_tasks_and_takes_the_older_parameters_beside_a_filter(seeded: Hub) -> None:
    found = listed(seeded, "/api/tasks", q="lane:urgent,high", status="dead_letter", limit=500)
    assert found["count"] > 0
    assert {(task["status"], task["priority"]) for task in found["tasks"]} <= {("dead_letter", 0), ("dead_letter", 1)}
    assert "metadata" in found["tasks"][0] and "history" in found["tasks"][0]
    older = listed(seeded, "/api/tasks", status="queued", limit=3)
    assert set(older) == {"tasks", "count", "next_cursor"}


def test_a_total_beyond_ten_thousand_is_said_to_be_more_until_it_is_counted(seeded: Hub) -> None:
    query = "-agent:nobody -tokens:999999"
    assert listed(seeded, q=query, total=1)["total"] == {"count": 10_000, "is_exact": False}
    exact = listed(seeded, "/api/dashboard/tasks/count", q=query, exact=1)
    assert exact == {"count": MIX.tasks, "is_exact": True}
    assert listed(seeded, "/api/tasks/count", q="state:completed")["is_exact"]


def test_the_last_page_and_a_jump(seeded: Hub) -> None:
    last = listed(seeded, page="before", limit=10)
    assert last["next_cursor"] is None and last["tasks"][-1]["title"].startswith("Task 0:")
    middle = listed(seeded, seek=0.5, limit=1)
    assert middle["tasks"][0]["title"].startswith("Task 5999:")


@pytest.mark.parametrize(
    ("query", "field", "says"),
    [
        ({"q": "agnet:x"}, "q", "did you mean agent:?"),
        ({"q": '"open'}, "q", "quotation mark"),
        ({"q": "", "sort": "lane"}, "sort", "add state:queued"),
        ({"q": "", "sort": "colour"}, "sort", "allowed values"),
        ({"q": "", "cursor": "nonsense"}, "cursor", "cursor"),
        ({"q": "", "cursor": "9999999999999999999"}, "cursor", "cursor"),
        ({"q": "", "seek": "2"}, "seek", "from 0 to 1"),
        ({"q": "", "seek": "nan"}, "seek", "from 0 to 1"),
        ({"q": "", "at": "soon"}, "at", "milliseconds"),
        ({"q": "", "limit": "0"}, "limit", "from 1"),
    ],
)
def test_a_bad_question_is_refused_with_what_to_write(
    seeded: Hub, query: dict[str, str], field: str, says: str
) -> None:
    for path in ("/api/tasks", "/api/dashboard/tasks"):
        answer = seeded.get(f"{path}?{urlencode(query)}")
        assert answer.status == 422 and answer.json["error"] == "validation_failed"
        [error] = answer.json["errors"]
        assert error["field"] == field and says in error["detail"], error


def test_suggestions_for_keys_and_values(seeded: Hub) -> None:
    def texts(**query: str) -> list[str]:
        return [one["text"] for one in listed(seeded, "/api/dashboard/tasks/suggest", **query)["suggestions"]]

    assert set(texts(prefix="ag")) == {"agent:", "age:"}
    assert texts(key="state", prefix="d") == ["state:dead_letter", "state:discarded"]
    assert "agent:agent-7" in texts(key="agent", prefix="agent-7")
    assert texts(key="needs") == ["needs:nobody-has-this"]
    assert texts(key="nonsense") == []
    assert len(texts()) > 10


def groups(hub: Hub) -> dict[str, Any]:
    answer = hub.get("/api/dashboard/dead-letter/groups", token=None)
    assert answer.status == 200
    return {group["shape"]: group for group in answer.json["groups"]}


def test_groups_come_page_by_page(seeded: Hub) -> None:
    path = "/api/dashboard/dead-letter/groups?limit=1"
    first = seeded.get(path, token=None).json
    second = seeded.get(f"{path}&cursor={first['next_cursor']}", token=None).json
    assert len(first["groups"]) == 1 and second["groups"][0]["id"] != first["groups"][0]["id"]
    for bad in ("limit=0", "limit=101", "sort=colour", "cursor=nonsense"):
        assert seeded.get(f"/api/dashboard/dead-letter/groups?{bad}", token=None).status == 422


def finished(hub: Hub, operation: str) -> Any:
    def read() -> Any:
        found = hub.get(f"/api/operations/{operation}", token=None).json
        return found if found["operation"]["state"] not in ("running", "probing") else None

    return wait_for(read, 30, "the end of the operation")


def test_three_causes_are_three_groups_and_one_is_retried_by_the_page(seeded: Hub) -> None:
    before = groups(seeded)
    assert len(before) == 3 and sum(group["count"] for group in before.values()) == MIX.dead
    group = before["timeout after N s while asking the model"]
    preview = page_post(seeded, "/api/operations/preview", {"action": "retry", "query": f"group:{group['id']}"})
    assert preview.status == 200 and preview.json["count"] == group["count"] and len(preview.json["samples"]) == 5
    started = page_post(seeded, "/api/operations", {"action": "retry", "preview": preview.json["preview"]})
    assert started.status == 201
    end = finished(seeded, started.json["operation"]["id"])
    assert (end["operation"]["done"], end["operation"]["made_by"]) == (group["count"], "dashboard")
    assert end["outcome"] == {"queued": group["count"]}
    emptied = groups(seeded)[group["shape"]]
    assert emptied["count"] == 0 and emptied["last_retry"]["id"] == started.json["operation"]["id"]
    found = listed(seeded, q=f"operation:{started.json['operation']['id']}", total=1)
    assert found["total"]["count"] == group["count"]


def test_one_dead_letter_is_discarded_and_recovered(seeded: Hub) -> None:
    task_id = listed(seeded, q="state:dead_letter", limit=1)["tasks"][0]["id"]
    assert page_post(seeded, f"/api/tasks/{task_id}/discard").json == {"status": "discarded", "task_id": task_id}
    assert [task["id"] for task in listed(seeded, q="state:discarded")["tasks"]] == [task_id]
    assert page_post(seeded, f"/api/tasks/{task_id}/discard").status == 409
    assert page_post(seeded, f"/api/tasks/{task_id}/recover").json["status"] == "dead_letter"
    assert page_post(seeded, f"/api/tasks/{task_id}/recover").status == 404


def test_one_task_changes_its_lane(seeded: Hub) -> None:
    task_id = listed(seeded, q="state:queued lane:normal", limit=1)["tasks"][0]["id"]
    answer = page_post(seeded, f"/api/tasks/{task_id}/lane", {"lane": "urgent"})
    assert answer.json == {"status": "queued", "task_id": task_id, "priority": 0}
    assert seeded.task(task_id)["priority"] == 0
    for bad in ({}, {"lane": "fast"}, {"lane": 4}):
        assert page_post(seeded, f"/api/tasks/{task_id}/lane", bad).status == 422


def test_an_operation_may_be_started_by_ids_or_by_a_filter_and_a_time_and_cancelled(seeded: Hub) -> None:
    ids = [task["id"] for task in listed(seeded, q="state:queued lane:low", limit=20)["tasks"]]
    body = {"action": "lane", "lane": "high", "ids": ids, "over_s": 3600}
    started = seeded.post("/api/operations", body).json["operation"]
    assert (started["total"], started["state"], started["made_by"]) == (20, "running", "admin")
    stopped = seeded.post(f"/api/operations/{started['id']}/cancel").json["operation"]
    assert stopped["state"] == "cancelled"
    query = {"action": "cancel", "query": "state:queued lane:normal", "as_of": 1}
    end = finished(seeded, seeded.post("/api/operations", query).json["operation"]["id"])["operation"]
    assert end["total"] > 50 and end["skipped"] == end["total"] and end["done"] == 0
    assert started["id"] in [one["id"] for one in seeded.get("/api/operations").json["operations"]]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"action": "explode", "query": ""},
        {"action": "retry"},
        {"action": "retry", "query": "", "ids": ["x"]},
        {"action": "retry", "query": "agnet:x"},
        {"action": "retry", "ids": []},
        {"action": "lane", "query": ""},
        {"action": "retry", "query": "", "lane": "high"},
        {"action": "retry", "query": "", "over_s": -1},
        {"action": "retry", "preview": "nonsense"},
    ],
)
def test_a_bad_operation_is_refused_and_changes_nothing(seeded: Hub, body: dict[str, Any]) -> None:
    before = seeded.get("/api/operations").json
    assert seeded.post("/api/operations", body).status == 422
    assert seeded.get("/api/operations").json == before


def test_an_operation_that_nobody_knows_is_not_found(seeded: Hub) -> None:
    assert seeded.get("/api/operations/op-000000000000").json["error"] == "operation_not_found"
    assert seeded.post("/api/operations/op-000000000000/cancel").status == 404
    unknown = seeded.post("/api/operations", {"action": "retry", "preview": "pv-000000000000"})
    assert unknown.status == 404 and "preview again" in unknown.json["detail"]


def test_bulk_operations_survive_the_death_of_the_hub(tmp_path: Path) -> None:
    seed(tmp_path / "data", Mix(600, dead=300))
    with Hub(tmp_path / "data", "--retention-days", "36500", web_processes=1) as hub:
        body = {"action": "retry", "query": "state:dead_letter", "over_s": 2}
        id_ = hub.post("/api/operations", body).json["operation"]["id"]
        wait_for(lambda: hub.get(f"/api/operations/{id_}").json["operation"]["done"] > 20, 20, "some progress")
        os.kill(hub.hub_pid, signal.SIGKILL)
        wait_for(lambda: hub.get("/api/operations").status == 200, 30, "the hub's return")
        end = finished(hub, id_)["operation"]
        assert (end["state"], end["done"], end["skipped"], end["failed"]) == ("finished", 300, 0, 0)
        assert hub.get("/api/tasks/stats").json["dead_letter"] == 0
        tasks = listed(hub, "/api/tasks", q=f"operation:{id_}", limit=500)["tasks"]
        assert {task["generation"] for task in tasks} == {2}


def test_waiting_tasks_are_given_to_another_agent_one_by_one_and_all_that_match(seeded: Hub) -> None:
    agents = []
    for name in ("carla", "dora"):
        agent = Socket(f"{seeded.ws_url}/ws")
        agent.ask(type="identify", agent_id=name, token=seeded.agent_token(name))
        agents.append(agent)
    carla, dora = agents
    task_ids = [seeded.submit(f"for carla later {number}", assign_to="nobody") for number in range(3)]
    answer = page_post(seeded, f"/api/tasks/{task_ids[0]}/reassign", {"agent": "carla"})
    assert answer.json == {"status": "queued", "task_id": task_ids[0], "assign_to": "carla"}
    frame = carla.hear_type("task_assign")
    assert frame["task_id"] == task_ids[0]
    assert page_post(seeded, f"/api/tasks/{task_ids[0]}/reassign", {"agent": "dora"}).status == 409
    assert page_post(seeded, f"/api/tasks/{task_ids[1]}/reassign", {"agent": "nobody-knows-it"}).status == 409
    for bad in ({}, {"agent": ""}, {"agent": 4}):
        assert page_post(seeded, f"/api/tasks/{task_ids[1]}/reassign", bad).status == 422

    body = {"action": "reassign", "query": "pinned-to:nobody carla later", "agent": "dora"}
    started = page_post(seeded, "/api/operations", body).json["operation"]
    assert (started["total"], started["agent"]) == (2, "dora")
    first = dora.hear_type("task_assign")
    assert dora.ask(type="task_complete", task_id=first["task_id"], generation=first["generation"])
    second = dora.hear_type("task_assign")
    assert {first["task_id"], second["task_id"]} == set(task_ids[1:])
    entry = next(one for one in seeded.task(task_ids[2])["history"] if one["event"] == "reassigned")
    assert entry["details"] == {"by": "dashboard", "operation": started["id"], "from": "nobody", "to": "dora"}
    wrong = {"action": "reassign", "ids": task_ids, "agent": "nobody-knows-it"}
    assert page_post(seeded, "/api/operations", wrong).status == 409
    assert page_post(seeded, "/api/operations", {"action": "retry", "query": "", "agent": "dora"}).status == 422
    for agent in agents:
        agent.close()


def test_a_file_has_every_task_that_matches_once_and_whole(seeded: Hub) -> None:
    query = urlencode({"q": "state:completed"})
    total = seeded.get(f"/api/dashboard/tasks/count?{query}&exact=1", token=None).json["count"]
    assert total > 100, "more than a page"
    lines = seeded.get(f"/api/dashboard/tasks/export?{query}", token=None)
    assert (
        lines.headers["content-type"] == "application/x-ndjson"
        and "tasks.jsonl" in lines.headers["content-disposition"]
    )
    tasks = [json.loads(line) for line in lines.body.splitlines()]
    assert len({task["id"] for task in tasks}) == len(tasks) == total
    assert {task["status"] for task in tasks} == {"completed"} and "metadata" in tasks[0]
    table = seeded.get(f"/api/dashboard/tasks/export?{query}&format=csv&sort=created", token=None)
    ids = [row["id"] for row in csv.DictReader(io.StringIO(table.body.decode()))]
    assert sorted(ids) == sorted(task["id"] for task in tasks) and ids[0] == tasks[-1]["id"]
    chosen = ",".join(ids[:3])
    few = seeded.get(f"/api/dashboard/tasks/export?{urlencode({'q': f'id:{chosen}'})}", token=None)
    assert {json.loads(line)["id"] for line in few.body.splitlines()} == set(ids[:3])
    assert seeded.get("/api/dashboard/tasks/export?q=id:task-00000000000000ff", token=None).body == b""


@pytest.mark.parametrize("query", ["q=stat:queued", "format=xml", "sort=lane", "q=state:queued&sort=ended"])
def test_a_file_that_cannot_be_is_refused_before_it_begins(seeded: Hub, query: str) -> None:
    answer = seeded.get(f"/api/dashboard/tasks/export?{query}", token=None)
    assert answer.status == 422 and answer.json["error"] == "validation_failed"
