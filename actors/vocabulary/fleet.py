"""What an operator asks of agents, and what is known of each of them over time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class AgentMode(StrEnum):
    """What is wanted of an agent, beside its state, which says what it does. Durable; the queue's writer holds the truth."""

    ACTIVE = "active"
    PAUSED = "paused"  # gets no new work and keeps what it has
    DRAINING = "draining"  # gets no new work and finishes what it has; with nothing left it is drained


#: Shown of an agent that drains and holds nothing any more. Not a mode of its own: it follows from what it holds.
DRAINED = "drained"


class AgentOrder(StrEnum):
    PAUSE = "pause"
    DRAIN = "drain"
    RESUME = "resume"


@dataclass(frozen=True, slots=True)
class OrderAgent:
    """Answer: ``AgentModeSet``, also when the order changes nothing; ``Refused(NOT_FOUND)`` for an agent that nobody knows."""

    agent_id: str
    order: AgentOrder


@dataclass(frozen=True, slots=True)
class AgentModeSet:
    agent_id: str
    previous: AgentMode
    mode: AgentMode


@dataclass(frozen=True, slots=True)
class ReadAgentMode:
    """Answer: ``AgentMode``."""

    agent_id: str


@dataclass(frozen=True, slots=True)
class ForgetAgent:
    """It will not come back: its records go, its tokens stay. Answer: ``bool``, whether it was known."""

    agent_id: str


@dataclass(frozen=True, slots=True)
class EndOldTokens:
    """Every token of the agent ``name`` but the newest ends. Answer: ``int``, how many there were; ``Refused(NOT_FOUND)`` for a
    name that is no agent's."""

    name: str
