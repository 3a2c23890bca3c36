"""Questions of the pages about agents: figures from ``DashboardState``, leases from the queue, heartbeats from the gateway."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from actors.utilisation import shown
from actors.vocabulary import names
from actors.vocabulary.fleet import AgentRecords, FleetPage, ReadAgentFigures, ReadAgentRecords, ReadFleet
from link.messages import Call

if TYPE_CHECKING:
    from actors.agent_orders import Refuse, Reply
    from actors.gateway import Gateway

#: Of each of the two questions, so that both fit into the caller's own limit.
QUESTION_TIMEOUT_S = 2.0


class FleetCalls:
    """Part of ``Gateway``, which knows when each agent was last heard of."""

    def __init__(self, gateway: Gateway, reply: Reply, refuse: Refuse) -> None:
        self._gateway = gateway
        self._reply = reply
        self._refuse = refuse
        self.operations: dict[str, Callable[[int, Call], None]] = {"fleet.page": self._page, "fleet.agent": self._agent}

    def _page(self, peer: int, call: Call) -> None:
        try:
            query = msgspec.convert(call.args, ReadFleet)
        except msgspec.ValidationError:
            self._refuse(peer, call, "invalid", f"the arguments do not fit {call.op}")
            return

        def answered(page: object) -> None:
            if isinstance(page, FleetPage):
                for row in page.rows:
                    row["heartbeat_ms"] = self._heartbeat_ms(row["agent_id"])
            self._reply(peer, call, page)

        self._gateway.request(names.DASHBOARD_STATE, query, answered, QUESTION_TIMEOUT_S)

    def _agent(self, peer: int, call: Call) -> None:
        agent_id = str(call.args.get("agent_id"))

        def figured(figures: object) -> None:
            if not isinstance(figures, dict):
                self._reply(peer, call, figures)
                return
            ids = tuple(one["task_id"] for one in figures["last_tasks"])
            question = ReadAgentRecords(agent_id, ids)
            then = lambda records: self._complete(peer, call, figures, records)  # noqa: E731
            self._gateway.request(names.TASK_QUEUE, question, then, QUESTION_TIMEOUT_S)

        self._gateway.request(names.DASHBOARD_STATE, ReadAgentFigures(agent_id), figured, QUESTION_TIMEOUT_S)

    def _complete(self, peer: int, call: Call, figures: dict[str, Any], records: object) -> None:
        if not isinstance(records, AgentRecords):
            self._reply(peer, call, records)
            return
        last = [{**one, "description": records.titles.get(one["task_id"])} for one in figures["last_tasks"]]
        connections = [{"at": at, "presence": presence} for at, presence in records.connections]
        heartbeat = self._heartbeat_ms(figures["agent_id"])
        uncounted, now_ms = figures.pop("uncounted_work"), self._gateway.runtime.clock.time_ms()
        more = {"last_tasks": last, "held": records.held, "connections": connections, "heartbeat_ms": heartbeat}
        self._reply(peer, call, figures | more | shown(records.work, uncounted, now_ms))

    def _heartbeat_ms(self, agent_id: str) -> int | None:
        """Since the last sign of life; None for an agent without a connection."""
        seen_s = self._gateway.seen_at(agent_id)
        return None if seen_s is None else max(0, int((self._gateway.runtime.clock.monotonic() - seen_s) * 1000))
