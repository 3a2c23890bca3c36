"""Agents: who is there and what they do."""

from __future__ import annotations

from web.agent_view import list_object, state_object
from web.errors import ApiError
from web.handlers.base import ApiHandler
from web.hub_link import HubRefused


class Agents(ApiHandler):
    route = "/api/agents"

    async def on_get(self) -> None:
        agents = await self.call("agents.list")
        self.answer({"agents": [list_object(agent) for agent in agents]})


class AgentStates(ApiHandler):
    route = "/api/agents/states"

    async def on_get(self) -> None:
        agents = await self.call("agents.list")
        self.answer({"agents": [state_object(agent) for agent in agents]})


class AgentState(ApiHandler):
    route = "/api/agents/:id/state"

    async def on_get(self, agent_id: str) -> None:
        try:
            agent = await self.call("agents.get", agent_id=agent_id)
        except HubRefused as refused:
            if refused.code == "not_found":
                raise ApiError(404, "agent_not_found", "no such agent is connected") from None
            raise
        self.answer(state_object(agent) | {"last_state_change": agent["last_state_change"]})


class AgentForget(ApiHandler):
    """An operator says that a lost agent will not come back, so health need not warn of it any longer."""

    route = "/api/agents/:id/forget"

    async def on_post(self, agent_id: str) -> None:
        if not await self.call("agents.forget", agent_id=agent_id):
            raise ApiError(404, "agent_not_found", "no such agent is missing")
        self.answer({"status": "forgotten", "agent_id": agent_id})
