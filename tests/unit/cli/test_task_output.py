"""``agentcom task output``: lines on the stream that they came from, safe for a terminal, followed to the end."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agentcom.cli import task_output
from tests.unit.cli.scripted_hub import Call, ScriptedHub

OUTPUT = ("GET", "/api/dashboard/tasks/t/output")
TASK = ("GET", "/api/tasks/t")


def page(first: int, *lines: str, generation: int | None = 1, stream: str = "out") -> tuple[int, dict[str, Any]]:
    parts = [{"first_seq": first, "lines": [[stream, line] for line in lines]}] if lines else []
    last = first + len(lines) - 1
    about = {"generation": generation, "agent_id": "a", "kept_from": 1, "last_seq": last, "attempts": []}
    return 200, {**about, "parts": parts}


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_output, "FOLLOW_S", 0.0)


def test_lines_go_to_the_stream_that_they_came_from(hub: ScriptedHub, call: Call) -> None:
    hub.routes[OUTPUT] = (200, {**page(1, "a")[1], "parts": [{"first_seq": 1, "lines": [["out", "a"], ["err", "b"]]}]})
    result = call("task", "output", "t")
    assert (result.status, result.out, result.err) == (0, "a\n", "b\n")


def test_nothing_in_a_line_reaches_the_terminal_as_an_order(hub: ScriptedHub, call: Call) -> None:
    hub.routes[OUTPUT] = page(1, "\x1b[31mred\x1b[0m", "\x1b]0;title\x07x", "\x1b[2Jy")
    assert call("task", "output", "t").out == "red\nx\ny\n"


def test_a_task_that_has_not_printed_says_so(hub: ScriptedHub, call: Call) -> None:
    hub.routes[OUTPUT] = page(1, generation=None)
    hub.routes[TASK] = (200, {"status": "queued"})
    result = call("task", "output", "t")
    assert (result.status, result.out) == (0, "") and "nothing yet" in result.err


def test_json_is_one_object_a_line(hub: ScriptedHub, call: Call) -> None:
    hub.routes[OUTPUT] = page(7, "a", "b")
    lines = [json.loads(line) for line in call("task", "output", "t", "--json").out.splitlines()]
    assert [(line["seq"], line["stream"], line["text"]) for line in lines] == [(7, "out", "a"), (8, "out", "b")]


@pytest.mark.parametrize(("end", "status"), [("completed", 0), ("dead_letter", 1)])
def test_following_prints_each_line_once_and_ends_with_the_task(
    hub: ScriptedHub, call: Call, end: str, status: int
) -> None:
    hub.routes[TASK] = [(200, {"status": "assigned"}), (200, {"status": "assigned"}), (200, {"status": end})]
    hub.routes[OUTPUT] = [page(1, "a", "b"), page(3), page(3, "c"), page(4)]
    result = call("task", "output", "t", "--follow")
    assert (result.status, result.out) == (status, "a\nb\nc\n")


def test_lines_that_were_lost_are_told_of(hub: ScriptedHub, call: Call) -> None:
    hub.routes[TASK] = [(200, {"status": "assigned"}), (200, {"status": "completed"})]
    hub.routes[OUTPUT] = [page(1, "a"), page(5, "b"), page(6)]
    result = call("task", "output", "t", "--follow")
    assert result.out == "a\nb\n" and "3 lines are missing" in result.err


def test_the_next_attempt_is_followed_from_its_begin(hub: ScriptedHub, call: Call) -> None:
    hub.routes[TASK] = [(200, {"status": "assigned"}), (200, {"status": "assigned"}), (200, {"status": "completed"})]
    hub.routes[OUTPUT] = [
        page(1, "one"),
        page(2, generation=3),
        page(1, "again one", "two", generation=3),
        page(3, generation=3),
    ]
    result = call("task", "output", "t", "--follow")
    assert result.out == "one\nagain one\ntwo\n" and "attempt 3" in result.err
