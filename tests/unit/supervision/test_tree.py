"""The tree as data: what an observer sees of supervisors, actors, restarts and hangs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pykka
import pytest

from supervision.actor import Actor
from supervision.clock import ManualClock
from supervision.runtime import Runtime
from supervision.spec import SupervisorFlags
from supervision.supervisor import Supervisor, child
from supervision.tree import tree


class Runner(Actor):
    def on_receive(self, message: Any) -> Any:
        return message(self)


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    made = Runtime(clock=ManualClock())
    inner = child(Supervisor, SupervisorFlags(), [child(Runner, name="worker")], name="inner")
    made.spawn(Supervisor, SupervisorFlags(max_restarts=5), [child(Runner, name="first"), inner], name="top")
    yield made
    made.close()


def test_the_tree_names_everybody_with_kind_state_and_age(runtime: Runtime) -> None:
    runtime.advance(7)
    top = tree(runtime, "top")
    assert top is not None and (top.kind, top.strategy, top.max_restarts) == ("supervisor", "one_for_one", 5)
    assert [(node.id, node.kind, node.state) for node in top.children] == [
        ("first", "actor", "running"),
        ("inner", "supervisor", "running"),
    ]
    assert [node.id for node in top.children[1].children] == ["worker"]
    assert top.children[0].uptime_s == 7.0


def test_a_restart_is_counted_with_its_reason_and_leaves_the_window(runtime: Runtime) -> None:
    def fail(_: Runner) -> None:
        raise ValueError("boom")

    ref = runtime.names.whereis("first")
    assert ref is not None
    with pytest.raises(ValueError, match="boom"):
        ref.ask(fail, timeout=5)
    runtime.settle()
    top = tree(runtime, "top")
    assert top is not None and top.restarts_in_window == 1
    assert top.children[0].restarts == 1 and "boom" in str(top.children[0].last_exit)
    runtime.advance(6)
    later = tree(runtime, "top")
    assert later is not None and later.restarts_in_window == 0
    assert later.children[0].last_exit_s == 6.0


def test_an_actor_that_hangs_shows_what_it_is_at_and_what_waits(runtime: Runtime) -> None:
    release = pykka.ThreadingFuture[None]()
    entered = pykka.ThreadingFuture[None]()

    def hang(_: Runner) -> None:
        entered.set(None)
        release.get(timeout=10)

    ref = runtime.names.whereis("first")
    assert ref is not None
    ref.tell(hang)
    entered.get(timeout=5)
    ref.tell(hang)
    clock = runtime.clock
    assert isinstance(clock, ManualClock)
    clock.advance(30)
    top = tree(runtime, "top")
    assert top is not None
    stuck = top.children[0]
    assert (stuck.handling, stuck.mailbox, stuck.busy_s, stuck.oldest_s) == ("function", 1, 30.0, 30.0)
    assert stuck.stack is None, "only when somebody asks"
    shown = tree(runtime, "top", stacks=True)
    assert shown is not None and "release.get(timeout=10)" in str(shown.children[0].stack)
    assert shown.children[1].stack is None, "it is at nothing"
    entered = pykka.ThreadingFuture[None]()
    release.set(None)


def test_nobody_by_that_name_is_none(runtime: Runtime) -> None:
    assert tree(runtime, "nobody") is None
