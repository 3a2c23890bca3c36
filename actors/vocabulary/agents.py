"""The vocabulary of ``AgentFSM``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from actors.vocabulary.fleet import AgentMode
from actors.vocabulary.tasks import Task


@dataclass(frozen=True, slots=True)
class Connected:
    """The agent has a (new) connection; the newest wins. ``resumed``: the connection is older than this hub."""

    connection: str
    name: str
    status: str
    capabilities: tuple[object, ...]
    connected_at: int
    resumed: bool
    slots: int = 1


@dataclass(frozen=True, slots=True)
class Dropped:
    """``connection`` is gone; None means "whatever you have". ``clean``: the agent said goodbye."""

    connection: str | None
    clean: bool


@dataclass(frozen=True, slots=True)
class FromAgent:
    """Validated frames of the agent, in the order in which they came."""

    connection: str
    frames: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Assign:
    """The scheduler got ``tasks`` from the queue for this agent. ``number`` grows with each message of one scheduler."""

    tasks: tuple[Task, ...]
    number: int


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The queue took this attempt away: cancelled, reclaimed, or past its deadline."""

    task_id: str
    event: str
    cause: str | None


@dataclass(frozen=True, slots=True)
class Reconcile:
    """Compare with the queue what this agent holds, then tell the scheduler whether it is ready."""


@dataclass(frozen=True, slots=True)
class ModeSet:
    """An operator wants ``mode`` of this agent, and the queue has it. Answer: ``AgentView``, true from now on."""

    mode: AgentMode


@dataclass(frozen=True, slots=True)
class ReadView:
    """Answer: ``actors.vocabulary.events.AgentView``."""
