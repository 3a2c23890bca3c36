"""Cases of OTP's ``supervisor_SUITE`` on the pure core. The names are the original ones; ``Case N.`` is the number in our list.

``docs/supervision-conformance.md`` says which cases are left out and why.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import pytest

from supervision.core_messages import (
    Begin,
    ChildCounts,
    CountChildrenRequest,
    DeleteChildRequest,
    Exit,
    Exited,
    Failure,
    GetChildSpecRequest,
    RestartChildRequest,
    StartChildRequest,
    StopChild,
    StopRequested,
    TerminateChildRequest,
    WhichChildrenRequest,
    WhichChildRequest,
)
from supervision.exits import Error, ExitReason, Killed, Normal, Shutdown
from supervision.spec import (
    BRUTAL_KILL,
    INFINITY,
    AutoShutdown,
    ChildSpec,
    ChildType,
    Restart,
    SpecError,
    Strategy,
    SupervisorFlags,
    check_child_specs,
)
from tests.unit.supervision.world import DIE, World, spec, world

P, T, TEMP = Restart.PERMANENT, Restart.TRANSIENT, Restart.TEMPORARY
ONE, ALL, REST = Strategy.ONE_FOR_ONE, Strategy.ONE_FOR_ALL, Strategy.REST_FOR_ONE
CLEAN = (Normal(), Shutdown(), Shutdown("x"))


def dynamic(max_restarts: int = 3, max_children: int | None = None) -> World:
    made = World(SupervisorFlags(max_restarts=max_restarts), [], dynamic=True)
    made.core.max_children = max_children
    made.feed(Begin())
    made.take_log()
    return made


def listed(made: World) -> list[tuple[str, str]]:
    """(id, state), latest first."""
    infos: Any = made.ask(WhichChildrenRequest())
    return [(info.id, info.state) for info in infos]


def counts(made: World) -> tuple[int, int, int, int]:
    found: Any = made.ask(CountChildrenRequest())
    assert isinstance(found, ChildCounts)
    return found.specs, found.active, found.supervisors, found.workers


def failing(made: World, *ids: str, times: int = 1000) -> None:
    for id_ in ids:
        made.outcomes[id_] = deque(["fail"] * times)


# --- start --------------------------------------------------------------------------------------------------------------


def test_sup_start_normal() -> None:
    """Case 1."""
    made = world(ONE)
    made.feed(StopRequested(Shutdown()))
    assert made.exit == Exit(Shutdown())


def test_sup_start_ignore_child() -> None:
    """Cases 3 and 102."""
    made = world(ONE)
    made.outcomes["a"] = deque(["ignore"])
    assert made.ask(StartChildRequest(spec("a"))) is None
    made.ask(StartChildRequest(spec("b")))
    assert listed(made) == [("b", "running"), ("a", "none")] and counts(made) == (2, 1, 0, 2)
    assert made.ask(StartChildRequest(spec("a"))) == Failure("already_present")
    assert made.ask(RestartChildRequest("a")) == "ref-a"


def test_sup_start_ignore_temporary_child() -> None:
    """Case 4."""
    made = World(SupervisorFlags(), [spec("a", TEMP), spec("b", TEMP)])
    made.outcomes["a"] = deque(["ignore"])
    made.feed(Begin())
    assert listed(made) == [("b", "running")] and counts(made) == (1, 1, 0, 1)


def test_sup_start_ignore_temporary_child_start_child() -> None:
    """Case 5."""
    made = world(ONE)
    made.outcomes["a"] = deque(["ignore"])
    assert made.ask(StartChildRequest(spec("a", TEMP))) is None
    assert listed(made) == []


@pytest.mark.parametrize("restart", [TEMP, P])
def test_sup_start_ignore_child_start_child_simple(restart: Restart) -> None:
    """Cases 6 (sup_start_ignore_temporary_child_start_child_simple) and 7 (sup_start_ignore_permanent_child_start_child_simple):
    nothing is stored, and the stop afterwards is clean."""
    made = dynamic()
    made.outcomes["a"] = deque(["ignore"])
    assert made.ask(StartChildRequest(spec("a", restart))) is None
    made.ask(StartChildRequest(spec("b", restart)))
    assert counts(made) == (1, 1, 0, 1)
    made.feed(StopRequested(Shutdown()))
    assert made.exit == Exit(Shutdown())


def test_sup_start_child_returns_error_and_sup_start_child_returns_error_simple() -> None:
    """Cases 10 and 12."""
    for made in (world(ONE), dynamic()):
        failing(made, "a")
        assert made.ask(StartChildRequest(spec("a"))) == Failure("start_failed", DIE)
        assert listed(made) == []


def test_sup_start_restart_child_returns_error() -> None:
    """Case 11: it stays down, and nobody tries again."""
    made = world(ONE, spec("a"))
    made.ask(TerminateChildRequest("a"))
    failing(made, "a")
    made.take_log()
    assert made.ask(RestartChildRequest("a")) == Failure("start_failed", DIE)
    assert made.log == ["fail a"] and listed(made) == [("a", "none")]


def test_sup_start_map() -> None:
    """Case 13: what is left out of a spec has its default."""
    plain, brutal = spec("plain"), ChildSpec("brutal", "s", shutdown_s=BRUTAL_KILL)
    sup = ChildSpec("sup", "s", type=ChildType.SUPERVISOR)
    made = world(ONE, plain, brutal, sup)
    for child, shutdown in ((plain, 5.0), (brutal, BRUTAL_KILL), (sup, INFINITY)):
        found: Any = made.ask(GetChildSpecRequest(child.id))
        assert (found, found.restart, found.shutdown) == (child, P, shutdown)
    assert made.ask(GetChildSpecRequest("x")) == Failure("not_found")
    assert made.ask(WhichChildRequest("plain")).id == "plain"  # type: ignore[attr-defined]
    assert made.ask(WhichChildRequest("x")) == Failure("not_found")


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (ChildSpec("", "s"), "missing_id"),
        (ChildSpec("a", None), "missing_start"),
        (ChildSpec("a", "s", "often"), "invalid_restart_type"),  # type: ignore[arg-type]
        (ChildSpec("a", "s", type="robot"), "invalid_child_type"),  # type: ignore[arg-type]
        (ChildSpec("a", "s", shutdown_s=-10), "invalid_shutdown"),
        (ChildSpec("a", "s", shutdown_s="soon"), "invalid_shutdown"),  # type: ignore[arg-type]
        (ChildSpec("a", "s", T, significant="very"), "invalid_significant"),  # type: ignore[arg-type]
        (ChildSpec(7, "s"), "missing_id"),  # type: ignore[arg-type]
        (ChildSpec("a", "s", start_timeout_s=0), "invalid_start_timeout"),
        (ChildSpec("a", "s", T, significant=True), "bad_combination"),
        ({"id": "a"}, "invalid_child_spec"),
    ],
)
def test_child_specs_and_sup_start_map_faulty_specs(bad: Any, code: str) -> None:
    """Cases 15, 26 and 27: refused by the check, by start_child, and at the start of the supervisor."""
    with pytest.raises(SpecError) as refused:
        World(SupervisorFlags(), [spec("ok"), bad])
    assert refused.value.code == code
    assert world(ONE).ask(StartChildRequest(bad)).code == code  # type: ignore[attr-defined]


def test_child_specs_map_significance() -> None:
    """Case 27: without the supervisor's flag only the rule of the spec itself applies."""
    assert check_child_specs([spec("a", T, significant=True)])
    for restart in (P, T):
        with pytest.raises(SpecError) as refused:
            check_child_specs([spec("a", restart, significant=True)], AutoShutdown.NEVER)
        assert refused.value.code == "bad_combination"
    with pytest.raises(SpecError):
        check_child_specs([spec("a", P, significant=True)])
    with pytest.raises(SpecError, match="duplicate_child_name"):
        check_child_specs([spec("a"), spec("a")])


@pytest.mark.parametrize(
    ("flags", "code"),
    [
        (SupervisorFlags("two_for_one"), "invalid_strategy"),  # type: ignore[arg-type]
        (SupervisorFlags(max_restarts=-1), "invalid_intensity"),
        (SupervisorFlags(max_restarts=INFINITY), "invalid_intensity"),  # type: ignore[arg-type]
        (SupervisorFlags(period_s=0), "invalid_period"),
        (SupervisorFlags(period_s=INFINITY), "invalid_period"),
        (SupervisorFlags(auto_shutdown="maybe"), "invalid_auto_shutdown"),  # type: ignore[arg-type]
        (("one_for_one", 3, 5), "invalid_type"),
    ],
)
def test_sup_flags(flags: SupervisorFlags, code: str) -> None:
    """Case 28."""
    with pytest.raises(SpecError) as refused:
        World(flags, [])
    assert refused.value.code == code


# --- stop and administration ----------------------------------------------------------------------------------------------


def test_sup_stop_race() -> None:
    """Case 21: those that end by themselves while another dawdles are not restarted."""
    made = world(ONE, *(spec(id_, restart) for id_, restart in zip("abc", (P, T, TEMP), strict=True)), spec("last"))
    [stop] = [one for one in made.core.handle(StopRequested(Shutdown())) if isinstance(one, StopChild)]
    assert stop.spec.id == "last"
    for id_, reason in zip("abc", (DIE, Normal(), Killed()), strict=True):
        assert made.core.handle(Exited(id_, made.running[id_], reason)) == []
    effects = made.core.handle(Exited("last", stop.incarnation, Shutdown()))
    assert effects[-1] == Exit(Shutdown())


def test_child_adm() -> None:
    """Case 24."""
    made = world(ONE, spec("a"))
    assert made.ask(StartChildRequest(spec("a"))) == Failure("already_started", "ref-a")
    for request in (TerminateChildRequest, RestartChildRequest, DeleteChildRequest):
        assert made.ask(request("x")) == Failure("not_found")
    assert made.ask(RestartChildRequest("a")) == made.ask(DeleteChildRequest("a")) == Failure("running")
    for _ in range(2):
        assert made.ask(TerminateChildRequest("a")) is None
    assert listed(made) == [("a", "none")] and counts(made) == (1, 0, 0, 1)
    assert made.ask(StartChildRequest(spec("a"))) == Failure("already_present")
    assert made.ask(RestartChildRequest("a")) == "ref-a" and counts(made) == (1, 1, 0, 1)
    made.ask(TerminateChildRequest("a"))
    assert made.ask(DeleteChildRequest("a")) is None
    assert made.ask(RestartChildRequest("a")) == Failure("not_found") and counts(made) == (0, 0, 0, 0)
    assert made.ask(StartChildRequest(spec("a"))) == "ref-a"


# --- restart types --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", CLEAN)
def test_permanent_normal_and_permanent_shutdown(reason: ExitReason) -> None:
    """Cases 29 and 32."""
    made = world(ONE, spec("a", P))
    made.die("a", reason)
    assert counts(made) == (1, 1, 0, 1)


@pytest.mark.parametrize("reason", CLEAN)
def test_transient_normal_and_transient_shutdown(reason: ExitReason) -> None:
    """Cases 30 and 33."""
    made = world(ONE, spec("a", T))
    made.die("a", reason)
    assert counts(made) == (1, 0, 0, 1)
    assert made.ask(RestartChildRequest("a")) == "ref-a"


@pytest.mark.parametrize("reason", [*CLEAN, DIE])
def test_temporary_normal_temporary_shutdown_and_temporary_abnormal(reason: ExitReason) -> None:
    """Cases 31, 34 and 38."""
    made = world(ONE, spec("a", TEMP))
    made.die("a", reason)
    assert counts(made) == (0, 0, 0, 0)
    assert made.ask(StartChildRequest(spec("a", TEMP))) == "ref-a"


@pytest.mark.parametrize("restart", [P, T])
def test_permanent_abnormal_and_transient_abnormal(restart: Restart) -> None:
    """Cases 36 and 37."""
    made = world(ONE, spec("a", restart))
    made.die("a", DIE)
    assert counts(made) == (1, 1, 0, 1)


@pytest.mark.parametrize("strategy", [ALL, REST])
def test_temporary_bystander(strategy: Strategy) -> None:
    """Case 39."""
    made = world(strategy, spec("a"), spec("t", TEMP))
    made.die("a", Normal())
    assert made.log == ["stop t", "start a"] and listed(made) == [("a", "running")]


def test_multiple_restarts() -> None:
    """Case 40."""
    made = world(ONE, spec("a"), max_restarts=1, period_s=1.0)
    for _ in range(4):
        made.die("a")
        made.now += 2.1
    assert made.exit is None


# --- strategies and escalation ----------------------------------------------------------------------------------------------


def test_one_for_one() -> None:
    """Case 41."""
    made = world(ONE, spec("a"), spec("b"), max_restarts=2)
    made.die("a")
    assert made.log == ["start a"]
    made.die("a")
    made.die("b")
    assert made.exit is not None


@pytest.mark.parametrize("strategy", [ONE, ALL, REST])
def test_escalation(strategy: Strategy) -> None:
    """Cases 42 (one_for_one_escalation), 44 (one_for_all_escalation) and 52 (rest_for_one_escalation)."""
    made = world(strategy, spec("a"), spec("b"), max_restarts=4)
    failing(made, "b")
    made.die("b")
    assert made.exit == Exit(Shutdown("reached_max_restart_intensity"))
    assert made.running == {}


def test_one_for_all() -> None:
    """Case 43."""
    made = world(ALL, spec("a"), spec("b"), max_restarts=2)
    before = dict(made.running)
    made.die("a")
    assert made.log == ["stop b", "start a", "start b"]
    assert all(made.running[id_] > before[id_] for id_ in "ab")
    made.die("b")
    made.die("a")
    assert made.exit is not None


def test_one_for_all_other_child_fails_restart() -> None:
    """Case 45."""
    made = world(ALL, spec("a"), spec("b"), max_restarts=5)
    failing(made, "b", times=1)
    made.die("a")
    assert made.log == ["stop b", "start a", "fail b", "stop a", "start a", "start b"]


def test_simple_one_for_one() -> None:
    """Case 46."""
    made = dynamic(max_restarts=2)
    for id_ in "ab":
        made.ask(StartChildRequest(spec(id_)))
    made.take_log()
    made.die("a")
    assert made.take_log() == ["start a"]
    made.die("a")
    made.die("b")
    assert made.exit == Exit(Shutdown("reached_max_restart_intensity"))


def test_simple_one_for_one_escalation() -> None:
    """Case 50."""
    made = dynamic(max_restarts=4)
    for id_ in "ab":
        made.ask(StartChildRequest(spec(id_)))
    failing(made, "a")
    made.die("a")
    assert made.exit is not None and made.running == {}


def test_rest_for_one() -> None:
    """Case 51."""
    made = world(REST, spec("a"), spec("b"), spec("c"), max_restarts=2)
    made.die("b")
    assert made.log == ["stop c", "start b", "start c"]
    assert [id_ for id_, _ in listed(made)] == ["c", "b", "a"]
    made.die("b")
    made.die("c")
    assert made.exit is not None


def test_rest_for_one_other_child_fails_restart() -> None:
    """Case 53."""
    made = world(REST, spec("a"), spec("b"), max_restarts=5)
    failing(made, "b", times=1)
    made.die("a")
    assert made.log == ["stop b", "start a", "fail b", "start b"]


# --- misc -------------------------------------------------------------------------------------------------------------------


def test_count_children() -> None:
    """Case 56."""
    made = dynamic(max_restarts=10_000)
    for number in range(1000):
        made.ask(StartChildRequest(spec(f"c{number}", TEMP)))
    assert counts(made) == (1000, 1000, 0, 1000) and len(listed(made)) == 1000
    for number in range(1000):
        made.die(f"c{number}")
    assert counts(made) == (0, 0, 0, 0)


def test_do_not_save_child_specs_for_temporary_children() -> None:
    """Case 60."""
    for strategy in Strategy:
        for restart, reason, answer in (
            *((P, reason, "already_started") for reason in (DIE, Normal())),
            (T, DIE, "already_started"),
            (T, Normal(), "already_present"),
        ):
            made = world(strategy, spec("a", restart))
            made.die("a", reason)
            assert made.ask(StartChildRequest(spec("a", restart))).code == answer  # type: ignore[attr-defined]
        for restart in (P, T):
            made = world(strategy, spec("a", restart))
            made.ask(TerminateChildRequest("a"))
            assert made.ask(StartChildRequest(spec("a", restart))) == Failure("already_present")
        made = world(strategy, spec("a", TEMP))
        made.ask(TerminateChildRequest("a"))
        assert made.ask(StartChildRequest(spec("a", TEMP))) == "ref-a"


def looping(strategy: Strategy) -> tuple[World, list[Any]]:
    """The middle one of three is being tried again, and its next attempt waits."""
    made = world(strategy, spec("a"), spec("b"), spec("c"), max_restarts=100)
    failing(made, "b")
    made.running.pop("b")
    effects = made.core.handle(Exited("b", made.core.children["b"].incarnation, DIE))
    return made, effects


def test_hanging_restart_loop() -> None:
    """Cases 63 and 95: while it is tried again."""
    from supervision.core_messages import Api, StartChild, StartFailed

    made, effects = looping(ONE)
    [start] = [one for one in effects if isinstance(one, StartChild)]
    made.core.handle(StartFailed("b", start.incarnation, DIE))  # the retry is scheduled and does not come yet

    def ask(request: Any) -> Any:
        [reply] = [one for one in made.core.handle(Api("x", request)) if hasattr(one, "value")]
        return reply.value

    assert ask(StartChildRequest(spec("b"))) == Failure("already_present")
    assert ask(RestartChildRequest("b")) == ask(DeleteChildRequest("b")) == Failure("restarting")
    assert [info.state for info in ask(WhichChildrenRequest())] == ["running", "restarting", "running"]
    assert ask(CountChildrenRequest()).active == 2
    assert ask(TerminateChildRequest("b")) is None
    assert [info.state for info in ask(WhichChildrenRequest())] == ["running", "none", "running"]


def test_order_of_children() -> None:
    """Case 66."""
    made = world(REST, *(spec(id_) for id_ in "caebd"))
    made.die("e")
    assert made.take_log() == ["stop d", "stop b", "start e", "start b", "start d"]
    made.feed(StopRequested(Shutdown()))
    assert made.log == [f"stop {id_}" for id_ in "dbeac"]


# --- significant children -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", list(AutoShutdown))
@pytest.mark.parametrize("restart", [T, TEMP])
def test_nonsignificant(mode: AutoShutdown, restart: Restart) -> None:
    """Cases 68 (nonsignificant_temporary) and 69 (nonsignificant_transient)."""
    for reason in (Normal(), DIE, Killed()):
        made = world(ONE, spec("a", restart), spec("b", restart), auto_shutdown=mode)
        made.die("a", reason)
        made.ask(TerminateChildRequest("b"))
        assert made.exit is None


@pytest.mark.parametrize("reason", [Normal(), DIE, Killed()])
def test_significant_temporary(reason: ExitReason) -> None:
    """Case 70."""
    children = (spec("a", TEMP, significant=True), spec("b", TEMP, significant=True), spec("c"))
    made = world(ONE, *children, auto_shutdown=AutoShutdown.ANY_SIGNIFICANT)
    made.ask(TerminateChildRequest("a"))
    assert made.exit is None
    made.die("b", reason)
    assert made.exit is not None and made.running == {}
    made = world(ONE, *children, auto_shutdown=AutoShutdown.ALL_SIGNIFICANT)
    made.die("a", reason)
    assert made.exit is None
    made.die("b", reason)
    assert made.exit is not None


def test_significant_transient() -> None:
    """Case 71."""
    children = (spec("a", T, significant=True), spec("b", T, significant=True))
    made = world(ONE, *children, auto_shutdown=AutoShutdown.ANY_SIGNIFICANT)
    made.die("a", DIE)
    assert made.exit is None and "a" in made.running
    made.die("a", Normal())
    assert made.exit is not None
    made = world(ONE, *children, auto_shutdown=AutoShutdown.ALL_SIGNIFICANT)
    made.die("a", Normal())
    assert made.exit is None
    made.die("b", Normal())
    assert made.exit is not None


@pytest.mark.parametrize("strategy", list(Strategy))
@pytest.mark.parametrize("mode", [AutoShutdown.ANY_SIGNIFICANT, AutoShutdown.ALL_SIGNIFICANT])
def test_significant_bystander(strategy: Strategy, mode: AutoShutdown) -> None:
    """Cases 73 and 91."""
    children = (spec("a", TEMP, significant=True), spec("b"), spec("c", TEMP, significant=True))
    made = world(strategy, *children, auto_shutdown=mode)
    made.die("b", Killed())
    assert made.exit is None


# --- probes on a real Erlang ----------------------------------------------------------------------------------------------


def test_e4_a_retry_is_covered_by_a_later_pass() -> None:
    """Case 79."""
    made = world(REST, spec("a"), spec("b"), spec("d"), max_restarts=100)
    failing(made, "b", times=3)
    made.die("b")
    made.die("a")
    assert made.exit is None and sorted(made.running) == ["a", "b", "d"]


@pytest.mark.parametrize(("strategy", "gives_up"), [(ONE, True), (ALL, False), (REST, False)])
def test_e10_three_deaths_at_once(strategy: Strategy, gives_up: bool) -> None:
    """Case 80."""
    made = world(strategy, *(spec(id_) for id_ in "abd"), max_restarts=1)
    dead = [(id_, made.running.pop(id_)) for id_ in "abd"]
    waiting = deque(Exited(id_, incarnation, DIE) for id_, incarnation in dead)
    effects: list[Any] = []
    while waiting:
        effects += made.core.handle(waiting.popleft())
    if gives_up:
        starts = [one for one in effects if type(one).__name__ == "StartChild"]
        assert len(starts) == 1
    else:
        assert made.core.window.passes(made.now) == 1


def test_e14_rollback() -> None:
    """Case 81."""
    made = World(SupervisorFlags(), [spec(id_) for id_ in "abcd"])
    failing(made, "c")
    made.feed(Begin())
    assert made.log == ["start a", "start b", "fail c", "stop b", "stop a"]
    assert made.exit is not None and made.exit.start_failed and "c" in str(made.exit.reason)


def test_e15_a_restart_that_is_ignored() -> None:
    """Cases 82 and 83."""
    made = world(ONE, spec("p"), spec("t", T))
    for id_ in ("p", "t"):
        made.outcomes[id_] = deque(["ignore"])
        made.die(id_)
    assert listed(made) == [("t", "none"), ("p", "none")] and made.exit is None
    made = dynamic()
    made.ask(StartChildRequest(spec("a")))
    made.outcomes["a"] = deque(["ignore"])
    made.die("a")
    assert listed(made) == []
    made.feed(StopRequested(Shutdown()))
    assert made.exit == Exit(Shutdown())


def test_e30_restarts_by_hand_are_not_counted() -> None:
    """Case 88."""
    made = world(ONE, spec("a"), max_restarts=0)
    for _ in range(10):
        made.ask(TerminateChildRequest("a"))
        made.ask(RestartChildRequest("a"))
    assert made.exit is None


def test_e31_one_terminated_by_hand_and_the_other_ends() -> None:
    """Case 89; and case 90: one that is being restarted still counts."""
    children = (spec("a", T, significant=True), spec("b", T, significant=True))
    made = world(ONE, *children, auto_shutdown=AutoShutdown.ALL_SIGNIFICANT)
    made.ask(TerminateChildRequest("a"))
    made.die("b", Normal())
    assert made.exit is not None


def test_e33_a_child_that_was_deleted_comes_back_last() -> None:
    """Case 92."""
    made = world(REST, *(spec(id_) for id_ in "abd"))
    for request in (TerminateChildRequest("a"), DeleteChildRequest("a"), StartChildRequest(spec("a"))):
        made.ask(request)
    made.take_log()
    made.die("b")
    assert made.log == ["stop a", "stop d", "start b", "start d", "start a"]


def test_e34_a_pass_revives_what_was_stopped_and_what_had_ended() -> None:
    """Case 93."""
    made = world(ALL, spec("a"), spec("b"), spec("d", T))
    made.ask(TerminateChildRequest("b"))
    made.die("d", Normal())
    made.take_log()
    made.die("a")
    assert made.log == ["start a", "start b", "start d"]


def test_e35_a_strange_reason_at_the_end_is_reported_and_no_failure() -> None:
    """Case 94."""
    from supervision.core_messages import Api, Reply, Report

    made = world(ONE, spec("a"))
    made.core.handle(Api("call", TerminateChildRequest("a")))
    effects = made.core.handle(Exited("a", made.running["a"], Error("strange")))
    assert [one.kind for one in effects if isinstance(one, Report)] == ["shutdown_error"]
    assert Reply("call", None) in effects


def test_clean_ends_never_disturb_siblings() -> None:
    """Case 96."""
    made = world(ALL, spec("a"), spec("t", TEMP), spec("d", T), max_restarts=0)
    made.die("t", DIE)
    made.die("d", Normal())
    assert made.log == [] and made.exit is None


def test_give_up_order() -> None:
    """Case 97."""
    made = world(ONE, *(spec(id_) for id_ in "abd"), max_restarts=0)
    made.die("b")
    assert made.log == ["stop d", "stop a"]
    assert made.exit == Exit(Shutdown("reached_max_restart_intensity"))


@pytest.mark.parametrize("reason", [Normal(), Shutdown(), DIE])
def test_the_exit_of_the_parent(reason: ExitReason) -> None:
    """Case 98."""
    made = world(ONE, spec("a"), spec("b"))
    made.feed(StopRequested(reason))
    assert made.log == ["stop b", "stop a"] and made.exit == Exit(reason)


def test_strangers_and_junk_are_ignored() -> None:
    """Case 99."""
    made = world(ONE, spec("a"))
    made.feed(Exited("stranger", 1, DIE))
    made.feed(Exited("a", 999, DIE))
    assert made.log == [] and made.exit is None


def test_a_start_that_returns_a_dead_child() -> None:
    """Case 100: the start is fine, the death is handled and counted."""
    made = world(ONE, spec("a"), max_restarts=1)
    made.die("a")
    assert made.core.window.passes(made.now) == 1 and "a" in made.running


# --- DynamicSupervisor ----------------------------------------------------------------------------------------------------


def test_with_max_children() -> None:
    """Cases 134 and 140."""
    made = dynamic(max_children=0)
    assert made.ask(StartChildRequest(spec("a"))).code == "max_children"  # type: ignore[attr-defined]
    made = dynamic(max_children=1)
    made.ask(StartChildRequest(spec("a")))
    made.die("a")
    assert made.ask(StartChildRequest(spec("b"))).code == "max_children"  # type: ignore[attr-defined]


@pytest.mark.parametrize("reason", [*CLEAN, DIE, Killed()])
def test_temporary_transient_and_permanent_child_of_a_dynamic_supervisor(reason: ExitReason) -> None:
    """Cases 135, 136 and 137."""
    for restart, again in ((TEMP, False), (T, not reason.is_clean), (P, True)):
        made = dynamic()
        made.ask(StartChildRequest(spec("a", restart)))
        made.die("a", reason)
        assert ("a" in [id_ for id_, _ in listed(made)]) is again


def test_child_is_restarted_when_trying_again() -> None:
    """Case 142: two passes are used."""
    made = dynamic(max_restarts=2)
    made.ask(StartChildRequest(spec("a")))
    failing(made, "a", times=1)
    made.die("a")
    assert listed(made) == [("a", "running")] and made.core.window.passes(made.now) == 2


@pytest.mark.parametrize("max_restarts", [1, 10])
def test_child_triggers_maximum_restarts_when_trying_again(max_restarts: int) -> None:
    """Cases 143 and 144."""
    made = dynamic(max_restarts=max_restarts)
    made.ask(StartChildRequest(spec("a")))
    failing(made, "a")
    made.die("a")
    assert made.exit == Exit(Shutdown("reached_max_restart_intensity"))


def test_terminates_a_child_and_then_knows_it_no_more() -> None:
    """Case 151."""
    made = dynamic()
    made.ask(StartChildRequest(spec("a")))
    assert made.ask(TerminateChildRequest("a")) is None
    assert made.ask(TerminateChildRequest("a")) == Failure("not_found") and counts(made) == (0, 0, 0, 0)
