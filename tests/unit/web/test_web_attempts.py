"""Attempts, read from a task's history: each with its agent, its times and its end."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from web.attempts import attempts_of


def task(*entries: tuple[str, int, Any], generation: int = 0, accepted_at: int | None = None) -> dict[str, Any]:
    """``entries`` oldest first."""
    history = [{"event": event, "timestamp": at, "details": details} for event, at, details in reversed(entries)]
    return {"history": history, "generation": generation, "accepted_at": accepted_at}


def given_to(agent_id: str, generation: int) -> dict[str, Any]:
    return {"agent_id": agent_id, "generation": generation}


def test_a_task_that_waits_has_no_attempt() -> None:
    assert attempts_of(task(("queued", 100, "submitted"))) == []


def test_three_attempts_of_two_agents_have_three_ends() -> None:
    found = attempts_of(
        task(
            ("queued", 100, "submitted"),
            ("assigned", 150, given_to("a", 1)),
            ("retry", 400, "no luck"),
            ("assigned", 900, given_to("b", 3)),
            ("reclaimed", 1000, "agent_lost"),
            ("assigned", 1100, given_to("a", 5)),
            ("completed", 1500, {"tokens_used": 7}),
            generation=5,
            accepted_at=1120,
        )
    )
    assert [(one["agent_id"], one["generation"], one["outcome"], one["reason"]) for one in found] == [
        ("a", 1, "failed", "no luck"),
        ("b", 3, "taken_back", "agent_lost"),
        ("a", 5, "completed", None),
    ]
    assert [(one["waited_ms"], one["duration_ms"]) for one in found] == [(50, 250), (500, 100), (100, 400)]
    assert [one["accepted_at"] for one in found] == [None, None, 1120]
    assert found[2]["tokens_used"] == 7


def test_the_attempt_that_runs_has_no_end() -> None:
    [one] = attempts_of(task(("queued", 1, "submitted"), ("assigned", 5, given_to("a", 1)), generation=1))
    assert (one["outcome"], one["ended_at"], one["duration_ms"]) == ("running", None, None)


def test_a_history_that_was_cut_begins_with_the_attempt_that_is_left() -> None:
    [one] = attempts_of(task(("retry", 5, "cut off before"), ("assigned", 9, given_to("a", 8)), generation=8))
    assert (one["generation"], one["waited_ms"]) == (8, 4)


def test_who_cancelled_is_the_reason() -> None:
    [one] = attempts_of(
        task(("assigned", 5, given_to("a", 1)), ("cancelled", 9, {"by": "ops", "previous_status": "assigned"}))
    )
    assert (one["outcome"], one["reason"]) == ("cancelled", "by ops")


@given(st.lists(st.integers(0, 1000), min_size=7, max_size=7), st.integers(0, 1000))
def test_no_duration_is_negative_whatever_the_clock_did(times: list[int], accepted_at: int) -> None:
    kinds = ["queued", "assigned", "retry", "assigned", "reclaimed", "assigned", "completed"]
    details = [None, given_to("a", 1), "x", given_to("b", 3), "lost", given_to("c", 5), {}]
    entries = zip(kinds, times, details, strict=True)
    found = attempts_of(task(*entries, generation=5, accepted_at=accepted_at))
    assert len(found) == 3
    for one in found:
        assert one["waited_ms"] >= 0
        assert one["duration_ms"] >= 0
        assert one["accepted_at"] is None or one["assigned_at"] <= one["accepted_at"] <= one["ended_at"]
    assert all(one["ended_at"] <= other["assigned_at"] for one, other in pairwise(found))
