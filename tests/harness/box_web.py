"""The web process of a hub in a box, and agents behind it: announces, relays, and says again what the hub did not answer."""

from __future__ import annotations

from typing import Any

from actors.vocabulary.gateway import FromPeer, PeerLost, PeerUp
from link.messages import (
    AgentDown,
    AgentFrame,
    AgentsSeen,
    AgentUp,
    Call,
    FromWeb,
    InputRejected,
    Reply,
    WatchOutput,
    WebHello,
)
from tests.harness.box import Box
from web.unanswered import Unanswered
from wire.answers import answered_by


class BoxAgent:
    """What an agent does with a task stands in its description: ok, fail (twice), reject (once), silent (once), slow."""

    def __init__(self, name: str, slots: int) -> None:
        self.name = name
        self.slots = slots
        self.connection = f"{name}-1"
        self.is_up = False
        self.is_known = False
        self.unanswered = Unanswered(256, 1 << 20)
        self.holding: dict[str, int] = {}
        """What it works on: task -> generation."""
        self.seen = 0
        self.results: list[tuple[str, int]] = []
        """(task, generation) of each completion that the hub acknowledged."""

    def take(self, frame: dict[str, Any]) -> list[dict[str, Any]]:
        """What it says to a frame of the hub."""
        answered = answered_by(frame)
        if answered is not None:
            self.unanswered.answered(*answered)
        match frame["type"]:
            case "task_assign":
                return self._assigned(frame)
            case "task_ack" if frame["status"] == "complete":
                self.results.append((frame["task_id"], frame["generation"]))
                self.holding.pop(frame["task_id"], None)
            case "task_cancelled":
                self.holding.pop(frame["task_id"], None)
            case "task_reassign" if frame.get("generation") in (None, self.holding.get(frame["task_id"])):
                self.holding.pop(frame["task_id"], None)
            case "error" if frame.get("generation") == self.holding.get(frame.get("task_id", "")):
                self.holding.pop(frame["task_id"], None)
        return []

    def _assigned(self, frame: dict[str, Any]) -> list[dict[str, Any]]:
        task_id, generation = frame["task_id"], frame["generation"]
        about = {"task_id": task_id, "generation": generation}
        if self.holding.get(task_id) == generation:  # the same assignment once more
            return [{"type": "task_accepted", **about}]
        match frame["description"]:
            case "fail" if generation <= 3:
                return [{"type": "task_failed", **about, "error": "no luck"}]
            case "reject" if generation == 1:
                return [{"type": "task_rejected", **about, "reason": "not now"}]
            case "silent" if generation == 1:
                return []
            case "slow":
                self.holding[task_id] = generation
                return [{"type": "task_accepted", **about}, {"type": "task_progress", **about, "progress": 10}]
        self.holding[task_id] = generation
        return [{"type": "task_accepted", **about}, {"type": "task_complete", **about, "result": {"n": generation}}]

    def finish(self) -> list[dict[str, Any]]:
        """The results of what it holds."""
        return [
            {"type": "task_complete", "task_id": task_id, "generation": generation, "result": 1}
            for task_id, generation in self.holding.items()
        ]


class BoxWeb:
    """One web process. ``run`` carries frames to and fro until nobody has anything to say."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._peer = 0
        self._disconnects = -1
        self._calls = 0
        self.agents: list[BoxAgent] = []
        self.watched: list[str] = []
        self.unavailable = 0
        """Calls that a restart left without an answer: their callers are told 503."""

    def _tell(self, *messages: FromWeb) -> None:
        self._box.tell_gateway(FromPeer(self._peer, list(messages)))

    def _keep_connected(self) -> None:
        """As ``link.client``: when the hub cuts the link, connect anew and announce everything."""
        while self._disconnects != self._box.outlet.disconnects:
            self._disconnects = self._box.outlet.disconnects
            if self._peer:
                self._box.tell_gateway(PeerLost(self._peer))
            self._peer += 1
            self._box.tell_gateway(PeerUp(self._peer))
            self._tell(WebHello("web-0", 1))
            if self.watched:
                self._tell(WatchOutput(self.watched))
            for agent in self.agents:
                if agent.is_up:
                    self._announce(agent)
                    for frame in list(agent.unanswered.send_again(0.0)):
                        self._tell(AgentFrame(agent.connection, frame))

    def _announce(self, agent: BoxAgent) -> None:
        up = AgentUp(
            *(agent.connection, agent.name, agent.name, "connected", ["x"], True, 1, agent.is_known),
            slots=agent.slots,
        )
        self._tell(up)

    # --- agents -----------------------------------------------------------------------------------------------------

    def connect(self, agent: BoxAgent) -> None:
        if agent not in self.agents:
            self.agents.append(agent)
        self._keep_connected()
        agent.is_up, agent.is_known = True, False
        self._announce(agent)
        agent.is_known = True
        self.run()

    def drop(self, agent: BoxAgent, *, clean: bool = False) -> None:
        """Its socket is gone; a later ``connect`` is a new one."""
        agent.is_up = False
        self._tell(AgentDown(agent.connection, clean))
        agent.connection += "'"
        agent.seen = 0
        agent.unanswered = Unanswered(256, 1 << 20)
        self.run()

    def say(self, agent: BoxAgent, *frames: dict[str, Any]) -> None:
        for frame in frames:
            agent.unanswered.keep(frame, 100, 0.0)
        self._tell(*(AgentFrame(agent.connection, frame) for frame in frames))
        self.run()

    def run(self) -> None:
        for _ in range(100):
            self._keep_connected()
            said = [(agent, frames) for agent in self.agents if agent.is_up and (frames := self._hear(agent))]
            if not said:
                return
            for agent, frames in said:
                for frame in frames:
                    agent.unanswered.keep(frame, 100, 0.0)
                self._tell(*(AgentFrame(agent.connection, frame) for frame in frames))
        raise AssertionError("the agents and the hub never come to rest")

    def _hear(self, agent: BoxAgent) -> list[dict[str, Any]]:
        frames = self._box.frames(agent.connection)
        fresh, agent.seen = frames[agent.seen :], len(frames)
        return [answer for frame in fresh for answer in agent.take(frame)]

    def report_rejected(self, messages: int) -> None:
        """As the web process does after messages that broke the rules."""
        self._keep_connected()
        self._tell(InputRejected(messages))

    def show_life(self) -> None:
        """As the web process reports it every second."""
        self._keep_connected()
        self._tell(AgentsSeen([agent.connection for agent in self.agents if agent.is_up]))
        self.run()

    def watch(self, *task_ids: str) -> None:
        """Pages show the output of these tasks."""
        self.watched = list(task_ids)
        self._keep_connected()
        self._tell(WatchOutput(self.watched))
        self.run()

    # --- callers ----------------------------------------------------------------------------------------------------

    def call(self, op: str, **args: Any) -> Reply | None:
        """The hub's reply; None when it was restarted meanwhile, which a caller is told as well."""
        self._keep_connected()
        self._calls += 1
        before = self._box.outlet.disconnects
        self._tell(Call(self._calls, op, args))
        reply = self._box.outlet.replies.get(self._calls)
        if reply is None:
            assert self._box.outlet.disconnects > before or not self._box.gateway_lives, f"{op} was never answered"
        if reply is None or reply.refusal == "unavailable":
            self.unavailable += 1
            reply = None
        self.run()
        return reply

    def insist(self, op: str, **args: Any) -> Any:
        """As a caller that tries again after a 503; the value."""
        for _ in range(5):
            reply = self.call(op, **args)
            if reply is not None:
                assert reply.refusal is None, (op, reply)
                return reply.value
            self._box.runtime.advance(1.0)
        raise AssertionError(f"{op} stays unavailable")
