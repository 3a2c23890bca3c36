"""Every cell of the protocol's state machine, without a socket or a process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sidecar.journal import Attempt
from sidecar.options import OptionsError, SidecarOptions, websocket_url
from sidecar.outcome import Outcome
from sidecar.session import (
    TRANSITIONS,
    Effect,
    Identified,
    Kill,
    Note,
    Quit,
    Remind,
    Save,
    Send,
    Session,
    Start,
    State,
    attempt_from,
)

OPTIONS = SidecarOptions("127.0.0.1:4000", "tester", ("shell",), ("true",), "token", Path("unused"))
ASSIGN = {"type": "task_assign", "task_id": "task-1", "generation": 3, "description": "do it", "metadata": {"k": 1}}
OTHER = {**ASSIGN, "task_id": "task-2"}
ORDER = {name: value for name, value in ASSIGN.items() if name != "type"}
ATTEMPT = Attempt("task-1", 3, ORDER)
DONE = Outcome(result={"ok": True}, tokens_used=7)


def session_in(state: State, outcome: Outcome = DONE) -> Session:
    if state is State.RECOVERING:
        session = Session(OPTIONS, ATTEMPT)
        session.received({"type": "identified"})
        return session
    session = Session(OPTIONS)
    if state is State.DISCONNECTED:
        return session
    session.received({"type": "identified"})
    if state in (State.RUNNING, State.REPORTING):
        session.received(ASSIGN)
    if state is State.REPORTING:
        session.ended(ATTEMPT.key, outcome)
    assert session.state is state
    return session


def sent(effects: list[Effect]) -> list[dict[str, Any]]:
    return [effect.frame for effect in effects if isinstance(effect, Send)]


def only_sent(effects: list[Effect]) -> dict[str, Any]:
    (frame,) = sent(effects)
    assert frame.pop("protocol_version") == 1
    return frame


def error(text: str, task_id: str = "task-1") -> dict[str, Any]:
    return {"type": "error", "error": text, "task_id": task_id}


def test_the_token_goes_into_the_identify_frame() -> None:
    frame = only_sent(session_in(State.DISCONNECTED).opened())
    assert frame["type"] == "identify"
    assert (frame["agent_id"], frame["token"], frame["capabilities"]) == ("tester", "token", ["shell"])


def test_a_task_is_journalled_before_it_is_accepted_and_accepted_before_it_runs() -> None:
    effects = session_in(State.IDLE).received(ASSIGN)
    assert [type(effect) for effect in effects] == [Save, Send, Start]
    assert effects[0] == Save(ATTEMPT) and effects[2] == Start(ATTEMPT)
    assert only_sent(effects) == {"type": "task_accepted", "task_id": "task-1", "generation": 3}


def test_a_result_is_journalled_before_it_is_reported() -> None:
    effects = session_in(State.RUNNING).ended(ATTEMPT.key, DONE)
    assert effects[0] == Save(ATTEMPT.ended(DONE))
    assert only_sent(effects) == {
        "type": "task_complete",
        "task_id": "task-1",
        "generation": 3,
        "result": {"ok": True},
        "tokens_used": 7,
    }


def test_a_failure_is_reported_with_its_error() -> None:
    frame = only_sent(session_in(State.RUNNING).ended(ATTEMPT.key, Outcome.failure("no")))
    assert frame == {"type": "task_failed", "task_id": "task-1", "generation": 3, "error": "no"}


@pytest.mark.parametrize("status", ["complete", "retried", "dead_letter"])
def test_only_a_final_ack_empties_the_hands(status: str) -> None:
    session = session_in(State.REPORTING)
    assert session.received({"type": "task_ack", "task_id": "task-1", "status": "accepted", "generation": 3}) == []
    assert session.received({"type": "task_ack", "task_id": "task-1", "status": status, "generation": 2}) == []
    assert Save(None) in session.received({"type": "task_ack", "task_id": "task-1", "status": status, "generation": 3})
    assert session.state is State.IDLE


@pytest.mark.parametrize("reason", ["stale_generation", "not_found", "invalid_state"])
@pytest.mark.parametrize("code", ["task_complete_failed", "task_fail_failed"])
def test_a_refused_report_is_dropped(code: str, reason: str) -> None:
    session = session_in(State.REPORTING)
    effects = session.received(error(f"{code}: {reason}"))
    assert Save(None) in effects and Kill() not in effects
    assert session.state is State.IDLE


def test_a_report_that_the_hub_cannot_take_now_is_sent_again_later() -> None:
    session = session_in(State.REPORTING)
    assert any(isinstance(e, Remind) for e in session.received(error("task_complete_failed: hub_unavailable")))
    assert only_sent(session.reminded())["type"] == "task_complete"


def test_a_result_that_the_hub_finds_malformed_becomes_a_failure_and_then_nothing() -> None:
    session = session_in(State.REPORTING)
    refused = error("validation_failed")
    assert sent(session.received({**refused, "message_type": "task_progress"})) == []
    assert only_sent(session.received({**refused, "message_type": "task_complete"}))["type"] == "task_failed"
    assert Save(None) in session.received({**refused, "message_type": "task_failed"})


def test_an_error_about_another_task_changes_nothing() -> None:
    session = session_in(State.REPORTING)
    assert sent(session.received(error("task_complete_failed: not_found", "task-9"))) == []
    assert session.state is State.REPORTING


def test_an_unconfirmed_result_is_reported_again_after_reconnecting() -> None:
    session = session_in(State.REPORTING)
    session.closed(1006)
    assert session.state is State.DISCONNECTED
    effects = session.received({"type": "identified"})
    assert effects[0] == Identified()
    assert only_sent(effects)["type"] == "task_complete"


def test_a_result_that_came_while_disconnected_is_reported_on_return() -> None:
    session = session_in(State.RUNNING)
    session.closed(None)
    assert session.ended(ATTEMPT.key, DONE) == [Save(ATTEMPT.ended(DONE))]
    assert only_sent(session.received({"type": "identified"}))["type"] == "task_complete"


def test_a_running_child_is_reported_after_reconnecting() -> None:
    session = session_in(State.RUNNING)
    session.closed(None)
    frame = only_sent(session.received({"type": "identified"}))
    assert frame == {"type": "state_report", "task_id": "task-1", "generation": 3, "status": "working"}
    assert session.received({"type": "state_report_ack", "task_id": "task-1", "action": "continue"}) == []
    assert session.state is State.RUNNING


def test_abort_kills_and_drops() -> None:
    session = session_in(State.RUNNING)
    effects = session.received({"type": "state_report_ack", "task_id": "task-1", "action": "abort"})
    assert effects[:2] == [Kill(), Save(None)]
    assert session.ended(ATTEMPT.key, DONE) == []  # the child's last word interests nobody


def test_an_abort_of_an_earlier_attempt_leaves_this_one_alone() -> None:
    session = session_in(State.RUNNING)
    about = {"task_id": "task-1", "generation": ATTEMPT.generation - 1}
    assert session.received({"type": "state_report_ack", **about, "action": "abort"}) == []
    assert session.state is State.RUNNING


def test_a_refused_acceptance_kills_and_drops() -> None:
    session = session_in(State.RUNNING)
    effects = session.received(error("task_accept_failed: stale_generation"))
    assert Kill() in effects and session.state is State.IDLE


@pytest.mark.parametrize("state", [State.RUNNING, State.REPORTING, State.RECOVERING])
def test_cancel_drops_without_a_report(state: State) -> None:
    session = session_in(state)
    effects = session.received({"type": "task_cancelled", "task_id": "task-1", "timestamp": 1})
    assert sent(effects) == [] and Save(None) in effects
    assert (Kill() in effects) is (state is State.RUNNING)
    assert session.state is State.IDLE


@pytest.mark.parametrize("state", [State.RUNNING, State.REPORTING, State.RECOVERING])
def test_a_second_task_is_rejected_as_busy_and_the_one_in_hand_ignored(state: State) -> None:
    session = session_in(state)
    frame = only_sent(session.received(OTHER))
    assert frame == {"type": "task_rejected", "task_id": "task-2", "generation": 3, "reason": "busy"}
    assert session.received(ASSIGN) == []
    assert session.state is state


def test_a_task_whose_sidecar_died_is_reported_as_crashed_and_dropped_when_reassigned() -> None:
    session = Session(OPTIONS, ATTEMPT)
    frame = only_sent(session.received({"type": "identified"}))
    assert frame == {"type": "task_recovering", "task_id": "task-1", "generation": 3, "last_status": "crashed"}
    assert Save(None) in session.received({"type": "task_reassign", "task_id": "task-1"})
    assert session.state is State.IDLE


def test_task_continue_runs_it_again_under_the_generation_told() -> None:
    session = session_in(State.RECOVERING)
    effects = session.received({"type": "task_continue", "task_id": "task-1", "generation": 4})
    again = Attempt("task-1", 4, {**ORDER, "generation": 4})
    assert effects[0] == Save(again) and effects[2] == Start(again)
    assert session.state is State.RUNNING


def test_a_stopped_task_is_given_back_and_no_other_taken() -> None:
    session = session_in(State.RUNNING)
    session.stopping()
    frame = only_sent(session.stopped())
    assert frame == {"type": "task_rejected", "task_id": "task-1", "generation": 3, "reason": "stopping"}
    assert only_sent(session.received(OTHER))["reason"] == "stopping"


@pytest.mark.parametrize("state", [State.IDLE, State.REPORTING, State.RECOVERING, State.DISCONNECTED])
def test_stopping_without_a_child_gives_nothing_back(state: State) -> None:
    assert session_in(state).stopped() == []


def test_progress_is_sent_only_for_the_attempt_in_hand() -> None:
    session = session_in(State.RUNNING)
    assert only_sent(session.progressed(ATTEMPT.key, 40))["progress"] == 40
    assert session.progressed(("task-1", 2), 41) == []
    session.closed(None)
    assert session.progressed(ATTEMPT.key, 42) == []


@pytest.mark.parametrize("code", [4401, 4403])
def test_a_refused_token_ends_with_what_to_type(code: int) -> None:
    (effect,) = session_in(State.IDLE).closed(code)
    assert isinstance(effect, Quit) and effect.exit_code == 4
    assert "agentcom token create tester --role agent" in effect.message


def test_an_invalid_token_error_ends_at_once() -> None:
    (effect,) = session_in(State.DISCONNECTED).received({"type": "error", "error": "invalid_token"})
    assert isinstance(effect, Quit) and effect.exit_code == 4


def test_being_replaced_ends() -> None:
    (effect,) = session_in(State.RUNNING).closed(4409)
    assert isinstance(effect, Quit) and effect.exit_code == 5


@pytest.mark.parametrize(
    "change",
    [
        {"task_id": ""},
        {"task_id": "a\x00b"},
        {"task_id": "x" * 65},
        {"task_id": 5},
        {"generation": "3"},
        {"generation": True},
        {"generation": -1},
        {"description": None},
        {"metadata": []},
    ],
)
def test_a_malformed_assignment_is_ignored(change: dict[str, Any]) -> None:
    assert attempt_from({**ASSIGN, **change}) is None
    session = session_in(State.IDLE)
    assert all(isinstance(effect, Note) for effect in session.received({**ASSIGN, **change}))
    assert session.state is State.IDLE


FRAMES = ["identified", "task_assign", "task_ack", "task_cancelled", "task_continue", "task_reassign"]
FRAMES += ["state_report_ack", "error", "pong", "agent_joined", "no_such_type"]


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("kind", FRAMES)
def test_a_frame_without_a_row_has_no_effect(state: State, kind: str) -> None:
    session = session_in(state)
    effects = session.received({**ASSIGN, "type": kind})
    if (state, kind) not in TRANSITIONS:
        assert effects == [] and session.state is state


def test_a_frame_without_a_type_has_no_effect() -> None:
    assert session_in(State.IDLE).received({}) == []
    assert session_in(State.IDLE).received({"type": ["task_assign"]}) == []


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("localhost:4000", "ws://localhost:4000/ws"),
        ("http://h:1/", "ws://h:1/ws"),
        ("https://h", "wss://h/ws"),
        ("ws://h:1/ws", "ws://h:1/ws"),
        ("wss://h/hub/", "wss://h/hub/ws"),
        ("http://[::1]:4000", "ws://[::1]:4000/ws"),
    ],
)
def test_a_hub_address_is_understood_as_people_write_it(written: str, meant: str) -> None:
    assert websocket_url(written) == meant


@pytest.mark.parametrize("written", ["ftp://h", "http://", "http://user:pass@h"])
def test_what_is_no_hub_address_is_refused(written: str) -> None:
    with pytest.raises(OptionsError):
        websocket_url(written)
