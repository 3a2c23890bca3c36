"""One identified agent and its connection, as the web process remembers it: what to announce, what it said, when it lived.

No I/O. The socket is ``web.agent_socket``; all sessions of the process are in ``web.agent_registry``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from link.messages import AgentUp
from web.unanswered import Unanswered

#: Frames and bytes that are kept for one agent while the hub is away or has not answered.
KEPT_FRAMES = 64
KEPT_BYTES = 256 * 1024

#: The same for an agent with many slots: two frames for each.
FRAMES_PER_SLOT = 2
MOST_KEPT_BYTES = 4 * KEPT_BYTES

#: After this long on a link the hub has surely heard of the connection.
CONFIRMED_AFTER_S = 2.0


@dataclass(slots=True)
class AgentSession:
    """Times are seconds of the loop's clock."""

    connection: str
    agent_id: str
    name: str
    status: str
    capabilities: list[Any]
    presence: bool
    connected_at: int
    """Unix milliseconds."""
    token_id: str
    slots: int = 1
    batch: bool = False
    announced_at: float | None = None
    """When the hub that is there now was told of this connection; None: it was not."""
    is_confirmed: bool = False
    """Whether some hub has heard of it: then this is not news to the next one."""
    is_seen: bool = True
    """Whether it showed life since the hub was last told so."""
    unanswered: Unanswered = field(init=False)

    def __post_init__(self) -> None:
        frames = max(KEPT_FRAMES, FRAMES_PER_SLOT * self.slots)
        self.unanswered = Unanswered(frames, min(KEPT_BYTES * self.slots, MOST_KEPT_BYTES))

    def announcement(self, now: float) -> AgentUp:
        """To send before anything else of this connection.

        ``resumed`` is said of a connection that an earlier hub knew, because then the agent behind it still has its task.
        One that came in the moment when the hub died may belong to an agent that lost its own in a crash.
        """
        self.announced_at = now
        return AgentUp(
            connection=self.connection,
            agent_id=self.agent_id,
            name=self.name,
            status=self.status,
            capabilities=self.capabilities,
            presence=self.presence,
            connected_at=self.connected_at,
            resumed=self.is_confirmed,
            slots=self.slots,
            batch=self.batch,
        )

    def hub_went_away(self, now: float) -> None:
        if self.announced_at is not None and now - self.announced_at >= CONFIRMED_AFTER_S:
            self.is_confirmed = True
        self.announced_at = None
