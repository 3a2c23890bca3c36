"""Agents: who is there, what they do, and what an operator may order of them."""

from __future__ import annotations

from typing import Any

from link.client import HubRefused
from web import errors
from web.agent_view import list_object, state_object
from web.errors import ApiError
from web.handlers.base import ApiHandler
from web.handlers.tokens import create_token
from wire.bodies import RotateTokenBody
from wire.queries import FleetQuery
from wire.roles import Role


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


class DashboardAgents(ApiHandler):
    """For the pages: every agent with its figures, first those that need help."""

    route = "/api/dashboard/agents"

    async def on_get(self) -> None:
        query = self.query_as(FleetQuery)
        page = await self.call(
            "fleet.page", state=query.state, text=query.q, cursor=query.cursor, limit=query.page_size
        )
        self.answer({"agents": page["rows"], **{name: page[name] for name in ("groups", "total", "next_cursor")}})


class DashboardAgent(ApiHandler):
    """One of them, with its leases, its last tasks and its comings and goings."""

    route = "/api/dashboard/agents/:id"

    async def on_get(self, agent_id: str) -> None:
        try:
            self.answer(await self.call("fleet.agent", agent_id=agent_id))
        except HubRefused as refused:
            if refused.code == "not_found":
                raise ApiError(
                    404, "agent_not_found", "no such agent is known", fields={"agent_id": agent_id}
                ) from None
            raise


class _AgentAction(ApiHandler):
    """Something that is done to one agent; both sides of a refusal are the same for all of them."""

    async def act(self, op: str, agent_id: str, argument: str = "agent_id") -> Any:
        try:
            return await self.call(op, **{argument: agent_id})
        except HubRefused as refused:
            if refused.code == "not_found":
                raise ApiError(404, "agent_not_found", refused.detail, fields={"agent_id": agent_id}) from None
            raise


class AgentPause(_AgentAction):
    """No new work; it keeps what it has."""

    route = "/api/agents/:id/pause"

    async def on_post(self, agent_id: str) -> None:
        self.answer(await self.act("agents.pause", agent_id))


class AgentDrain(_AgentAction):
    """No new work; when it has finished what it has it is drained, and nobody misses it."""

    route = "/api/agents/:id/drain"

    async def on_post(self, agent_id: str) -> None:
        self.answer(await self.act("agents.drain", agent_id))


class AgentResume(_AgentAction):
    route = "/api/agents/:id/resume"

    async def on_post(self, agent_id: str) -> None:
        self.answer(await self.act("agents.resume", agent_id))


class AgentDisconnect(_AgentAction):
    """Closes its connection. It may come back; until then its tasks wait for it as after any other drop."""

    route = "/api/agents/:id/disconnect"

    async def on_post(self, agent_id: str) -> None:
        await self.act("agents.disconnect", agent_id)
        self.answer({"status": "disconnected", "agent_id": agent_id})


class AgentForget(_AgentAction):
    """An operator says that an agent will not come back, so nothing need remember it any longer; its tokens stay valid."""

    route = "/api/agents/:id/forget"

    async def on_post(self, agent_id: str) -> None:
        if not await self.act("agents.forget", agent_id):
            raise ApiError(404, "agent_not_found", "no such agent is known", fields={"agent_id": agent_id})
        self.answer({"status": "forgotten", "agent_id": agent_id})


class AgentToken(_AgentAction):
    """A new token beside the one in use; the old one works until it is ended, by ``{"end_old": true}`` here or later."""

    route = "/api/agents/:id/rotate-token"

    async def on_post(self, agent_id: str) -> None:
        body = self.body_as(RotateTokenBody, unique_keys=True)
        identities = await self.call("identities.list", name=agent_id)
        if not identities:
            raise ApiError(404, "agent_not_found", "no such agent has a token", fields={"agent_id": agent_id})
        if any(identity["role"] != Role.AGENT for identity in identities):
            raise errors.forbidden("that name belongs to a person or a program with more rights")
        token = await create_token(self, agent_id, Role.AGENT, rotate=True)
        ended = await self.act("identities.end_old", agent_id, "name") if body.end_old else 0
        self.answer({"agent_id": agent_id, "token": token, "old_tokens_ended": ended}, 201)


class AgentOldTokens(_AgentAction):
    """Ends every token of an agent but the newest; a connection that was made with one of them is closed."""

    route = "/api/agents/:id/end-old-tokens"

    async def on_post(self, agent_id: str) -> None:
        ended = await self.act("identities.end_old", agent_id, "name")
        self.answer({"agent_id": agent_id, "old_tokens_ended": ended})
