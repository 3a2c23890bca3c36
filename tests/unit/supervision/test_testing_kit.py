"""The kit finds what it is there to find."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import Any

import pytest

from supervision.actor import Actor
from supervision.spec import SupervisorFlags
from supervision.supervisor import child
from supervision.testing import Tree, crash, no_leaks, tree

__all__ = ["tree"]


class Counter(Actor):
    def __init__(self, start: int) -> None:
        super().__init__()
        self.count = start

    def on_start(self) -> None:
        self.send_every(10.0, "tick")

    def on_receive(self, message: Any) -> int:
        if message in ("tick", "add"):
            self.count += 1
        return self.count


def test_a_crash_before_has_no_effect_and_one_after_has_none_that_survives(tree: Tree) -> None:
    tree.start(SupervisorFlags(max_restarts=5), child(Counter, 10, name="counter"))
    for number, when in enumerate(("before", "after"), 1):
        with crash(Counter, str, nth=2, when=when):  # type: ignore[arg-type]
            tree.tell("counter", "add")
            tree.tell("counter", "add")
        assert tree.restarts("counter") == number
        assert tree.ask("counter", "read") == 10
    assert tree.states() == {"counter": "running"}


def test_time_is_virtual(tree: Tree) -> None:
    tree.start(SupervisorFlags(), child(Counter, 0, name="counter"))
    tree.advance(35.0)
    assert tree.ask("counter", "read") == 3


def test_an_injection_that_never_struck_fails_the_test(tree: Tree) -> None:
    tree.start(SupervisorFlags(), child(Counter, 0, name="counter"))
    with pytest.raises(AssertionError, match="got 1 messages"), crash(Counter, str, nth=2):
        tree.tell("counter", "add")


def test_what_is_left_behind_is_named() -> None:
    stop = threading.Event()
    with pytest.raises(AssertionError, match="threads: "), pytest.MonkeyPatch.context() as patch:
        patch.setattr("supervision.testing.LEAK_GRACE_S", 0.05)
        with no_leaks():
            threading.Thread(target=stop.wait, args=(10,)).start()
    stop.set()
    with pytest.raises(AssertionError, match="child processes: "), pytest.MonkeyPatch.context() as patch:
        patch.setattr("supervision.testing.LEAK_GRACE_S", 0.05)
        with no_leaks():
            process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    process.kill()
    process.wait(timeout=10)


def test_an_actor_outside_the_tree_is_a_leak() -> None:
    made = Tree()
    made.runtime.spawn(Counter, 1)
    with pytest.raises(AssertionError, match="left behind"):
        made.close()
