"""What an actor promises: every ask answered, exits published once and last, only the guilty one dies."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pykka
import pytest

from supervision.actor import Actor, BatchActor, Request
from supervision.clock import ManualClock
from supervision.exits import Error, ExitReason, NoProc, Normal, Shutdown
from supervision.runtime import Runtime
from supervision.threads import WorkerPool
from tests.harness.waiting import wait_for


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    made = Runtime(clock=ManualClock())
    yield made
    made.close()


class Runner(Actor):
    """Runs the function that it is sent; ``got`` collects everything else."""

    def __init__(self) -> None:
        super().__init__()
        self.got: list[object] = []

    def on_receive(self, message: Any) -> Any:
        if callable(message):
            return message(self)
        self.got.append(message)
        return message

    def double(self, number: int) -> int:
        return 2 * number


def test_refs_proxies_and_futures_work_as_in_pykka(runtime: Runtime) -> None:
    ref = runtime.spawn(Runner)
    assert ref.ask("hello", timeout=5) == "hello"
    assert ref.proxy().double(4).get(timeout=5) == 8
    assert pykka.get_all([ref.ask(n, block=False) for n in range(5)], timeout=5) == [0, 1, 2, 3, 4]
    assert ref.stop(timeout=5) is True
    with pytest.raises(pykka.ActorDeadError):
        ref.tell("late")


def test_a_bare_start_works_without_a_runtime_of_ones_own() -> None:
    ref = Runner.start()
    assert ref.ask("hello", timeout=5) == "hello"
    ref.stop(timeout=5)


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt, MemoryError, GeneratorExit])
def test_an_exception_ends_only_the_actor_that_raised_it(runtime: Runtime, error: type[BaseException]) -> None:
    """Pykka stops every actor of the process on SystemExit, and never answers the ask."""

    def fail(_: Runner) -> None:
        raise error

    guilty, other = runtime.spawn(Runner, name="guilty"), runtime.spawn(Runner)
    with pytest.raises(error):
        guilty.ask(fail, timeout=5)
    runtime.settle()
    assert not guilty.is_alive()
    assert runtime.names.whereis("guilty") is None
    assert other.ask("still there", timeout=5) == "still there"


def test_asks_behind_a_crash_are_answered(runtime: Runtime) -> None:
    ref = runtime.spawn(Runner)
    release = pykka.ThreadingFuture[None]()
    ref.tell(lambda _: release.get(timeout=5))
    ref.tell(lambda _: sys.exit(1))
    behind = ref.ask("never handled", block=False)
    release.set(None)
    with pytest.raises(pykka.ActorDeadError):
        behind.get(timeout=5)


def test_an_ask_that_races_with_the_end_is_answered(runtime: Runtime) -> None:
    """Pykka K12: the sender saw a living actor, the actor ended, then the message was put."""
    ref = runtime.spawn(Runner)
    inbox = ref.actor_inbox
    ref.stop(timeout=5)
    runtime.settle()
    future = Runner._create_future()
    from pykka._envelope import Envelope

    inbox.put(Envelope("too late", future))  # type: ignore[arg-type]
    with pytest.raises(pykka.ActorDeadError):
        future.get(timeout=5)


def test_a_failed_start_leaves_nothing(runtime: Runtime) -> None:
    class Broken(Runner):
        def on_start(self) -> None:
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        runtime.spawn(Broken, name="broken")
    assert runtime.names.whereis("broken") is None
    assert runtime.living() == []


def test_a_name_belongs_to_one_living_actor(runtime: Runtime) -> None:
    first = runtime.spawn(Runner, name="n")
    with pytest.raises(Exception, match="n"):
        runtime.spawn(Runner, name="n")
    first.stop(timeout=5)
    assert runtime.spawn(Runner, name="n").is_alive()


def test_everything_observable_is_true_when_the_exit_is_published(runtime: Runtime) -> None:
    seen: list[tuple[ExitReason, bool, object]] = []
    cell = runtime.create(
        Runner,
        name="n",
        on_exit=lambda ended, reason: seen.append((reason, ended.ref.is_alive(), runtime.names.whereis("n"))),  # type: ignore[union-attr]
    )
    cell.start().get(timeout=5)
    cell.stop(Shutdown("test"))
    cell.stop(Shutdown("again"))
    runtime.settle()
    assert seen == [(Shutdown("test"), False, None)]


def test_a_stop_request_overtakes_the_backlog(runtime: Runtime) -> None:
    ref = runtime.spawn(Runner)
    release = pykka.ThreadingFuture[None]()
    ref.tell(lambda _: release.get(timeout=5))
    handled: list[int] = []
    for number in range(1000):
        ref.tell(lambda _, n=number: handled.append(n))
    actor_cell = runtime.living()[0]
    actor_cell.stop()
    release.set(None)
    runtime.settle()
    assert handled == []
    assert not ref.is_alive()


def test_monitors_fire_once_with_the_reason_and_at_once_for_the_dead(runtime: Runtime) -> None:
    ref = runtime.spawn(Runner)
    cell = runtime.living()[0]
    seen: list[ExitReason] = []
    cell.monitor(seen.append)
    undo = cell.monitor(lambda _: seen.append(Error("must not fire")))
    undo()
    ref.stop(timeout=5)
    runtime.settle()
    cell.monitor(seen.append)
    assert seen == [Normal(), NoProc()]


def test_timers_die_with_their_incarnation(runtime: Runtime) -> None:
    ref = runtime.spawn(Runner, name="n")
    ref.ask(lambda actor: actor.send_every(1.0, "tick") and None, timeout=5)
    runtime.advance(3.5)
    assert ref.proxy().got.get(timeout=5) == ["tick"] * 3
    ref.stop(timeout=5)
    successor = runtime.spawn(Runner, name="n")
    runtime.advance(5)
    assert successor.proxy().got.get(timeout=5) == []


def test_a_request_comes_back_into_the_actor_whatever_happens(runtime: Runtime) -> None:
    runtime.spawn(Runner, name="good")
    runtime.spawn(Runner, name="hangs").tell(lambda _: hold.get(timeout=10))
    hold = pykka.ThreadingFuture[None]()
    asker = runtime.spawn(Runner)
    answers: dict[str, object] = {}

    def ask(name: str, message: object) -> Callable[[Runner], None]:
        return lambda actor: actor.request(name, message, lambda answer: answers.update({name: answer}), 2.0)

    asker.ask(ask("good", "hello"), timeout=5)
    asker.ask(ask("nobody", "hello"), timeout=5)
    asker.ask(ask("hangs", "hello"), timeout=5)
    clock = runtime.clock
    assert isinstance(clock, ManualClock)
    clock.advance(2.0)
    runtime.timers.fire_due()
    hold.set(None)
    runtime.settle()
    assert answers["good"] == "hello"
    assert isinstance(answers["nobody"], pykka.ActorDeadError)
    assert isinstance(answers["hangs"], pykka.Timeout)


def test_a_deferred_answer_comes_later_or_fails_with_the_actor(runtime: Runtime) -> None:
    class Ask:
        pass

    class Later(Actor):
        handles = {Ask: "later", str: "answer"}

        def __init__(self) -> None:
            super().__init__()
            self.waiting: list[Any] = []

        def later(self, _: Ask) -> object:
            self.waiting.append(self.defer())
            return self.waiting[-1]

        def answer(self, value: str) -> None:
            self.waiting.pop(0).reply(value)

    ref = runtime.spawn(Later)
    first, second = ref.ask(Ask(), block=False), ref.ask(Ask(), block=False)
    ref.tell("now")
    assert first.get(timeout=5) == "now"
    ref.stop(timeout=5)
    with pytest.raises(pykka.ActorDeadError):
        second.get(timeout=5)


def test_actors_that_wait_for_one_another_do_not_use_up_the_pool(runtime: Runtime) -> None:
    refs = [runtime.spawn(Runner) for _ in range(20)]

    def chain(number: int) -> Callable[[Runner], int]:
        if number == len(refs):
            return lambda _: 0
        return lambda _: 1 + refs[number].ask(chain(number + 1), timeout=10)

    assert refs[0].ask(chain(1), timeout=20) == 19


class Number:
    def __init__(self, value: int) -> None:
        self.value = value


class Adder(BatchActor):
    handles = {Number: "on_batch"}
    batch_limit = 10

    def __init__(self, hold: pykka.ThreadingFuture[None]) -> None:
        super().__init__()
        self.hold = hold

    def on_batch(self, requests: list[Request]) -> None:
        self.hold.get(timeout=5)
        if any(request.message.value < 0 for request in requests):
            raise ValueError("negative")
        for request in requests:
            request.reply(len(requests))


def test_a_batch_actor_takes_what_waits_up_to_its_limit(runtime: Runtime) -> None:
    hold = pykka.ThreadingFuture[None]()
    ref = runtime.spawn(Adder, hold)
    first = ref.ask(Number(0), block=False)
    rest = [ref.ask(Number(n), block=False) for n in range(1, 16)]
    hold.set(None)
    first.get(timeout=5)
    sizes = pykka.get_all(rest, timeout=5)
    assert max(sizes) <= 10 and sum(1 for size in sizes if size > 1) >= 10


def test_a_failed_batch_answers_everybody_in_it(runtime: Runtime) -> None:
    hold = pykka.ThreadingFuture[None]()
    ref = runtime.spawn(Adder, hold)
    answers = [ref.ask(Number(n), block=False) for n in (1, 2, -1, 4)]
    hold.set(None)
    outcomes = []
    for answer in answers:
        try:
            outcomes.append(answer.get(timeout=5))
        except pykka.ActorDeadError:
            outcomes.append("dead")
    assert outcomes.count("dead") >= 2 and not ref.is_alive()


def test_a_handler_that_blocks_without_saying_so_does_not_stop_the_others(runtime: Runtime) -> None:
    """As many as the pool has workers, and a spare comes for each; later the pool is as small as it was."""
    release = pykka.ThreadingFuture[None]()
    stuck = [runtime.spawn(Runner) for _ in range(4)]
    others = [runtime.spawn(Runner) for _ in range(20)]
    for ref in stuck:
        ref.tell(lambda _: release.get(timeout=20))
    assert [ref.ask("alive", timeout=10) for ref in others] == ["alive"] * 20
    release.set(None)
    runtime.settle()
    for _ in range(50):
        others[0].ask("again", timeout=5)
    pool = runtime.pool
    assert isinstance(pool, WorkerPool)
    wait_for(lambda: pool.size <= 2 or others[0].ask("again", timeout=5) is None)


def test_nothing_has_settled_while_an_actor_that_ended_still_answers(runtime: Runtime) -> None:
    """Its last asks are failed in its last turn, after its end was published."""
    entered, let_go = threading.Event(), threading.Event()
    ended: list[str] = []

    class Slow(Runner):
        pass

    def look(_: object) -> None:
        entered.set()
        let_go.wait(10)
        ended.append("told")

    ref = runtime.spawn(Slow)
    cell = runtime.cell_of(ref)
    assert cell is not None
    cell.monitor(look)
    ref.tell(lambda actor: actor.exit(Normal()))
    assert entered.wait(10)
    with pytest.raises(TimeoutError):
        runtime.settle(timeout_s=0.05)
    let_go.set()
    runtime.settle()
    assert ended == ["told"] and runtime.living() == []
