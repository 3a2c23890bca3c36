"""Committed facts, published once and only after their commit, on two topics of the event bus.

The bus wraps each in ``supervision.bus.Published(seq, topic, event)``; ``seq`` grows by one without a hole within one
boot of the hub. ``at`` is Unix milliseconds.
"""

from __future__ import annotations

from actors.vocabulary.fleet import AgentMode
from actors.vocabulary.message import Message
from actors.vocabulary.tasks import Task

TASKS = "tasks"
PRESENCE = "presence"


class TaskEvent(Message, frozen=True):
    """A committed transition. ``task`` is the task *after* it (without history).

    ``event``: task_submitted, task_assigned, task_accepted, task_progress, task_completed, task_retried,
    task_dead_letter, task_reclaimed, task_cancelled, task_moved (to another lane; ``cause`` is the number of the old one),
    task_reassigned (for another agent, or for anybody; ``cause`` is the agent that it was for), task_pruned, and task_ready
    (a back-off ended; a hint for the scheduler, not shown to browsers).
    ``previous`` is the status before it, None for a submission, so that counters can be folded without reading.
    ``failed`` is True for an attempt that ended badly through the task (fail, dead letter by failure, deadline).
    ``progress`` is 0 to 100 or None.
    """

    event: str
    task: Task
    at: int
    agent_id: str | None = None
    previous: str | None = None
    failed: bool = False
    cause: str | None = None
    progress: int | None = None


class AgentView(Message, frozen=True):
    """One agent as everybody sees it. ``capabilities`` are as sent (strings or objects with ``name``)."""

    agent_id: str
    name: str
    status: str
    capabilities: tuple[object, ...]
    connected_at: int
    fsm_state: str
    current_task_id: str | None
    flags: tuple[str, ...]
    last_state_change: int
    slots: int = 1
    slots_used: int = 0
    mode: str = AgentMode.ACTIVE.value
    """active, paused, draining, or drained."""


class AgentJoined(Message, frozen=True):
    agent: AgentView
    at: int


class AgentLeft(Message, frozen=True):
    """The agent is gone for good. ``clean``: it said goodbye, so it is not offline."""

    agent_id: str
    name: str
    clean: bool
    at: int


class AgentChanged(Message, frozen=True):
    """State, task, flags or the free-text status changed."""

    agent: AgentView
    at: int
    status_changed: bool = False
    """True when the agent itself changed its ``status``."""


class AgentModeChanged(Message, frozen=True):
    """An operator wants something else of an agent, connected or not."""

    agent_id: str
    mode: AgentMode
    at: int


class AgentForgotten(Message, frozen=True):
    """An operator does not wait for this agent any longer."""

    agent_id: str
    at: int
