"""The vocabulary of ``TaskQueue``: what it can be asked, and what it answers.

Every request is answered after its commit and never before. Expected refusals are the value ``Refused``; an
exception means that the outcome is unknown and that the caller may repeat the request.
Times ending in ``_at`` and ``complete_by`` are Unix milliseconds (wall clock, for display); all others name their unit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any, ClassVar

import msgspec

from wire.roles import Role


class Priority(IntEnum):
    """A lane; the lower number goes first."""

    URGENT = 0
    HIGH = 1
    NORMAL = 2
    LOW = 3


class TaskStatus(StrEnum):
    QUEUED = "queued"
    ASSIGNED = "assigned"
    COMPLETED = "completed"
    DEAD_LETTER = "dead_letter"
    CANCELLED = "cancelled"


FINAL = frozenset({TaskStatus.COMPLETED, TaskStatus.CANCELLED, TaskStatus.DEAD_LETTER})
"""A task in one of these stays there, unless a person retries a dead letter."""


class Refusal(StrEnum):
    """Why a request changed nothing."""

    NOT_FOUND = "not_found"
    STALE_GENERATION = "stale_generation"
    INVALID_STATE = "invalid_state"
    IDEMPOTENCY_CONFLICT = "idempotency_conflict"
    QUEUE_FULL = "queue_full"
    ALREADY_EXISTS = "already_exists"
    NO_SPACE = "no_space"
    OVERLOADED = "overloaded"


class ReclaimCause(StrEnum):
    """Why a task was taken back from its agent; the true cause goes into the history."""

    AGENT_LEFT = "agent_left"  # closed its connection properly: not charged
    AGENT_LOST = "agent_lost"  # connection dropped and the grace ran out
    AGENT_CRASHED = "agent_crashed"  # came back and said that it died at work
    LEASE_EXPIRED = "lease_expired"
    ACCEPTANCE_TIMEOUT = "acceptance_timeout"
    REJECTED = "rejected"  # the agent gave it back: not charged
    DUPLICATE = "duplicate"  # the agent already holds another task: not charged


#: Causes that count against ``max_reclaims``: hand-outs that ended in silence.
CHARGED_CAUSES = frozenset(
    {
        ReclaimCause.AGENT_LOST,
        ReclaimCause.AGENT_CRASHED,
        ReclaimCause.LEASE_EXPIRED,
        ReclaimCause.ACCEPTANCE_TIMEOUT,
    }
)


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was changed. ``detail`` is safe to show: it never repeats the caller's values."""

    reason: Refusal
    detail: str = ""


@dataclass(frozen=True, slots=True)
class NewTask:
    """One task to be queued, already validated at the edge (``wire.tasks``)."""

    description: str
    priority: int = Priority.NORMAL
    metadata: dict[str, Any] = field(default_factory=dict)
    needed_capabilities: tuple[str, ...] = ()
    max_retries: int = 3
    complete_by: int | None = None
    assign_to: str | None = None
    extras: dict[str, Any] = field(default_factory=dict)
    """Accepted pass-through fields of later protocol versions (repo, branch, file_hints, ...)."""
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """``event``: queued, assigned, completed, retry, dead_letter, reclaimed, cancelled."""

    event: str
    timestamp: int
    details: Any


class Task(msgspec.Struct, frozen=True, kw_only=True, eq=True, gc=False):
    """A task as everybody outside the storage sees it; ``history`` is filled for single reads only (newest first, <= 50).

    A struct and not a dataclass, because each transition makes a new one and this takes a tenth of the time.
    """

    id: str
    key: int
    """The number in ``id`` (``actors.task_ids``)."""
    seq: int
    description: str
    metadata: dict[str, Any]
    priority: int
    status: TaskStatus
    assigned_to: str | None
    assigned_at: int | None
    accepted_at: int | None
    accepted_on: str | None
    """The connection over which the agent last showed that it works on this: behind another one it may have forgotten."""
    generation: int
    retry_count: int
    max_retries: int
    reclaim_count: int
    needed_capabilities: tuple[str, ...]
    assign_to: str | None
    last_error: str | None
    complete_by: int | None
    not_before: int | None
    result: Any
    tokens_used: int
    submitted_by: str | None
    created_at: int
    updated_at: int
    completed_at: int | None
    extras: dict[str, Any]
    history: tuple[HistoryEntry, ...] = ()


# --- submitting and reading -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SubmitTasks:
    """Answer: ``tuple[Submitted | Refused, ...]``, one for each task in order, or one ``Refused`` for all of them."""

    tasks: tuple[NewTask, ...]
    submitted_by: str | None = None


@dataclass(frozen=True, slots=True)
class Submitted:
    task_id: str
    priority: int
    created_at: int
    duplicate: bool = False
    """True when the idempotency key was known: this is the task of the first call."""


@dataclass(frozen=True, slots=True)
class GetTask:
    """Answer: ``Task`` with history, or ``Refused(NOT_FOUND)``."""

    task_id: str


@dataclass(frozen=True, slots=True)
class AskWaiting:
    """What the queue knows about a task's waiting. Answer: ``Waiting`` or ``Refused(NOT_FOUND)``."""

    task_id: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """``ahead``: queued tasks before it in the order of the queue, counted up to ``AHEAD_LIMIT``. ``is_ready``: it waits for
    nothing but an agent."""

    AHEAD_LIMIT: ClassVar[int] = 10_000

    task: Task
    ahead: int
    is_ready: bool


@dataclass(frozen=True, slots=True)
class ReadDuplicates:
    """Answer: ``tuple[str, ...]``, the newest tasks that were made after this one (``extras.duplicate_of``), newest first."""

    LIMIT: ClassVar[int] = 20

    task_id: str


@dataclass(frozen=True, slots=True)
class ListTasks:
    """Answer: ``TaskPage`` sorted by (priority, seq), paged by key. ``None`` means "do not filter"."""

    status: TaskStatus | None = None
    priority: int | None = None
    assigned_to: str | None = None
    capability: str | None = None
    cursor: str | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class ListDeadLetter:
    """Answer: ``TaskPage``, newest dead letter first."""

    cursor: str | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class TaskPage:
    tasks: tuple[Task, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class ReadStats:
    """Answer: ``QueueStats``; kept counters, O(1)."""


@dataclass(frozen=True, slots=True)
class QueueStats:
    by_status: dict[str, int]
    """All of queued, assigned, completed, cancelled (dead letters apart), zeros included, pruned tasks excluded."""
    queued_by_priority: dict[int, int]
    dead_letter: int
    ready: int
    """Queued tasks that wait for nothing but an agent (no back-off pending)."""


# --- assignment -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Offer:
    """An agent that the scheduler has reserved and that can take one task."""

    agent_id: str
    capabilities: frozenset[str]


@dataclass(frozen=True, slots=True)
class Claim:
    """Give each offer the best fitting task: lowest (priority, seq) whose needs are a subset of the capabilities.

    Answer: ``tuple[Task | None, ...]``, one for each offer in order. A claimed task is ``assigned`` with generation + 1.
    """

    offers: tuple[Offer, ...]


@dataclass(frozen=True, slots=True)
class Accept:
    """Answer: ``Task`` or ``Refused``. ``generation`` None (old clients do not send one) means "whatever this owner holds".

    ``connection``: over which it was said (``Task.accepted_on``).
    """

    task_id: str
    owner: str
    generation: int | None = None
    connection: str | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """Proof of work. Kept in memory only, so it costs no sync. Answer: ``None`` or ``Refused``."""

    task_id: str
    owner: str
    generation: int | None = None
    progress: int | None = None


@dataclass(frozen=True, slots=True)
class Complete:
    """Answer: ``Completed`` (the same again for a repeated completion) or ``Refused``."""

    task_id: str
    owner: str
    generation: int
    result: Any = None
    tokens_used: int = 0


@dataclass(frozen=True, slots=True)
class Completed:
    task_id: str
    duplicate: bool = False


@dataclass(frozen=True, slots=True)
class Fail:
    """Answer: ``Failed`` or ``Refused``."""

    task_id: str
    owner: str
    generation: int
    error: str = "unknown"


@dataclass(frozen=True, slots=True)
class Failed:
    """``status`` is QUEUED (retried after ``retry_in_ms``) or DEAD_LETTER."""

    task_id: str
    status: TaskStatus
    retry_in_ms: int = 0


@dataclass(frozen=True, slots=True)
class Reclaim:
    """Take a task back from its owner. Answer: ``Reclaimed``, or ``Refused`` when the attempt is no longer live."""

    task_id: str
    generation: int
    cause: ReclaimCause


@dataclass(frozen=True, slots=True)
class Reclaimed:
    """``status`` is QUEUED, or DEAD_LETTER when ``max_reclaims`` was reached."""

    task_id: str
    status: TaskStatus


@dataclass(frozen=True, slots=True)
class Cancel:
    """Answer: ``Cancelled`` or ``Refused`` (NOT_FOUND; INVALID_STATE for a completed task)."""

    task_id: str
    cancelled_by: str | None = None


@dataclass(frozen=True, slots=True)
class Cancelled:
    task_id: str
    previous_status: TaskStatus
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class RetryDeadLetter:
    """Answer: ``Requeued`` or ``Refused(NOT_FOUND)`` (also when the task is not a dead letter)."""

    task_id: str
    requested_by: str | None = None


@dataclass(frozen=True, slots=True)
class Requeued:
    task_id: str
    priority: int


@dataclass(frozen=True, slots=True)
class Recover:
    """An agent came back and names an attempt. Answer: ``Task`` (go on) or ``Refused`` (drop it).

    ``generation`` None: old clients do not know theirs; go on only when this owner holds the task.
    """

    task_id: str
    owner: str
    generation: int | None = None
    connection: str | None = None


@dataclass(frozen=True, slots=True)
class Together:
    """Several requests of one actor, handled in their order and in one transaction. Answer: the tuple of their answers."""

    requests: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class AssignedTo:
    """Answer: ``tuple[Task, ...]``, oldest assignment first. For an FSM that starts."""

    owner: str


# --- leases (liveness; generations are the safety) --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RenewLeases:
    """Proof of life of these owners; every task of theirs gets a full lease. No answer."""

    owners: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LimitLease:
    """The owner's connection dropped: reclaim in ``seconds`` with ``cause`` unless renewed before. No answer."""

    task_id: str
    generation: int
    seconds: float
    cause: ReclaimCause = ReclaimCause.AGENT_LOST


# --- for the scheduler and the dashboard ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReadBacklog:
    """Answer: ``Backlog``: how many ready tasks there are for each set of needs. O(distinct sets)."""


@dataclass(frozen=True, slots=True)
class Backlog:
    by_needs: dict[frozenset[str], int]
    pinned: dict[str, int]
    """Ready tasks that only this agent may take."""


@dataclass(frozen=True, slots=True)
class ReadOverview:
    """Answer: ``Overview``; what ``DashboardState`` rebuilds itself from."""

    window_s: int = 3600
    completions: int = 100
    dead_letters: int = 100


@dataclass(frozen=True, slots=True)
class FinishedMinute:
    """What ended within one minute (``minute`` = Unix minutes): completions, and failed attempts of any kind."""

    minute: int
    completed: int
    failed: int
    duration_ms: int
    tokens_used: int


@dataclass(frozen=True, slots=True)
class Overview:
    stats: QueueStats
    completions: tuple[Task, ...]
    """Newest first."""
    dead_letters: tuple[Task, ...]
    """Newest first."""
    assigned: tuple[Task, ...]
    minutes: tuple[FinishedMinute, ...]
    agents: tuple[KnownAgent, ...]
    as_of_seq: int = 0
    """The bus number that ``TaskQueue`` saw (``self.runtime.bus.seq``) when the events of its batch were published, and
    before it answers this read.

    Every task event numbered up to it is contained in this overview and every later one is not, so that a
    reader that was already subscribed folds each event exactly once by skipping ``seq <= as_of_seq``.
    """


# --- identities, settings, known agents -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Identity:
    """Who may speak to the hub. The secret itself is never stored, only its SHA-256."""

    token_id: str
    """Public part of the token, the key for look-up."""
    name: str
    """The agent id, or the name of a submitter, operator or admin."""
    role: Role
    secret_sha256: bytes
    created_at: int


@dataclass(frozen=True, slots=True)
class CreateIdentity:
    """``rotate`` keeps at most one older token of the same name; without it a known name is ``Refused(ALREADY_EXISTS)``.

    Answer: ``Identity`` or ``Refused``.
    """

    identity: Identity
    rotate: bool = True


@dataclass(frozen=True, slots=True)
class RevokeIdentity:
    """Ends every token of ``name``. Answer: ``int``, how many there were."""

    name: str


@dataclass(frozen=True, slots=True)
class ListIdentities:
    """Answer: ``tuple[Identity, ...]`` by name."""


@dataclass(frozen=True, slots=True)
class ReadSetting:
    """Answer: the stored JSON value or None."""

    key: str


@dataclass(frozen=True, slots=True)
class WriteSetting:
    """Answer: ``None``."""

    key: str
    value: Any


class AgentPresence(StrEnum):
    ONLINE = "online"
    LEFT = "left"  # said goodbye
    LOST = "lost"  # vanished


@dataclass(frozen=True, slots=True)
class KnownAgent:
    agent_id: str
    name: str
    presence: AgentPresence
    since: int
    """Unix milliseconds of the last change of presence."""


@dataclass(frozen=True, slots=True)
class RecordPresence:
    """Answer: ``None``. A LEFT agent is forgotten by health; a LOST one is warned about."""

    agent_id: str
    name: str
    presence: AgentPresence


@dataclass(frozen=True, slots=True)
class CreateEnrolment:
    """A code that lets one agent register itself once, before ``expires_at`` (Unix ms). Answer: ``None``."""

    code_sha256: bytes
    expires_at: int


@dataclass(frozen=True, slots=True)
class Enrol:
    """Spend a code for an identity of role agent. Answer: ``Identity``, ``Refused(NOT_FOUND)`` for an unknown, spent or
    expired code, ``Refused(ALREADY_EXISTS)`` for a known name (the code stays valid then)."""

    code_sha256: bytes
    identity: Identity
