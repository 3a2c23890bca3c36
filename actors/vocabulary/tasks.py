"""The vocabulary of ``TaskQueue``: what it can be asked, and what it answers.

Every request is answered after its commit and never before. Expected refusals are the value ``Refused``; an
exception means that the outcome is unknown and that the caller may repeat the request.
Times ending in ``_at`` and ``complete_by`` are Unix milliseconds (wall clock, for display); all others name their unit.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Any, ClassVar

import msgspec

from actors.vocabulary.fleet import AgentMode, FinishedAttempt
from actors.vocabulary.message import Message
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

    __hash__ = str.__hash__  # that of Enum is a Python function, and statuses are looked up with every transition


#: The members by themselves: up to Python 3.11 reading one from its class costs as much as a call.
QUEUED, ASSIGNED, COMPLETED, DEAD_LETTER, CANCELLED = TaskStatus

FINAL = frozenset({COMPLETED, CANCELLED, DEAD_LETTER})
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
    AGENT_PAUSED = "agent_paused"  # was under way to an agent that is to get nothing new: not charged


#: Causes that count against ``max_reclaims``: hand-outs that ended in silence.
CHARGED_CAUSES = frozenset(
    {
        ReclaimCause.AGENT_LOST,
        ReclaimCause.AGENT_CRASHED,
        ReclaimCause.LEASE_EXPIRED,
        ReclaimCause.ACCEPTANCE_TIMEOUT,
    }
)


class Refused(Message, frozen=True):
    """Nothing was changed. ``detail`` is safe to show: it never repeats the caller's values."""

    reason: Refusal
    detail: str = ""


class NewTask(Message, frozen=True):
    """One task to be queued, already validated at the edge (``wire.tasks``)."""

    description: str
    priority: int = Priority.NORMAL
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)
    needed_capabilities: tuple[str, ...] = ()
    max_retries: int = 3
    complete_by: int | None = None
    assign_to: str | None = None
    extras: dict[str, Any] = msgspec.field(default_factory=dict)
    """Accepted pass-through fields of later protocol versions (repo, branch, file_hints, ...)."""
    idempotency_key: str | None = None


class HistoryEntry(Message, frozen=True):
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


class SubmitTasks(Message, frozen=True):
    """Answer: ``tuple[Submitted | Refused, ...]``, one for each task in order, or one ``Refused`` for all of them."""

    tasks: tuple[NewTask, ...]
    submitted_by: str | None = None


class Submitted(Message, frozen=True):
    task_id: str
    priority: int
    created_at: int
    duplicate: bool = False
    """True when the idempotency key was known: this is the task of the first call."""


class GetTask(Message, frozen=True):
    """Answer: ``Task`` with history, or ``Refused(NOT_FOUND)``."""

    task_id: str


class AskWaiting(Message, frozen=True):
    """What the queue knows about a task's waiting. Answer: ``Waiting`` or ``Refused(NOT_FOUND)``."""

    task_id: str


class Waiting(Message, frozen=True):
    """``ahead``: queued tasks before it in the order of the queue, counted up to ``AHEAD_LIMIT``. ``is_ready``: it waits for
    nothing but an agent."""

    AHEAD_LIMIT: ClassVar[int] = 10_000

    task: Task
    ahead: int
    is_ready: bool


class ReadDuplicates(Message, frozen=True):
    """Answer: ``tuple[str, ...]``, the newest tasks that were made after this one (``extras.duplicate_of``), newest first."""

    LIMIT: ClassVar[int] = 20

    task_id: str


class ListTasks(Message, frozen=True):
    """Answer: ``TaskPage`` sorted by (priority, seq), paged by key. ``None`` means "do not filter"."""

    status: TaskStatus | None = None
    priority: int | None = None
    assigned_to: str | None = None
    capability: str | None = None
    cursor: str | None = None
    limit: int = 100


class ListDeadLetter(Message, frozen=True):
    """Answer: ``TaskPage``, newest dead letter first."""

    cursor: str | None = None
    limit: int = 100


class TaskPage(Message, frozen=True):
    tasks: tuple[Task, ...]
    next_cursor: str | None


class ReadStats(Message, frozen=True):
    """Answer: ``QueueStats``; kept counters, O(1)."""


class QueueStats(Message, frozen=True):
    by_status: dict[str, int]
    """All of queued, assigned, completed, cancelled (dead letters apart), zeros included, pruned tasks excluded."""
    queued_by_priority: dict[int, int]
    dead_letter: int
    ready: int
    """Queued tasks that wait for nothing but an agent (no back-off pending)."""


# --- assignment -------------------------------------------------------------------------------------------------


class Offer(Message, frozen=True):
    """An agent that the scheduler has reserved and that can take one task."""

    agent_id: str
    capabilities: frozenset[str]


class Claim(Message, frozen=True):
    """Give each offer the best fitting task: lowest (priority, seq) whose needs are a subset of the capabilities.

    Answer: ``tuple[Task | None, ...]``, one for each offer in order. A claimed task is ``assigned`` with generation + 1.
    """

    offers: tuple[Offer, ...]


class Accept(Message, frozen=True):
    """Answer: ``Task`` or ``Refused``. ``generation`` None (old clients do not send one) means "whatever this owner holds".

    ``connection``: over which it was said (``Task.accepted_on``).
    """

    task_id: str
    owner: str
    generation: int | None = None
    connection: str | None = None


class Progress(Message, frozen=True):
    """Proof of work. Kept in memory only, so it costs no sync. Answer: ``None`` or ``Refused``."""

    task_id: str
    owner: str
    generation: int | None = None
    progress: int | None = None


class Complete(Message, frozen=True):
    """Answer: ``Completed`` (the same again for a repeated completion) or ``Refused``."""

    task_id: str
    owner: str
    generation: int
    result: Any = None
    tokens_used: int = 0


class Completed(Message, frozen=True):
    task_id: str
    duplicate: bool = False


class Fail(Message, frozen=True):
    """Answer: ``Failed`` or ``Refused``."""

    task_id: str
    owner: str
    generation: int
    error: str = "unknown"


class Failed(Message, frozen=True):
    """``status`` is QUEUED (retried after ``retry_in_ms``) or DEAD_LETTER."""

    task_id: str
    status: TaskStatus
    retry_in_ms: int = 0


class Reclaim(Message, frozen=True):
    """Take a task back from its owner. Answer: ``Reclaimed``, or ``Refused`` when the attempt is no longer live."""

    task_id: str
    generation: int
    cause: ReclaimCause


class Reclaimed(Message, frozen=True):
    """``status`` is QUEUED, or DEAD_LETTER when ``max_reclaims`` was reached."""

    task_id: str
    status: TaskStatus


class Cancel(Message, frozen=True):
    """Answer: ``Cancelled`` or ``Refused`` (NOT_FOUND; INVALID_STATE for a completed task)."""

    task_id: str
    cancelled_by: str | None = None


class Cancelled(Message, frozen=True):
    task_id: str
    previous_status: TaskStatus
    owner: str | None = None


class RetryDeadLetter(Message, frozen=True):
    """Answer: ``Requeued`` or ``Refused(NOT_FOUND)`` (also when the task is not a dead letter)."""

    task_id: str
    requested_by: str | None = None


class Requeued(Message, frozen=True):
    task_id: str
    priority: int


class Recover(Message, frozen=True):
    """An agent came back and names an attempt. Answer: ``Task`` (go on) or ``Refused`` (drop it).

    ``generation`` None: old clients do not know theirs; go on only when this owner holds the task.
    """

    task_id: str
    owner: str
    generation: int | None = None
    connection: str | None = None


class Together(Message, frozen=True):
    """Several requests of one actor, handled in their order and in one transaction. Answer: the tuple of their answers."""

    requests: tuple[object, ...]


class AssignedTo(Message, frozen=True):
    """Answer: ``tuple[Task, ...]``, oldest assignment first. For an FSM that starts."""

    owner: str


# --- leases (liveness; generations are the safety) --------------------------------------------------------------


class RenewLeases(Message, frozen=True):
    """Proof of life of these owners; every task of theirs gets a full lease. No answer."""

    owners: tuple[str, ...]


class LimitLease(Message, frozen=True):
    """The owner's connection dropped: reclaim in ``seconds`` with ``cause`` unless renewed before. No answer."""

    task_id: str
    generation: int
    seconds: float
    cause: ReclaimCause = ReclaimCause.AGENT_LOST


# --- for the scheduler and the dashboard ------------------------------------------------------------------------


class ReadBacklog(Message, frozen=True):
    """Answer: ``Backlog``: how many ready tasks there are for each set of needs. O(distinct sets)."""


class Backlog(Message, frozen=True):
    by_needs: dict[frozenset[str], int]
    pinned: dict[str, int]
    """Ready tasks that only this agent may take."""


class ReadOverview(Message, frozen=True):
    """Answer: ``Overview``; what ``DashboardState`` rebuilds itself from."""

    window_s: int = 3600
    completions: int = 100
    dead_letters: int = 100
    finished: int = 0
    """How many ends of tasks within the window are wanted."""


class ReadFinished(Message, frozen=True):
    """Answer: ``tuple[FinishedAttempt, ...]``, the newest ``limit`` ends of tasks that an agent had, oldest first."""

    limit: int


class FinishedMinute(Message, frozen=True):
    """What ended within one minute (``minute`` = Unix minutes): completions, and failed attempts of any kind."""

    minute: int
    completed: int
    failed: int
    duration_ms: int
    tokens_used: int


class Overview(Message, frozen=True):
    stats: QueueStats
    completions: tuple[Task, ...]
    """Newest first."""
    dead_letters: tuple[Task, ...]
    """Newest first."""
    assigned: tuple[Task, ...]
    minutes: tuple[FinishedMinute, ...]
    agents: tuple[KnownAgent, ...]
    finished: tuple[FinishedAttempt, ...] = ()
    """The newest, oldest first."""
    as_of_seq: int = 0
    """The bus number that ``TaskQueue`` saw (``self.runtime.bus.seq``) when the events of its batch were published, and
    before it answers this read.

    Every task event numbered up to it is contained in this overview and every later one is not, so that a
    reader that was already subscribed folds each event exactly once by skipping ``seq <= as_of_seq``.
    """


# --- identities, settings, known agents -------------------------------------------------------------------------


class Identity(Message, frozen=True):
    """Who may speak to the hub. The secret itself is never stored, only its SHA-256."""

    token_id: str
    """Public part of the token, the key for look-up."""
    name: str
    """The agent id, or the name of a submitter, operator or admin."""
    role: Role
    secret_sha256: bytes
    created_at: int


class CreateIdentity(Message, frozen=True):
    """``rotate`` keeps at most one older token of the same name; without it a known name is ``Refused(ALREADY_EXISTS)``.

    Answer: ``Identity`` or ``Refused``.
    """

    identity: Identity
    rotate: bool = True


class RevokeIdentity(Message, frozen=True):
    """Ends every token of ``name``. Answer: ``int``, how many there were."""

    name: str


class ListIdentities(Message, frozen=True):
    """Answer: ``tuple[Identity, ...]`` by name; only those of ``name``, oldest first, if one is given."""

    name: str | None = None


class ReadSetting(Message, frozen=True):
    """Answer: the stored JSON value or None."""

    key: str


class WriteSetting(Message, frozen=True):
    """Answer: ``None``."""

    key: str
    value: Any


class AgentPresence(StrEnum):
    ONLINE = "online"
    LEFT = "left"  # said goodbye
    LOST = "lost"  # vanished


class KnownAgent(Message, frozen=True):
    agent_id: str
    name: str
    presence: AgentPresence
    since: int
    """Unix milliseconds of the last change of presence."""
    mode: AgentMode = AgentMode.ACTIVE


class RecordPresence(Message, frozen=True):
    """Answer: ``None``. A LEFT agent is forgotten by health; a LOST one is warned about."""

    agent_id: str
    name: str
    presence: AgentPresence


class CreateEnrolment(Message, frozen=True):
    """A code that lets one agent register itself once, before ``expires_at`` (Unix ms). Answer: ``None``."""

    code_sha256: bytes
    expires_at: int


class Enrol(Message, frozen=True):
    """Spend a code for an identity of role agent. Answer: ``Identity``, ``Refused(NOT_FOUND)`` for an unknown, spent or
    expired code, ``Refused(ALREADY_EXISTS)`` for a known name (the code stays valid then)."""

    code_sha256: bytes
    identity: Identity
