"""What an agent said while the hub was away, or just before it died, is said again."""

from __future__ import annotations

from typing import Any

import pytest

from web.unanswered import Unanswered
from wire.answers import answered_by


def complete(task_id: str = "t1", **more: Any) -> dict[str, Any]:
    return {"type": "task_complete", "task_id": task_id, "generation": 1, **more}


def again(unanswered: Unanswered, now: float = 0.0) -> list[dict[str, Any]]:
    return list(unanswered.send_again(now))


def settle(unanswered: Unanswered, reply: dict[str, Any]) -> None:
    answered = answered_by(reply)
    if answered is not None:
        unanswered.answered(*answered)


REPLIES = [
    ({"type": "task_accepted", "task_id": "t1"}, {"type": "task_ack", "task_id": "t1", "status": "accepted"}),
    (
        {"type": "task_accepted", "task_id": "t1"},
        {"type": "error", "task_id": "t1", "error": "task_accept_failed: not_found"},
    ),
    (complete(), {"type": "task_ack", "task_id": "t1", "status": "complete"}),
    (complete(), {"type": "error", "task_id": "t1", "error": "task_complete_failed: stale_generation"}),
    ({"type": "task_failed", "task_id": "t1"}, {"type": "task_ack", "task_id": "t1", "status": "retried"}),
    ({"type": "task_failed", "task_id": "t1"}, {"type": "task_ack", "task_id": "t1", "status": "dead_letter"}),
    (
        {"type": "task_failed", "task_id": "t1"},
        {"type": "error", "task_id": "t1", "error": "task_fail_failed: not_found"},
    ),
    ({"type": "task_rejected", "task_id": "t1"}, {"type": "task_ack", "task_id": "t1", "status": "rejected"}),
    ({"type": "task_recovering", "task_id": "t1"}, {"type": "task_continue", "task_id": "t1", "generation": 1}),
    ({"type": "task_recovering", "task_id": "t1"}, {"type": "task_reassign", "task_id": "t1"}),
    ({"type": "state_report", "task_id": "t1"}, {"type": "state_report_ack", "task_id": "t1", "action": "abort"}),
    ({"type": "status", "status": "x"}, {"type": "status_updated"}),
]


@pytest.mark.parametrize(("frame", "reply"), REPLIES)
def test_a_reply_settles_its_frame(frame: dict[str, Any], reply: dict[str, Any]) -> None:
    unanswered = Unanswered(8, 8000)
    assert unanswered.keep(frame, 50, sent_at=0.0)
    settle(unanswered, reply)
    assert again(unanswered) == []


@pytest.mark.parametrize(("frame", "reply"), REPLIES)
def test_a_reply_about_something_else_does_not(frame: dict[str, Any], reply: dict[str, Any]) -> None:
    unanswered = Unanswered(8, 8000)
    unanswered.keep(frame, 50, sent_at=0.0)
    for other, _ in REPLIES:
        if other["type"] != frame["type"]:
            settle(unanswered, next(answer for sent, answer in REPLIES if sent["type"] == other["type"]))
    settle(unanswered, {**reply, "task_id": "t2"} if "task_id" in reply else {"type": "pong"})
    settle(unanswered, {"type": "task_assign", "task_id": "t1"})
    assert again(unanswered) == [frame]


def test_frames_are_repeated_in_their_order_and_again_until_answered() -> None:
    unanswered = Unanswered(8, 8000)
    frames = [{"type": "task_accepted", "task_id": "t1"}, complete(), complete("t2")]
    for frame in frames:
        unanswered.keep(frame, 50, sent_at=0.0)
    assert again(unanswered) == frames
    settle(unanswered, {"type": "task_ack", "task_id": "t1", "status": "complete"})
    assert again(unanswered) == [frames[0], frames[2]]


def test_frames_without_an_answer_are_kept_only_until_they_are_sent() -> None:
    unanswered = Unanswered(8, 8000)
    progress = {"type": "task_progress", "task_id": "t1", "progress": 3}
    assert unanswered.keep(progress, 50, sent_at=0.0) and len(unanswered) == 0
    assert unanswered.keep(progress, 50, sent_at=None)
    assert again(unanswered) == [progress] and again(unanswered) == []


def test_a_full_store_refuses_while_the_hub_is_away_and_forgets_the_oldest_while_it_is_there() -> None:
    unanswered = Unanswered(3, 8000)
    assert all(unanswered.keep(complete(f"t{n}"), 50, sent_at=None) for n in range(3))
    assert not unanswered.keep(complete("t3"), 50, sent_at=None)
    assert unanswered.keep(complete("t3"), 50, sent_at=1.0)
    assert [frame["task_id"] for frame in again(unanswered)] == ["t1", "t2", "t3"]


def test_bytes_are_bounded_too_but_a_lone_result_always_fits() -> None:
    unanswered = Unanswered(64, 1000)
    assert unanswered.keep(complete("t1"), 5000, sent_at=None)
    assert not unanswered.keep(complete("t2"), 10, sent_at=None)
    settle(unanswered, {"type": "task_ack", "task_id": "t1", "status": "complete"})
    assert unanswered.keep(complete("t2"), 900, sent_at=None)
    assert not unanswered.keep(complete("t3"), 101, sent_at=None)
    assert unanswered.keep(complete("t3"), 100, sent_at=None)


def test_a_result_that_the_hub_left_unanswered_is_sent_once_more_after_a_while() -> None:
    """The actor that got it may have died with it while the link stayed."""
    unanswered = Unanswered(8, 8000)
    unanswered.keep(complete(), 50, sent_at=100.0)
    unanswered.keep({"type": "task_rejected", "task_id": "t2"}, 50, sent_at=100.0)
    assert list(unanswered.overdue(105.0, 10.0)) == []
    assert list(unanswered.overdue(110.0, 10.0)) == [complete()], "only what names its generation"
    assert list(unanswered.overdue(115.0, 10.0)) == []
    assert list(unanswered.overdue(120.0, 10.0)) == [complete()]
