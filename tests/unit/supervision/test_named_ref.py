"""A name is looked up at each send, so a restart is invisible to whoever keeps names."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from supervision.actor import Actor
from supervision.cell import ActorExit
from supervision.exits import NoProc
from supervision.named_ref import NamedRef
from supervision.runtime import Runtime
from supervision.spec import SupervisorFlags
from supervision.supervisor import Supervisor, child
from tests.harness.waiting import wait_for


class Echo(Actor):
    got: list[Any] = []

    def on_receive(self, message: Any) -> Any:
        if message == "boom":
            raise ValueError("boom")
        self.got.append(message)
        return message

    def hello(self) -> str:
        return "hello"


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    Echo.got = []
    made = Runtime()
    yield made
    made.close()


def supervised(runtime: Runtime) -> None:
    runtime.spawn(Supervisor, SupervisorFlags(max_restarts=5), [child(Echo, name="echo")], name="top")


def test_start_link_2_is_found_again_under_its_name_after_a_restart(runtime: Runtime) -> None:
    """Case 122."""
    supervised(runtime)
    echo = NamedRef(runtime, "echo")
    first = echo.resolve()
    with pytest.raises(ValueError, match="boom"):
        echo.ask("boom", timeout=5)
    wait_for(lambda: echo.resolve() not in (None, first))
    assert echo.ask("again", timeout=5) == "again"
    assert echo.proxy().hello().get(timeout=5) == "hello"


def test_asking_nobody_fails_at_once_with_noproc(runtime: Runtime) -> None:
    """Case 109."""
    for step in (lambda ref: ref.ask("x", timeout=60), lambda ref: ref.proxy()):
        with pytest.raises(ActorExit) as refused:
            step(NamedRef(runtime, "nobody"))
        assert refused.value.reason == NoProc()


def test_telling_nobody_is_a_dead_letter_or_an_error_as_one_likes(runtime: Runtime) -> None:
    assert NamedRef(runtime, "nobody").tell("x") is False
    assert runtime.dead_letters == 1
    [letter] = runtime.last_dead_letters
    assert (letter.target, letter.message) == ("nobody", "str")
    with pytest.raises(ActorExit):
        NamedRef(runtime, "nobody", while_down="fail").tell("x")


def test_a_queue_keeps_a_bounded_number_and_delivers_them_first_and_in_order(runtime: Runtime) -> None:
    echo = NamedRef(runtime, "echo", while_down="queue", queue_limit=3)
    assert [echo.tell(number) for number in range(5)] == [False] * 5
    assert runtime.dead_letters == 2
    supervised(runtime)
    echo.tell("later")
    runtime.settle()
    assert Echo.got == [2, 3, 4, "later"]


def test_wait_for_returns_when_somebody_has_the_name(runtime: Runtime) -> None:
    echo = NamedRef(runtime, "echo")
    with pytest.raises(TimeoutError):
        echo.wait_for(0.01)
    starter = threading.Timer(0.05, supervised, (runtime,))
    starter.start()
    assert echo.wait_for(10).ask("x", timeout=5) == "x"
    starter.join()
