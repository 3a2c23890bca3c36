"""Where the time of one task goes in the hub: the whole tree in this process, without sockets and without web processes.

Under load each actor class is charged the processor time of its turns, so that waiting, be it for the disk or for the
interpreter, is nobody's; SQLite is what its statements and commits take of the queue's. Idle, one submit is followed: when
each step of it is over, beside what a commit and the waking of a thread take alone on the same machine.
"""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self
from unittest import mock

import msgspec

from actors.agent_fsm import AgentFSM, AgentOptions
from actors.queue_options import TaskQueueOptions
from actors.sqlite_connection import SqliteConnection
from actors.task_queue import TaskQueue
from actors.vocabulary import names
from actors.vocabulary.dashboard import Boot
from actors.vocabulary.gateway import FromPeer, PeerUp
from agentcom.tree import TreeOptions, hub_children, hub_flags
from bench.measure import Spread
from link.messages import AgentFrame, AgentUp, Call, FromHub, Reply, ToAgents, WebHello
from supervision.cell import Cell
from supervision.runtime import Runtime
from supervision.supervisor import Supervisor

TASK = {"description": "benchmark", "metadata": {"n": 1}}
TASKS, BULK, IN_FLIGHT = 6_000, 250, 3

#: Idle submits of one round, and the pause before each.
SUBMITS, PAUSE_S = 60, 0.02

SQLITE = "SQLite"

_decode = msgspec.json.Decoder().decode


def measure(runs: int) -> dict[str, Any]:
    loads = {"2 agents of 256 slots": (2, 256), "100 agents of one slot": (100, 1)}
    return {
        **{f"{name}, µs a task": _spreads([_under_load(*shape) for _ in range(runs)]) for name, shape in loads.items()},
        "an idle submit, ms after it came": _spreads([_idle_submit() for _ in range(runs)]),
        "alone and idle, ms": _spreads([{"a commit": _commit(), "waking a thread": _hop()} for _ in range(runs)]),
    }


def _spreads(rounds: list[dict[str, float]]) -> dict[str, Spread]:
    return {name: Spread.of([one.get(name, 0.0) for one in rounds]) for name in rounds[0]}


class LoneHub:
    """``on_message`` gets what the hub would send, in whatever thread sends it."""

    def __init__(self, agents: int, slots: int, on_message: Callable[[FromHub], None]) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._runtime = Runtime()
        self._on_message = on_message
        clock = self._runtime.clock
        database = Path(self._folder.name) / "hub.db"
        options = TreeOptions(database, TaskQueueOptions(), AgentOptions(), max_restarts=10, period_s=5.0)
        children = hub_children(options, self, Boot("bench", clock.time_ms(), clock.monotonic()), 1)
        self._top = self._runtime.create(Supervisor, (hub_flags(options), children), name=names.HUB_SUPERVISOR)
        self._top.start().get(timeout=60)
        self._tell_gateway(PeerUp(1))
        self.say(WebHello("web-0", 1))
        for number in range(agents):
            agent = f"agent-{number}"
            self.say(AgentUp(f"{agent}-1", agent, agent, "connected", [], False, 1, False, slots, slots > 1))
        time.sleep(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._top.stop()
        self._runtime.close()
        self._folder.cleanup()

    def _tell_gateway(self, message: object) -> None:
        gateway = self._runtime.names.whereis(names.GATEWAY)
        assert gateway is not None
        gateway.tell(message)

    def say(self, *messages: Any) -> None:
        """From the web process."""
        self._tell_gateway(FromPeer(1, list(messages)))

    def submit(self, number: int, count: int) -> None:
        self.say(Call(number, "tasks.submit", {"tasks": [dict(TASK) for _ in range(count)], "submitted_by": "me"}))

    # --- the hub's outlet -------------------------------------------------------------------------------------------------

    def send(self, _peer: int | None, message: FromHub) -> None:
        self._on_message(message)

    def disconnect_all(self) -> None:
        """A gateway that starts asks for it; there is nobody yet."""


# --- under load -----------------------------------------------------------------------------------------------------------


def _under_load(agents: int, slots: int) -> dict[str, float]:
    """Name of the actor class -> µs of processor time a task."""
    spent: Counter[str] = Counter()
    heard: deque[FromHub] = deque()
    with _charged(spent), LoneHub(agents, slots, heard.append) as hub:
        spent.clear()
        _work_off(hub, heard)
    spent["TaskQueue"] -= spent[SQLITE]
    total = sum(spent.values())
    charged = {name: seconds for name, seconds in spent.most_common() if seconds > total / 100}
    charged["all others"] = total - sum(charged.values())
    return {name: seconds / TASKS * 1e6 for name, seconds in {**charged, "together": total}.items()}


@contextmanager
def _charged(spent: Counter[str]) -> Iterator[None]:
    def charge(function: Callable[..., Any], name: Callable[[Any], str]) -> Callable[..., Any]:
        def charged(one: Any, *args: Any) -> Any:
            began = time.thread_time()
            try:
                return function(one, *args)
            finally:
                spent[name(one)] += time.thread_time() - began

        return charged

    with (
        mock.patch.object(Cell, "turn", charge(Cell.turn, lambda cell: cell.actor_class.__name__)),
        mock.patch.object(SqliteConnection, "run", charge(SqliteConnection.run, lambda _: SQLITE)),
        mock.patch.object(SqliteConnection, "commit", charge(SqliteConnection.commit, lambda _: SQLITE)),
    ):
        yield


def _work_off(hub: LoneHub, heard: deque[FromHub]) -> None:
    submits = replies = done = 0
    while done < TASKS:
        if submits < TASKS // BULK and submits - replies < IN_FLIGHT:
            submits += 1
            hub.submit(submits, BULK)
        if not heard:
            time.sleep(0.0005)
        results = []
        while heard:
            message = heard.popleft()
            replies += isinstance(message, Reply)
            for frame in _frames(message):
                done += frame["type"] == "task_ack"
                if frame["type"] == "task_assign":
                    results.append(AgentFrame(message.connections[0], _result(frame)))  # type: ignore[union-attr]
        if results:
            hub.say(*results)


def _frames(message: FromHub) -> list[dict[str, Any]]:
    if not isinstance(message, ToAgents):
        return []
    found = _decode(message.message)
    return found if isinstance(found, list) else [found]


def _result(assignment: dict[str, Any]) -> dict[str, Any]:
    about = {name: assignment[name] for name in ("task_id", "generation")}
    return {"type": "task_complete", **about, "result": "ok"}


# --- idle -----------------------------------------------------------------------------------------------------------------


def _idle_submit() -> dict[str, float]:
    """Step -> milliseconds from the submit to the end of the step, each the median of many submits."""
    steps: list[tuple[str, float]] = []

    def note(name: str) -> None:
        steps.append((name, time.perf_counter()))

    def noted(function: Callable[..., Any], before: str, after: str) -> Callable[..., Any]:
        def run(*args: Any) -> Any:
            note(before)
            try:
                return function(*args)
            finally:
                note(after)

        return run

    def hear(message: FromHub) -> None:
        if isinstance(message, Reply):
            note("the submitter's answer leaves")
        elif isinstance(message, ToAgents):
            note("the agent's frame leaves")

    began, submitted, claimed = "the queue begins", "the submit is on the disk", "the hand-out is on the disk"
    all_rounds: dict[str, list[float]] = {}
    with (
        mock.patch.object(TaskQueue, "on_batch", noted(TaskQueue.on_batch, began, "the queue is done")),
        mock.patch.object(SqliteConnection, "commit", noted(SqliteConnection.commit, "its commit begins", submitted)),
        mock.patch.object(AgentFSM, "assign", noted(AgentFSM.assign, "the agent's actor is told", "…")),
        LoneHub(2, 64, hear) as hub,
    ):
        for number in range(SUBMITS):
            time.sleep(PAUSE_S)
            steps.clear()
            came = time.perf_counter()
            hub.submit(number, 1)
            time.sleep(PAUSE_S)
            for name, seconds in _first_of_each(steps, submitted, claimed).items():
                all_rounds.setdefault(name, []).append((seconds - came) * 1000)
    kept = (
        *(began, "its commit begins", submitted, "the submitter's answer leaves"),
        *(claimed, "the agent's actor is told", "the agent's frame leaves"),
    )
    return {name: statistics.median(all_rounds[name]) for name in kept}


def _first_of_each(steps: list[tuple[str, float]], first: str, second: str) -> dict[str, float]:
    """Step -> when. The second ``first`` is called ``second``."""
    found: dict[str, float] = {}
    for name, when in steps:
        if name == first and first in found:
            found.setdefault(second, when)
        found.setdefault(name, when)
    return found


def _commit() -> float:
    """Milliseconds of a commit of one row with the hub's settings, after a pause."""
    with tempfile.TemporaryDirectory() as folder:
        connection = SqliteConnection(Path(folder) / "alone.db")
        connection.db.execute("CREATE TABLE rows (value)")
        found = _after_pauses(lambda: connection.db.execute("INSERT INTO rows VALUES (1)"))
        connection.close()
    return found


def _hop() -> float:
    """Milliseconds until a thread that sleeps on a lock runs, and has woken the one that woke it."""
    there, back = threading.Lock(), threading.Lock()
    there.acquire()
    back.acquire()

    def echo() -> None:
        for _ in range(SUBMITS):
            there.acquire()
            back.release()

    def go() -> None:
        there.release()
        back.acquire()

    threading.Thread(target=echo, daemon=True).start()
    return _after_pauses(go) / 2


def _after_pauses(step: Callable[[], object]) -> float:
    taken = []
    for _ in range(SUBMITS):
        time.sleep(PAUSE_S)
        began = time.perf_counter()
        step()
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)
