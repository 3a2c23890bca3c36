"""The bodies of the other HTTP routes."""

from __future__ import annotations

from wire.fields import AgentId, Code, Milliseconds, Repo
from wire.parsing import Body
from wire.roles import Role


class CreateTokenBody(Body):
    """``POST /admin/tokens``."""

    agent_id: AgentId
    role: Role = Role.AGENT


class RegisterBody(Body):
    """``POST /api/onboard/register``; ``code`` unless an admin's token comes with it."""

    agent_id: AgentId
    code: Code | None = None


class HeartbeatIntervalBody(Body):
    """``PUT /api/config/heartbeat-interval``."""

    heartbeat_interval_ms: Milliseconds


class DefaultRepoBody(Body):
    """``PUT /api/config/default-repo``."""

    url: Repo
