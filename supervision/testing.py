"""A pytest kit for supervised actors: ``pytest_plugins = ["supervision.testing"]`` in your ``conftest.py``.

    def test_the_counter_comes_back(tree):
        tree.start(SupervisorFlags(), child(Counter, 10, name="counter"))
        with crash(Counter, str, nth=2):
            tree.tell("counter", "a")
            tree.tell("counter", "b")
        assert tree.restarts("counter") == 1
        tree.advance(60)      # virtual seconds: timers fire, nobody waits

At the end of each test everything is stopped, and the test fails when something was left behind: threads, descriptors, child
processes, names, timers, or handlers that still hang.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

import pykka
import pytest

from supervision import threads
from supervision.cell import Cell
from supervision.clock import ManualClock
from supervision.core_messages import ChildInfo, RestartChildRequest, WhichChildrenRequest
from supervision.node import Node
from supervision.runtime import Runtime
from supervision.spec import ChildSpec, SupervisorFlags
from supervision.supervisor import Supervisor
from supervision.tree import tree as tree_of

#: How long threads and descriptors may take to go after the last actor ended.
LEAK_GRACE_S = 5.0

#: A tree that takes longer to stop is reported as what it left behind.
STOP_LIMIT_S = 10.0


class Injected(Exception):
    """What ``crash`` raises unless told otherwise."""


class Tree:
    """A runtime on a manual clock with one supervisor, called ``top``."""

    def __init__(self) -> None:
        self.runtime = Runtime(clock=ManualClock(), seed=1)
        self.top: pykka.ActorRef[Any] | None = None

    def start(self, flags: SupervisorFlags, *specs: ChildSpec) -> pykka.ActorRef[Any]:
        """Returns when every child has started; raises when one could not."""
        self.top = self.runtime.spawn(Supervisor, flags, list(specs), name="top")
        return self.top

    def advance(self, seconds: float) -> None:
        """Virtual time: every timer fires at its own moment, and all actors finish after each."""
        self.runtime.advance(seconds)

    def settle(self) -> None:
        """Until no actor has anything to do."""
        self.runtime.settle()

    def ref(self, name: str) -> pykka.ActorRef[Any]:
        """The current incarnation. Fails when nobody has the name."""
        ref = self.runtime.names.whereis(name)
        assert ref is not None, f"nobody is called {name}"
        return ref

    def tell(self, name: str, message: object) -> None:
        """Tell, and let it be handled."""
        self.ref(name).tell(message)
        self.settle()

    def ask(self, name: str, message: object, timeout: float = 5.0) -> Any:
        answer = self.ref(name).ask(message, timeout=timeout)
        self.settle()
        return answer

    def snapshot(self) -> Node:
        self.settle()
        node = tree_of(self.runtime, "top")
        assert node is not None, "the supervisor gave up"
        return node

    def restarts(self, id_: str) -> int:
        """Of a child of ``top``."""
        return next(child.restarts for child in self.snapshot().children if child.id == id_)

    def states(self) -> dict[str, str]:
        """Child of ``top`` -> running, restarting or none."""
        assert self.top is not None
        infos: list[ChildInfo] = self.top.ask(WhichChildrenRequest(), block=True, timeout=5)
        return {info.id: info.state for info in infos}

    def revive(self, id_: str) -> None:
        """``restart_child`` of one that is down."""
        assert self.top is not None
        self.top.ask(RestartChildRequest(id_), timeout=5)
        self.settle()

    def close(self) -> None:
        if self.top is not None and self.top.is_alive():
            self.top.stop()
            with suppress(TimeoutError):
                threads.wait_until(lambda: not self.runtime.living(), STOP_LIMIT_S)
        left = [repr(cell) for cell in self.runtime.living()]
        abandoned = [repr(cell) for cell, _ in self.runtime.abandoned_cells()]
        self.runtime.close()
        assert not left, f"actors outside the tree were left behind: {left}"
        assert not abandoned, f"handlers still hang: {abandoned}"


@contextmanager
def crash(
    actor: type,
    message: type,
    *,
    nth: int = 1,
    when: Literal["after", "before"] = "before",
    error: type[BaseException] = Injected,
) -> Iterator[None]:
    """The ``nth`` message of a type in an actor of a class raises, before or after its effect. Fails if there was none."""
    real = Cell._receive
    seen = 0

    def receive(cell: Cell, received: Any) -> Any:
        nonlocal seen
        fits = isinstance(cell.actor, actor) and isinstance(received, message)
        seen += fits
        if fits and seen == nth and when == "before":
            raise error("injected")
        answer = real(cell, received)
        if fits and seen == nth and when == "after":
            raise error("injected")
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Cell, "_receive", receive)
        yield
    assert seen >= nth, f"{actor.__name__} got {seen} messages of the type {message.__name__}, not {nth}"


@contextmanager
def no_leaks() -> Iterator[None]:
    """Fails when the block leaves more threads, descriptors or child processes behind than there were."""
    before = _resources()
    yield
    gc.collect()
    try:
        threads.wait_until(
            lambda: all(now <= then for now, then in zip(_resources(), before, strict=True)), LEAK_GRACE_S
        )
    except TimeoutError:
        kinds = ("threads", "descriptors", "child processes")
        grown = [
            f"{kind}: {then} -> {now}"
            for kind, then, now in zip(kinds, before, _resources(), strict=True)
            if now > then
        ]
        raise AssertionError(f"left behind: {', '.join(grown)}") from None


def _resources() -> tuple[int, int, int]:
    children = Path("/proc/self/task").glob("*/children")
    return (
        threads.count(),
        len(os.listdir("/proc/self/fd")),
        sum(len(path.read_text().split()) for path in children),
    )


@pytest.fixture
def tree() -> Iterator[Tree]:
    """A ``Tree``, checked for leaks when the test is over."""
    with no_leaks():
        made = Tree()
        try:
            yield made
        finally:
            made.close()
