"""An actor that was written for Pykka and knows nothing of supervision is supervised as it is. Case 216."""

from __future__ import annotations

import threading
from typing import Any

import pykka
import pytest

from supervision.named_ref import NamedRef
from supervision.spec import SupervisorFlags
from supervision.supervisor import child
from supervision.testing import Tree, tree

__all__ = ["tree"]


class Stranger(pykka.ThreadingActor):
    """As in Pykka's own documentation."""

    def __init__(self, start: int, name: str = "mine") -> None:
        super().__init__()
        self.name = name
        self.count = start
        self.thread = threading.current_thread()

    def on_receive(self, message: Any) -> Any:
        if message == "boom":
            raise ValueError("boom")
        if message == "exit":
            raise SystemExit(3)
        if message == "thread":
            return threading.current_thread() is self.thread
        self.count += 1
        return self.count

    def double(self) -> int:
        return 2 * self.count


class Broken(pykka.ThreadingActor):
    def on_start(self) -> None:
        raise RuntimeError("cannot")


def start(tree: Tree) -> NamedRef:
    tree.start(SupervisorFlags(max_restarts=10), child(Stranger, 10, name="stranger"))
    return NamedRef(tree.runtime, "stranger")


def test_it_works_as_before(tree: Tree) -> None:
    """Case 216."""
    stranger = start(tree)
    assert stranger.ask("more", timeout=5) == 11
    assert stranger.proxy().double().get(timeout=5) == 22
    assert stranger.proxy().name.get(timeout=5) == "mine"
    assert stranger.ask("thread", timeout=5), "it was made and runs in one thread of its own"
    ref = stranger.resolve()
    assert ref is not None and ref in pykka.ActorRegistry.get_by_class(Stranger)


@pytest.mark.parametrize("message", ["boom", "exit"])
def test_a_failure_in_a_tell_restarts_it_and_only_it(tree: Tree, message: str) -> None:
    """Cases 204 and 205: also what would have stopped every actor of the process."""
    stranger = start(tree)
    stranger.ask("more", timeout=5)
    stranger.tell(message)
    tree.settle()
    assert stranger.ask("more", timeout=5) == 11, "a new one, from the beginning"
    assert tree.restarts("stranger") == 1


def test_a_failure_in_an_ask_only_reaches_the_caller(tree: Tree) -> None:
    """Case 203, in Pykka's way, which its author expects."""
    stranger = start(tree)
    with pytest.raises(ValueError, match="boom"):
        stranger.ask("boom", timeout=5)
    assert stranger.ask("more", timeout=5) == 11


def test_a_failing_start_is_a_failed_start(tree: Tree) -> None:
    """Case 207."""
    with pytest.raises(Exception, match="cannot"):
        tree.start(SupervisorFlags(), child(Broken, name="broken"))
    assert tree.runtime.names.whereis("broken") is None


def test_stopping_it_by_its_ref_is_a_normal_end(tree: Tree) -> None:
    """Case 217: permanent, so it comes back."""
    stranger = start(tree)
    ref = stranger.resolve()
    assert ref is not None
    ref.stop(timeout=5)
    tree.settle()
    assert stranger.ask("more", timeout=5) == 11
    assert tree.snapshot().children[0].last_exit == "normal"
