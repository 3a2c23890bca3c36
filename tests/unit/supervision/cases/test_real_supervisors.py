"""The cases that need real actors: starts, stops and their time limits, trees, names. ``Case N.`` as in our list."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pykka
import pytest

from supervision.actor import Actor
from supervision.cell import ActorExit
from supervision.core_messages import (
    CountChildrenRequest,
    Failure,
    RestartChildRequest,
    StartChildRequest,
    TerminateChildRequest,
    WhichChildrenRequest,
)
from supervision.exits import ExitReason, Ignore, NoProc, Shutdown
from supervision.links import Down
from supervision.named_ref import NamedRef
from supervision.names import AlreadyRegistered
from supervision.runtime import Runtime
from supervision.spec import BRUTAL_KILL, INFINITY, ChildSpec, Restart, SpecError, Strategy, SupervisorFlags
from supervision.supervisor import Supervisor, child
from tests.harness.waiting import wait_for

P, T, TEMP = Restart.PERMANENT, Restart.TRANSIENT, Restart.TEMPORARY


class Worker(Actor):
    """``log`` tells what happened to whom. ``on_stop`` does what ``stops`` says."""

    log: ClassVar[list[str]] = []

    def __init__(
        self, id_: str = "w", stops: Callable[[], None] | None = None, starts: Callable[[], None] | None = None
    ):
        super().__init__()
        self.id = id_
        self.stops = stops
        if starts is not None:
            starts()

    def on_start(self) -> None:
        self.log.append(f"start {self.id}")

    def on_stop(self) -> None:
        self.log.append(f"stop {self.id}")
        if self.stops is not None:
            self.stops()

    def on_receive(self, message: Any) -> Any:
        if isinstance(message, ExitReason):  # type: ignore[arg-type, misc]
            self.exit(message)
        if callable(message):
            return message()
        if message == "boom":
            raise ValueError("boom")
        return message


class Witness(Actor):
    """Remembers why each of those that it monitors ended."""

    def __init__(self) -> None:
        super().__init__()
        self.reasons: dict[str, str] = {}

    def watch(self, name: str) -> None:
        self.monitor(name)

    def on_receive(self, message: Any) -> Any:
        if isinstance(message, Down):
            self.reasons[str(message.target)] = str(message.reason)
        return None


#: Enough that a test may let a few handlers hang.
WORKERS = 8


class Nest:
    """A runtime with a supervisor called ``top``."""

    def __init__(self) -> None:
        self.runtime = Runtime(workers=WORKERS)
        self.top: pykka.ActorRef[Any]
        Worker.log = []

    def start(self, *specs: ChildSpec, **options: Any) -> pykka.ActorRef[Any]:
        flags = options.pop("flags", SupervisorFlags(max_restarts=10))
        self.top = self.runtime.spawn(Supervisor, flags, list(specs), name="top", **options)
        return self.top

    def ask(self, request: object) -> Any:
        return self.top.ask(request, timeout=10)

    def reasons_after_stop(self, *names: str) -> dict[str, str]:
        """Why each of them ended, and ``top``."""
        witness = self.runtime.spawn(Witness).proxy()
        for name in (*names, "top"):
            witness.watch(name).get(timeout=5)
        cell = self.runtime.names.cell("top")
        assert cell is not None
        cell.stop()
        wait_for(lambda: len(witness.reasons.get(timeout=5)) == len(names) + 1)
        found: dict[str, str] = witness.reasons.get(timeout=5)
        return found

    def ref(self, name: str) -> pykka.ActorRef[Any]:
        ref = self.runtime.names.whereis(name)
        assert ref is not None, name
        return ref


@pytest.fixture
def nest() -> Iterator[Nest]:
    made = Nest()
    yield made
    made.runtime.close()


def worker(name: str, restart: Restart = P, **options: Any) -> ChildSpec:
    return child(Worker, name, name=name, restart=restart, **options)


class Hang:
    """Something that does not come back until it is let go."""

    def __init__(self) -> None:
        self.entered, self.let_go = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.entered.set()
        self.let_go.wait(20)


# --- start --------------------------------------------------------------------------------------------------------------


class Picky(Worker):
    """Its start does what ``how`` says."""

    def __init__(self, how: str) -> None:
        super().__init__()
        if how == "ignore":
            raise Ignore
        if how == "raise":
            raise ValueError("no")
        if how == "exit":
            raise SystemExit(3)


def test_sup_start_ignore_init_and_sup_start_fail_and_sup_start_error_return(nest: Nest) -> None:
    """Cases 2, 8 and 9: of a supervisor whose own start ignores or raises; no name is left."""

    class Ignoring(Supervisor):
        def __init__(self) -> None:
            raise Ignore

    class Failing(Supervisor):
        def __init__(self) -> None:
            super().__init__(SupervisorFlags(), ["no spec"])  # type: ignore[list-item]

    with pytest.raises(Ignore):
        nest.runtime.spawn(Ignoring, name="top")
    with pytest.raises(SpecError, match="invalid_child_spec"):
        nest.runtime.spawn(Failing, name="top")
    assert nest.runtime.names.whereis("top") is None


@pytest.mark.parametrize("how", ["raise", "exit"])
def test_a_start_that_fails_leaves_no_process_and_no_name(nest: Nest, how: str) -> None:
    """Cases 105, 132 and 133: whatever it raises."""
    nest.start()
    answer = nest.ask(StartChildRequest(child(Picky, how, name="picky")))
    assert isinstance(answer, Failure) and answer.code == "start_failed"
    assert nest.runtime.names.whereis("picky") is None and nest.ask(WhichChildrenRequest()) == []


def test_a_start_that_hangs_fails_in_time_and_the_supervisor_goes_on(nest: Nest) -> None:
    """Cases 105 and 208."""
    hang = Hang()
    nest.start()
    slow = child(Worker, "slow", starts=hang, name="slow", start_timeout_s=0.2)
    answer = nest.ask(StartChildRequest(slow))
    assert isinstance(answer, Failure) and "start timeout" in str(answer.detail)
    assert nest.ask(CountChildrenRequest()).specs == 0 and nest.runtime.abandoned == 1
    hang.let_go.set()
    wait_for(lambda: nest.runtime.abandoned == 0)
    assert nest.runtime.names.whereis("slow") is None


def test_a_name_that_is_taken_is_already_started(nest: Nest) -> None:
    """Cases 106 and 178."""
    nest.start(worker("one"))
    with pytest.raises(AlreadyRegistered):
        nest.runtime.spawn(Worker, name="one")
    answer = nest.ask(StartChildRequest(child(Worker, name="one", id="other")))
    assert isinstance(answer, Failure) and "AlreadyRegistered" in str(answer.detail)
    assert nest.ref("one").ask("still here", timeout=5) == "still here"


# --- stop ---------------------------------------------------------------------------------------------------------------


def test_sup_stop_infinity(nest: Nest) -> None:
    """Case 16."""
    inner = child(Supervisor, SupervisorFlags(), [worker("leaf")], name="inner")
    nest.start(inner, worker("one", shutdown_s=INFINITY))
    reasons = nest.reasons_after_stop("inner", "leaf", "one")
    assert set(reasons.values()) == {"shutdown"}
    assert Worker.log[-2:] == ["stop one", "stop leaf"]


@pytest.mark.parametrize("dynamic", [False, True])
def test_sup_stop_timeout_and_sup_stop_timeout_dynamic(nest: Nest, dynamic: bool) -> None:
    """Cases 17, 18 and 148: the deaf one is ended by force, the obedient one is not."""
    hang = Hang()
    specs = (worker("obeys"), child(Worker, "deaf", stops=hang, name="deaf", shutdown_s=0.2))
    nest.start(*(() if dynamic else specs), dynamic=dynamic)
    for spec in specs if dynamic else ():
        nest.ask(StartChildRequest(spec))
    assert nest.reasons_after_stop("obeys", "deaf") == {
        "obeys": "shutdown",
        "deaf": "killed(abandoned)",
        "top": "shutdown",
    }
    hang.let_go.set()
    wait_for(lambda: nest.runtime.abandoned == 0)


@pytest.mark.parametrize("dynamic", [False, True])
def test_sup_stop_brutal_kill_and_sup_stop_brutal_kill_dynamic(nest: Nest, dynamic: bool) -> None:
    """Cases 19, 20, 86, 111, 146 and 150: no ``on_stop`` of the one that is killed."""
    specs = (worker("asked"), worker("killed", shutdown_s=BRUTAL_KILL))
    nest.start(*(() if dynamic else specs), dynamic=dynamic)
    for spec in specs if dynamic else ():
        nest.ask(StartChildRequest(spec))
    reasons = nest.reasons_after_stop("asked", "killed")
    assert reasons == {"asked": "shutdown", "killed": "killed(brutal)", "top": "shutdown"}
    assert "stop asked" in Worker.log and "stop killed" not in Worker.log


@pytest.mark.parametrize("restart", list(Restart))
def test_sup_stop_non_shutdown_exit_dynamic(nest: Nest, restart: Restart) -> None:
    """Cases 22, 147 and 149: each shows its own reason, and the stop completes."""

    def fails() -> None:
        raise RuntimeError("at the end")

    nest.start(dynamic=True)
    nest.ask(StartChildRequest(worker("good", restart)))
    nest.ask(StartChildRequest(child(Worker, "bad", stops=fails, name="bad", restart=restart)))
    reasons = nest.reasons_after_stop("good", "bad")
    assert reasons["good"] == reasons["top"] == "shutdown" and "at the end" in reasons["bad"]


def test_simple_one_for_one_shutdown_asks_all_at_once(nest: Nest) -> None:
    """Cases 47, 87 and 153: all wait together, one after the other only in a static supervisor."""
    hangs = [Hang() for _ in range(3)]
    nest.start(dynamic=True)
    for number, hang in enumerate(hangs):
        nest.ask(StartChildRequest(child(Worker, str(number), stops=hang, name=f"w{number}", shutdown_s=15.0)))
    cell = nest.runtime.names.cell("top")
    assert cell is not None
    cell.stop()
    assert all(hang.entered.wait(10) for hang in hangs), "each was asked although none had ended"
    for hang in hangs:
        hang.let_go.set()
    wait_for(lambda: cell.is_over)


def test_a_static_stop_is_one_after_the_other(nest: Nest) -> None:
    """Case 87."""
    hangs = {name: Hang() for name in "ab"}
    nest.start(*(child(Worker, name, stops=hang, name=name, shutdown_s=15.0) for name, hang in hangs.items()))
    cell = nest.runtime.names.cell("top")
    assert cell is not None
    cell.stop()
    assert hangs["b"].entered.wait(10) and not hangs["a"].entered.is_set()
    hangs["b"].let_go.set()
    assert hangs["a"].entered.wait(10)
    hangs["a"].let_go.set()
    wait_for(lambda: cell.is_over)


def test_terminate_child_of_a_stuck_actor_frees_its_name_for_the_next(nest: Nest) -> None:
    """Cases 209 and 210: in-flight and queued asks are answered, and the abandoned thread is counted until it is back."""
    hang = Hang()
    nest.start(worker("stuck", shutdown_s=0.2))
    old = nest.ref("stuck")
    in_flight, queued = old.ask(hang, block=False), old.ask("later", block=False)
    assert hang.entered.wait(5)
    assert nest.ask(TerminateChildRequest("stuck")) is None
    for future in (in_flight, queued):
        with pytest.raises(ActorExit):
            future.get(timeout=5)
    assert not old.is_alive() and nest.runtime.names.whereis("stuck") is None and nest.runtime.abandoned == 1
    nest.ask(RestartChildRequest("stuck"))
    assert nest.ref("stuck").ask("new", timeout=5) == "new"
    hang.let_go.set()
    wait_for(lambda: nest.runtime.abandoned == 0)


def test_a_stop_overtakes_a_backlog(nest: Nest) -> None:
    """Case 212: after the message in hand; what waits is answered with an error."""
    hang = Hang()
    nest.start(worker("busy", shutdown_s=15.0))
    ref = nest.ref("busy")
    ref.tell(hang)
    backlog = [ref.ask(number, block=False) for number in range(1000)]
    assert hang.entered.wait(5)
    cell = nest.runtime.names.cell("top")
    assert cell is not None
    busy = nest.runtime.cell_of(ref)
    assert busy is not None
    cell.stop()
    wait_for(lambda: busy.mailbox.control)
    hang.let_go.set()
    for future in backlog:
        with pytest.raises(ActorExit):
            future.get(timeout=10)


# --- names and trees --------------------------------------------------------------------------------------------------------


def test_simple_global_supervisor(nest: Nest) -> None:
    """Cases 62, 121 and 122: everything is found again by its name, as a new process."""
    flags = SupervisorFlags(Strategy.ONE_FOR_ALL, max_restarts=10)
    middle = child(Supervisor, SupervisorFlags(max_restarts=10), [worker("server")], name="middle")
    nest.start(middle, flags=flags)
    server = NamedRef(nest.runtime, "server")

    def is_new_after(step: Callable[[], object]) -> bool:
        before = server.resolve()
        step()
        wait_for(lambda: server.resolve() not in (None, before))
        return server.ask("hello", timeout=5) == "hello"

    def kill(name: str) -> None:
        cell = nest.runtime.names.cell(name)
        assert cell is not None
        cell.revoke("brutal")

    assert is_new_after(lambda: kill("middle"))
    assert is_new_after(lambda: kill("server"))
    assert is_new_after(lambda: nest.ref("server").tell("boom"))
    assert is_new_after(
        lambda: [
            nest.ref("middle").ask(request("server"), timeout=5)
            for request in (TerminateChildRequest, RestartChildRequest)
        ]
    )
    kill("top")
    wait_for(lambda: not [name for name in ("top", "middle", "server") if nest.runtime.names.whereis(name)])


def test_tree(nest: Nest) -> None:
    """Cases 55 and 84: who gives up is restarted with everything that was declared, and nothing that was added."""

    def branch(name: str, restart: Restart = P) -> ChildSpec:
        flags = SupervisorFlags(max_restarts=1)
        return child(Supervisor, flags, [worker(f"{name}-leaf")], name=name, restart=restart)

    nest.start(branch("a"), branch("b"), branch("c", T), flags=SupervisorFlags(Strategy.ONE_FOR_ALL, 10))
    nest.ask(TerminateChildRequest("c"))
    assert nest.ask(CountChildrenRequest()).active == 2
    nest.ref("b").ask(StartChildRequest(worker("added")), timeout=5)
    before = {name: nest.ref(name) for name in ("a", "b", "a-leaf")}
    for _ in range(2):
        leaf = nest.ref("b-leaf")
        leaf.tell("boom")
        wait_for(lambda leaf=leaf: nest.runtime.names.whereis("b-leaf") not in (None, leaf))  # type: ignore[misc]
    wait_for(lambda: all(nest.runtime.names.whereis(name) not in (None, old) for name, old in before.items()))
    wait_for(lambda: nest.runtime.names.whereis("c-leaf") is not None)
    assert nest.runtime.names.whereis("added") is None


@pytest.mark.parametrize(("restart", "state"), [(P, "running"), (T, "none"), (TEMP, None)])
def test_e11_an_inner_supervisor_gives_up(nest: Nest, restart: Restart, state: str | None) -> None:
    """Case 84: giving up is a clean end."""
    inner = child(Supervisor, SupervisorFlags(max_restarts=0), [worker("leaf")], name="inner", restart=restart)
    nest.start(inner)
    old = nest.ref("inner")
    nest.ref("leaf").tell("boom")
    wait_for(lambda: not old.is_alive())
    wait_for(lambda: [info.state for info in nest.ask(WhichChildrenRequest())] == ([state] if state else []))


def test_e12_no_child_survives_a_supervisor_that_was_killed(nest: Nest) -> None:
    """Case 85."""
    nest.start(worker("a"), child(Supervisor, SupervisorFlags(), [worker("b")], name="inner"))
    refs = [nest.ref(name) for name in ("a", "inner", "b")]
    cell = nest.runtime.names.cell("top")
    assert cell is not None
    cell.revoke("brutal")
    wait_for(lambda: not any(ref.is_alive() for ref in refs))


def test_nested_intensities_multiply(nest: Nest) -> None:
    """Case 103: a leaf that always crashes is started (2 + 1) * (2 + 1) times."""

    class Leaf(Worker):
        def on_start(self) -> None:
            super().on_start()
            self.send_after(0.0, "boom")

    inner = child(Supervisor, SupervisorFlags(max_restarts=2), [child(Leaf, "leaf")], name="inner")
    nest.start(inner, flags=SupervisorFlags(max_restarts=2))
    wait_for(lambda: nest.runtime.names.whereis("top") is None)
    assert Worker.log.count("start leaf") == 9


# --- what callers may rely on -------------------------------------------------------------------------------------------------


def test_a_call_to_what_is_gone_fails_at_once_and_one_that_is_too_slow_hurts_only_the_caller(nest: Nest) -> None:
    """Cases 24c, 109, 113, 182 and 214."""
    nest.start(worker("one"))
    ref = nest.ref("one")
    hang = Hang()
    with pytest.raises(pykka.Timeout):
        ref.ask(hang, timeout=0.1)
    hang.let_go.set()
    assert ref.ask("alive", timeout=5) == "alive", "the late answer reached nobody"
    nest.ask(TerminateChildRequest("one"))
    with pytest.raises(pykka.ActorDeadError):
        ref.ask("x", timeout=60)
    with pytest.raises(ActorExit) as refused:
        NamedRef(nest.runtime, "one").ask("x", timeout=60)
    assert refused.value.reason == NoProc()


def test_an_exit_without_an_answer_is_the_failure_of_the_call(nest: Nest) -> None:
    """Case 112."""
    nest.start(worker("one", TEMP))
    with pytest.raises(ActorExit) as refused:
        nest.ref("one").ask(Shutdown("enough"), timeout=5)
    assert refused.value.reason == Shutdown("enough")


def test_old_timers_do_not_reach_the_next_incarnation(nest: Nest) -> None:
    """Cases 114 and 215."""

    class Timed(Worker):
        def on_start(self) -> None:
            super().on_start()
            if self.log.count("start timed") == 1:
                self.send_after(0.05, lambda: self.log.append("tick"))

    nest.start(child(Timed, "timed", name="timed"))
    nest.ref("timed").tell("boom")
    wait_for(lambda: Worker.log.count("start timed") == 2)
    done = threading.Event()
    nest.runtime.timers.after(0.2, done.set)
    assert done.wait(5)
    assert "tick" not in Worker.log


@pytest.mark.parametrize("where", ["__init__", "on_start", "on_stop", "on_failure"])
@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, MemoryError])
def test_whatever_is_raised_wherever_there_is_one_end_and_no_zombie(
    nest: Nest, where: str, error: type[BaseException]
) -> None:
    """Cases 196, 205 and 206: also ``MemoryError``, which ends that actor and no other."""

    def fail(*_: Any) -> None:
        raise error("injected")

    hostile = type("Hostile", (Worker,), {where: fail})
    nest.start(worker("sibling"), dynamic=False)
    answer = nest.ask(StartChildRequest(child(hostile, name="hostile", restart=TEMP)))
    if where in ("__init__", "on_start"):
        assert isinstance(answer, Failure)
    else:
        ref = nest.ref("hostile")
        if where == "on_stop":
            nest.ask(TerminateChildRequest("hostile"))
        else:
            ref.tell("boom")
        wait_for(lambda: not ref.is_alive())
    wait_for(lambda: nest.runtime.names.whereis("hostile") is None)
    assert nest.ref("sibling").ask("fine", timeout=5) == "fine"
    assert [info.id for info in nest.ask(WhichChildrenRequest())] == ["sibling"]


def test_an_ask_that_races_with_the_end_is_always_answered(nest: Nest) -> None:
    """Case 213."""
    nest.start(dynamic=True, flags=SupervisorFlags(max_restarts=10_000))
    for number in range(100):
        nest.ask(StartChildRequest(worker(f"w{number}", TEMP)))
        ref = nest.ref(f"w{number}")
        cell = nest.runtime.cell_of(ref)
        assert cell is not None
        futures: list[Any] = []
        start = threading.Barrier(2)

        def ask(ref: pykka.ActorRef[Any] = ref, futures: list[Any] = futures, start: threading.Barrier = start) -> None:
            start.wait(5)
            for _ in range(20):
                try:
                    futures.append(ref.ask("x", block=False))
                except pykka.ActorDeadError:
                    return

        asker = threading.Thread(target=ask)
        asker.start()
        start.wait(5)
        cell.revoke("brutal")
        asker.join()
        for future in futures:
            try:
                assert future.get(timeout=5) == "x"
            except pykka.ActorDeadError:
                continue


def test_a_storm_of_crashes_leaves_nothing_behind(nest: Nest) -> None:
    """Case 218: threads and living actors are at their baseline, and reasons hold no frames."""
    nest.start(worker("one"), flags=SupervisorFlags(max_restarts=100_000))
    threads = threading.active_count()
    for _ in range(1000):
        ref = nest.ref("one")
        ref.tell("boom")
        wait_for(lambda ref=ref: nest.runtime.names.whereis("one") not in (None, ref))  # type: ignore[misc]
    assert threading.active_count() <= threads + WORKERS, "no more than the pool may have"
    assert len(nest.runtime.living()) == 2
    [info] = nest.ask(WhichChildrenRequest())
    assert info.restarts == 1000 and isinstance(info.last_exit, str)


# --- Elixir's suites ------------------------------------------------------------------------------------------------------------


def test_child_life_cycle(nest: Nest) -> None:
    """Cases 123, 124 and 125."""
    nest.start(flags=SupervisorFlags())
    for shutdown_s in (0.0, 0.001):
        assert nest.ask(StartChildRequest(worker("one", shutdown_s=shutdown_s))).is_alive()
        assert nest.ask(CountChildrenRequest()).active == 1
        assert nest.ask(TerminateChildRequest("one")) is None
        assert nest.ask(CountChildrenRequest()).active == 0
        assert nest.ask(RestartChildRequest("one")).is_alive()
        nest.ask(TerminateChildRequest("one"))
        from supervision.core_messages import DeleteChildRequest

        assert nest.ask(DeleteChildRequest("one")) is None
    for bad, code in ((ChildSpec("", "x"), "missing_id"), (ChildSpec("x", None), "missing_start")):
        assert nest.ask(StartChildRequest(bad)).code == code


def test_dynamic_supervisors_are_children_like_others_and_have_the_same_defaults(nest: Nest) -> None:
    """Cases 126, 127, 129 and 145."""
    inner = child(Supervisor, SupervisorFlags(), dynamic=True, name="dynamic")
    nest.start(inner, child(Supervisor, SupervisorFlags(), dynamic=True, name="another"))
    flags = SupervisorFlags()
    assert (flags.strategy, flags.max_restarts, flags.period_s) == (Strategy.ONE_FOR_ONE, 3, 5.0)
    ref = nest.ref("dynamic")
    assert ref.ask(StartChildRequest(worker("leaf", shutdown_s=0.0)), timeout=5).is_alive()
    with pytest.raises(SpecError, match="duplicate"):
        nest.runtime.spawn(Supervisor, flags, [inner, inner])


@pytest.mark.parametrize("outcome", ["ignore", "error"])
def test_child_is_restarted_with_different_values_and_restarting_on_init_children_counted_in_max_children(
    nest: Nest, outcome: str
) -> None:
    """Cases 138, 139 and 152: an ignored restart removes, a failing one keeps its place until it is terminated."""
    fails = threading.Event()

    def starts() -> None:
        if fails.is_set():
            raise Ignore if outcome == "ignore" else ValueError("no")

    nest.start(dynamic=True, max_children=1, flags=SupervisorFlags(max_restarts=1_000_000, period_s=1.0))
    nest.ask(StartChildRequest(child(Worker, "one", starts=starts, name="one")))
    fails.set()
    nest.ref("one").tell("boom")
    if outcome == "ignore":
        wait_for(lambda: nest.ask(WhichChildrenRequest()) == [])
        return
    wait_for(lambda: [info.state for info in nest.ask(WhichChildrenRequest())] == ["restarting"])
    assert nest.ask(StartChildRequest(worker("two"))).code == "max_children"
    counts = nest.ask(CountChildrenRequest())
    assert (counts.active, counts.workers) == (0, 1)
    assert nest.ask(TerminateChildRequest("one")) is None
    assert nest.ask(TerminateChildRequest("one")) == Failure("not_found")
    attempts = len(Worker.log)
    assert nest.ask(WhichChildrenRequest()) == [] and len(Worker.log) == attempts
