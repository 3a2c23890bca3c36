"""The pure supervisor against a scripted world: what it starts and stops, in which order, and when it gives up."""

from __future__ import annotations

from collections import deque

import pytest

from supervision.core import SupervisorCore
from supervision.core_messages import (
    Begin,
    ChildCounts,
    CountChildrenRequest,
    DeleteChildRequest,
    Exit,
    Failure,
    Ready,
    RestartChildRequest,
    StartChild,
    StartChildRequest,
    Started,
    StopChild,
    StopRequested,
    TerminateChildRequest,
    WhichChildrenRequest,
)
from supervision.exits import ExitReason, Killed, Normal, Shutdown
from supervision.spec import (
    AutoShutdown,
    ChildSpec,
    Restart,
    SpecError,
    Strategy,
    SupervisorFlags,
)
from tests.unit.supervision.world import DIE, World, spec, world

ABC = [spec("a"), spec("b"), spec("c")]


def test_children_start_in_order_and_stop_in_reverse() -> None:
    made = World(SupervisorFlags(), ABC)
    made.feed(Begin())
    made.feed(StopRequested(Shutdown()))
    assert made.log == ["start a", "start b", "start c", "ready", "stop c", "stop b", "stop a"]
    assert made.exit == Exit(Shutdown())


def test_a_failed_start_rolls_back_and_starts_nothing_after_it() -> None:
    made = World(SupervisorFlags(), ABC)
    made.outcomes["b"] = deque(["fail"])
    made.feed(Begin())
    assert made.log == ["start a", "fail b", "stop a"]
    assert made.exit is not None and made.exit.start_failed


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        (Strategy.ONE_FOR_ONE, ["start b"]),
        (Strategy.REST_FOR_ONE, ["stop c", "start b", "start c"]),
        (Strategy.ONE_FOR_ALL, ["stop c", "stop a", "start a", "start b", "start c"]),
    ],
)
def test_a_death_restarts_what_the_strategy_says(strategy: Strategy, expected: list[str]) -> None:
    made = world(strategy, *ABC)
    made.die("b")
    assert made.log == expected


@pytest.mark.parametrize("reason", [Normal(), Shutdown(), Shutdown("x"), DIE, Killed()])
@pytest.mark.parametrize("restart", list(Restart))
def test_every_restart_type_meets_every_reason(restart: Restart, reason: ExitReason) -> None:
    made = world(Strategy.ONE_FOR_ONE, spec("x", restart), spec("y"))
    made.die("x", reason)
    comes_back = restart is Restart.PERMANENT or (restart is Restart.TRANSIENT and not reason.is_clean)
    assert made.log == (["start x"] if comes_back else [])
    assert ("x" in made.core.children) is (restart is not Restart.TEMPORARY)


@pytest.mark.parametrize("intensity", [0, 1, 2, 5])
def test_a_start_that_always_fails_is_tried_exactly_as_often_as_tolerated(intensity: int) -> None:
    """Case 75, probe E2: 0, 1, 2 and 5 attempts after the death, then the supervisor ends with a clean reason."""
    made = world(Strategy.ONE_FOR_ONE, spec("x"), max_restarts=intensity)
    made.outcomes["x"] = deque(["fail"] * 100)
    made.die("x")
    assert made.log == ["fail x"] * intensity
    assert made.exit is not None and made.exit.reason.is_clean


def test_restarts_far_apart_never_give_up() -> None:
    made = world(Strategy.ONE_FOR_ONE, spec("x"), max_restarts=1, period_s=1.0)
    for _ in range(4):
        made.die("x")
        made.now += 2.1
    assert made.exit is None


@pytest.mark.parametrize(("gap", "survives"), [(1.0, False), (1.0001, True)])
def test_the_edge_of_the_window_is_inclusive(gap: float, survives: bool) -> None:
    made = world(Strategy.ONE_FOR_ONE, spec("x"), max_restarts=1, period_s=1.0)
    made.die("x")
    made.now += gap
    made.die("x")
    assert (made.exit is None) is survives


def test_one_for_all_retries_over_all_and_forgets_temporaries() -> None:
    """Case 77: probe E3."""
    made = world(Strategy.ONE_FOR_ALL, spec("a"), spec("b"), spec("t", Restart.TEMPORARY), spec("d"))
    made.outcomes["d"] = deque(["fail"])
    made.die("b")
    assert made.take_log() == [
        *["stop d", "stop t", "stop a", "start a", "start b", "fail d"],
        *["stop b", "stop a", "start a", "start b", "start d"],
    ]
    made.feed(StopRequested(Shutdown()))
    assert made.log == ["stop d", "stop b", "stop a"]


def test_rest_for_one_retries_only_from_the_failed_one_on() -> None:
    """Case 78: probe E3b."""
    made = world(Strategy.REST_FOR_ONE, spec("a"), spec("b"), spec("t", Restart.TEMPORARY), spec("d"), spec("e"))
    made.outcomes["d"] = deque(["fail"])
    made.die("b")
    assert made.log == ["stop e", "stop d", "stop t", "start b", "fail d", "start d", "start e"]


def test_a_group_pass_revives_a_child_that_was_stopped_by_hand() -> None:
    """Case 93: probe E34."""
    made = world(Strategy.ONE_FOR_ALL, *ABC)
    assert made.ask(TerminateChildRequest("c")) is None
    made.take_log()
    made.die("a")
    assert made.log == ["stop b", "start a", "start b", "start c"]


def test_administration_answers_like_otp() -> None:
    made = world(Strategy.ONE_FOR_ONE, spec("a"))
    assert made.ask(StartChildRequest(spec("a"))) == Failure("already_started", "ref-a")
    assert made.ask(TerminateChildRequest("zz")) == Failure("not_found")
    assert made.ask(TerminateChildRequest("a")) is None
    assert made.ask(TerminateChildRequest("a")) is None
    assert made.ask(CountChildrenRequest()) == ChildCounts(1, 0, 0, 1)
    assert made.ask(StartChildRequest(spec("a"))) == Failure("already_present")
    assert made.ask(RestartChildRequest("a")) == "ref-a"
    assert made.ask(RestartChildRequest("a")) == Failure("running")
    assert made.ask(DeleteChildRequest("a")) == Failure("running")
    assert made.ask(TerminateChildRequest("a")) is None
    assert made.ask(DeleteChildRequest("a")) is None
    assert made.ask(RestartChildRequest("a")) == Failure("not_found")
    assert made.ask(WhichChildrenRequest()) == []


def test_manual_restarts_are_not_counted() -> None:
    """Probe E30: ten of them under intensity 0."""
    made = world(Strategy.ONE_FOR_ONE, spec("a"), max_restarts=0)
    for _ in range(10):
        made.ask(TerminateChildRequest("a"))
        assert made.ask(RestartChildRequest("a")) == "ref-a"
    assert made.exit is None


def test_a_failed_start_child_leaves_no_record() -> None:
    made = world(Strategy.ONE_FOR_ONE)
    made.outcomes["x"] = deque(["fail"])
    assert made.ask(StartChildRequest(spec("x"))) == Failure("start_failed", DIE)
    assert made.ask(CountChildrenRequest()) == ChildCounts(0, 0, 0, 0)


@pytest.mark.parametrize(
    ("mode", "first", "second"),
    [(AutoShutdown.ANY_SIGNIFICANT, True, True), (AutoShutdown.ALL_SIGNIFICANT, False, True)],
)
def test_significant_children_shut_the_supervisor_down(mode: AutoShutdown, first: bool, second: bool) -> None:
    members = [spec("s1", Restart.TRANSIENT, significant=True), spec("s2", Restart.TRANSIENT, significant=True)]
    made = world(Strategy.ONE_FOR_ONE, *members, spec("plain"), auto_shutdown=mode)
    made.die("s1", Normal())
    assert (made.exit is not None) is first
    if not first:
        made.die("s2", Normal())
        assert (made.exit is not None) is second


def test_dynamic_children_may_share_an_id_and_are_stopped_at_once() -> None:
    made = World(SupervisorFlags(), [], dynamic=True)
    made.feed(Begin())
    made.ask(StartChildRequest(spec("x")))
    made.ask(StartChildRequest(spec("x")))
    effects = made.core.handle(StopRequested(Shutdown()))
    assert [effect.spec.id for effect in effects if isinstance(effect, StopChild)] == ["x", "x"]


def test_events_that_come_while_a_child_starts_wait_for_it() -> None:
    core = SupervisorCore(SupervisorFlags(), [spec("a"), spec("b")], lambda: 0.0)
    assert core.handle(Begin()) == [StartChild("a", 1, spec("a"))]
    assert core.handle(StopRequested(Shutdown())) == []
    assert StartChild("b", 2, spec("b")) in core.handle(Started("a", 1))
    effects = core.handle(Started("b", 2))
    assert [type(effect) for effect in effects[1:]] == [Ready, StopChild]


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (ChildSpec("", "s"), "missing_id"),
        (ChildSpec("a", None), "missing_start"),
        (ChildSpec("a", "s", shutdown_s=-10), "invalid_shutdown"),
        (ChildSpec("a", "s", Restart.PERMANENT, significant=True), "bad_combination"),
        ("not a spec", "invalid_child_spec"),
    ],
)
def test_a_faulty_spec_is_refused_before_anything_starts(bad: object, code: str) -> None:
    with pytest.raises(SpecError) as refused:
        SupervisorCore(SupervisorFlags(auto_shutdown=AutoShutdown.ANY_SIGNIFICANT), [spec("ok"), bad], lambda: 0.0)
    assert refused.value.code == code


def test_duplicate_ids_are_refused() -> None:
    with pytest.raises(SpecError, match="duplicate_child_name"):
        SupervisorCore(SupervisorFlags(), [spec("a"), spec("a")], lambda: 0.0)
