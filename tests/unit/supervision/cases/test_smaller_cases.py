"""Cases of second rank ("S" in our list) about what we have. ``Case N.`` as in our list."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pykka
import pytest
from freezegun import freeze_time

from supervision.actor import Actor
from supervision.clock import ManualClock
from supervision.core_messages import CountChildrenRequest, RestartChildRequest, WhichChildrenRequest
from supervision.exits import Normal
from supervision.names import AlreadyRegistered
from supervision.registry import Registry
from supervision.runtime import Runtime
from supervision.spec import ChildSpec, ChildType, SpecError, Strategy, SupervisorFlags
from supervision.supervisor import Supervisor, child
from supervision.testing import Tree, tree
from tests.harness.waiting import wait_for
from tests.unit.supervision.world import spec, world

__all__ = ["tree"]


class Runner(Actor):
    """Calls what it is sent."""

    def on_receive(self, message: Any) -> Any:
        return message(self)


class Faulty(Actor):
    def on_start(self) -> None:
        raise KeyError("no such setting")


def die(_: Actor) -> None:
    raise ValueError("boom")


def test_faulty_application_shutdown() -> None:
    """Case 35: the error of a start, with its traceback, reaches whoever started the tree."""
    runtime = Runtime()
    inner = child(Supervisor, SupervisorFlags(), [child(Faulty, name="faulty")], name="inner")
    with pytest.raises(pykka.ActorDeadError, match=r"failed to start inner.*failed to start faulty.*no such setting"):
        runtime.spawn(Supervisor, SupervisorFlags(), [inner], name="top")
    wait_for(lambda: runtime.living() == [], 10, "the end of the last turn")
    runtime.close()


def test_count_children_supervisor() -> None:
    """Case 57."""
    specs = [ChildSpec(id_, "script", type=ChildType.SUPERVISOR) for id_ in "abc"]
    made = world(Strategy.ONE_FOR_ONE, *specs)
    counts: Any = made.ask(CountChildrenRequest())
    assert (counts.specs, counts.active, counts.supervisors, counts.workers) == (3, 3, 3, 0)


@pytest.mark.parametrize(("gap_s", "gives_up"), [(0.0, True), (1.0, True), (1.0001, False), (2.0, False)])
def test_the_edge_of_the_window(gap_s: float, gives_up: bool) -> None:
    """Case 76 and deviation Q1: one restart a second, at the very edge."""
    made = world(Strategy.ONE_FOR_ONE, spec("a"), max_restarts=1, period_s=1.0)
    made.now = 0.0
    made.die("a")
    made.now = gap_s
    made.die("a")
    assert (made.exit is not None) == gives_up


def test_calls_wait_while_a_child_starts_and_a_caller_may_give_up() -> None:
    """Case 104: in order afterwards; what the caller no longer waits for is done all the same."""
    runtime = Runtime()
    release, entered = pykka.ThreadingFuture[None](), pykka.ThreadingFuture[None]()

    class Slow(Actor):
        starts = 0

        def on_start(self) -> None:
            Slow.starts += 1
            if Slow.starts == 2:
                entered.set(None)
                release.get(timeout=20)

        def on_receive(self, message: Any) -> None:
            self.exit(Normal())

    top = runtime.spawn(
        Supervisor, SupervisorFlags(), [child(Slow, name="slow"), child(Runner, name="other")], name="top"
    )
    slow = runtime.names.whereis("slow")
    assert slow is not None
    slow.tell("end")
    entered.get(timeout=10)
    first = top.ask(WhichChildrenRequest(), block=False)
    with pytest.raises(pykka.Timeout):
        top.ask(RestartChildRequest("other"), timeout=0.05)
    last = top.ask(CountChildrenRequest(), block=False)
    assert not first.is_done()
    release.set(None)
    assert [info.state for info in first.get(timeout=10)] == ["running", "running"]
    assert last.get(timeout=10).active == 2
    runtime.close()


def test_a_clean_end_of_another_is_nobody_elses_business(tree: Tree) -> None:
    """Case 115, over a link."""
    tree.start(SupervisorFlags(), child(Runner, name="a"), child(Runner, name="b"))
    b = tree.ref("b")
    tree.ask("a", lambda actor: actor.link(b))
    b.tell(lambda actor: actor.exit(Normal()))
    tree.settle()
    assert (tree.restarts("a"), tree.restarts("b")) == (0, 1)


def test_what_is_no_actor_is_refused_by_name() -> None:
    """Case 119: rubbish is named; a class brings its own defaults by a function that returns its spec."""
    for rubbish in (dict, 7, "Runner", Runner.on_receive):
        with pytest.raises(SpecError, match="invalid_child_class"):
            child(rubbish)  # type: ignore[arg-type]


def test_defaults_of_a_supervisor() -> None:
    """Case 120: Elixir's."""
    flags = SupervisorFlags()
    assert (flags.max_restarts, flags.period_s, flags.strategy) == (3, 5.0, Strategy.ONE_FOR_ONE)


def test_a_registry_counts_its_keys_and_keeps_nothing_of_what_it_refused(tree: Tree) -> None:
    """Cases 174, 181 and 183: an owner is known while it has a key, and no longer."""
    registry = Registry()
    tree.start(SupervisorFlags(), child(Runner, name="a"), child(Runner, name="b"))
    assert registry.count() == 0
    tree.ask("a", lambda actor: [registry.register(key, actor) for key in ("x", "y")])
    assert registry.count() == 2

    def register_again(actor: Actor) -> None:
        for _ in range(50):
            with pytest.raises(AlreadyRegistered):
                registry.register("x", actor)

    tree.ask("a", register_again)
    tree.ask("b", register_again)
    assert registry.count() == 2
    assert len(registry._keys) == 1, "whoever was refused is not known"
    tree.ask("a", lambda actor: [registry.unregister(key, actor) for key in ("x", "y")])
    assert (registry.count(), registry._keys, registry._entries) == (0, {}, {})


@pytest.mark.parametrize(("pause_s", "is_alive"), [(1.0, False), (3.0, True)])
def test_stays_dead_after_max_restarts_within_time_range(pause_s: float, is_alive: bool) -> None:
    """Case 201: and survives the same number of crashes when they are further apart."""
    runtime = Runtime(clock=ManualClock())
    top = runtime.spawn(
        Supervisor, SupervisorFlags(max_restarts=2, period_s=5.0), [child(Runner, name="a")], name="top"
    )
    for _ in range(3):
        ref = runtime.names.whereis("a")
        assert ref is not None
        ref.tell(die)
        runtime.settle()
        runtime.advance(pause_s)
    assert top.is_alive() == is_alive
    runtime.close()


def test_jumps_of_the_wall_clock_change_nothing() -> None:
    """Case 222: neither a window nor a timer looks at it."""
    runtime = Runtime(clock=ManualClock())
    heard: list[object] = []

    class Listener(Runner):
        def on_receive(self, message: Any) -> Any:
            return heard.append(message) if isinstance(message, str) else message(self)

    with freeze_time("2026-01-01") as wall:
        top = runtime.spawn(Supervisor, SupervisorFlags(max_restarts=1), [child(Listener, name="a")], name="top")
        ref = runtime.names.whereis("a")
        assert ref is not None
        ref.ask(lambda actor: actor.send_after(10.0, "due"), timeout=5)
        for hours in (1, -2):
            wall.tick(timedelta(hours=hours))
            runtime.advance(4.0)
            assert heard == []
        runtime.advance(2.0)
        assert heard == ["due"]
        ref.tell(die)
        runtime.settle()
        wall.tick(timedelta(hours=1))
        again = runtime.names.whereis("a")
        assert again is not None
        again.tell(die)
        runtime.settle()
        assert not top.is_alive(), "an hour of the wall clock does not empty the window"
    runtime.close()
