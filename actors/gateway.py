"""Speaks with the web processes: turns their calls into requests to actors, and knows which agent has which connection.

It keeps no truth. When it starts it cuts every link, so that each web process comes back and announces its connections anew;
an agent that nobody announces soon after is told that it has none.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import msgspec
from msgspec import structs

from actors.agent_fsm import AgentFSM, AgentOptions
from actors.agent_orders import AgentOrders
from actors.audit import OK
from actors.audited_calls import audited, entry_of, is_audited
from actors.explanation import explain
from actors.fleet_calls import FleetCalls
from actors.system_calls import SystemCalls
from actors.vocabulary import audit, bulk, dashboard, fleet, names, notices, output, search, tasks, trends
from actors.vocabulary.agents import Connected, Dropped, FromAgent, ReadView
from actors.vocabulary.events import PRESENCE, AgentChanged, AgentJoined, AgentLeft, AgentView
from actors.vocabulary.gateway import Close, FromPeer, PeerLost, PeerUp, ToAgent, WhoIsConnected
from link.messages import (
    AgentDown,
    AgentFrame,
    AgentsSeen,
    AgentUp,
    Call,
    CloseAgent,
    DashboardBatch,
    FromHub,
    HealthUpdate,
    HubHello,
    IdentityEntry,
    IdentityUpdate,
    InputRejected,
    Reply,
    Sockets,
    TaskPrinted,
    ToAgents,
    WatchOutput,
    WebHello,
)
from link.traffic import Traffic
from supervision.actor import Actor
from supervision.alarms import Alarm
from supervision.bus import Published
from supervision.core_messages import StartChildRequest
from supervision.exits import Shutdown
from supervision.spec import Restart
from supervision.supervisor import child
from supervision.tree import tree
from supervision.watcher import ReadAlarms
from wire import codec
from wire.answers import answered_by

logger = logging.getLogger("agentcom.gateway")

Frames = tuple[dict[str, Any], ...]

#: Tasks of submits that have no answer yet. More are refused at once, so that completions never wait behind more than two
#: seconds of submits at the hub's budget of 10,000 a second.
MAX_SUBMITTING = 20_000

#: After this, an agent that no web process announced has no connection.
ANNOUNCE_LIMIT_S = 3.0

#: The hub's own limit for a call; below the web process's, so that the caller gets an answer and not a timeout.
CALL_TIMEOUT_S = 4.5


class Outlet(Protocol):
    """Where frames to the web processes go (``link.server.LinkServer``); thread-safe, never blocking."""

    def send(self, peer: int | None, message: FromHub) -> None: ...

    def disconnect_all(self) -> None: ...

    def traffic(self) -> dict[int, Traffic]: ...


@dataclass(frozen=True, slots=True)
class Operation:
    """A call that goes to one actor: ``message`` is made from the call's args."""

    target: str
    message: type


#: ``link.messages.Call.op`` for what one actor answers by itself.
OPERATIONS: dict[str, Operation] = {
    "tasks.submit": Operation(names.TASK_QUEUE, tasks.SubmitTasks),
    "tasks.get": Operation(names.TASK_QUEUE, tasks.GetTask),
    "tasks.duplicates": Operation(names.TASK_QUEUE, tasks.ReadDuplicates),
    "tasks.list": Operation(names.TASK_QUEUE, tasks.ListTasks),
    "tasks.dead_letter": Operation(names.TASK_QUEUE, tasks.ListDeadLetter),
    "tasks.stats": Operation(names.TASK_QUEUE, tasks.ReadStats),
    "tasks.cancel": Operation(names.TASK_QUEUE, tasks.Cancel),
    "tasks.retry": Operation(names.TASK_QUEUE, tasks.RetryDeadLetter),
    "tasks.find": Operation(names.TASK_QUEUE, search.FindTasks),
    "tasks.count": Operation(names.TASK_QUEUE, search.CountTasks),
    "tasks.suggest": Operation(names.TASK_QUEUE, search.SuggestValues),
    "tasks.dead_groups": Operation(names.TASK_QUEUE, search.ListDeadGroups),
    "dead.mute": Operation(names.TASK_QUEUE, search.MuteDeadGroup),
    "dead.unmute": Operation(names.TASK_QUEUE, search.UnmuteDeadGroup),
    "tasks.discard": Operation(names.TASK_QUEUE, bulk.DiscardDeadLetter),
    "tasks.recover": Operation(names.TASK_QUEUE, bulk.RecoverDiscarded),
    "tasks.lane": Operation(names.TASK_QUEUE, bulk.ChangeLane),
    "tasks.reassign": Operation(names.TASK_QUEUE, bulk.Reassign),
    "operations.preview": Operation(names.TASK_QUEUE, bulk.Preview),
    "operations.continue_preview": Operation(names.TASK_QUEUE, bulk.ContinuePreview),
    "operations.start": Operation(names.TASK_QUEUE, bulk.StartOperation),
    "operations.get": Operation(names.TASK_QUEUE, bulk.ReadOperation),
    "operations.list": Operation(names.TASK_QUEUE, bulk.ListOperations),
    "operations.cancel": Operation(names.TASK_QUEUE, bulk.CancelOperation),
    "identities.create": Operation(names.TASK_QUEUE, tasks.CreateIdentity),
    "identities.revoke": Operation(names.TASK_QUEUE, tasks.RevokeIdentity),
    "identities.list": Operation(names.TASK_QUEUE, tasks.ListIdentities),
    "enrolment.create": Operation(names.TASK_QUEUE, tasks.CreateEnrolment),
    "enrolment.redeem": Operation(names.TASK_QUEUE, tasks.Enrol),
    "settings.read": Operation(names.TASK_QUEUE, tasks.ReadSetting),
    "settings.write": Operation(names.TASK_QUEUE, tasks.WriteSetting),
    "notify.targets": Operation(names.TASK_QUEUE, notices.ListTargets),
    "notify.create_webhook": Operation(names.TASK_QUEUE, notices.CreateWebhook),
    "notify.enable_webhook": Operation(names.TASK_QUEUE, notices.EnableWebhook),
    "notify.subscribe": Operation(names.TASK_QUEUE, notices.Subscribe),
    "notify.remove": Operation(names.TASK_QUEUE, notices.RemoveTarget),
    "notify.test": Operation(names.TASK_QUEUE, notices.SendTest),
    "notify.redeliver": Operation(names.TASK_QUEUE, notices.Redeliver),
    "notify.deliveries": Operation(names.TASK_QUEUE, notices.ListDeliveries),
    "notify.watch": Operation(names.TASK_QUEUE, notices.ReadWatch),
    "notify.record": Operation(names.TASK_QUEUE, notices.RecordNotices),
    "notify.keep_push_key": Operation(names.TASK_QUEUE, notices.KeepPushKey),
    "notify.outbox": Operation(names.TASK_QUEUE, notices.ReadOutbox),
    "notify.attempt": Operation(names.TASK_QUEUE, notices.RecordAttempt),
    "dashboard.snapshot": Operation(names.DASHBOARD_STATE, dashboard.ReadSnapshot),
    "dashboard.health": Operation(names.DASHBOARD_STATE, dashboard.ReadHealth),
    "dashboard.figures": Operation(names.DASHBOARD_STATE, dashboard.ReadFigures),
    "dashboard.recent": Operation(names.BROADCASTER, dashboard.ReadRecent),
    "dashboard.trends": Operation(names.DASHBOARD_STATE, trends.ReadTrends),
    "health.acknowledge": Operation(names.DASHBOARD_STATE, dashboard.AcknowledgeCondition),
    "output.read": Operation(names.OUTPUT, output.ReadOutput),
    "identities.end_old": Operation(names.TASK_QUEUE, fleet.EndOldTokens),
    "audit.read": Operation(names.TASK_QUEUE, audit.ReadAudit),
}

#: A watcher that does not answer must not hide the tree.
ALARMS_TIMEOUT_S = 1.0

#: Reports of supervisors that come with the tree.
EVENTS_SHOWN = 50

#: After these the table of identities is sent to every web process: when a right was taken away at once, when one was given after
#: so many seconds, together with others. A web process that does not know a token asks before it refuses it.
ADDS_IDENTITIES = frozenset({"identities.create", "enrolment.redeem"})
REMOVES_IDENTITIES = frozenset({"identities.revoke", "identities.end_old"})
ANNOUNCE_AFTER_S = 0.5


@dataclass(frozen=True, slots=True)
class SweepGhosts:
    """Tell agents that nobody announced that they have no connection."""


@dataclass(frozen=True, slots=True)
class AnnounceIdentities:
    """Send the table of identities to every web process."""


@dataclass(slots=True)
class Peer:
    """One web process: the connections that it announced."""

    connections: dict[str, None] = field(default_factory=dict)
    """In the order in which they came."""
    watched: tuple[str, ...] = ()
    """Tasks whose output its pages show."""
    web_id: str = ""
    pid: int = 0
    connected_at: int = 0
    """Unix milliseconds."""
    sockets: Sockets | None = None
    """As it last said."""


@dataclass(slots=True)
class AgentLink:
    """``is_known``: the agent's FSM was told of this connection, so one that asks for it has crashed meanwhile."""

    peer: int
    up: AgentUp
    is_known: bool = False
    seen_s: float = 0.0
    """When it last showed life."""


class Gateway(Actor):
    handles: ClassVar[dict[type, str]] = {
        PeerUp: "peer_up",
        PeerLost: "peer_lost",
        FromPeer: "from_peer",
        ToAgent: "to_agent",
        Close: "close_agent",
        WhoIsConnected: "who_is_connected",
        Published: "observe",
        dashboard.Batch: "broadcast",
        dashboard.HealthChanged: "tell_health",
        output.Show: "show_output",
        output.WhoWatches: "who_watches",
        SweepGhosts: "sweep_ghosts",
        AnnounceIdentities: "announce_identities",
    }

    def __init__(self, outlet: Outlet, boot_id: str, pid: int, agent_options: AgentOptions) -> None:
        super().__init__()
        self._outlet = outlet
        self._boot_id = boot_id
        self._pid = pid
        self._agent_options = agent_options
        self._peers: dict[int, Peer] = {}
        self._links: dict[str, AgentLink] = {}
        self._newest: dict[str, str] = {}
        self._starting: dict[str, list[object]] = {}
        self._is_announcing = False
        self._submitting = 0
        """Tasks that the queue was asked to take and has not answered."""
        self._from_web: dict[type, Callable[[int, Any], None]] = {
            WebHello: self._hello,
            Call: self._call,
            AgentUp: self._agent_up,
            AgentsSeen: self._agents_seen,
            AgentDown: self._agent_down,
            WatchOutput: self._watch_output,
            InputRejected: self._input_rejected,
            Sockets: self._sockets,
        }
        self._own_operations: dict[str, Callable[[int, Call], None]] = {
            "agents.list": self._list_agents,
            "agents.get": self._get_agent,
            "tasks.explain": self._explain,
            "agents.push": self._push_task,
            **AgentOrders(self, self._answer, self._refuse).operations,
            **FleetCalls(self, self._answer, self._refuse).operations,
            **SystemCalls(self, self._answer, self._refuse).operations,
            "hub.reset": self._reset,
            "hub.tree": self._tree,
        }

    def on_start(self) -> None:
        self.runtime.bus.subscribe(PRESENCE, self.actor_ref)
        self._outlet.disconnect_all()
        self.send_after(ANNOUNCE_LIMIT_S, SweepGhosts())

    # --- web processes --------------------------------------------------------------------------------------------

    def peer_up(self, message: PeerUp) -> None:
        self._peers[message.peer] = Peer(connected_at=self.runtime.clock.time_ms())

    def peer_lost(self, message: PeerLost) -> None:
        """A web process died, and every agent socket in it."""
        peer = self._peers.pop(message.peer, None)
        for connection in peer.connections if peer is not None else ():
            self._forget_connection(connection, clean=False)
        if peer is not None and peer.watched:
            self.send(names.OUTPUT, output.Watch(message.peer, ()))

    def from_peer(self, message: FromPeer) -> None:
        if message.peer not in self._peers:  # connected while this actor was being restarted
            self.peer_up(PeerUp(message.peer))
        frames: dict[str, list[dict[str, Any]]] = {}
        for item in message.messages:
            if isinstance(item, AgentFrame):  # those of one agent go to its FSM together
                frames.setdefault(item.connection, []).append(item.frame)
                continue
            self._hand_on(frames)
            self._from_web[type(item)](message.peer, item)
        self._hand_on(frames)

    def _hello(self, peer: int, hello: WebHello) -> None:
        self._peers[peer].web_id, self._peers[peer].pid = hello.web_id, hello.pid

        def greet(answer: object) -> None:
            entries = _entries(answer)
            if entries is None:  # without identities every request would be refused: let it come back
                self._outlet.disconnect_all()
            else:
                self._outlet.send(peer, HubHello(self._boot_id, self._pid, entries))

        self.request(names.TASK_QUEUE, tasks.ListIdentities(), greet, CALL_TIMEOUT_S)

    # --- calls ----------------------------------------------------------------------------------------------------

    def _call(self, peer: int, call: Call) -> None:
        own = self._own_operations.get(call.op)
        if own is not None:
            own(peer, call)
            return
        operation = OPERATIONS.get(call.op)
        if operation is None:
            self._refuse(peer, call, "invalid", "unknown operation")
            return
        try:
            message: object = msgspec.convert(call.args, operation.message)
        except msgspec.ValidationError:
            self._refuse(peer, call, "invalid", f"the arguments do not fit {call.op}")
            return
        if isinstance(message, tasks.SubmitTasks):
            self._submit(message, lambda answer: self._answer(peer, call, answer))
            return
        if operation.target == names.TASK_QUEUE:
            message = audited(call, message)
        elif is_audited(call):
            self.request(
                operation.target, message, lambda answer: self._answer_audited(peer, call, answer), CALL_TIMEOUT_S
            )
            return
        self.request(operation.target, message, lambda answer: self._answer(peer, call, answer), CALL_TIMEOUT_S)

    def _answer_audited(self, peer: int, call: Call, answer: object) -> None:
        """What another actor than the queue did, written down afterwards."""
        if not isinstance(answer, BaseException):
            outcome = answer.reason.value if isinstance(answer, tasks.Refused) else OK
            self.send(names.TASK_QUEUE, entry_of(call, outcome))
        self._answer(peer, call, answer)

    def _submit(self, message: tasks.SubmitTasks, answer: Callable[[object], None], call: Call | None = None) -> None:
        """Refused here when too many wait already: a refusal must not wait for them."""
        if self._submitting >= MAX_SUBMITTING:
            answer(tasks.Refused(tasks.Refusal.OVERLOADED, f"{self._submitting} tasks wait to be accepted"))
            return
        count = len(message.tasks)
        self._submitting += count

        def answered(result: object) -> None:
            self._submitting -= count
            answer(result)

        request = message if call is None else audited(call, message)
        self.request(names.TASK_QUEUE, request, answered, CALL_TIMEOUT_S)

    def _answer(self, peer: int, call: Call, answer: object) -> None:
        if isinstance(answer, BaseException):
            self._refuse(peer, call, "unavailable", "the hub is restarting or busy; try again")
        elif isinstance(answer, tasks.Refused):
            self._refuse(peer, call, answer.reason.value, answer.detail)
        else:
            self._outlet.send(peer, Reply(call.call_id, _plain(answer)))
            if call.op in REMOVES_IDENTITIES:
                self.announce_identities(AnnounceIdentities())
            elif call.op in ADDS_IDENTITIES and not self._is_announcing:
                self._is_announcing = True
                self.send_after(ANNOUNCE_AFTER_S, AnnounceIdentities())

    def _refuse(self, peer: int, call: Call, code: str, detail: str) -> None:
        self._outlet.send(peer, Reply(call.call_id, None, code, detail))

    def announce_identities(self, _: AnnounceIdentities) -> None:
        self._is_announcing = False

        def announce(answer: object) -> None:
            entries = _entries(answer)
            if entries is not None:
                self._outlet.send(None, IdentityUpdate(entries))

        self.request(names.TASK_QUEUE, tasks.ListIdentities(), announce)

    # --- operations of its own --------------------------------------------------------------------------------------

    def _list_agents(self, peer: int, call: Call) -> None:
        self._collect_views(lambda views: self._answer(peer, call, views))

    def _explain(self, peer: int, call: Call) -> None:
        """What the queue knows of the task, held against what all agents say of themselves."""

        def found(waiting: object) -> None:
            if not isinstance(waiting, tasks.Waiting):
                self._answer(peer, call, waiting)
                return
            now_ms = self.runtime.clock.time_ms()
            self._collect_views(lambda views: self._answer(peer, call, explain(waiting, views, now_ms)))

        self.request(names.TASK_QUEUE, tasks.AskWaiting(str(call.args.get("task_id"))), found, CALL_TIMEOUT_S)

    def _collect_views(self, then: Callable[[tuple[AgentView, ...]], None]) -> None:
        """Every agent that is or was connected, as its FSM sees it, by id."""
        refs = [ref for _, ref in self.names.starting_with(names.agent_fsm(""))]
        # An agent that has only just said hello is there, although its FSM may not know it yet.
        views = {agent_id: _unknown_view(self._links[key].up) for agent_id, key in self._newest.items()}
        missing = len(refs)

        def answer_if_complete() -> None:
            if missing == 0:
                then(tuple(views[agent_id] for agent_id in sorted(views)))

        def collect(answer: object) -> None:
            nonlocal missing
            missing -= 1
            if isinstance(answer, AgentView) and answer.connected_at > 0:
                views[answer.agent_id] = answer
            answer_if_complete()

        for ref in refs:
            self.when_done(ref.ask(ReadView(), block=False), collect, CALL_TIMEOUT_S)  # type: ignore[arg-type]
        answer_if_complete()

    def _get_agent(self, peer: int, call: Call) -> None:
        name = names.agent_fsm(str(call.args.get("agent_id")))
        if self.names.whereis(name) is None:
            self._refuse(peer, call, "not_found", "no such agent is connected")
            return
        self.request(name, ReadView(), lambda answer: self._answer(peer, call, answer), CALL_TIMEOUT_S)

    def _push_task(self, peer: int, call: Call) -> None:
        """Pushing is submitting a task that only this agent may take, so that it is durable like any other."""
        agent_id = str(call.args.get("agent_id"))
        if agent_id not in self._newest:
            self._refuse(peer, call, "not_found", "the agent is not connected")
            return
        task = tasks.NewTask(
            description=str(call.args["description"]),
            metadata=call.args.get("metadata") or {},
            assign_to=agent_id,
            priority=tasks.Priority.URGENT,
        )

        def pushed(answer: object) -> None:
            self._answer(peer, call, answer[0] if isinstance(answer, tuple) else answer)

        self._submit(tasks.SubmitTasks((task,), call.args.get("submitted_by")), pushed, call)

    def _reset(self, peer: int, call: Call) -> None:
        """Restart every actor from the queue on, in the order of their dependencies; never the listener."""
        logger.warning("reset by %s", call.args.get("triggered_by"))

        def reset(_: object) -> None:
            self._answer(peer, call, None)
            queue = self.names.cell(names.TASK_QUEUE)
            if queue is not None:
                queue.stop(Shutdown("reset"))

        # Also when there is no answer: it may be the queue that hangs.
        self.request(names.TASK_QUEUE, entry_of(call, OK), reset, CALL_TIMEOUT_S)

    def _tree(self, peer: int, call: Call) -> None:
        """The tree itself is only read, so it can be had whatever hangs; the alarms are the watcher's."""
        now = self.runtime.clock.monotonic()

        def answer(alarms: object) -> None:
            root = tree(self.runtime, names.HUB_SUPERVISOR, stacks=bool(call.args.get("stacks")))
            if root is None:
                self._refuse(peer, call, "unavailable", "the hub is going down")
                return
            active = [_alarm_object(alarm, now) for alarm in alarms] if isinstance(alarms, tuple) else []
            events = [_plain(event) for event in list(self.runtime.events)[-EVENTS_SHOWN:]]
            self._outlet.send(peer, Reply(call.call_id, {**_plain(root), "alarms": active, "events": events}))

        self.request(names.WATCHER, ReadAlarms(), answer, ALARMS_TIMEOUT_S)

    # --- agents ---------------------------------------------------------------------------------------------------

    def _agent_up(self, peer: int, up: AgentUp) -> None:
        current = self._links.get(self._newest.get(up.agent_id, ""))
        if current is not None and up.resumed and not current.up.resumed and up.connection != current.up.connection:
            self._outlet.send(peer, CloseAgent(up.connection, 4409, "replaced by a newer connection"))
            return
        self._links[up.connection] = AgentLink(peer, up, seen_s=self.runtime.clock.monotonic())
        self._peers[peer].connections[up.connection] = None
        self._newest[up.agent_id] = up.connection
        self._tell_fsm(up.agent_id, _connected(up))

    def _tell_fsm(self, agent_id: str, message: object) -> None:
        """To the agent's FSM, which is started if there is none; what comes meanwhile waits for it in order."""
        waiting = self._starting.get(agent_id)
        if waiting is not None:
            waiting.append(message)
            return
        if self.send(names.agent_fsm(agent_id), message):
            return
        self._starting[agent_id] = [message]
        spec = child(AgentFSM, agent_id, self._agent_options, name=names.agent_fsm(agent_id), restart=Restart.TRANSIENT)
        self.request(names.AGENT_SUPERVISOR, StartChildRequest(spec), lambda _: self._fsm_started(agent_id))

    def _fsm_started(self, agent_id: str) -> None:
        """Also after a failure: then its supervisor restarts it, and it asks who is connected."""
        link = self._links.get(self._newest.get(agent_id, ""))
        if link is not None:
            link.is_known = True
        for message in self._starting.pop(agent_id, ()):
            self.send(names.agent_fsm(agent_id), message)

    def seen_at(self, agent_id: str) -> float | None:
        link = self._links.get(self._newest.get(agent_id, ""))
        return link.seen_s if link is not None else None

    def connection_of(self, agent_id: str) -> AgentUp | None:
        """The agent's newest connection."""
        link = self._links.get(self._newest.get(agent_id, ""))
        return link.up if link is not None else None

    def who_is_connected(self, message: WhoIsConnected) -> Connected | None:
        link = self._links.get(self._newest.get(message.agent_id, ""))
        if link is None:
            return None
        return structs.replace(_connected(link.up), resumed=link.up.resumed or link.is_known)

    def _hand_on(self, frames: dict[str, list[dict[str, Any]]]) -> None:
        for connection, those in frames.items():
            link = self._links.get(connection)
            if link is not None:
                self._tell_fsm(link.up.agent_id, FromAgent(connection, tuple(those)))
        frames.clear()

    def _agents_seen(self, _: int, message: AgentsSeen) -> None:
        links = [self._links[key] for key in message.connections if key in self._links]
        owners = tuple(link.up.agent_id for link in links)
        now_s = self.runtime.clock.monotonic()
        for link in links:
            link.seen_s = now_s
        if owners:
            self.send(names.TASK_QUEUE, tasks.RenewLeases(owners))

    def _agent_down(self, _: int, message: AgentDown) -> None:
        self._forget_connection(message.connection, clean=message.clean)

    def _forget_connection(self, connection: str, *, clean: bool) -> None:
        link = self._links.pop(connection, None)
        if link is None:
            return
        peer = self._peers.get(link.peer)
        if peer is not None:
            peer.connections.pop(connection, None)
        agent_id = link.up.agent_id
        if self._newest.get(agent_id) == connection:  # compare and delete: a newer connection stays
            del self._newest[agent_id]
            if agent_id in self._starting or self.names.whereis(names.agent_fsm(agent_id)) is not None:
                self._tell_fsm(agent_id, Dropped(connection, clean))

    def peers(self) -> dict[int, Peer]:
        """For its parts: the processes that said hello."""
        return {number: peer for number, peer in self._peers.items() if peer.web_id}

    def traffic(self) -> dict[int, Traffic]:
        return self._outlet.traffic()

    def sweep_ghosts(self, _: SweepGhosts) -> None:
        prefix = names.agent_fsm("")
        for name, _ref in self.names.starting_with(prefix):
            if name.removeprefix(prefix) not in self._newest:
                self.send(name, Dropped(None, clean=False))

    def _input_rejected(self, _: int, message: InputRejected) -> None:
        self.send(names.DASHBOARD_STATE, dashboard.InputRejected(message.messages))

    def _sockets(self, peer: int, message: Sockets) -> None:
        self._peers[peer].sockets = message

    # --- to agents and dashboards -----------------------------------------------------------------------------------

    def to_agent(self, message: ToAgent) -> None:
        link = self._links.get(message.connection)
        if link is None:
            return
        messages: Iterable[tuple[object, Frames]] = ((frame, (frame,)) for frame in message.frames)
        if link.up.batch and len(message.frames) > 1:
            messages = [(message.frames, message.frames)]
        for content, frames in messages:
            answers = tuple(answer for frame in frames if (answer := answered_by(frame)) is not None)
            self._outlet.send(link.peer, ToAgents([message.connection], codec.encode(content), answers))

    def close_agent(self, message: Close) -> None:
        link = self._links.get(message.connection)
        if link is not None:
            self._outlet.send(link.peer, CloseAgent(message.connection, message.code, message.reason))

    def broadcast(self, batch: dashboard.Batch) -> None:
        self._outlet.send(None, DashboardBatch(batch.first_seq, batch.last_seq, batch.events))

    def tell_health(self, message: dashboard.HealthChanged) -> None:
        self._outlet.send(None, HealthUpdate(message.number, message.json))

    def _watch_output(self, peer: int, message: WatchOutput) -> None:
        self._peers[peer].watched = tuple(message.task_ids)
        self.send(names.OUTPUT, output.Watch(peer, self._peers[peer].watched))

    def who_watches(self, _: output.WhoWatches) -> tuple[output.Watch, ...]:
        return tuple(output.Watch(number, peer.watched) for number, peer in self._peers.items() if peer.watched)

    def show_output(self, message: output.Show) -> None:
        lines = message.printed
        last_seq = lines.first_seq + lines.count - 1
        for peer in message.peers:
            self._outlet.send(
                peer, TaskPrinted(lines.task_id, lines.generation, lines.first_seq, last_seq, lines.lines)
            )

    def observe(self, published: Published) -> None:
        """Presence pushes go to the agents that asked for them."""
        frame = _presence_frame(published.event)
        if frame is None:
            return
        own = published.event.agent.agent_id if isinstance(published.event, AgentJoined) else None
        by_peer: dict[int, list[str]] = {}
        for connection, link in self._links.items():
            if link.up.presence and link.up.agent_id != own:
                by_peer.setdefault(link.peer, []).append(connection)
        encoded = codec.encode(frame) if by_peer else b""
        for peer, connections in by_peer.items():
            self._outlet.send(peer, ToAgents(connections, encoded))


def _connected(up: AgentUp) -> Connected:
    return Connected(up.connection, up.name, up.status, tuple(up.capabilities), up.connected_at, up.resumed, up.slots)


def _unknown_view(up: AgentUp) -> AgentView:
    """Until its FSM has spoken, an agent's state is ``unknown`` (protocol.md section 3, ``GET /api/agents``)."""
    return AgentView(
        agent_id=up.agent_id,
        name=up.name,
        status=up.status,
        capabilities=tuple(up.capabilities),
        connected_at=up.connected_at,
        fsm_state="unknown",
        current_task_id=None,
        flags=(),
        last_state_change=up.connected_at,
    )


def _presence_frame(event: object) -> dict[str, Any] | None:
    if isinstance(event, AgentJoined):
        return {"type": "agent_joined", "agent": agent_object(event.agent)}
    if isinstance(event, AgentLeft):
        return {"type": "agent_left", "agent_id": event.agent_id}
    if isinstance(event, AgentChanged) and event.status_changed:
        return {"type": "status_changed", "agent": agent_object(event.agent)}
    return None


def agent_object(view: AgentView) -> dict[str, Any]:
    """An agent as ``/ws`` shows it (protocol.md section 1.2)."""
    return {
        "agent_id": view.agent_id,
        "name": view.name,
        "status": view.status,
        "capabilities": list(view.capabilities),
        "connected_at": view.connected_at,
    }


def _alarm_object(alarm: Alarm, now: float) -> dict[str, Any]:
    for_s = round(now - alarm.since_s, 3)
    return {"id": alarm.id, "subject": alarm.subject, "message": alarm.message, "for_s": for_s}


def _entries(answer: object) -> list[IdentityEntry] | None:
    if not isinstance(answer, tuple):
        return None
    return [IdentityEntry(one.token_id, one.name, one.role.value, one.secret_sha256) for one in answer]


def _plain(answer: object) -> Any:
    return msgspec.to_builtins(answer, builtin_types=(bytes,))
