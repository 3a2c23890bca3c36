"""The vocabulary of ``Scheduler``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AgentReady:
    """This agent can take one task. Repeating it changes nothing."""

    agent_id: str
    capabilities: frozenset[str]


@dataclass(frozen=True, slots=True)
class AgentUnready:
    """This agent takes nothing for now."""

    agent_id: str
