"""The bodies of the other HTTP routes."""

from __future__ import annotations

from msgspec import Struct, field

from wire.fields import AgentId, Code, Endpoint, Milliseconds, Name, NoticeKinds, PushKey, Repo
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


class WebhookBody(Body):
    """``POST /api/webhooks``; without ``events`` it is told everything."""

    url: Endpoint
    events: NoticeKinds = field(default_factory=list)
    label: Name | None = None


class PushKeys(Struct):
    p256dh: PushKey
    auth: PushKey


class PushSubscriptionBody(Body):
    """``POST /api/push/subscriptions``: what ``PushSubscription.toJSON()`` of a browser gives, and what to call it."""

    endpoint: Endpoint
    keys: PushKeys
    label: Name | None = None
