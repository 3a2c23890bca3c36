"""The vocabulary of ``Scheduler``."""

from __future__ import annotations

from actors.vocabulary.message import Message


class AgentReady(Message, frozen=True):
    """This agent has ``free`` slots. Repeating it changes nothing.

    ``seen``: the number of the last ``Assign`` that it got, so that what is still on its way is not counted as free; None:
    it got none since it started or was asked to reconcile.
    """

    agent_id: str
    capabilities: frozenset[str]
    free: int = 1
    seen: int | None = None


class AgentUnready(Message, frozen=True):
    """This agent takes nothing for now."""

    agent_id: str
