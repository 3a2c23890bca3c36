"""Bodies of tasks and queries: the rules of each field, and what is handed to the queue."""

from __future__ import annotations

from typing import Any

import pytest

from wire import limits
from wire.bodies import CreateTokenBody, HeartbeatIntervalBody, RegisterBody
from wire.errors import Invalid
from wire.parsing import Body, parse
from wire.queries import PageQuery, TaskQuery
from wire.roles import Role
from wire.tasks import PushTaskBody, parse_new_task, submission


def errors_of(kind: type[Body], value: object) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as raised:
        parse(kind, value)
    return [(error.field, error.error) for error in raised.value.errors]


def task_errors(**fields: Any) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as raised:
        parse_new_task({"description": "x", **fields})
    return [(error.field, error.error) for error in raised.value.errors]


def test_the_smallest_task_gets_every_default() -> None:
    assert submission(parse_new_task({"description": "x"})) == {
        "description": "x",
        "priority": 2,
        "metadata": {},
        "needed_capabilities": [],
        "max_retries": 3,
    }


def test_a_full_task_is_handed_on_whole() -> None:
    body = {
        "description": "Say héllo\n\tand more",
        "priority": "urgent",
        "metadata": {"a": {"b": [1, 2.5, None]}},
        "needed_capabilities": ["code", "gpu", "code"],
        "max_retries": 0,
        "complete_by": 1_800_000_000_000,
        "assign_to": "agent-1",
        "idempotency_key": "k-1",
        "repo": "https://example.test/x.git",
        "file_hints": ["a.py", {"path": "b.py"}],
        "skip_verification": True,
        "goal_id": None,
        "unknown": "dropped",
    }
    fields = submission(parse_new_task(body))
    assert fields["needed_capabilities"] == ["code", "gpu"], "each once"
    assert fields["extras"] == {name: body[name] for name in ("repo", "file_hints", "skip_verification")}
    for name in ("description", "metadata", "max_retries", "complete_by", "assign_to", "idempotency_key"):
        assert fields[name] == body[name]
    assert fields["priority"] == 0 and "unknown" not in fields and "goal_id" not in fields


@pytest.mark.parametrize(
    ("value", "lane"),
    [("urgent", 0), ("critical", 0), ("high", 1), ("normal", 2), ("low", 3), (0, 0), (3, 3), ("1", 1), (None, 2)],
)
def test_priorities(value: object, lane: int) -> None:
    """Lesson 25: critical, and integers, silently meant normal."""
    assert submission(parse_new_task({"description": "x", "priority": value}))["priority"] == lane


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"description": None}, "description", "required"),
        ({"description": ""}, "description", "bad_format"),
        ({"description": " \n\t "}, "description", "bad_format"),
        ({"description": "a\x00b"}, "description", "bad_format"),
        ({"description": "a\x1b[2Jb"}, "description", "bad_format"),
        ({"description": 7}, "description", "wrong_type"),
        ({"description": "x" * 10_001}, "description", "too_long"),
        ({"priority": "soon"}, "priority", "unknown_value"),
        ({"priority": 4}, "priority", "unknown_value"),
        ({"priority": -1}, "priority", "unknown_value"),
        ({"priority": 1.5}, "priority", "wrong_type"),
        ({"priority": True}, "priority", "wrong_type"),
        ({"metadata": []}, "metadata", "wrong_type"),
        ({"metadata": {"k": "x" * 16_377}}, "metadata", "too_large"),
        ({"needed_capabilities": "code"}, "needed_capabilities", "wrong_type"),
        ({"needed_capabilities": ["x" * 65]}, "needed_capabilities[0]", "too_long"),
        ({"needed_capabilities": [{}]}, "needed_capabilities[0]", "wrong_type"),
        ({"needed_capabilities": ["a"] * 51}, "needed_capabilities", "too_many"),
        ({"max_retries": -1}, "max_retries", "out_of_range"),
        ({"max_retries": 101}, "max_retries", "out_of_range"),
        ({"max_retries": "3"}, "max_retries", "wrong_type"),
        ({"max_retries": True}, "max_retries", "wrong_type"),
        ({"complete_by": -5}, "complete_by", "out_of_range"),
        ({"complete_by": "tomorrow"}, "complete_by", "wrong_type"),
        ({"assign_to": "a b"}, "assign_to", "bad_format"),
        ({"idempotency_key": "a b"}, "idempotency_key", "bad_format"),
        ({"idempotency_key": "x" * 201}, "idempotency_key", "too_long"),
        ({"depends_on": ["task-1"]}, "depends_on", "not_supported"),
        ({"goal_id": "g"}, "goal_id", "not_supported"),
        ({"file_hints": ["x"] * 101}, "file_hints", "too_many"),
        ({"file_hints": [{"x": "y" * 70_000}]}, "body", "too_large"),
        ({"repo": "x" * 513}, "repo", "too_long"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_bad_field_is_named(fields: dict[str, Any], field: str, code: str) -> None:
    """Lessons 16 and 17: such values were stored and crashed the scheduler."""
    assert (field, code) in task_errors(**fields)


def test_limits_hold_to_the_unit() -> None:
    assert parse_new_task({"description": "x" * 10_000})
    assert parse_new_task({"description": "x", "metadata": {"k": "x" * (limits.METADATA_BYTES - len('{"k":""}'))}})
    assert parse_new_task({"description": "x", "metadata": {"k": "é" * ((limits.METADATA_BYTES - 8) // 2)}})
    assert parse_new_task({"description": "x", "needed_capabilities": [f"c{n}" for n in range(50)], "depends_on": []})


@pytest.mark.parametrize("value", [[], 7, "x", None, True])
def test_what_is_no_object_is_no_task(value: object) -> None:
    with pytest.raises(Invalid) as raised:
        parse_new_task(value, "tasks[2].")
    assert [(error.field, error.error) for error in raised.value.errors] == [("tasks[2]", "wrong_type")]


def test_errors_of_one_of_many_say_which() -> None:
    with pytest.raises(Invalid) as raised:
        parse_new_task({"priority": []}, "tasks[7].")
    assert {error.field for error in raised.value.errors} == {"tasks[7].description", "tasks[7].priority"}


def test_at_most_twenty_errors_are_listed() -> None:
    with pytest.raises(Invalid) as raised:
        parse(TwentyOne, {f"f{n}": 1 for n in range(21)})
    assert len(raised.value.errors) == limits.FIELD_ERRORS


TwentyOne: type[Body] = type("TwentyOne", (Body,), {"__annotations__": {f"f{n}": str for n in range(21)}})


# --- the other bodies -----------------------------------------------------------------------------------------------


def test_other_bodies() -> None:
    assert parse(CreateTokenBody, {"agent_id": "a"}).role is Role.AGENT
    assert parse(CreateTokenBody, {"agent_id": "a", "role": "operator"}).role is Role.OPERATOR
    assert errors_of(CreateTokenBody, {"agent_id": "a", "role": "root"}) == [("role", "unknown_value")]
    assert errors_of(CreateTokenBody, {"agent_id": "a/b"}) == [("agent_id", "bad_format")]
    assert errors_of(RegisterBody, {"code": ""}) == [("agent_id", "required"), ("code", "too_short")]
    assert errors_of(PushTaskBody, {"description": "x"}) == [("agent_id", "required")]
    for bad in (0, -1, "x", 1.5, None, True):
        assert errors_of(HeartbeatIntervalBody, {"heartbeat_interval_ms": bad})


def test_queries() -> None:
    query = parse(TaskQuery, {"status": "dead_letter", "priority": "high", "limit": "5", "cursor": "2-77"})
    assert (query.status, query.lane, query.page_size, query.cursor) == ("dead_letter", 1, 5, "2-77")
    assert parse(TaskQuery, {"priority": "0"}).lane == 0
    assert parse(PageQuery, {}).page_size == 100
    for name, bad in [
        *[("status", text) for text in ("nonsense", "QUEUED")],
        *[("priority", text) for text in ("nonsense", "4", "-1", "٣")],
        *[("limit", text) for text in ("0", "501", "abc", "-1", "1.5", "9" * 30, "٣")],
        *[("cursor", text) for text in ("\x00", "x", "1", "1-", "-1-2", "9" * 30 + "-1", "1-2\n")],
        *[("capability", text) for text in ("x" * 65, "a\nb")],
        ("assigned_to", "a b"),
    ]:
        assert errors_of(TaskQuery, {name: bad})[0][0] == name, bad
