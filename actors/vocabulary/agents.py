"""The vocabulary of ``AgentFSM``."""

from __future__ import annotations

from typing import Any

from actors.vocabulary.fleet import AgentMode
from actors.vocabulary.message import Message
from actors.vocabulary.tasks import Task


class Connected(Message, frozen=True):
    """The agent has a (new) connection; the newest wins. ``resumed``: the connection is older than this hub."""

    connection: str
    name: str
    status: str
    capabilities: tuple[object, ...]
    connected_at: int
    resumed: bool
    slots: int = 1


class Dropped(Message, frozen=True):
    """``connection`` is gone; None means "whatever you have". ``clean``: the agent said goodbye."""

    connection: str | None
    clean: bool


class FromAgent(Message, frozen=True):
    """Validated frames of the agent, in the order in which they came."""

    connection: str
    frames: tuple[dict[str, Any], ...]


class Assign(Message, frozen=True):
    """The scheduler got ``tasks`` from the queue for this agent. ``number`` grows with each message of one scheduler."""

    tasks: tuple[Task, ...]
    number: int


class Withdrawn(Message, frozen=True):
    """The queue took this attempt away: cancelled, reclaimed, or past its deadline."""

    task_id: str
    event: str
    cause: str | None


class Reconcile(Message, frozen=True):
    """Compare with the queue what this agent holds, then tell the scheduler whether it is ready."""


class ModeSet(Message, frozen=True):
    """An operator wants ``mode`` of this agent, and the queue has it. Answer: ``AgentView``, true from now on."""

    mode: AgentMode


class ReadView(Message, frozen=True):
    """Answer: ``actors.vocabulary.events.AgentView``."""
