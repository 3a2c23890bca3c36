"""The vocabulary of ``Gateway``."""

from __future__ import annotations

from typing import Any

from actors.vocabulary.message import Message
from link.messages import FromWeb


class FromPeer(Message, frozen=True):
    """What one read of the link brought from a web process."""

    peer: int
    messages: list[FromWeb]


class PeerUp(Message, frozen=True):
    peer: int


class PeerLost(Message, frozen=True):
    peer: int


class ToAgent(Message, frozen=True):
    """Send ``frames`` (JSON objects, at least one) to the agent's connection."""

    connection: str
    frames: tuple[dict[str, Any], ...]


class Close(Message, frozen=True):
    connection: str
    code: int
    reason: str


class WhoIsConnected(Message, frozen=True):
    """Answer: ``agents.Connected`` for the agent's newest connection, or None."""

    agent_id: str
