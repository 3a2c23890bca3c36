"""The bodies of the other HTTP routes."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct, field

from wire.fields import AgentId, Code, Endpoint, Milliseconds, Name, Note, NoticeKinds, PushKey, Repo
from wire.parsing import Body
from wire.roles import Role


class CreateTokenBody(Body):
    """``POST /admin/tokens``."""

    agent_id: AgentId
    role: Role = Role.AGENT


class RotateTokenBody(Body):
    """``POST /api/agents/:id/rotate-token``."""

    end_old: bool = False
    """Whether the tokens before the new one end at once."""


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


class AcknowledgeBody(Body):
    """``POST /api/health/:id/acknowledge``."""

    note: Note | None = None


class MuteBody(Body):
    """``POST /api/dead-letter/groups/:id/mute``: for so many seconds, at most 30 days."""

    for_s: Annotated[int, Meta(ge=60, le=30 * 86_400)]
    note: Note | None = None


class TrendRange(StrEnum):
    QUARTER_HOUR = "15m"
    HOUR = "1h"
    SIX_HOURS = "6h"
    DAY = "24h"
    WEEK = "7d"
    MONTH = "30d"
    QUARTER = "90d"


class TrendFormat(StrEnum):
    JSON = "json"
    CSV = "csv"


class TrendsQuery(Body):
    """``GET /api/dashboard/trends``."""

    range: TrendRange = TrendRange.HOUR
    format: TrendFormat = TrendFormat.JSON
