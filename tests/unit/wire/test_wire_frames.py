"""Frames of agents: each kind with its fields, what is refused by name, what is dropped."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wire import limits
from wire.errors import Invalid
from wire.frames import FRAMES, UNSUPPORTED, as_dict, parse_frame, shortened

VALID: list[dict[str, Any]] = [
    {"type": "identify", "agent_id": "a-1", "token": "t"},
    {"type": "identify", "agent_id": "a", "name": "Ägent 1", "status": "ok", "presence": True},
    {"type": "identify", "agent_id": "a", "capabilities": ["x", {"name": "gpu", "n": 2}]},
    {"type": "ping"},
    {"type": "list_agents"},
    {"type": "submit", "tasks": [{"description": "x"}, 7], "request_id": "r-1"},
    {"type": "identify", "agent_id": "a", "slots": 8, "batch": True},
    {"type": "status", "status": "thinking"},
    {"type": "task_accepted", "task_id": "task-0123456789abcdef"},
    {"type": "task_accepted", "task_id": "t", "generation": 3},
    {"type": "task_progress", "task_id": "t", "progress": 40},
    {"type": "task_output", "task_id": "t", "generation": 1, "seq": 1, "lines": [("out", "x")]},
    {"type": "task_complete", "task_id": "t", "generation": 1, "result": {"a": [1, {"b": None}]}, "tokens_used": 5},
    {"type": "task_complete", "task_id": "t", "generation": 1, "result": "plain text"},
    {"type": "task_failed", "task_id": "t", "generation": 1, "error": "no"},
    {"type": "task_failed", "task_id": "t", "generation": 1, "reason": "no"},
    {"type": "task_rejected", "task_id": "t", "generation": 1, "reason": "busy"},
    {"type": "task_recovering", "task_id": "t", "generation": 1, "last_status": "working"},
    {"type": "state_report", "task_id": "t", "generation": 1, "status": "working"},
    {"type": "wake_result", "task_id": "t", "status": "success"},
    {"type": "resource_report", "cpu_percent": 3.5, "ram_used_bytes": 1e9},
    {"type": "agent_restarting", "reason": "update"},
]


@pytest.mark.parametrize("frame", VALID, ids=lambda frame: str(frame["type"]))
def test_a_valid_frame_comes_out_as_it_went_in(frame: dict[str, Any]) -> None:
    assert as_dict(parse_frame(frame)) == frame


def test_every_kind_has_a_valid_example() -> None:
    assert {frame["type"] for frame in VALID} == set(FRAMES)


def test_known_and_unsupported_types_do_not_overlap() -> None:
    assert not UNSUPPORTED & FRAMES.keys()


@pytest.mark.parametrize("frame", VALID, ids=lambda frame: str(frame["type"]))
def test_unknown_fields_are_dropped_and_null_is_absent(frame: dict[str, Any]) -> None:
    """Every client adds protocol_version, and some send null for what they do not have."""
    noisy = frame | {"protocol_version": 1, "x": {"y": 1}, "verification_report": None}
    assert as_dict(parse_frame(noisy)) == frame
    optional = [field for field in ("generation", "progress", "tokens_used", "reason") if field not in frame]
    assert as_dict(parse_frame(frame | dict.fromkeys(optional))) == frame


SECRET = "s3cr3t"

INVALID: list[tuple[dict[str, Any], str, str]] = [
    ({}, "type", "required"),
    ({"type": None}, "type", "required"),
    ({"type": 7}, "type", "required"),
    ({"type": ["ping"]}, "type", "required"),
    ({"type": SECRET}, "type", "unknown_type"),
    ({"type": "identify"}, "agent_id", "required"),
    ({"type": "identify", "agent_id": f"{SECRET} b"}, "agent_id", "bad_format"),
    ({"type": "identify", "agent_id": "../x"}, "agent_id", "bad_format"),
    ({"type": "identify", "agent_id": "x\n"}, "agent_id", "bad_format"),
    ({"type": "identify", "agent_id": "x" * 129}, "agent_id", "too_long"),
    ({"type": "identify", "agent_id": "a", "name": "x" * 257}, "name", "too_long"),
    ({"type": "identify", "agent_id": "a", "name": f"{SECRET}\x1b[31m"}, "name", "bad_format"),
    ({"type": "identify", "agent_id": "a", "capabilities": "code"}, "capabilities", "wrong_type"),
    ({"type": "identify", "agent_id": "a", "capabilities": ["x"] * 51}, "capabilities", "too_many"),
    ({"type": "identify", "agent_id": "a", "capabilities": [""]}, "capabilities[0]", "invalid_name"),
    ({"type": "identify", "agent_id": "a", "capabilities": ["ok", "x" * 65]}, "capabilities[1]", "invalid_name"),
    ({"type": "identify", "agent_id": "a", "capabilities": [3]}, "capabilities[0]", "wrong_type"),
    ({"type": "identify", "agent_id": "a", "capabilities": [{"no": SECRET}]}, "capabilities[0].name", "invalid_name"),
    ({"type": "identify", "agent_id": "a", "presence": "yes"}, "presence", "wrong_type"),
    ({"type": "status"}, "status", "required"),
    ({"type": "status", "status": 7}, "status", "wrong_type"),
    ({"type": "status", "status": "x" * 257}, "status", "too_long"),
    ({"type": "task_accepted"}, "task_id", "required"),
    ({"type": "task_accepted", "task_id": SECRET * 20}, "task_id", "too_long"),
    ({"type": "task_accepted", "task_id": "a b"}, "task_id", "bad_format"),
    ({"type": "task_accepted", "task_id": "t", "generation": "1"}, "generation", "wrong_type"),
    ({"type": "task_accepted", "task_id": "t", "generation": -1}, "generation", "out_of_range"),
    ({"type": "task_accepted", "task_id": "t", "generation": 1.5}, "generation", "wrong_type"),
    ({"type": "task_accepted", "task_id": "t", "generation": True}, "generation", "wrong_type"),
    ({"type": "task_progress", "task_id": "t", "progress": 101}, "progress", "out_of_range"),
    ({"type": "task_progress", "task_id": "t", "progress": SECRET}, "progress", "wrong_type"),
    ({"type": "task_complete", "task_id": "t", "tokens_used": -1}, "tokens_used", "out_of_range"),
    ({"type": "task_complete", "task_id": "t", "result": "x" * 262_143}, "result", "too_large"),
    ({"type": "task_failed", "task_id": "t", "error": {"code": SECRET}}, "error", "wrong_type"),
    ({"type": "wake_result", "task_id": "t"}, "status", "required"),
    ({"type": "resource_report", "cpu_percent": SECRET}, "cpu_percent", "wrong_type"),
]


@pytest.mark.parametrize(("frame", "field", "code"), INVALID, ids=lambda value: str(value)[:30])
def test_a_fault_is_named_by_field_and_rule_and_its_value_is_not_repeated(
    frame: dict[str, Any], field: str, code: str
) -> None:
    with pytest.raises(Invalid) as raised:
        parse_frame(frame)
    [error] = raised.value.errors
    assert (error.field, error.error) == (field, code)
    assert SECRET not in repr(error) and error.detail


def test_every_faulty_field_is_listed() -> None:
    with pytest.raises(Invalid) as raised:
        parse_frame({"type": "task_complete", "task_id": 3, "generation": "x", "tokens_used": -1})
    assert [error.field for error in raised.value.errors] == ["task_id", "generation", "tokens_used"]


def test_a_result_may_have_exactly_its_limit() -> None:
    frame = {"type": "task_complete", "task_id": "t", "result": "x" * (limits.RESULT_BYTES - 2)}
    assert as_dict(parse_frame(frame))["result"] == frame["result"]


def test_a_long_error_is_cut_and_not_refused() -> None:
    """The report of a failure must not get lost for its length; both ends are kept."""
    text = "begin" + "x" * 5000 + "end"
    cut = as_dict(parse_frame({"type": "task_failed", "task_id": "t", "error": text}))["error"]
    assert len(cut) == limits.ERROR_CHARS and cut.startswith("begin") and cut.endswith("end")
    assert shortened("x" * limits.ERROR_CHARS) == "x" * limits.ERROR_CHARS


def test_progress_is_a_whole_number_for_the_hub() -> None:
    assert as_dict(parse_frame({"type": "task_progress", "task_id": "t", "progress": 33.4}))["progress"] == 33


FIELDS = st.sampled_from(sorted({name for frame in VALID for name in frame} | {"extra"} - {"type"}))
SCALAR = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9) | st.text(max_size=8)
OBJECT = st.dictionaries(st.text(max_size=4), SCALAR, max_size=2)


@settings(max_examples=1500, deadline=None)
@given(
    st.sampled_from(sorted(FRAMES)),
    st.dictionaries(FIELDS, SCALAR | OBJECT | st.lists(SCALAR | OBJECT, max_size=3), max_size=8),
)
def test_any_object_is_parsed_or_refused(type_: str, fields: dict[str, Any]) -> None:
    """Lesson 72: an array, a number or a surprise in a field crashed the connection."""
    try:
        frame = parse_frame({**fields, "type": type_})
    except Invalid as error:
        assert error.errors and all(one.field and one.error and one.detail for one in error.errors)
    else:
        assert as_dict(frame)["type"] == type_
