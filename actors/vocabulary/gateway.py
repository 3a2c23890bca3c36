"""The vocabulary of ``Gateway``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from link.messages import FromWeb


@dataclass(frozen=True, slots=True)
class FromPeer:
    """What one read of the link brought from a web process."""

    peer: int
    messages: list[FromWeb]


@dataclass(frozen=True, slots=True)
class PeerUp:
    peer: int


@dataclass(frozen=True, slots=True)
class PeerLost:
    peer: int


@dataclass(frozen=True, slots=True)
class ToAgent:
    """Send ``frames`` (JSON objects, at least one) to the agent's connection."""

    connection: str
    frames: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Close:
    connection: str
    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class WhoIsConnected:
    """Answer: ``agents.Connected`` for the agent's newest connection, or None."""

    agent_id: str
