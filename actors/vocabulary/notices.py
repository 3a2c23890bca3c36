"""What is told to people outside: webhooks, browsers that subscribed, notices, and what became of their delivery.

``TaskQueue`` keeps it in the same database. The web processes make and remove targets, the notifier process finds out what is
worth telling and delivers it; nothing here ever speaks to the network. A *target* is ``webhook:<id>`` or ``push:<id>``.
Times ending in ``_at`` are Unix milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from actors.vocabulary.tasks import KnownAgent

WEBHOOK = "webhook"
PUSH = "push"

#: The name of the key pair that browsers know this hub by, in the notifier's memory.
PUSH_KEY = "push_key"

#: What the notifier remembers of what it told.
MEMORY = "memory"


@dataclass(frozen=True, slots=True)
class Webhook:
    """``events``: the kinds of notices that it wants; empty: all. ``secret`` signs and is never shown again."""

    id: str
    url: str
    secret: str
    events: tuple[str, ...]
    created_at: int
    created_by: str | None = None
    failures: int = 0
    """Attempts that failed in a row, whatever they carried."""
    disabled_at: int | None = None
    disabled_because: str | None = None
    label: str = ""
    """What people call it."""


@dataclass(frozen=True, slots=True)
class PushSubscription:
    """One browser. Keys are base64url, as it gave them."""

    id: str
    endpoint: str
    p256dh: str
    auth: str
    created_at: int
    label: str = ""


class DeliveryState(StrEnum):
    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One notice for one target. ``attempts`` were made; ``due_at`` is that of the next one while it waits."""

    id: int
    notice_id: str
    kind: str
    target: str
    state: DeliveryState
    attempts: int
    created_at: int
    due_at: int
    tried_at: int | None = None
    status: int | None = None
    """Of the last HTTP answer."""
    error: str | None = None
    duration_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """A fact worth telling. ``id`` travels as ``webhook-id``; ``body`` is JSON text, the same for every attempt."""

    id: str
    kind: str
    body: str


# --- from the web processes ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ListTargets:
    """Answer: ``Targets``."""


@dataclass(frozen=True, slots=True)
class Targets:
    """Newest first. ``push_public_key``: None until the notifier made one."""

    webhooks: tuple[Webhook, ...]
    subscriptions: tuple[PushSubscription, ...]
    push_public_key: str | None


@dataclass(frozen=True, slots=True)
class CreateWebhook:
    """Answer: ``Webhook``, or ``Refused(QUEUE_FULL)`` when there are too many."""

    webhook: Webhook


@dataclass(frozen=True, slots=True)
class EnableWebhook:
    """After it was disabled, or to begin anew. Answer: ``Webhook`` or ``Refused(NOT_FOUND)``."""

    id: str


@dataclass(frozen=True, slots=True)
class Subscribe:
    """The same endpoint again replaces its keys. Answer: ``PushSubscription`` or ``Refused(QUEUE_FULL)``."""

    subscription: PushSubscription


@dataclass(frozen=True, slots=True)
class RemoveTarget:
    """And what waits for it. Answer: ``bool``, whether it was there."""

    target: str


@dataclass(frozen=True, slots=True)
class SendTest:
    """A notice for this target alone. Answer: ``Delivery`` or ``Refused``."""

    target: str
    body: str


@dataclass(frozen=True, slots=True)
class Redeliver:
    """Once more, under the same id. Answer: ``Delivery`` or ``Refused``."""

    target: str
    delivery_id: int


@dataclass(frozen=True, slots=True)
class ListDeliveries:
    """Answer: ``tuple[Delivery, ...]``, newest first, or ``Refused(NOT_FOUND)``."""

    target: str
    limit: int = 50


# --- from the notifier --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReadWatch:
    """Answer: ``Watch``. ``lost_before``: agents that vanished later may still come back."""

    lost_before: int
    limit: int = 20


@dataclass(frozen=True, slots=True)
class Watch:
    """``memory``: what the notifier last stored, None before. ``lost``: the agents that vanished last, newest first."""

    memory: Any
    lost: tuple[KnownAgent, ...]


@dataclass(frozen=True, slots=True)
class RecordNotices:
    """Keep ``memory`` and queue the notices for everybody who wants them, in one step. Answer: ``int``, deliveries."""

    memory: Any
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True)
class KeepPushKey:
    """The first pair that is offered stays for ever: browsers subscribed to it. Answer: the public key that counts."""

    private_key: str
    public_key: str


@dataclass(frozen=True, slots=True)
class ReadOutbox:
    """Answer: ``Outbox``: deliveries that are due. Nothing is locked: there is one notifier."""

    limit: int = 20


@dataclass(frozen=True, slots=True)
class Errand:
    """All that one attempt needs. ``webhook`` or ``subscription`` is set."""

    delivery: Delivery
    body: str
    webhook: Webhook | None = None
    subscription: PushSubscription | None = None


@dataclass(frozen=True, slots=True)
class Outbox:
    errands: tuple[Errand, ...]
    push_private_key: str | None = None
    push_public_key: str | None = None


@dataclass(frozen=True, slots=True)
class RecordAttempt:
    """``attempt`` counts from 1; one that was recorded already changes nothing. ``retry_at`` None: given up, or delivered.

    ``is_gone``: the receiver says that it will never want anything again. Answer: ``bool``, whether it was news.
    """

    delivery_id: int
    attempt: int
    is_delivered: bool
    status: int | None = None
    error: str | None = None
    duration_ms: int = 0
    retry_at: int | None = None
    is_gone: bool = False
