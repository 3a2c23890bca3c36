"""A whole installation on one thread in virtual time: a hub with its real tree, one web process, agents, and submitters.

Only the sockets and the disk's latency are simulated. Between the processes messages travel in order and take time; a link can be
cut, and then what was on its way is lost. The hub can die and start again from its database, actors can crash, also between a
commit and its answers, agents can vanish and come back with or without their memory, and the wall clock can jump.
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pykka

from actors.agent_fsm import AgentOptions
from actors.queue_options import TaskQueueOptions
from actors.sqlite_storage import SqliteStorage
from actors.task_queue import TaskQueue
from actors.vocabulary import names
from actors.vocabulary.dashboard import Boot
from actors.vocabulary.gateway import FromPeer, PeerLost, PeerUp
from actors.vocabulary.tasks import GetTask, Task
from agentcom.tree import TreeOptions, hub_children, hub_flags
from link.messages import (
    AgentDown,
    AgentFrame,
    AgentsSeen,
    Call,
    CloseAgent,
    DashboardBatch,
    FromHub,
    FromWeb,
    Reply,
    ToAgents,
    WebHello,
)
from link.traffic import Traffic
from supervision.mailbox import Continuation
from supervision.simulation import SimulatedRuntime, VirtualClock
from supervision.supervisor import Supervisor
from tests.harness.box_web import BoxAgent
from web.agent_session import AgentSession
from wire import codec

#: Kinds of faults; each seed uses a random half of them (swarm testing).
FAULTS = (
    "cut link",
    "hub dies",
    "actor crashes",
    "commit fails",
    "agent drops",
    "agent dies",
    "clock jumps",
    "slow link",
)

DESCRIPTIONS = ("ok", "ok", "ok", "slow", "fail", "reject", "silent")

QUEUE = TaskQueueOptions(lease_s=15.0, boot_grace_s=5.0, retry_base_s=0.2, retry_cap_s=2.0, max_reclaims=50)
AGENTS = AgentOptions(acceptance_timeout_s=8.0, grace_s=3.0, report_timeout_s=3.0)


class Injected(Exception):
    """An exception that nobody expected."""


class Pipe:
    """One direction of a link: in order, each message a little later. ``cut`` loses what is under way."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._under_way: deque[tuple[float, Any]] = deque()

    def put(self, message: Any) -> None:
        due = self._world.now + self._world.chance.expovariate(1 / self._world.latency_s)
        if self._under_way:
            due = max(due, self._under_way[-1][0])
        self._under_way.append((due, message))

    def arrived(self) -> list[Any]:
        found = []
        while self._under_way and self._under_way[0][0] <= self._world.now:
            found.append(self._under_way.popleft()[1])
        return found

    @property
    def next_due(self) -> float | None:
        return self._under_way[0][0] if self._under_way else None

    def cut(self) -> list[Any]:
        lost = [message for _, message in self._under_way]
        self._under_way.clear()
        return lost


class SimAgent(BoxAgent):
    """A ``BoxAgent`` that takes its time. ``away_until``: virtual seconds. ``session`` is what its web process keeps."""

    session: AgentSession

    def __init__(self, name: str, slots: int) -> None:
        super().__init__(name, slots)
        self.incarnation = 0
        self.away_until = 0.0
        self.later: list[tuple[float, dict[str, Any]]] = []
        """(when, frame) of what it is going to say."""
        self.assigned: list[tuple[str, int]] = []

    def connect(self) -> None:
        """Over a new socket."""
        self.incarnation += 1
        self.connection = f"{self.name}-{self.incarnation}"
        self.is_up = True
        self.session = AgentSession(
            *(self.connection, self.name, self.name, "connected", [], False, 1, "token"), slots=self.slots
        )
        self.unanswered = self.session.unanswered


class Submitter:
    """Insists on each of its tasks, with an idempotency key, until it is told the id."""

    def __init__(self, count: int, chance: random.Random) -> None:
        self.wanted = [(f"key-{number}", chance.choice(DESCRIPTIONS), chance.randrange(4)) for number in range(count)]
        self.ids: dict[str, set[str]] = {key: set() for key, _, _ in self.wanted}
        self.asking: dict[int, str] = {}

    def open(self) -> list[tuple[str, str, int]]:
        asked = set(self.asking.values())
        return [one for one in self.wanted if not self.ids[one[0]] and one[0] not in asked]


class World:
    def __init__(self, seed: int, folder: Path, template: Path) -> None:
        self.chance = random.Random(seed)
        self._seed = seed
        self._path = folder / f"sim-{seed}.db"
        shutil.copy(template, self._path)
        self.clock = VirtualClock()
        self.latency_s = self.chance.choice((0.0005, 0.005, 0.05))
        half = self.chance.sample(FAULTS, len(FAULTS) // 2)
        self.faults = [kind for kind in FAULTS if kind in half]
        self.quiet = False
        self.runtime: SimulatedRuntime | None = None
        self._boots = 0
        self._peer: int | None = None
        self._peers = 0
        self._link_back = 0.0
        self._hub_back = 0.0
        self.to_hub, self.to_web = Pipe(self), Pipe(self)
        self.agents = [SimAgent(f"agent-{number}", self.chance.choice((1, 1, 3))) for number in range(3)]
        self.submitter = Submitter(self.chance.randint(4, 9), self.chance)
        self._calls: dict[int, Callable[[Reply | None], None]] = {}
        self._call_numbers = 0
        self._last_seq: int | None = None
        self._seen_life_at = 0.0
        self.violations: list[str] = []
        self.fault_log: list[str] = []
        self.traces: list[str] = []

    @property
    def now(self) -> float:
        return self.clock.monotonic()

    # --- the hub process ----------------------------------------------------------------------------------------------

    def start_hub(self) -> None:
        self._boots += 1
        self.runtime = SimulatedRuntime(self._seed * 1000 + self._boots, self.clock)
        boot = Boot(f"boot-{self._boots}", self.clock.time_ms(), self.now)
        options = TreeOptions(self._path, QUEUE, AGENTS, max_restarts=6, period_s=5.0)
        children = hub_children(options, self, boot, 1)
        top = self.runtime.create(
            Supervisor, (hub_flags(options), children), name=names.HUB_SUPERVISOR, on_exit=lambda *_: self._gave_up()
        )
        top.start()
        self._link_back = self.now + 0.1

    def _gave_up(self) -> None:
        self.fault_log.append(f"{self.now:.2f} the tree gave up")
        self._tree_is_over = True

    _tree_is_over = False

    def kill_hub(self) -> None:
        assert self.runtime is not None
        queue = self.runtime.names.cell(names.TASK_QUEUE)
        storage = getattr(queue.actor, "_storage", None) if queue is not None else None
        self.traces.append(self.runtime.trace)
        self.runtime.crash()
        if storage is not None:
            storage._connection.db.close()
        self.runtime = None
        self._tree_is_over = False
        self.cut_link()
        self._hub_back = self.now + self.chance.uniform(0.3, 1.5)

    # --- the link (as ``link.server`` and ``link.client``) -------------------------------------------------------------

    def send(self, peer: int | None, message: FromHub) -> None:
        """The hub's outlet."""
        if self._peer is not None and peer in (None, self._peer):
            self.to_web.put(message)

    def disconnect_all(self) -> None:
        """The hub's outlet."""
        if self._peer is not None:
            self.cut_link()

    def traffic(self) -> dict[int, Traffic]:
        """The hub's outlet; nobody counts here."""
        return {}

    def cut_link(self) -> None:
        self.to_hub.cut()
        self.to_web.cut()
        peer, self._peer = self._peer, None
        if peer is not None:
            self._tell_gateway(PeerLost(peer))
        self._link_back = self.now + self.chance.uniform(0.05, 0.5)
        self._last_seq = None
        for agent in self.agents:
            if agent.is_up:
                agent.session.hub_went_away(self.now)
        calls, self._calls = self._calls, {}
        for answered in calls.values():
            answered(None)

    def _connect_link(self) -> None:
        self._peers += 1
        self._peer = self._peers
        self._tell_gateway(PeerUp(self._peer))
        self.to_hub.put(WebHello("web-0", 1))
        for agent in self.agents:
            if agent.is_up:
                self._announce(agent)
                for frame in list(agent.unanswered.send_again(self.now)):
                    self.to_hub.put(AgentFrame(agent.connection, frame))

    def _tell_gateway(self, message: object) -> None:
        ref = self.runtime.names.whereis(names.GATEWAY) if self.runtime is not None else None
        if ref is not None and ref.is_alive():
            ref.tell(message)

    def call(self, op: str, answered: Callable[[Reply | None], None], **args: Any) -> int | None:
        """``answered(None)``: the outcome is unknown."""
        if self._peer is None:
            return None
        self._call_numbers += 1
        number = self._call_numbers
        self._calls[number] = answered
        self.to_hub.put(Call(number, op, args))
        return number

    # --- agents ---------------------------------------------------------------------------------------------------------

    def _announce(self, agent: SimAgent) -> None:
        self.to_hub.put(agent.session.announcement(self.now))

    def _agent_connects(self, agent: SimAgent) -> None:
        agent.connect()
        if self._peer is not None:
            self._announce(agent)
        for task_id, generation in agent.holding.items():
            self._say(
                agent, {"type": "state_report", "task_id": task_id, "generation": generation, "status": "working"}
            )

    def _agent_leaves(self, agent: SimAgent, *, with_memory: bool) -> None:
        agent.is_up = False
        if self._peer is not None:
            self.to_hub.put(AgentDown(agent.connection, False))
        if not with_memory:
            agent.holding.clear()
            agent.later.clear()
        agent.away_until = self.now + self.chance.uniform(0.1, 6.0)

    def _say(self, agent: SimAgent, frame: dict[str, Any]) -> None:
        kept = agent.unanswered.keep(frame, 100, self.now if self._peer is not None else None)
        if self._peer is not None and kept:
            self.to_hub.put(AgentFrame(agent.connection, frame))

    def _hear(self, agent: SimAgent, frame: dict[str, Any]) -> None:
        if frame["type"] == "task_assign":
            agent.assigned.append((frame["task_id"], frame["generation"]))
        delay = 0.0
        for answer in agent.take(frame):
            if answer["type"] in ("task_complete", "task_failed"):
                delay += self.chance.uniform(0.0, 2.0)
            agent.later.append((self.now + delay, answer))
        if frame["type"] == "task_assign" and frame["description"] == "slow":
            result = {
                "type": "task_complete",
                "task_id": frame["task_id"],
                "generation": frame["generation"],
                "result": 1,
            }
            agent.later.append((self.now + self.chance.uniform(2.0, 6.0), result))
        if frame["type"] == "state_report_ack" and frame["action"] == "abort":
            if agent.holding.get(frame["task_id"]) == frame["generation"]:
                del agent.holding[frame["task_id"]]
        elif frame["type"] == "state_report_ack" and frame["task_id"] in agent.holding:
            result = {"type": "task_complete", "task_id": frame["task_id"], "result": 1}
            agent.later.append((self.now + 1.0, result | {"generation": agent.holding[frame["task_id"]]}))

    def _agents_act(self) -> None:
        for agent in self.agents:
            if not agent.is_up:
                if self.now >= agent.away_until and self.runtime is not None and self._peer is not None:
                    self._agent_connects(agent)
                continue
            due = [frame for when, frame in agent.later if when <= self.now]
            agent.later = [(when, frame) for when, frame in agent.later if when > self.now]
            for frame in due:
                if frame["type"] != "task_complete" or frame["task_id"] in agent.holding:
                    self._say(agent, frame)
            for frame in list(agent.unanswered.overdue(self.now, 10.0)):
                if self._peer is not None:
                    self.to_hub.put(AgentFrame(agent.connection, frame))
        if self.now - self._seen_life_at >= 1.0 and self._peer is not None:
            self._seen_life_at = self.now
            self.to_hub.put(AgentsSeen([agent.connection for agent in self.agents if agent.is_up]))

    # --- submitters -----------------------------------------------------------------------------------------------------

    def _submit(self) -> None:
        for key, description, lane in self.submitter.open()[:1]:
            task = {"description": description, "priority": lane, "idempotency_key": key, "max_retries": 4}

            def answered(reply: Reply | None, key: str = key) -> None:
                self.submitter.asking = {n: k for n, k in self.submitter.asking.items() if k != key}
                if reply is not None and reply.refusal is None:
                    [result] = reply.value
                    if "task_id" in result:
                        self.submitter.ids[key].add(result["task_id"])
                    else:
                        self.violations.append(f"I6: {key} was refused: {result}")

            number = self.call("tasks.submit", answered, tasks=[task], submitted_by="me")
            if number is not None:
                self.submitter.asking[number] = key

    # --- time -------------------------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """A few turns of the hub, a little time, whatever arrives, and perhaps a fault."""
        self._hub_turns(self.chance.randint(1, 12))
        if not self.quiet and self.chance.random() < 0.03:
            self._fault()
        if self.runtime is None and self.now >= self._hub_back:
            self.start_hub()
        if self.runtime is not None and self._peer is None and self.now >= self._link_back:
            self._connect_link()
        self._deliver()
        self._agents_act()
        if self.chance.random() < 0.3:
            self._submit()
        if self.chance.random() < 0.02:
            accepted = sum(bool(ids) for ids in self.submitter.ids.values())
            self.call("dashboard.snapshot", lambda reply: self._look_at_snapshot(reply, accepted))
        self._pass_time()

    def _hub_turns(self, turns: int) -> None:
        for _ in range(turns):
            if self.runtime is None or not self.runtime.step():
                break
        if self._tree_is_over:
            self.kill_hub()

    def _pass_time(self) -> None:
        """To the next thing that is due, but at most a little: everything has its chance."""
        until = self.now + self.chance.choice((0.001, 0.02, 0.2))
        if self.runtime is not None and self.runtime._ready.ready:
            until = self.now + 0.0005
        while self.runtime is not None and (due := self.runtime.timers.next_due()) is not None and due <= until:
            self.clock.advance(max(due - self.now, 0.0))
            self.runtime.timers.fire_due()
        self.clock.advance(max(until - self.now, 0.0))

    def _deliver(self) -> None:
        messages: list[FromWeb] = self.to_hub.arrived()
        if messages and self._peer is not None:
            self._tell_gateway(FromPeer(self._peer, messages))
        for message in self.to_web.arrived():
            self._from_hub(message)

    def _from_hub(self, message: FromHub) -> None:
        match message:
            case ToAgents():
                frames = codec.decode_own(message.message)
                for agent in self.agents:
                    if agent.is_up and agent.connection in message.connections:
                        agent.session.is_confirmed = True
                        for frame in frames if isinstance(frames, list) else [frames]:
                            self._hear(agent, frame)
            case CloseAgent():
                for agent in self.agents:
                    if agent.connection == message.connection and agent.is_up:
                        self._agent_leaves(agent, with_memory=True)
            case Reply():
                answered = self._calls.pop(message.call_id, None)
                if answered is not None:
                    answered(message if message.refusal != "unavailable" else None)
            case DashboardBatch():
                if self._last_seq is not None and message.first_seq <= self._last_seq:
                    self.violations.append(f"I11: events {message.first_seq} after {self._last_seq}")
                self._last_seq = message.last_seq

    def _look_at_snapshot(self, reply: Reply | None, accepted: int) -> None:
        """``accepted``: so many were before the question."""
        if reply is None or reply.refusal is not None:
            return
        queue = codec.decode_own(reply.value["json"])["queue"]
        total = sum(queue["by_status"].values()) + queue["dead_letter"]
        if not accepted <= total <= len(self.submitter.wanted):
            self.violations.append(f"I9: {total} tasks in the snapshot, {accepted} were accepted")

    # --- faults -----------------------------------------------------------------------------------------------------------

    def _fault(self) -> None:
        kind = self.chance.choice(self.faults)
        self.fault_log.append(f"{self.now:.2f} {kind}")
        getattr(self, "_fault_" + kind.replace(" ", "_"))()

    def _fault_cut_link(self) -> None:
        if self._peer is not None:
            self.cut_link()

    def _fault_hub_dies(self) -> None:
        if self.runtime is not None:
            self.kill_hub()

    def _fault_actor_crashes(self) -> None:
        def crash(_: object) -> None:
            raise Injected

        named = [cell for cell in self.runtime.living() if cell.name] if self.runtime is not None else []
        if named:
            self.chance.choice(named).mailbox.post(Continuation(crash, None))

    def _fault_commit_fails(self) -> None:
        """The next transaction: nothing of it is stored, or all of it and nobody is told."""
        self.failing_commit = self.chance.choice(("before", "after"))

    failing_commit: str | None = None

    def _fault_agent_drops(self) -> None:
        self._agent_goes(with_memory=True)

    def _fault_agent_dies(self) -> None:
        self._agent_goes(with_memory=False)

    def _agent_goes(self, *, with_memory: bool) -> None:
        up = [agent for agent in self.agents if agent.is_up]
        if up:
            self._agent_leaves(self.chance.choice(up), with_memory=with_memory)

    def _fault_clock_jumps(self) -> None:
        self.clock.jump(self.chance.choice((-3600.0, -5.0, 5.0, 3600.0)))

    def _fault_slow_link(self) -> None:
        self.latency_s = self.chance.choice((0.0005, 0.05, 0.2))

    # --- a run --------------------------------------------------------------------------------------------------------------

    def run(self, virtual_s: float = 25.0, heal_s: float = 400.0) -> None:
        with _failing_commits(self):
            self.start_hub()
            end = self.now + virtual_s
            while self.now < end:
                self.tick()
            self.quiet, self.failing_commit = True, None
            self.latency_s = 0.001
            end = self.now + heal_s
            while self.now < end and not self._is_over():
                for _ in range(40):
                    self.tick()
            self._check()
        if self.runtime is not None:
            self.traces.append(self.runtime.trace)
            self.runtime.close()
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self._path}{suffix}").unlink(missing_ok=True)

    def _task(self, task_id: str) -> Task | None:
        ref = self.runtime.names.whereis(names.TASK_QUEUE) if self.runtime is not None else None
        if ref is None:
            return None
        try:
            task = ref.ask(GetTask(task_id), timeout=30)
        except pykka.ActorDeadError:  # a fault that was pending struck now
            return None
        return task if isinstance(task, Task) else None

    def _is_over(self) -> bool:
        if self.submitter.open() or self.submitter.asking:
            return False
        tasks = [self._task(task_id) for ids in self.submitter.ids.values() for task_id in ids]
        return all(task is not None and task.status in ("completed", "dead_letter") for task in tasks)

    def _check(self) -> None:
        say = self.violations.append
        for agent in self.agents:
            for task_id, generation in set(agent.assigned):
                if any((task_id, generation) in other.assigned for other in self.agents if other is not agent):
                    say(f"I3: {task_id} generation {generation} was given to two agents")
        for key, ids in self.submitter.ids.items():
            if len(ids) != 1:
                say(f"I6: {key} has the ids {sorted(ids)}")
            for task_id in ids:
                self._check_task(task_id, self._task(task_id))

    def _check_task(self, task_id: str, task: Task | None) -> None:
        say = self.violations.append
        if task is None:
            say(f"I1: {task_id} was accepted and is gone")
            return
        if task.status not in ("completed", "dead_letter"):
            say(f"I10: {task_id} is still {task.status} ({task.assigned_to}, generation {task.generation})")
        acknowledged = {
            (agent.name, generation) for agent in self.agents for id_, generation in agent.results if id_ == task_id
        }
        if len(acknowledged) > 1:
            say(f"I4: {task_id} has the accepted completions {sorted(acknowledged)}")
        for name, generation in acknowledged:
            if (task.status, task.assigned_to, task.generation) != ("completed", name, generation):
                say(f"I2: {task_id} was completed by {name} at {generation} and is {task.status} at {task.generation}")
        generations = [entry.details["generation"] for entry in reversed(task.history) if entry.event == "assigned"]
        if generations != sorted(set(generations)):
            say(f"I8: {task_id} was assigned with the generations {generations}")


class _failing_commits:
    """Lets ``World.failing_commit`` strike in the storage of the world's hub."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._commit = SqliteStorage.commit

    def __enter__(self) -> None:
        world, commit = self._world, self._commit

        def failing(storage: SqliteStorage) -> None:
            when, world.failing_commit = world.failing_commit, None
            if when == "before":
                raise Injected
            commit(storage)
            if when == "after":
                raise Injected

        SqliteStorage.commit = failing  # type: ignore[method-assign]

    def __exit__(self, *_: object) -> None:
        SqliteStorage.commit = self._commit  # type: ignore[method-assign]


def work_folder() -> Path:
    """In memory where there is such a place: thousands of databases are made."""
    base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    return Path(tempfile.mkdtemp(prefix="simulation-", dir=base))


def make_template(folder: Path) -> Path:
    """An empty database of the newest schema."""
    path = folder / "template.db"
    storage = SqliteStorage(path)
    storage._connection.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    storage.close()
    return path


__all__ = ["TaskQueue", "World", "make_template", "work_folder"]
