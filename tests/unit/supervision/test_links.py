"""Monitors tell of an end exactly once and last; links share it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pykka
import pytest

from supervision.actor import Actor
from supervision.exits import Error, Killed, NoProc, Normal, Shutdown
from supervision.links import Down, ExitSignal
from supervision.runtime import Runtime
from tests.harness.waiting import wait_for


class Worker(Actor):
    def on_receive(self, message: Any) -> Any:
        if message == "boom":
            raise ValueError("boom")
        if callable(message):
            return message(self)
        return None


class Observer(Worker):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Any] = []

    def on_receive(self, message: Any) -> Any:
        if callable(message):
            return message(self)
        if isinstance(message, Down):  # everything that can be observed now must be true already
            name = message.target if isinstance(message.target, str) else None
            is_free = name is None or self.runtime.names.whereis(name) is None
            is_dead = isinstance(message.target, str) or not message.target.is_alive()
            assert is_free and is_dead
        self.seen.append(message)
        return None


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    made = Runtime()
    yield made
    made.close()


def seen(runtime: Runtime, observer: pykka.ActorRef[Any]) -> list[Any]:
    runtime.settle()
    found: list[Any] = observer.ask(lambda actor: list(actor.seen), timeout=5)
    return found


def fail(ref: pykka.ActorRef[Any]) -> None:
    ref.tell("boom")


def test_a_monitor_tells_the_reason_once_and_each_monitor_has_its_own(runtime: Runtime) -> None:
    """Cases 107 and 197: N monitors, N Downs; the name is free when Down is seen."""
    worker = runtime.spawn(Worker, name="worker")
    observer = runtime.spawn(Observer)
    tokens = [observer.ask(lambda actor, of=of: actor.monitor(of), timeout=5) for of in (worker, "worker")]
    fail(worker)
    downs = seen(runtime, observer)
    assert [down.token for down in downs] == tokens
    assert all(isinstance(down.reason, Error) and "boom" in down.reason.summary for down in downs)


@pytest.mark.parametrize("target", ["dead", "nobody"])
def test_monitoring_what_is_gone_is_noproc_at_once(runtime: Runtime, target: str) -> None:
    """Case 108."""
    worker = runtime.spawn(Worker)
    worker.stop()
    runtime.settle()
    observer = runtime.spawn(Observer)
    what = worker if target == "dead" else "nobody"
    observer.ask(lambda actor: actor.monitor(what), timeout=5)
    [down] = seen(runtime, observer)
    assert down.reason == NoProc()


def test_the_reasons_of_orderly_and_forced_ends(runtime: Runtime) -> None:
    """Cases 110 and 111."""
    observer = runtime.spawn(Observer)
    workers = [runtime.spawn(Worker) for _ in range(3)]
    for worker in workers:
        observer.ask(lambda actor, worker=worker: actor.monitor(worker), timeout=5)
    cells = [runtime.cell_of(worker) for worker in workers]
    assert all(cells)
    workers[0].stop()
    cells[1].stop()  # type: ignore[union-attr]
    cells[2].revoke("brutal")  # type: ignore[union-attr]
    reasons = {str(down.reason) for down in seen(runtime, observer)}
    assert reasons == {str(Normal()), str(Shutdown()), str(Killed("brutal"))}


def test_demonitor_withdraws_a_down_that_is_in_the_mailbox_already(runtime: Runtime) -> None:
    """Case 117."""
    worker = runtime.spawn(Worker)
    observer = runtime.spawn(Observer)

    def dies_while_we_look(actor: Observer) -> None:
        token = actor.monitor(worker)
        cell = actor.runtime.cell_of(worker)
        assert cell is not None
        cell.revoke("brutal")  # its Down is queued behind this message
        actor.demonitor(token)

    observer.ask(dies_while_we_look, timeout=5)
    assert seen(runtime, observer) == []


def test_what_it_sent_before_it_died_arrives_before_the_down(runtime: Runtime) -> None:
    """Case 118."""
    observer = runtime.spawn(Observer)
    worker = runtime.spawn(Worker)
    observer.ask(lambda actor: actor.monitor(worker), timeout=5)

    def last_words(_: Worker) -> None:
        for number in range(3):
            observer.tell(number)
        raise ValueError("boom")

    worker.tell(last_words)
    first = seen(runtime, observer)
    assert first[:3] == [0, 1, 2] and isinstance(first[3], Down)


def test_a_monitor_dies_with_its_owner(runtime: Runtime) -> None:
    worker = runtime.spawn(Worker)
    observer = runtime.spawn(Observer)
    observer.ask(lambda actor: actor.monitor(worker), timeout=5)
    cell = runtime.cell_of(worker)
    assert cell is not None and cell._monitors is not None and len(cell._monitors) == 1
    observer.stop()
    runtime.settle()
    assert cell._monitors == []


def test_a_link_shares_an_abnormal_end_and_not_a_clean_one(runtime: Runtime) -> None:
    """Case 116."""
    for reason, shared in (("boom", True), ("stop", False)):
        one, other = runtime.spawn(Worker), runtime.spawn(Worker)
        one.ask(lambda actor, other=other: actor.link(other), timeout=5)
        fail(one) if reason == "boom" else one.stop()
        runtime.settle()
        assert other.is_alive() is not shared
        one, other = runtime.spawn(Worker), runtime.spawn(Worker)
        one.ask(lambda actor, other=other: actor.link(other), timeout=5)
        fail(other) if reason == "boom" else other.stop()
        runtime.settle()
        assert one.is_alive() is not shared, "both ways"


def test_who_traps_exits_gets_a_message(runtime: Runtime) -> None:
    """Case 116."""

    class Trapping(Observer):
        traps_exits = True

    trapping, worker = runtime.spawn(Trapping), runtime.spawn(Worker)
    trapping.ask(lambda actor: actor.link(worker), timeout=5)
    fail(worker)
    [signal] = seen(runtime, trapping)
    assert isinstance(signal, ExitSignal) and isinstance(signal.reason, Error) and trapping.is_alive()


def test_a_handler_that_wakes_up_after_its_end_can_do_nothing_more(runtime: Runtime) -> None:
    """Case 208: fencing."""
    entered, wake = threading.Event(), threading.Event()
    observer = runtime.spawn(Observer, name="observer")

    def hang(actor: Worker) -> None:
        entered.set()
        wake.wait(10)
        actor.send("observer", "from the grave")

    hung = runtime.spawn(Worker)
    hung.tell(hang)
    assert entered.wait(5)
    cell = runtime.cell_of(hung)
    assert cell is not None
    cell.revoke("watchdog")
    assert runtime.abandoned == 1
    wake.set()
    wait_for(lambda: runtime.abandoned == 0)
    assert seen(runtime, observer) == []


def test_hung_handlers_take_no_worker_from_the_others_and_are_bounded() -> None:
    """Cases 211 and 219."""
    wake, told = threading.Event(), []
    runtime = Runtime(workers=1, max_abandoned=2, on_too_many_abandoned=told.append)
    for number in range(3):
        entered = threading.Event()

        def hang(_: Worker, entered: threading.Event = entered) -> None:
            entered.set()
            wake.wait(10)

        hung = runtime.spawn(Worker, name=f"hung-{number}")
        hung.tell(hang)
        assert entered.wait(5)
        assert told == []
        cell = runtime.cell_of(hung)
        assert cell is not None
        cell.revoke("watchdog")
    assert told == [3]
    assert runtime.spawn(Worker).ask(lambda _: "alive", timeout=5) == "alive"
    assert {cell.name for cell, _ in runtime.abandoned_cells()} == {"hung-0", "hung-1", "hung-2"}
    wake.set()
    wait_for(lambda: runtime.abandoned == 0)
    runtime.close()
