"""What the notifier is told at its start."""

from __future__ import annotations

from dataclasses import dataclass

from wire.outgoing import Policy


@dataclass(frozen=True, slots=True)
class NotifierOptions:
    hub_socket: str
    """Path of the hub's Unix socket."""
    policy: Policy
    first_retry_s: float = 5.0
    """Before the second attempt of a delivery; see ``retries``."""
    contact: str = "mailto:push@agentcom.invalid"
    """Whom a push service may write to about us (RFC 8292)."""
    look_s: float = 2.0
    """Between two looks at what is worth telling."""
    outbox_s: float = 0.5
    """Between two looks for deliveries that are due."""
