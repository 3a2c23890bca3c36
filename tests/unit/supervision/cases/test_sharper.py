"""Cases of the first rank in their sharpest form for threads: what an ask that fails does, and which stop overtakes what."""

from __future__ import annotations

import threading
from typing import Any

import pykka
import pytest

from supervision.actor import Actor
from supervision.core_messages import (
    Exited,
    ScheduleRetry,
    StartChild,
    StartFailed,
    TerminateChildRequest,
)
from supervision.exits import Normal
from supervision.spec import INFINITY, AutoShutdown, Restart, Strategy, SupervisorFlags
from supervision.supervisor import child
from supervision.testing import Tree, tree
from tests.harness.waiting import wait_for
from tests.unit.supervision.world import DIE, spec, world

__all__ = ["tree"]

FLAGS = SupervisorFlags(max_restarts=10)


class Counter(Actor):
    """Counts what it is told; fails on request."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def on_receive(self, message: Any) -> Any:
        if callable(message):
            return message()
        self.count += 1
        return self.count

    def fail(self) -> None:
        raise ValueError("boom")


class Tolerant(Counter):
    ask_errors = "reply"


def boom() -> None:
    raise ValueError("boom")


def test_an_ask_that_raises_reaches_the_caller_and_the_supervisor(tree: Tree) -> None:
    """Case 203: both, as in OTP; only the caller where the class says ``reply``."""
    tree.start(FLAGS, child(Counter, name="a"), child(Tolerant, name="b"))
    for name, restarts in (("a", 1), ("b", 0)):
        assert tree.ask(name, "one") == 1
        with pytest.raises(ValueError, match="boom"):
            tree.ask(name, boom)
        tree.settle()
        assert tree.restarts(name) == restarts
        assert tree.ask(name, "two") == (1 if restarts else 2)


def test_a_proxy_call_that_nobody_waits_for_is_not_lost_in_silence(
    tree: Tree, caplog: pytest.LogCaptureFixture
) -> None:
    """Case 204: it ends the actor, or is at least logged where the class says ``reply``."""
    tree.start(FLAGS, child(Counter, name="a"), child(Tolerant, name="b"))
    tree.ref("a").proxy().fail()
    with caplog.at_level("INFO", logger="supervision"):
        tree.ref("b").proxy().fail()
        tree.settle()
    assert (tree.restarts("a"), tree.restarts("b")) == (1, 0)
    assert any("Exception returned from Tolerant" in record.getMessage() for record in caplog.records)


def test_a_stop_of_pykkas_comes_after_the_backlog(tree: Tree) -> None:
    """Case 212, drain mode: everything that was sent before is handled; a stop of the supervisor does not wait for it."""
    tree.start(FLAGS, child(Counter, name="a", restart=Restart.TEMPORARY))
    ref, gate = tree.ref("a"), threading.Event()
    ref.tell(lambda: gate.wait(10))
    backlog = [ref.ask("x", block=False) for _ in range(10_000)]
    stopped = ref.stop(block=False)
    gate.set()
    assert stopped.get(timeout=30) is True
    assert [backlog[0].get(timeout=5), backlog[-1].get(timeout=5)] == [1, 10_000]
    tree.settle()
    assert tree.states() == {}


def test_stop_all_of_pykkas_registry_is_a_clean_end_of_each(tree: Tree) -> None:
    """Case 217: a permanent child comes back, a transient one stays down, a supervisor stops as if its parent had asked."""
    tree.start(FLAGS, child(Counter, name="a"), child(Counter, name="b", restart=Restart.TRANSIENT))
    top = tree.top
    for ref in reversed(pykka.ActorRegistry.get_by_class(Counter)):  # as stop_all does, but of this tree alone
        assert ref.stop(timeout=10)
    tree.settle()
    assert tree.states() == {"a": "running", "b": "none"} and tree.snapshot().children[0].last_exit == "normal"
    assert top is not None and top.stop(timeout=10)
    wait_for(lambda: not top.is_alive() and tree.runtime.names.whereis("a") is None)


def test_one_that_is_being_restarted_still_counts_and_by_hand_it_does_not() -> None:
    """Case 90: nothing ends the supervisor any more."""
    children = (spec(id_, Restart.TRANSIENT, significant=True) for id_ in "ab")
    made = world(Strategy.ONE_FOR_ONE, *children, max_restarts=100, auto_shutdown=AutoShutdown.ALL_SIGNIFICANT)
    [start] = [one for one in made.core.handle(Exited("a", made.running.pop("a"), DIE)) if isinstance(one, StartChild)]
    assert [type(one) for one in made.core.handle(StartFailed("a", start.incarnation, DIE))][-1] is ScheduleRetry
    made.die("b", Normal())
    assert made.exit is None
    assert made.ask(TerminateChildRequest("a")) is None
    assert made.exit is None and made.running == {}


@pytest.mark.parametrize(("limit_s", "reason"), [(10.0, "shutdown"), (0.0, "killed(abandoned)")])
def test_a_stop_that_ends_within_its_limit_is_in_order(limit_s: float, reason: str) -> None:
    """Case 86: asked and given time, or asked and taken down at once."""
    from supervision.runtime import Runtime
    from supervision.supervisor import Supervisor

    entered, let_go = threading.Event(), threading.Event()

    class Slow(Counter):
        def on_stop(self) -> None:
            entered.set()
            let_go.wait(10)

    runtime = Runtime()
    top = runtime.spawn(Supervisor, FLAGS, [child(Slow, name="slow", shutdown_s=limit_s)], name="top")
    cell = runtime.names.cell("slow")
    assert cell is not None
    answer = top.ask(TerminateChildRequest("slow"), block=False)
    assert entered.wait(10)
    if limit_s:
        let_go.set()
    assert answer.get(timeout=10) is None and str(cell.reason) == reason
    let_go.set()
    wait_for(lambda: runtime.abandoned == 0)
    runtime.close()


def test_a_child_that_may_take_its_time_to_stop_is_seen_while_it_does(caplog: pytest.LogCaptureFixture) -> None:
    """Case 16 (sup_stop_infinity) for one that hangs: every ten seconds an event, with where it is; and none afterwards."""
    from supervision.clock import ManualClock
    from supervision.runtime import Runtime
    from supervision.supervisor import Supervisor

    entered, let_go = threading.Event(), threading.Event()

    class Slow(Counter):
        def on_stop(self) -> None:
            entered.set()
            let_go.wait(20)

    clock = ManualClock()
    runtime = Runtime(clock=clock)
    top = runtime.spawn(Supervisor, FLAGS, [child(Slow, name="slow", shutdown_s=INFINITY)], name="top")
    answer = top.ask(TerminateChildRequest("slow"), block=False)
    assert entered.wait(10)

    def said() -> list[str]:
        return [event.child for event in runtime.events if event.kind == "still_stopping"]

    for number in (1, 2):
        clock.advance(10.0)
        runtime.timers.fire_due()
        wait_for(lambda number=number: len(said()) == number)  # type: ignore[misc]
    assert "let_go.wait" in caplog.text, "the stack shows where"
    let_go.set()
    assert answer.get(timeout=10) is None
    runtime.advance(30.0)
    assert said() == ["slow", "slow"]
    runtime.close()
