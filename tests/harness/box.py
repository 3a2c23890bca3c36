"""A hub in a box: the whole tree of the hub process, for real, on a manual clock; only the sockets are missing."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pykka

from actors.agent_fsm import AgentOptions
from actors.queue_options import TaskQueueOptions
from actors.vocabulary import names
from actors.vocabulary.agents import ReadView
from actors.vocabulary.dashboard import Boot
from actors.vocabulary.events import AgentView, TaskEvent
from actors.vocabulary.gateway import FromPeer, PeerLost, PeerUp
from actors.vocabulary.tasks import GetTask, NewTask, SubmitTasks, Task
from agentcom.tree import TreeOptions, hub_children, hub_flags
from link.messages import (
    AgentDown,
    AgentFrame,
    AgentsSeen,
    AgentUp,
    Call,
    CloseAgent,
    FromHub,
    FromWeb,
    Reply,
    TaskPrinted,
    ToAgents,
    WebHello,
)
from link.traffic import Traffic
from supervision.actor import Actor
from supervision.bus import Published
from supervision.cell import Cell
from supervision.clock import ManualClock
from supervision.runtime import Runtime
from supervision.supervisor import Supervisor

OPTIONS = AgentOptions(acceptance_timeout_s=60.0, grace_s=10.0, report_timeout_s=10.0)


class Outlet:
    """Where frames to web processes go: remembered by connection."""

    def __init__(self) -> None:
        self.frames: dict[str, list[dict[str, Any]]] = {}
        self.messages: list[ToAgents] = []
        self.printed: list[tuple[int | None, TaskPrinted]] = []
        self.closed: dict[str, int] = {}
        self.replies: dict[int, Reply] = {}
        self.disconnects = 0

    def send(self, peer: int | None, message: FromHub) -> None:
        if isinstance(message, ToAgents):
            self.messages.append(message)
            for connection in message.connections:
                content = json.loads(message.message)
                frames = content if isinstance(content, list) else [content]
                self.frames.setdefault(connection, []).extend(frames)
        elif isinstance(message, TaskPrinted):
            self.printed.append((peer, message))
        elif isinstance(message, CloseAgent):
            self.closed[message.connection] = message.code
        elif isinstance(message, Reply):
            self.replies[message.call_id] = message

    def disconnect_all(self) -> None:
        self.disconnects += 1

    def traffic(self) -> dict[int, Traffic]:
        return {}


class Recorder(Actor):
    """Keeps every published event."""

    handles = {Published: "note"}

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Any] = []

    def on_start(self) -> None:
        self.runtime.bus.subscribe("tasks", self.actor_ref)
        self.runtime.bus.subscribe("presence", self.actor_ref)

    def note(self, published: Published) -> None:
        self.events.append(published.event)


class Box:
    PEER = 1

    def __init__(self, folder: Path) -> None:
        self.runtime = Runtime(clock=ManualClock(), seed=1)
        self.outlet = Outlet()
        self.fatal: list[BaseException] = []
        self.recorder = self.runtime.spawn(Recorder)
        options = TreeOptions(
            database=folder / "hub.db",
            queue=TaskQueueOptions(max_reclaims=3),
            agents=OPTIONS,
            max_restarts=10,
            period_s=5.0,
        )
        boot = Boot("boot", self.runtime.clock.time_ms(), self.runtime.clock.monotonic())
        children = hub_children(options, self.outlet, boot, 1)
        self.top: Cell = self.runtime.create(Supervisor, (hub_flags(options), children), name=names.HUB_SUPERVISOR)
        self.top.start().get(timeout=20)
        self.announce()
        self._calls = 0

    def announce(self) -> None:
        self.runtime.settle()  # the gateway may have been started again already
        self._tell(PeerUp(self.PEER))
        self.web(WebHello("web-0", 1))

    def _tell(self, message: object) -> None:
        assert self.gateway_lives
        self.tell_gateway(message)

    @property
    def gateway_lives(self) -> bool:
        return self.runtime.names.whereis(names.GATEWAY) is not None

    def tell_gateway(self, message: object) -> None:
        """As ``agentcom.hub`` does: what comes while the gateway is away is lost, because every link is cut when it is back."""
        ref = self.runtime.names.whereis(names.GATEWAY)
        if ref is not None and ref.is_alive():
            with contextlib.suppress(pykka.ActorDeadError):
                ref.tell(message)
        self.runtime.settle()

    def web(self, *messages: FromWeb) -> None:
        """What the web process sends."""
        self._tell(FromPeer(self.PEER, list(messages)))

    def lose_web(self) -> None:
        self._tell(PeerLost(self.PEER))
        self._tell(PeerUp(self.PEER))

    def call(self, op: str, **args: Any) -> Reply:
        self._calls += 1
        self.web(Call(self._calls, op, args))
        return self.outlet.replies[self._calls]

    # --- agents ---------------------------------------------------------------------------------------------------

    def up(
        self,
        agent_id: str,
        *capabilities: Any,
        connection: str | None = None,
        resumed: bool = False,
        presence: bool = False,
    ) -> str:
        connection = connection or f"{agent_id}-1"
        self.web(AgentUp(connection, agent_id, agent_id, "connected", list(capabilities), presence, 1, resumed))
        return connection

    def down(self, connection: str, *, clean: bool = False) -> None:
        self.web(AgentDown(connection, clean))

    def says(self, connection: str, type_: str, **fields: Any) -> list[dict[str, Any]]:
        """Send one frame; the frames that came back because of it."""
        before = len(self.frames(connection))
        self.web(AgentFrame(connection, {"type": type_, **fields}))
        return self.frames(connection)[before:]

    def seen(self, *connections: str) -> None:
        self.web(AgentsSeen(list(connections)))

    def frames(self, connection: str) -> list[dict[str, Any]]:
        return self.outlet.frames.get(connection, [])

    def assignment(self, connection: str) -> dict[str, Any]:
        return [frame for frame in self.frames(connection) if frame["type"] == "task_assign"][-1]

    def state(self, agent_id: str) -> str | None:
        view = self.view(agent_id)
        return view.fsm_state if view is not None else None

    def view(self, agent_id: str) -> AgentView | None:
        ref = self.runtime.names.whereis(names.agent_fsm(agent_id))
        return ref.ask(ReadView(), timeout=5) if ref is not None else None

    # --- tasks ----------------------------------------------------------------------------------------------------

    def queue(self, message: object) -> Any:
        ref = self.runtime.names.whereis(names.TASK_QUEUE)
        assert ref is not None
        answer = ref.ask(message, timeout=10)
        self.runtime.settle()
        return answer

    def submit(self, description: str = "work", **fields: Any) -> str:
        return str(self.queue(SubmitTasks((NewTask(description, **fields),), "me"))[0].task_id)

    def task(self, task_id: str) -> Task:
        task = self.queue(GetTask(task_id))
        assert isinstance(task, Task)
        return task

    def events(self, of: Callable[[Any], bool]) -> list[Any]:
        self.runtime.settle()
        return [event for event in self.recorder.proxy().events.get(timeout=5) if of(event)]

    def task_events(self, task_id: str) -> list[str]:
        return [e.event for e in self.events(lambda e: isinstance(e, TaskEvent) and e.task.id == task_id)]

    def crash(self, name: str) -> None:
        """Make an actor die of something that nobody expected."""
        cell = self.runtime.names.cell(name)
        assert cell is not None
        cell.revoke("test")
        self.runtime.settle()

    def wait(self, seconds: float, *alive: str) -> None:
        """Let time pass, with signs of life of the given connections every ten seconds."""
        while seconds > 0:
            step = min(seconds, 10.0)
            self.runtime.advance(step)
            if alive:
                self.seen(*alive)
            seconds -= step

    def close(self) -> None:
        self.top.stop()
        self.runtime.settle()
        self.runtime.close()
