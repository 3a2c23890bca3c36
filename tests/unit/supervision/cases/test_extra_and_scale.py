"""Cases about what a start says besides, what is kept of arguments, many children, and processes that were forked."""

from __future__ import annotations

import gc
import os
import sys
import weakref
from collections.abc import Callable
from typing import Any

import pykka
import pytest

from supervision.actor import Actor
from supervision.backoff import Backoff
from supervision.core_messages import (
    Begin,
    DeleteChildRequest,
    Exited,
    Failure,
    GetChildSpecRequest,
    ResetBackoffRequest,
    RestartChildRequest,
    StartChildRequest,
    StartedWith,
    StopChild,
    StopRequested,
    TerminateChildRequest,
    WhichChildrenRequest,
)
from supervision.exits import Error, Shutdown
from supervision.links import Down
from supervision.runtime import Runtime
from supervision.spec import INFINITY, ChildSpec, ChildType, Restart, SpecError, Strategy, SupervisorFlags
from supervision.supervisor import Supervisor, child
from supervision.testing import Tree, tree
from tests.unit.supervision.world import World, spec

__all__ = ["tree"]

P, T, TEMP = Restart.PERMANENT, Restart.TRANSIENT, Restart.TEMPORARY
FLAGS = SupervisorFlags(max_restarts=10)


class Runner(Actor):
    """Calls what it is sent."""

    def on_receive(self, message: Any) -> Any:
        return message(self) if callable(message) else message


class Listening(Runner):
    """A start that found out something."""

    starts = 0

    def on_start(self) -> int:
        Listening.starts += 1
        return 8000 + Listening.starts


def die(_: Actor) -> None:
    raise ValueError("boom")


# --- what a start says besides --------------------------------------------------------------------------------------------


def test_extra_return(tree: Tree) -> None:
    """Case 23: whoever asked for the start hears it; a restart by the supervisor itself ignores it."""
    Listening.starts = 0
    top = tree.start(FLAGS, child(Listening, name="a"))
    assert tree.states() == {"a": "running"}
    answer = top.ask(StartChildRequest(child(Listening, name="b")), timeout=5)
    assert isinstance(answer, StartedWith) and answer.info == 8002 and answer.ref is tree.ref("b")
    tree.tell("b", die)
    assert tree.restarts("b") == 1
    top.ask(TerminateChildRequest("a"), timeout=5)
    again = top.ask(RestartChildRequest("a"), timeout=5)
    assert again == StartedWith(tree.ref("a"), 8004)
    for request in (TerminateChildRequest, DeleteChildRequest, RestartChildRequest):
        assert top.ask(request("nobody"), timeout=5) == Failure("not_found")
    for kind in (DeleteChildRequest, RestartChildRequest):
        assert top.ask(kind("a"), timeout=5) == Failure("running")


def test_simple_one_for_one_extra(tree: Tree) -> None:
    """Case 48: of an instance."""
    Listening.starts = 0
    top = tree.runtime.spawn(Supervisor, FLAGS, dynamic=True, name="instances")
    answer = top.ask(StartChildRequest(child(Listening, name="a")), timeout=5)
    assert isinstance(answer, StartedWith) and answer.info == 8001
    tree.tell("a", die)
    assert tree.ref("a") is not answer.ref and Listening.starts == 2
    tree.runtime.names.cell("instances").stop()  # type: ignore[union-attr]
    tree.settle()


# --- what is kept ---------------------------------------------------------------------------------------------------------


class Large:
    """An argument that one would rather not keep."""


class Careful(Runner):
    """Takes an argument and does not keep it."""

    def __init__(self, _argument: Large) -> None:
        super().__init__()


def is_kept(top: pykka.ActorRef[Any], restart: Restart) -> bool:
    argument = Large()
    seen = weakref.ref(argument)
    assert top.ask(StartChildRequest(child(Careful, argument, name="one", restart=restart)), timeout=5).is_alive()
    del argument
    gc.collect()
    return seen() is not None


@pytest.mark.parametrize("strategy", list(Strategy))
@pytest.mark.parametrize("restart", list(Restart))
def test_do_not_save_start_parameters_for_temporary_children(strategy: Strategy, restart: Restart, tree: Tree) -> None:
    """Case 59: they are never started again; the others need theirs."""
    top = tree.start(SupervisorFlags(strategy))
    assert is_kept(top, restart) is (restart is not TEMP)


def test_simple_one_for_one_corruption(tree: Tree) -> None:
    """Case 49: neither of an instance that died nor of the next one."""
    top = tree.runtime.spawn(Supervisor, FLAGS, dynamic=True, name="instances")
    assert not is_kept(top, TEMP)
    tree.tell("one", die)
    assert not is_kept(top, TEMP)
    tree.runtime.names.cell("instances").stop()  # type: ignore[union-attr]
    tree.settle()


# --- a child that detaches itself ------------------------------------------------------------------------------------------


def detach(actor: Actor) -> None:
    """Everything that an actor can do to be known by nobody."""
    pykka.ActorRegistry.unregister(actor.actor_ref)
    assert actor.name is not None
    actor.runtime.names.unregister(actor.name, actor.cell)


def test_child_unlink(tree: Tree) -> None:
    """Case 54: it is terminated like any other, and the supervisor goes on."""
    top = tree.start(FLAGS, child(Runner, name="a", shutdown_s=INFINITY))
    ref = tree.ref("a")
    ref.ask(detach, timeout=5)
    assert top.ask(TerminateChildRequest("a"), timeout=5) is None
    assert not ref.is_alive() and tree.states() == {"a": "none"}


def test_the_death_of_a_child_that_detached_itself_is_noticed(tree: Tree) -> None:
    """Case 101: OTP never learns of it; ours does, because the end of an actor is published by its runtime."""
    tree.start(FLAGS, child(Runner, name="a"))
    ref = tree.ref("a")
    ref.ask(detach, timeout=5)
    ref.tell(die)
    tree.settle()
    assert tree.restarts("a") == 1 and tree.ref("a").is_alive()


# --- many children ---------------------------------------------------------------------------------------------------------


def calls_of(work: Callable[[], object]) -> int:
    """How many functions are called: a measure of work that no other load of the machine changes."""
    calls = 0

    def count(_frame: object, _event: str, _argument: object) -> None:
        nonlocal calls
        calls += 1

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return calls


def instances(number: int) -> World:
    made = World(SupervisorFlags(), [], dynamic=True)
    for id_ in range(number):
        made.ask(StartChildRequest(spec(str(id_), TEMP)))
    return made


def terminate_newest_first(number: int) -> int:
    made = instances(number)
    return calls_of(lambda: [made.ask(TerminateChildRequest(str(id_))) for id_ in reversed(range(number))])


def stop_with_exits_in_reverse(number: int) -> int:
    """All are asked at once, and end the other way round than they are waited for."""
    made = instances(number)
    effects = made.core.handle(StopRequested(Shutdown()))
    asked = [effect for effect in effects if isinstance(effect, StopChild)]
    assert len(asked) == number

    def end() -> None:
        for effect in reversed(asked):
            made.core.handle(Exited(effect.key, effect.incarnation, Shutdown()))

    work = calls_of(end)
    assert made.core.is_over
    return work


@pytest.mark.parametrize("work", [terminate_newest_first, stop_with_exits_in_reverse])
def test_simple_one_for_one_scale_many_temporary_children(work: Callable[[int], int]) -> None:
    """Case 61: ten times as many cost ten times as much, in whatever order they go."""
    assert work(2000) < 12 * work(200)


def test_scale_start_stop_many_children() -> None:
    """Case 67."""

    def work(number: int) -> int:
        def run() -> None:
            made = World(SupervisorFlags(), [spec(str(id_)) for id_ in range(number)])
            made.feed(Begin())
            for id_ in range(0, number, 2):
                made.ask(TerminateChildRequest(str(id_)))
            made.feed(StopRequested(Shutdown()))
            assert made.exit is not None

        return calls_of(run)

    assert work(2000) < 12 * work(200)


def test_a_retry_of_a_child_that_was_deleted_is_none_of_its_successor() -> None:
    """Case 65 over a deletion: the same id, the same number of starts, another child."""
    from supervision.core_messages import Api, RetryDue, ScheduleRetry, Started

    made = World(SupervisorFlags(max_restarts=100), [spec("a")])
    made.feed(Begin())

    def fail() -> RetryDue:
        pause = Backoff(initial_s=10.0, max_s=10.0, max_in_a_row=10)
        child_ = made.core.children["a"]
        child_.spec = ChildSpec("a", "script", backoff=pause)
        effects = made.core.handle(Exited("a", child_.incarnation, Error("boom")))
        [retry] = [effect for effect in effects if isinstance(effect, ScheduleRetry)]
        return RetryDue(retry.key, retry.token)

    old = fail()
    made.running.clear()
    for request in (TerminateChildRequest("a"), DeleteChildRequest("a")):
        made.ask(request)
    made.core.handle(Api("call", StartChildRequest(spec("a"))))
    made.core.handle(Started("a", made.core.children["a"].incarnation))
    new = fail()
    assert made.core.handle(old) == [], "it pauses for as long as its own failures say"
    assert made.core.handle(new) != []


# --- arguments of all instances, and specs by their class ----------------------------------------------------------------


class Told(Runner):
    def __init__(self, *told: str) -> None:
        super().__init__()
        self.told = told


def test_supports_extra_arguments_and_restarting_a_child_with_extra_arguments(tree: Tree) -> None:
    """Cases 130, 141 and 128 (invalid extra arguments): before the child's own, at every start."""
    top = tree.runtime.spawn(Supervisor, FLAGS, dynamic=True, extra_arguments=("one", "two"), name="instances")
    top.ask(StartChildRequest(child(Told, "three", name="a")), timeout=5)
    for _ in range(2):
        assert tree.ask("a", lambda actor: actor.told) == ("one", "two", "three")
        tree.tell("a", die)
    tree.runtime.names.cell("instances").stop()  # type: ignore[union-attr]
    tree.settle()
    with pytest.raises(SpecError, match="invalid_extra_arguments"):
        tree.runtime.spawn(Supervisor, FLAGS, extra_arguments=("one",))


class Shy(Runner):
    child_defaults = {"restart": T, "shutdown_s": 0.5}

    def __init__(self, word: str = "none") -> None:
        super().__init__()
        self.word = word


class Misspelt(Runner):
    child_defaults = {"restrat": T}


def test_child_spec_of_a_class(tree: Tree) -> None:
    """Cases 119 and 123 (child_spec/1, child_spec/2): the class says how, the keyword overrides; a class or a tuple will do."""
    made = child(Shy)
    assert (made.id, made.restart, made.shutdown) == ("Shy", T, 0.5)
    assert child(Shy, restart=TEMP, id="x").restart is TEMP
    with pytest.raises(SpecError, match="restrat"):
        child(Misspelt)
    top = tree.runtime.spawn(Supervisor, FLAGS, [Shy, (Told, "a", "b")], name="top")
    assert {info.id for info in top.ask(WhichChildrenRequest(), timeout=5)} == {"Shy", "Told"}
    assert top.ask(StartChildRequest(Runner), timeout=5).is_alive()
    assert top.ask(StartChildRequest((Shy, "again")), timeout=5).code == "already_started"
    for rubbish in (7, "Shy", ()):
        assert top.ask(StartChildRequest(rubbish), timeout=5).code == "invalid_child_spec"
    assert top.ask(StartChildRequest(dict), timeout=5).code == "invalid_child_class"
    tree.runtime.names.cell("top").stop()  # type: ignore[union-attr]
    tree.settle()


def test_instances_are_known_by_their_refs(tree: Tree) -> None:
    """Cases 14 (sup_start_map_simple) and 25: also when several have one id; a stranger is not found and not touched."""
    top = tree.runtime.spawn(Supervisor, FLAGS, dynamic=True, name="instances")
    refs = [top.ask(StartChildRequest(child(Runner, id="same")), timeout=5) for _ in range(3)]
    stranger = tree.runtime.spawn(Runner, name="stranger")
    for ref in refs:
        found = top.ask(GetChildSpecRequest(ref), timeout=5)
        assert (found.id, found.restart, found.shutdown, found.type) == ("same", P, 5.0, ChildType.WORKER)
    assert top.ask(GetChildSpecRequest(stranger), timeout=5) == Failure("not_found")
    assert top.ask(TerminateChildRequest(refs[1]), timeout=5) is None
    assert [ref.is_alive() for ref in refs] == [True, False, True]
    assert top.ask(TerminateChildRequest(refs[1]), timeout=5) == Failure("not_found")
    assert top.ask(TerminateChildRequest(stranger), timeout=5) == Failure("not_found") and stranger.is_alive()
    stranger.stop()
    tree.runtime.names.cell("instances").stop()  # type: ignore[union-attr]
    tree.settle()


# --- back-off, watches -----------------------------------------------------------------------------------------------------


def test_support_manual_reset(tree: Tree) -> None:
    """Case 192: whoever knows that it is well again says so, and the next pause is the first one; the tree shows the pause."""
    backoff = Backoff(initial_s=1.0, max_s=64.0, jitter=0.0, max_in_a_row=50)
    top = tree.start(FLAGS, child(Runner, name="a", backoff=backoff))

    def pause_s() -> float | None:
        tree.tell("a", die)
        found = tree.snapshot().children[0].retry_s
        assert found is not None
        tree.advance(found)
        return found

    assert [pause_s(), pause_s(), pause_s()] == [1.0, 2.0, 4.0]
    assert top.ask(ResetBackoffRequest("a"), timeout=5) is None
    assert pause_s() == 1.0
    assert tree.snapshot().children[0].retry_s is None
    assert top.ask(ResetBackoffRequest("nobody"), timeout=5) == Failure("not_found")


class Witness(Runner):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Any] = []

    def on_receive(self, message: Any) -> Any:
        return message(self) if callable(message) else self.seen.append(message)


def test_watch_with_custom_message(tree: Tree) -> None:
    """Case 199: in the place of ``Down``; two monitors of one target are two messages, as in OTP and not as in Akka."""
    tree.start(FLAGS, child(Witness, name="witness"), child(Runner, name="a"))
    target = tree.ref("a")
    tree.ask("witness", lambda actor: [actor.monitor(target, "it is gone"), actor.monitor(target)])
    tree.tell("a", die)
    seen = tree.ask("witness", lambda actor: list(actor.seen))
    assert seen[0] == "it is gone" and isinstance(seen[1], Down) and len(seen) == 2


def test_not_lose_system_messages_when_an_exception_occurs_when_processing_a_system_message(tree: Tree) -> None:
    """Case 200: a stop that itself fails is an end with that reason, and everybody hears of it."""

    class Clumsy(Runner):
        def on_stop_request(self, reason: Any) -> None:
            raise RuntimeError("clumsy")

    top = tree.start(FLAGS, child(Witness, name="witness"), child(Clumsy, name="a", shutdown_s=INFINITY))
    target = tree.ref("a")
    tree.ask("witness", lambda actor: actor.monitor(target))
    assert top.ask(TerminateChildRequest("a"), timeout=5) is None
    [down] = tree.ask("witness", lambda actor: list(actor.seen))
    assert "clumsy" in str(down.reason) and tree.states()["a"] == "none"


def test_attempt_restart_when_exception_during_restart(tree: Tree) -> None:
    """Case 200."""
    starts: list[int] = []

    class Unlucky(Runner):
        def on_start(self) -> None:
            starts.append(1)
            if len(starts) == 2:
                raise RuntimeError("not this time")

    tree.start(FLAGS, child(Unlucky, name="a"))
    tree.tell("a", die)
    assert len(starts) == 3 and tree.ref("a").is_alive()


# --- a forked process ------------------------------------------------------------------------------------------------------


def test_a_forked_process_has_no_running_tree_and_does_not_touch_its_parents(tree: Tree) -> None:
    """Case 221."""
    top = tree.start(FLAGS, child(Runner, name="a"))
    ref, runtime = tree.ref("a"), tree.runtime
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:  # nothing here may reach pytest
        said = "ended early"
        try:
            said = repr(_seen_in_the_child(runtime, ref))
        except BaseException as error:
            said = repr(error)
        finally:
            os.write(write, said.encode())
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as answer:
        said = answer.read()
    os.waitpid(pid, 0)
    assert said == repr([None, False, "ActorDeadError", "ActorDeadError", "RuntimeError", 0, "fresh"])
    assert ref.ask("still here", timeout=5) == "still here" and top.is_alive()


def _seen_in_the_child(runtime: Runtime, ref: pykka.ActorRef[Any]) -> list[object]:
    def error_of(work: Callable[[], object]) -> str:
        try:
            return repr(work())
        except Exception as error:
            return type(error).__name__

    found = [runtime.names.whereis("a"), ref.is_alive()]
    found += [error_of(lambda: ref.tell("x")), error_of(lambda: ref.ask("x", timeout=60))]
    found += [error_of(lambda: runtime.spawn(Runner)), len(pykka.ActorRegistry.get_all())]
    runtime.close()
    fresh = Runtime()
    return [*found, fresh.spawn(Runner).ask("fresh", timeout=10)]
