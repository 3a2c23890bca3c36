"""Cases of the original suites about instances, loops and nesting. ``Case N.`` as in our list."""

from __future__ import annotations

from typing import Any

import pytest

from supervision.actor import Actor
from supervision.core_messages import (
    Api,
    CountChildrenRequest,
    Exited,
    Failure,
    Reply,
    RetryDue,
    ScheduleRetry,
    StartChild,
    StartChildRequest,
    StartFailed,
    TerminateChildRequest,
    WhichChildrenRequest,
)
from supervision.exits import Normal
from supervision.registry import Registry
from supervision.runtime import Runtime
from supervision.spec import AutoShutdown, Restart, SpecError, Strategy, SupervisorFlags
from supervision.supervisor import Supervisor, child
from tests.harness.waiting import wait_for
from tests.unit.supervision.world import DIE, World, spec, world


def ask(made: World, request: Any) -> Any:
    """Without carrying out what else has to be done, such as a retry that waits."""
    [reply] = [effect for effect in made.core.handle(Api("call", request)) if isinstance(effect, Reply)]
    return reply.value


def fail_once(made: World, id_: str, key: str) -> ScheduleRetry:
    """It dies and its restart fails; the retry waits."""
    effects = made.core.handle(Exited(key, made.running.pop(key), DIE))
    [start] = [effect for effect in effects if isinstance(effect, StartChild)]
    effects = made.core.handle(StartFailed(key, start.incarnation, DIE))
    [retry] = [effect for effect in effects if isinstance(effect, ScheduleRetry)]
    return retry


def instances(*ids: str, **options: Any) -> World:
    made = World(SupervisorFlags(max_restarts=100), [], dynamic=True)
    for id_ in ids:
        made.ask(StartChildRequest(spec(id_, **options)))
    made.take_log()
    return made


def key_of(made: World, id_: str) -> str:
    return next(child.key for child in made.core.children.values() if child.spec.id == id_)


def test_child_adm_simple() -> None:
    """Case 25."""
    made = instances()
    assert ask(made, WhichChildrenRequest()) == [] and ask(made, CountChildrenRequest()).active == 0
    made = instances("a", "b")
    assert ask(made, CountChildrenRequest()).active == 2
    assert made.ask(TerminateChildRequest("a")) is None
    assert ask(made, CountChildrenRequest()).active == 1
    assert made.ask(TerminateChildRequest("stranger")) == Failure("not_found")
    assert list(made.running) == [key_of(made, "b")]


def test_count_restarting_children() -> None:
    """Case 58."""
    made = instances("a", "b", "c")
    retries = [fail_once(made, id_, key_of(made, id_)) for id_ in "ab"]
    counts = ask(made, CountChildrenRequest())
    assert (counts.active, counts.workers) == (1, 3)
    for retry in retries:
        made.feed(RetryDue(retry.key, retry.token))
    counts = ask(made, CountChildrenRequest())
    assert (counts.active, counts.workers) == (3, 3)
    for id_ in "abc":
        made.ask(TerminateChildRequest(id_))
    assert ask(made, CountChildrenRequest()).workers == 0


def test_hanging_restart_loop_rest_for_one() -> None:
    """Case 64: what stands before runs, what stands after is down until the middle one is back."""
    made = world(Strategy.REST_FOR_ONE, spec("a"), spec("b"), max_restarts=100)
    fail_once(made, "b", "b")
    made.ask(StartChildRequest(spec("c")))
    infos = ask(made, WhichChildrenRequest())
    assert [(info.id, info.state) for info in infos] == [("c", "running"), ("b", "restarting"), ("a", "running")]
    assert ask(made, TerminateChildRequest("b")) is None
    assert [info.state for info in ask(made, WhichChildrenRequest())] == ["running", "none", "running"]


def test_hanging_restart_loop_simple() -> None:
    """Case 65."""
    made = instances("a")
    retry = fail_once(made, "a", key_of(made, "a"))
    assert [info.state for info in ask(made, WhichChildrenRequest())] == ["restarting"]
    assert ask(made, TerminateChildRequest("a")) is None
    assert ask(made, WhichChildrenRequest()) == []
    assert made.core.handle(RetryDue(retry.key, retry.token)) == [], "the retry is forgotten"


@pytest.mark.parametrize(("mode", "ends"), [(AutoShutdown.ANY_SIGNIFICANT, 1), (AutoShutdown.ALL_SIGNIFICANT, 2)])
def test_significant_simple(mode: AutoShutdown, ends: int) -> None:
    """Case 72."""
    made = World(SupervisorFlags(auto_shutdown=mode), [], dynamic=True)
    for id_ in "ab":
        made.ask(StartChildRequest(spec(id_, Restart.TEMPORARY, significant=True)))
    for number, id_ in enumerate("ab", 1):
        assert made.exit is None
        made.die(id_, Normal())
        if number == ends:
            break
    assert made.exit is not None


@pytest.mark.parametrize("significant", [True, False])
def test_significant_escalation(significant: bool) -> None:
    """Case 74: the inner one shuts down by itself; the outer one with it if the inner one is significant there."""

    class Leaf(Actor):
        def on_receive(self, message: Any) -> None:
            self.exit(Normal())

    runtime = Runtime()
    flags = SupervisorFlags(auto_shutdown=AutoShutdown.ANY_SIGNIFICANT)
    leaf = child(Leaf, name="leaf", restart=Restart.TRANSIENT, significant=True)
    inner = child(Supervisor, flags, [leaf], name="inner", restart=Restart.TRANSIENT, significant=significant)
    top = runtime.spawn(Supervisor, flags, [inner], name="top")
    ref = runtime.names.whereis("leaf")
    assert ref is not None
    ref.tell("end")
    wait_for(lambda: runtime.names.whereis("inner") is None)
    if significant:
        wait_for(lambda: not top.is_alive())
    else:
        assert [info.state for info in top.ask(WhichChildrenRequest(), timeout=5)] == ["none"]
    runtime.close()


def test_with_non_ok_init() -> None:
    """Cases 128 and 131: refused before anything is started, in the caller."""
    runtime = Runtime()
    for bad in (SupervisorFlags("x"), SupervisorFlags(max_restarts=-1), SupervisorFlags(period_s=0)):  # type: ignore[arg-type]
        with pytest.raises(SpecError):
            runtime.spawn(Supervisor, bad, dynamic=True)
    top = runtime.spawn(Supervisor, SupervisorFlags(), dynamic=True)
    significant = spec("a", Restart.TEMPORARY, significant=True)
    assert top.ask(StartChildRequest(significant), timeout=5).code == "bad_combination"
    runtime.close()


def test_has_unique_registrations_even_if_partition_is_delayed() -> None:
    """Case 173: a dead owner whose entry is still there does not block the next."""

    class Holder(Actor):
        def on_receive(self, message: Any) -> Any:
            return message(self)

    runtime, registry = Runtime(), Registry()
    old, new = runtime.spawn(Holder), runtime.spawn(Holder)
    old.ask(lambda actor: registry.register("key", actor), timeout=5)
    cell = runtime.cell_of(old)
    assert cell is not None and cell._releases is not None
    cell._releases.clear()  # the clean-up is late
    cell.revoke("brutal")
    new.ask(lambda actor: registry.register("key", actor), timeout=5)
    assert [entry.owner for entry in registry.lookup("key")] == [new]
    runtime.close()
