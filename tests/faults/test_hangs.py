"""What hangs, fails to start, or dies again and again: the rest goes on, and what cannot be helped is given up upward."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pykka
import pytest

from supervision.actor import Actor
from supervision.alarms import ABANDONED, LONG_HANDLER
from supervision.clock import ManualClock
from supervision.runtime import Runtime
from supervision.spec import ChildSpec, Strategy, SupervisorFlags
from supervision.supervisor import Supervisor, child
from supervision.watcher import ReadAlarms, Watcher
from tests.harness.hub import is_running
from tests.harness.moments import BOOT_MOMENTS
from tests.harness.trapped import TrappedHub
from tests.harness.waiting import wait_for

LIMIT_S = 20.0


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    made = Runtime()
    yield made
    made.close()


class Echo(Actor):
    """Answers; on ``threading.Event`` it waits for it, as a handler that hangs."""

    handles: ClassVar[dict[type, str]] = {str: "echo", threading.Event: "hang"}

    def echo(self, word: str) -> str:
        return word

    def hang(self, event: threading.Event) -> None:
        event.wait(60)


class Stubborn(Actor):
    """Fails to start as long as ``attempts`` has fewer than ``needed`` entries."""

    handles: ClassVar[dict[type, str]] = {str: "echo"}

    def __init__(self, attempts: list[str], needed: float) -> None:
        super().__init__()
        self._attempts = attempts
        self._needed = needed

    def on_start(self) -> None:
        self._attempts.append("start")
        if len(self._attempts) <= self._needed:
            raise OSError("not yet")

    def echo(self, word: str) -> str:
        if word == "die":
            raise RuntimeError("told to")
        return word


class NeverStarts(Actor):
    """Its ``on_start`` does not return until ``event`` is set."""

    def __init__(self, event: threading.Event, begun: list[str]) -> None:
        super().__init__()
        self._event = event
        self._begun = begun

    def on_start(self) -> None:
        self._begun.append("start")
        self._event.wait(60)


def supervise(runtime: Runtime, *specs: ChildSpec, max_restarts: int = 3) -> pykka.ActorRef[Supervisor]:
    flags = SupervisorFlags(Strategy.ONE_FOR_ONE, max_restarts, 60.0)
    return runtime.spawn(Supervisor, flags, list(specs), name="top")


def ask(runtime: Runtime, name: str, word: str = "hello") -> object:
    ref = runtime.names.whereis(name)
    return None if ref is None else ref.ask(word, timeout=LIMIT_S)


# --- start functions ----------------------------------------------------------------------------------------------------


def test_a_start_that_fails_three_times_in_a_restart_then_works(runtime: Runtime) -> None:
    attempts: list[str] = ["start"] * 10  # the first start works
    supervise(runtime, child(Stubborn, attempts, 10, name="stubborn"), child(Echo, name="sibling"), max_restarts=5)
    assert ask(runtime, "stubborn") == "hello"
    attempts.clear()
    attempts += ["start"] * 7  # the next three fail
    ref = runtime.names.whereis("stubborn")
    assert ref is not None
    ref.tell("die")
    wait_for(lambda: len(attempts) == 11, LIMIT_S, "the fourth start")
    wait_for(lambda: runtime.names.whereis("stubborn") is not None, LIMIT_S, "its name")
    assert ask(runtime, "stubborn") == "hello"
    assert ask(runtime, "sibling") == "hello"


def test_a_start_that_fails_for_ever_is_given_up_upward(runtime: Runtime) -> None:
    attempts: list[str] = ["start"] * 10
    top = supervise(runtime, child(Stubborn, attempts, 10, name="stubborn"), child(Echo, name="sibling"))
    attempts.clear()
    ref = runtime.names.whereis("stubborn")
    assert ref is not None
    ref.tell("die")
    wait_for(lambda: not top.is_alive(), LIMIT_S, "the supervisor giving up")
    assert len(attempts) == 3, "max_restarts starts, and no more"
    wait_for(lambda: runtime.names.whereis("sibling") is None, LIMIT_S, "the end of the sibling")


def test_a_first_start_that_fails_ends_the_supervisor_with_the_reason(runtime: Runtime) -> None:
    with pytest.raises(Exception, match="not yet"):
        supervise(runtime, child(Echo, name="sibling"), child(Stubborn, [], 1e9, name="stubborn"))
    wait_for(lambda: runtime.names.whereis("sibling") is None, LIMIT_S, "the end of the sibling")


def test_a_start_that_never_returns_is_given_up_after_its_timeout() -> None:
    """On a manual clock: the supervisor does not hang with its child, and the thread is counted as abandoned."""
    runtime = Runtime(clock=ManualClock())
    event, begun = threading.Event(), list[str]()
    try:
        slow = child(NeverStarts, event, begun, name="slow", start_timeout_s=5.0)
        flags = SupervisorFlags(Strategy.ONE_FOR_ONE, 3, 60.0)
        top = runtime.create(Supervisor, (flags, [child(Echo, name="sibling"), slow]), name="top")
        outcome = top.start()
        wait_for(lambda: begun, LIMIT_S, "the start")
        assert ask(runtime, "sibling") == "hello"
        _advance(runtime, 6.0)
        wait_for(outcome.is_done, LIMIT_S, "the supervisor giving up")
        with pytest.raises(Exception, match="start timeout"):
            outcome.get(timeout=1)
        assert runtime.abandoned == 1
        event.set()
        wait_for(lambda: runtime.abandoned == 0, LIMIT_S, "the abandoned thread")
    finally:
        event.set()
        runtime.close()


def _advance(runtime: Runtime, seconds: float) -> None:
    """Without ``settle``: one actor hangs on purpose."""
    assert isinstance(runtime.clock, ManualClock)
    runtime.clock.advance(seconds)
    runtime.timers.fire_due()


# --- handlers -----------------------------------------------------------------------------------------------------------


def test_an_ask_of_a_handler_that_hangs_ends_at_its_deadline_and_siblings_answer(runtime: Runtime) -> None:
    event = threading.Event()
    supervise(runtime, child(Echo, name="hanging"), child(Echo, name="sibling"))
    ref = runtime.names.whereis("hanging")
    assert ref is not None
    ref.tell(event)
    with pytest.raises(pykka.Timeout):
        ref.ask("hello", timeout=0.2)
    assert ask(runtime, "sibling") == "hello"
    event.set()
    assert ref.ask("hello", timeout=LIMIT_S) == "hello"


def test_a_handler_that_hangs_is_seen_and_its_actor_can_be_replaced(runtime: Runtime) -> None:
    event = threading.Event()
    watcher = runtime.spawn(Watcher)
    hanging = runtime.spawn(Echo, name="hanging")
    hanging.tell(event)

    def alarms() -> set[tuple[str, str]]:
        return {(alarm.id, alarm.subject) for alarm in watcher.ask(ReadAlarms(), timeout=LIMIT_S)}

    wait_for(lambda: (LONG_HANDLER, "hanging") in alarms(), LIMIT_S, "the alarm")
    cell = runtime.names.cell("hanging")
    assert cell is not None
    cell.revoke("watchdog")
    wait_for(lambda: (ABANDONED, "threads") in alarms(), LIMIT_S, "the alarm about its thread")
    runtime.spawn(Echo, name="hanging")  # its name is free at once
    assert ask(runtime, "hanging") == "hello"
    event.set()
    wait_for(lambda: alarms() == set(), LIMIT_S, "the end of the alarms")


def test_a_hanging_child_does_not_hold_up_the_stop_of_its_supervisor(runtime: Runtime) -> None:
    event = threading.Event()
    top = supervise(runtime, child(Echo, name="hanging", shutdown_s=0.3), child(Echo, name="sibling"))
    ref = runtime.names.whereis("hanging")
    assert ref is not None
    ref.tell(event)
    waiting = ref.ask("hello", block=False)
    assert top.stop(timeout=LIMIT_S)
    with pytest.raises(Exception, match=r"."):
        waiting.get(timeout=LIMIT_S)
    wait_for(lambda: runtime.names.whereis("hanging") is None, LIMIT_S, "the end of the child")
    event.set()


# --- the whole hub ------------------------------------------------------------------------------------------------------


def test_the_root_gives_up_when_the_hub_dies_again_and_again(tmp_path: Path) -> None:
    """Every start of the hub is killed when it listens; after ``max_restarts`` the root ends with 1 and leaves nothing behind."""
    hub = TrappedHub(tmp_path / "data", "--max-restarts", "4", "--max-seconds", "60")
    with hub:
        assert hub.process is not None
        webs, before = hub.web_pids, hub.hub_pid
        starts = 0
        hub.trap.arm("boot.listening")
        os.kill(before, 9)
        while hub.process.poll() is None:
            if hub.trap.fired() is not None:
                starts += 1
                hub.trap.arm("boot.listening")
        assert hub.process.returncode == 1
        assert "gave up" in hub.log()
        assert starts <= 5, "more starts than max_restarts allows"
        wait_for(lambda: not any(is_running(pid) for pid in webs), 10, "the end of the web processes")
        hub.trap.disarm()
        hub.start()
        assert hub.get("/health", token=None).status == 200


@pytest.mark.parametrize("moment", BOOT_MOMENTS)
def test_a_hub_that_dies_while_it_starts_starts_again(moment: str, tmp_path: Path) -> None:
    with TrappedHub(tmp_path / "data", "--max-restarts", "50") as hub:
        task = hub.submit("survive")
        before = hub.hub_pid
        hub.trap.arm(moment)
        os.kill(before, 9)
        fired = wait_for(hub.trap.fired, LIMIT_S, moment)
        wait_for(lambda: hub.hub_pid not in (before, fired.pid), LIMIT_S, "a new hub")
        wait_for(lambda: hub.get("/api/tasks/stats").status == 200, LIMIT_S, "an answer")
        assert hub.task(task)["status"] == "queued"
