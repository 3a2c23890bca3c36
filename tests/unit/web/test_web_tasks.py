"""The routes of tasks: what goes to the hub, what comes back, and each refusal."""

from __future__ import annotations

import json
from typing import Any

from tests.unit.web.kit import Kit, Refuse, with_kit
from wire import limits

TASK: dict[str, Any] = {
    "id": "task-1", "seq": 7, "description": "x", "metadata": {}, "priority": 2, "status": "queued", "assigned_to": None,
    "assigned_at": None, "accepted_at": None, "generation": 0, "retry_count": 0, "max_retries": 3, "reclaim_count": 0,
    "needed_capabilities": ["code"], "assign_to": None, "last_error": None, "complete_by": None, "not_before": None,
    "result": None, "tokens_used": 0, "submitted_by": "sub", "created_at": 1, "updated_at": 1, "completed_at": None,
    "extras": {"repo": "r", "status": "not this one"}, "history": [{"event": "queued", "timestamp": 1, "details": "submitted"}],
}  # fmt: skip


def accept(**duplicates: bool) -> Any:
    def submit(tasks: list[dict[str, Any]], submitted_by: str | None) -> list[dict[str, Any]]:
        return [
            {
                "task_id": f"task-{n}",
                "priority": task["priority"],
                "created_at": 5,
                "duplicate": duplicates.get(task.get("idempotency_key", ""), False),
            }
            for n, task in enumerate(tasks)
        ]

    return submit


@with_kit()
async def test_a_task_is_submitted_in_the_name_of_its_token(kit: Kit) -> None:
    kit.hub.ops["tasks.submit"] = accept()
    token = kit.hub.token("submitter", "sub-1")
    answer = await kit.post("/api/tasks", {"description": "do it", "priority": "high", "x": 1}, token=token)
    assert answer.status == 201
    assert answer.json == {"status": "queued", "task_id": "task-0", "priority": 1, "created_at": 5}
    [(op, args)] = kit.hub.calls
    assert op == "tasks.submit" and args["submitted_by"] == "sub-1"
    assert args["tasks"][0]["description"] == "do it" and "x" not in args["tasks"][0]


@with_kit()
async def test_a_repeated_key_answers_with_the_first_task(kit: Kit) -> None:
    kit.hub.ops["tasks.submit"] = accept(k1=True)
    answer = await kit.post("/api/tasks", {"description": "x"}, headers={"Idempotency-Key": "k1"})
    assert (answer.status, answer.json["duplicate"]) == (200, True)
    assert kit.hub.calls[0][1]["tasks"][0]["idempotency_key"] == "k1"
    answer = await kit.post("/api/tasks", {"description": "x", "idempotency_key": "k2"})
    assert (answer.status, kit.hub.calls[1][1]["tasks"][0]["idempotency_key"]) == (201, "k2")
    for headers, body in (
        ({"Idempotency-Key": "a b"}, {}),
        ({"Idempotency-Key": "x" * 201}, {}),
        ({"Idempotency-Key": "k1"}, {"idempotency_key": "k2"}),
    ):
        answer = await kit.post("/api/tasks", {"description": "x", **body}, headers=headers)
        assert answer.status == 422 and answer.json["errors"][0]["field"] == "idempotency_key"


@with_kit()
async def test_refusals_of_the_queue(kit: Kit) -> None:
    for reason, status, retry_after in (
        *(("queue_full", 429, "5"), ("idempotency_conflict", 409, None)),
        *(("overloaded", 503, "2"), ("no_space", 507, "30")),
    ):
        kit.hub.ops["tasks.submit"] = lambda reason=reason, **_: [{"reason": reason, "detail": "because"}]
        answer = await kit.post("/api/tasks", {"description": "x"})
        assert (answer.status, answer.json) == (status, {"error": reason, "detail": "because"})
        assert answer.headers.get("Retry-After") == retry_after


@with_kit()
async def test_no_body_at_all_is_an_empty_object(kit: Kit) -> None:
    answer = await kit.request("POST", "/api/tasks")
    assert answer.status == 422 and answer.json["errors"][0]["field"] == "description"


@with_kit()
async def test_a_task_is_shown_with_its_extra_fields_beside_the_others(kit: Kit) -> None:
    kit.hub.ops["tasks.get"] = lambda task_id: TASK
    answer = await kit.get("/api/tasks/task-1")
    assert answer.status == 200
    assert answer.json["repo"] == "r" and answer.json["status"] == "queued", (
        "a real field is never hidden by an extra one"
    )
    assert "seq" not in answer.json and "extras" not in answer.json
    assert answer.json["history"] == TASK["history"]


@with_kit()
async def test_a_task_that_is_not_there(kit: Kit) -> None:
    def missing(**_: Any) -> None:
        raise Refuse("not_found")

    for op in ("tasks.get", "tasks.retry", "tasks.cancel"):
        kit.hub.ops[op] = missing
    for method, path in (("GET", ""), ("POST", "/retry"), ("POST", "/cancel")):
        answer = await kit.request(method, f"/api/tasks/task-9{path}", None if method == "GET" else {})
        assert answer.status == 404
        assert (answer.json["error"], answer.json["task_id"]) == ("task_not_found", "task-9")


@with_kit()
async def test_listing_hands_on_the_filters_and_pages(kit: Kit) -> None:
    kit.hub.ops["tasks.list"] = lambda **_: {"tasks": [TASK, TASK], "next_cursor": "2-9"}
    answer = await kit.get(
        "/api/tasks?status=queued&priority=low&assigned_to=a&capability=code&limit=2&cursor=2-7&status="
    )
    assert (answer.json["count"], answer.json["next_cursor"], len(answer.json["tasks"])) == (2, "2-9", 2)
    assert kit.hub.calls[0][1] == {
        "priority": 3, "assigned_to": "a", "capability": "code", "limit": 2, "cursor": "2-7"
    }  # fmt: skip
    await kit.get("/api/tasks?status=dead_letter&priority=0&unknown=x")
    assert kit.hub.calls[1][1] == {"status": "dead_letter", "priority": 0, "limit": 100, "cursor": None}
    for bad in (
        "status=nonsense",
        "priority=nonsense",
        "limit=abc",
        "limit=0",
        "limit=501",
        "cursor=%00",
        "capability=%0a",
    ):
        answer = await kit.get(f"/api/tasks?{bad}")
        assert (answer.status, answer.json["error"]) == (422, "validation_failed"), bad
    assert (await kit.get("/api/tasks?cursor=%ff")).status == 400


@with_kit()
async def test_dead_letters_are_paged_too(kit: Kit) -> None:
    kit.hub.ops["tasks.dead_letter"] = lambda **_: {"tasks": [TASK], "next_cursor": None}
    answer = await kit.get("/api/tasks/dead-letter?limit=5&cursor=1-1")
    assert (answer.json["count"], answer.json["next_cursor"]) == (1, None)
    assert kit.hub.calls[0][1] == {"limit": 5, "cursor": "1-1"}

    def strange(**_: Any) -> None:
        raise Refuse("invalid_state", "the cursor is not one of ours")

    kit.hub.ops["tasks.dead_letter"] = strange
    answer = await kit.get("/api/tasks/dead-letter?cursor=9-9")
    assert (answer.status, answer.json["errors"][0]["field"]) == (422, "cursor")


@with_kit()
async def test_statistics_hold_what_is_not_zero(kit: Kit) -> None:
    kit.hub.ops["tasks.stats"] = lambda: {
        "by_status": {"queued": 3, "assigned": 0},
        "queued_by_priority": {0: 0, 2: 3},
        "dead_letter": 1,
        "ready": 2,
    }
    assert (await kit.get("/api/tasks/stats")).json == {
        "by_status": {"queued": 3},
        "by_priority": {"2": 3},
        "dead_letter": 1,
        "queued_index_size": 3,
        "ready": 2,
    }


@with_kit()
async def test_retry_and_cancel(kit: Kit) -> None:
    kit.hub.ops["tasks.retry"] = lambda task_id, requested_by: {"task_id": task_id, "priority": 1}
    kit.hub.ops["tasks.cancel"] = lambda task_id, cancelled_by: {
        "task_id": task_id,
        "previous_status": "assigned",
        "owner": "a",
    }
    token = kit.hub.token("operator", "olga")
    answer = await kit.request("POST", "/api/tasks/task-1/retry", token=token)
    assert answer.json == {"status": "requeued", "task_id": "task-1", "priority": 1}
    answer = await kit.request("POST", "/api/tasks/task-1/cancel", token=token)
    assert answer.json == {"status": "cancelled", "task_id": "task-1", "previous_status": "assigned"}
    assert [args for _, args in kit.hub.calls] == [
        {"task_id": "task-1", "requested_by": "olga"},
        {"task_id": "task-1", "cancelled_by": "olga"},
    ]


@with_kit()
async def test_a_completed_task_cannot_be_cancelled(kit: Kit) -> None:
    def completed(**_: Any) -> None:
        raise Refuse("invalid_state", "it is completed")

    kit.hub.ops["tasks.cancel"] = completed
    answer = await kit.post("/api/tasks/task-1/cancel")
    assert (answer.status, answer.json["error"]) == (409, "invalid_state")


@with_kit()
async def test_to_a_submitter_the_tasks_of_others_do_not_exist(kit: Kit) -> None:
    kit.hub.ops["tasks.get"] = lambda task_id: TASK
    kit.hub.ops["tasks.cancel"] = lambda task_id, cancelled_by: {"previous_status": "queued"}
    other = await kit.post("/api/tasks/task-1/cancel", token=kit.hub.token("submitter", "somebody"))
    assert (other.status, other.json["error"]) == (404, "task_not_found")
    assert "tasks.cancel" not in [op for op, _ in kit.hub.calls]
    mine = await kit.post("/api/tasks/task-1/cancel", token=kit.hub.token("submitter", "sub"))
    assert mine.status == 200


@with_kit()
async def test_pushing_needs_an_agent_that_is_there(kit: Kit) -> None:
    kit.hub.ops["agents.push"] = lambda **_: {"task_id": "task-3"}
    body = {"agent_id": "a", "description": "now", "metadata": {"x": 1}}
    answer = await kit.post("/api/admin/push-task", body)
    assert answer.json == {"status": "pushed", "task_id": "task-3", "agent_id": "a"}
    assert kit.hub.calls[0][1] == body | {"submitted_by": "admin"}

    def missing(**_: Any) -> None:
        raise Refuse("not_found")

    kit.hub.ops["agents.push"] = missing
    answer = await kit.post("/api/admin/push-task", body)
    assert (answer.status, answer.json["error"], answer.json["agent_id"]) == (404, "agent_not_connected", "a")
    assert (await kit.post("/api/admin/push-task", {"description": "x"})).status == 422


# --- many at once -------------------------------------------------------------------------------------------------------

NDJSON = {"Content-Type": "application/x-ndjson"}


@with_kit()
async def test_many_tasks_in_one_request_each_with_its_own_result(kit: Kit) -> None:
    kit.hub.ops["tasks.submit"] = accept(again=True)
    bodies = [
        {"description": "one"},
        {"description": ""},
        {"description": "three", "idempotency_key": "again"},
        7,
        {"description": "five", "priority": "urgent"},
    ]
    for body in (bodies, {"tasks": bodies}):
        answer = await kit.post("/api/tasks/bulk", body)
        assert answer.status == 201
        results = answer.json["results"]
        assert [result.get("task_id") for result in results] == ["task-0", None, "task-1", None, "task-2"]
        assert results[2]["duplicate"] is True and results[4]["priority"] == 0
        assert results[1]["error"] == "validation_failed" and results[1]["errors"][0]["field"] == "tasks[1].description"
        assert results[3]["errors"][0]["field"] == "tasks[3]"


@with_kit()
async def test_a_line_that_is_no_json_does_not_spoil_the_others(kit: Kit) -> None:
    kit.hub.ops["tasks.submit"] = accept()
    lines = b'{"description":"one"}\n\nnot json\r\n{"description":"three"}\n'
    answer = await kit.post("/api/tasks/bulk", lines, headers=NDJSON)
    assert answer.status == 201
    assert [result.get("error") for result in answer.json["results"]] == [None, "invalid_json", None]


@with_kit()
async def test_refusals_of_the_queue_stand_in_their_place(kit: Kit) -> None:
    kit.hub.ops["tasks.submit"] = lambda tasks, submitted_by: [
        {"task_id": "task-0", "priority": 2, "created_at": 1, "duplicate": False},
        {"reason": "queue_full", "detail": "full"},
    ]
    answer = await kit.post("/api/tasks/bulk", [{"description": "a"}, {"description": "b"}])
    assert answer.status == 201 and answer.json["results"][1] == {"error": "queue_full", "detail": "full"}


@with_kit()
async def test_what_is_no_list_of_tasks_is_refused_whole(kit: Kit) -> None:
    for body in ({}, {"tasks": {}}, "x", 7, [], {"tasks": []}):
        answer = await kit.post("/api/tasks/bulk", body)
        assert (answer.status, answer.json["errors"][0]["field"]) == (422, "tasks"), body
    answer = await kit.post("/api/tasks/bulk", [{"description": "x"}] * (limits.BULK_TASKS + 1))
    assert answer.status == 422 and answer.json["errors"][0]["error"] == "too_many"
    answer = await kit.post("/api/tasks/bulk", b"\n".join([b"{}"] * (limits.BULK_TASKS + 1)), headers=NDJSON)
    assert answer.status == 422 and answer.json["errors"][0]["error"] == "too_many"
    answer = await kit.post("/api/tasks/bulk", [{}, {}])
    assert answer.status == 422 and len(answer.json["results"]) == 2
    assert (await kit.post("/api/tasks/bulk", b"[1,", headers=None)).status == 400
    assert kit.hub.calls == []


@with_kit()
async def test_a_thousand_large_tasks_go_in_one_request(kit: Kit) -> None:
    kit.hub.ops["tasks.submit"] = accept()
    bodies = [{"description": "x" * 3000, "metadata": {"n": n, "list": [1, 2, 3]}} for n in range(limits.BULK_TASKS)]
    answer = await kit.post("/api/tasks/bulk", bodies)
    assert answer.status == 201 and len(answer.json["results"]) == limits.BULK_TASKS
    lines = b"\n".join(json.dumps(body).encode() for body in bodies)
    answer = await kit.post("/api/tasks/bulk", lines, headers=NDJSON)
    assert answer.status == 201 and len(answer.json["results"]) == limits.BULK_TASKS
