"""What an operator can order of an agent, as calls of the web processes: pause, drain, resume, disconnect, forget."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from actors.audit import OK
from actors.audited_calls import audited, entry_of
from actors.fsm_rules import shown_mode
from actors.vocabulary import names
from actors.vocabulary.agents import ModeSet
from actors.vocabulary.events import AgentView
from actors.vocabulary.fleet import AgentModeSet, AgentOrder, ForgetAgent, OrderAgent
from actors.vocabulary.gateway import Close
from actors.vocabulary.tasks import Refusal
from link.messages import Call

if TYPE_CHECKING:
    from actors.gateway import Gateway

Reply = Callable[[int, Call, object], None]
Refuse = Callable[[int, Call, str, str], None]

#: Close code for a connection that an operator ended; the agent may come back.
DISCONNECTED = 4410

#: Below the limit of the web processes, so that the caller gets an answer and not a timeout.
ORDER_TIMEOUT_S = 2.0


class AgentOrders:
    """Part of ``Gateway``, which knows the connections, and how a call is answered (``reply``) and refused."""

    def __init__(self, gateway: Gateway, reply: Reply, refuse: Refuse) -> None:
        self._gateway = gateway
        self._reply = reply
        self._refuse = refuse
        self.operations: dict[str, Callable[[int, Call], None]] = {
            "agents.pause": self._order,
            "agents.drain": self._order,
            "agents.resume": self._order,
            "agents.disconnect": self._disconnect,
            "agents.forget": self._forget,
        }

    def _order(self, peer: int, call: Call) -> None:
        """Durable first; then the agent's state machine has it before the caller hears of it, so that nothing new gets past."""
        agent_id = str(call.args.get("agent_id"))
        order = OrderAgent(agent_id, AgentOrder(call.op.removeprefix("agents.")))

        def ordered(answer: object) -> None:
            if not isinstance(answer, AgentModeSet):
                self._reply(peer, call, answer)
                return
            name = names.agent_fsm(agent_id)
            if self._gateway.names.whereis(name) is None:  # whenever it comes, its state machine asks the queue
                self._answer(peer, call, answer, 0)
                return

            def told(view: object) -> None:  # one that dies of this asks the queue when it is back
                self._answer(peer, call, answer, view.slots_used if isinstance(view, AgentView) else 0)

            self._gateway.request(name, ModeSet(answer.mode), told, ORDER_TIMEOUT_S)

        self._gateway.request(names.TASK_QUEUE, audited(call, order), ordered, ORDER_TIMEOUT_S)

    def _answer(self, peer: int, call: Call, answer: AgentModeSet, held: int) -> None:
        mode = shown_mode(answer.mode, held)
        shown = {"agent_id": answer.agent_id, "mode": mode, "previous": answer.previous.value, "tasks_held": held}
        self._reply(peer, call, shown)

    def _disconnect(self, peer: int, call: Call) -> None:
        """What it holds waits through the grace, as after any other drop."""
        up = self._gateway.connection_of(str(call.args.get("agent_id")))
        if up is None:
            self._gateway.send(names.TASK_QUEUE, entry_of(call, Refusal.NOT_FOUND.value))
            self._refuse(peer, call, Refusal.NOT_FOUND.value, "the agent is not connected")
            return
        self._gateway.send(names.TASK_QUEUE, entry_of(call, OK, connected_at=up.connected_at))
        self._gateway.close_agent(Close(up.connection, DISCONNECTED, "disconnected by an operator"))
        self._reply(peer, call, {"agent_id": up.agent_id})

    def _forget(self, peer: int, call: Call) -> None:
        agent_id = str(call.args.get("agent_id"))
        is_there = self._gateway.names.whereis(names.agent_fsm(agent_id)) is not None
        if is_there or self._gateway.connection_of(agent_id) is not None:
            self._gateway.send(names.TASK_QUEUE, entry_of(call, Refusal.INVALID_STATE.value))
            detail = "the agent is connected, or dropped its connection only now and may return"
            self._refuse(peer, call, Refusal.INVALID_STATE.value, detail)
            return

        def forgotten(answer: object) -> None:
            self._reply(peer, call, answer)

        self._gateway.request(names.TASK_QUEUE, audited(call, ForgetAgent(agent_id)), forgotten, ORDER_TIMEOUT_S)
