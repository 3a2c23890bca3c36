"""What an operator asks of agents, and what is known of each of them over time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


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


@dataclass(frozen=True, slots=True)
class ReadFleet:
    """Answer: ``FleetPage``. ``state``: one of ``actors.fleet.HELP_ORDER``; ``text``: a part of an id, a name or a capability."""

    state: str | None = None
    text: str | None = None
    cursor: str | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class FleetPage:
    """``rows``: JSON objects, first those that need help. ``groups``: agents by state, all that are known. ``total`` fit."""

    rows: tuple[dict[str, Any], ...]
    groups: dict[str, int]
    total: int
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class ReadAgentFigures:
    """Answer: a JSON object, the row of ``FleetPage`` with its last tasks and with ``uncounted_work``, not told by any
    ``RecordWork`` yet; ``Refused(NOT_FOUND)``."""

    agent_id: str


@dataclass(frozen=True, slots=True)
class ReadAgentRecords:
    """What only the queue knows of one agent. Answer: ``AgentRecords``. ``task_ids``: tasks whose titles are wanted."""

    agent_id: str
    task_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """A lease: ``left_ms`` until the task is taken back unless the agent shows life."""

    task_id: str
    generation: int
    description: str
    assigned_at: int
    accepted_at: int | None
    left_ms: int


@dataclass(frozen=True, slots=True)
class AgentRecords:
    """``connections``: (Unix ms, presence) of the last 24 hours and the one before, oldest first. ``work``: (hour, ms of slots at
    work, ms of slots there) of those of the last seven days in which it was there."""

    held: tuple[Held, ...]
    titles: dict[str, str]
    connections: tuple[tuple[int, str], ...]
    work: tuple[tuple[int, int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class RecordWork:
    """From ``DashboardState`` to ``TaskQueue``, the only writer: what is to be added to an hour (Unix ms of its beginning).
    ``parts``: (agent, ms of slots at work, ms of slots there). No answer."""

    hour: int
    parts: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class FinishedAttempt:
    """The last attempt of a task that came to its end; what figures of agents are rebuilt from."""

    key: int
    agent_id: str
    status: str
    assigned_at: int
    ended_at: int
