"""The port through which the queue reaches its storage: one page, small enough to be implemented again on another database.

Writes happen inside a transaction that begins by itself with the first of them and ends with ``commit`` or ``rollback``. A
write that cannot be stored as asked raises ``Unstorable`` before anything was written; a failure of the disk raises
``StorageFailed``, after which the outcome is unknown and the process must end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from actors.vocabulary.audit import AuditEntry, AuditPage, ReadAudit
from actors.vocabulary.bulk import Operation
from actors.vocabulary.fleet import AgentMode, FinishedAttempt
from actors.vocabulary.message import Message
from actors.vocabulary.notices import Delivery, Notice, PushSubscription, Webhook
from actors.vocabulary.output import Tail
from actors.vocabulary.search import Counted, CountTasks, FindTasks, FoundTasks, ListDeadGroups, Mute, Suggestion
from actors.vocabulary.tasks import (
    AgentPresence,
    FinishedMinute,
    HistoryEntry,
    Identity,
    KnownAgent,
    ListTasks,
    Task,
    TaskPage,
)
from wire.task_filter import Filter


class StorageFailed(Exception):
    """The disk or the database failed; whether the transaction was stored is unknown."""


class StorageRefused(Exception):
    """The database cannot be used as it is (damaged, newer than this program); nothing was changed."""


class DoesNotFit(ValueError):
    """The order or the cursor of a question cannot be; the text says why."""


class Unstorable(ValueError):
    """A value that the database cannot hold; nothing was written."""


@dataclass(frozen=True, slots=True)
class ReadyRow:
    """What the index needs of a queued task."""

    key: int
    seq: int
    priority: int
    needs: frozenset[str]
    assign_to: str | None
    not_before: int | None
    complete_by: int | None


OpenTask: TypeAlias = ReadyRow | Task
"""A queued task, of which the index needs little, or an assigned one, which is kept whole."""


class Finish(Message, frozen=True):
    """What a transition adds to the minute in which it happened."""

    completed: int = 0
    failed: int = 0
    duration_ms: int = 0
    tokens_used: int = 0


@dataclass(frozen=True, slots=True)
class KnownKey:
    body_hash: bytes
    task_id: str
    created_at: int
    priority: int


class Storage(Protocol):
    """``key`` is the number of a task's id (``task_ids``)."""

    # --- transactions ---
    def commit(self) -> None: ...
    def rollback(self) -> None: ...
    def close(self) -> None: ...
    def idle(self, now_s: float) -> None:
        """Housekeeping between batches (checkpoints, guards). ``now_s`` is monotonic."""

    # --- itself ---
    @property
    def commits(self) -> int:
        """Transactions that wrote something, since it was opened."""

    @property
    def schema(self) -> int:
        """Number of the last migration."""

    def sizes(self) -> tuple[int, int]:
        """Bytes of the database and of what waits to be merged into it."""

    # --- tasks ---
    def next_seq(self) -> int:
        """The next place in the queue; grows for ever, also over restarts."""

    def save(self, before: Task | None, after: Task, entry: HistoryEntry | None, finish: Finish | None = None) -> None:
        """Write a transition: the row, its history, the counters and the minute, in the current transaction."""

    def write_now(self) -> None:
        """What was saved in this transaction, before what is saved next: two changes of a task do not become one."""

    def read(self, key: int) -> Task | None: ...
    def read_many(self, keys: Sequence[int]) -> dict[int, Task]:
        """Those that exist, by key."""

    def history(self, task: Task, limit: int) -> tuple[HistoryEntry, ...]:
        """Newest first; ``task`` as it is now."""

    def open_tasks(self) -> Iterator[OpenTask]:
        """Every task that is not final: queued ones in (priority, seq) order, then assigned ones. Read it to the end before
        anything else is done."""

    def count_ahead(self, task: Task, limit: int) -> int:
        """Queued tasks before ``task`` in (priority, seq) order; counting stops at ``limit``."""

    def add_duplicate(self, original: int | None, key: int) -> None:
        """The new task ``key`` was made after ``original``; None: after one that never was."""

    def duplicates(self, original: int, limit: int) -> tuple[str, ...]:
        """Ids, newest first."""

    def list_tasks(self, query: ListTasks) -> TaskPage:
        """By (priority, seq). Raises ``ValueError`` for a cursor that is none of ours."""

    def list_dead_letters(self, cursor: str | None, limit: int) -> TaskPage:
        """Newest first."""

    def completions(self, limit: int) -> tuple[Task, ...]:
        """Newest first."""

    def finished(self, since_ms: int, limit: int) -> tuple[FinishedAttempt, ...]:
        """The newest ends of tasks that an agent had, completed or dead; oldest first."""

    def counters(self) -> Mapping[str, int]:
        """``status:X`` for each status, ``priority:N`` for queued tasks, ``pruned:X``."""

    def minutes(self, since_minute: int) -> tuple[FinishedMinute, ...]: ...
    def prune(self, before_ms: int, limit: int) -> list[Task]:
        """Delete at most ``limit`` final tasks not touched since ``before_ms``, and return them."""

    # --- idempotency keys ---
    def find_key(self, submitted_by: str, key: str) -> KnownKey | None: ...
    def add_key(self, submitted_by: str, key: str, body_hash: bytes, task: Task) -> None: ...
    def prune_keys(self, before_ms: int, limit: int) -> int:
        """Forget keys whose task ended before ``before_ms`` or is gone."""

    @property
    def directory(self) -> DirectoryStorage: ...
    @property
    def notices(self) -> NoticeStorage: ...
    @property
    def rollups(self) -> RollupStorage: ...
    @property
    def search(self) -> SearchStorage: ...
    @property
    def dead_letters(self) -> DeadLetterStorage: ...
    @property
    def operations(self) -> OperationStorage: ...
    @property
    def audit(self) -> AuditStorage: ...
    @property
    def output(self) -> OutputStorage: ...
    def oldest_waiting(self, now_ms: int) -> tuple[int | None, ...]:
        """By lane: since when (Unix ms) its oldest task has waited for an agent. By a bounded scan."""


class RollupStorage(Protocol):
    """In the same transactions as the tasks. ``size`` is in seconds, ``start`` and ``at`` in Unix ms."""

    def record(self, buckets: Sequence[tuple[int, int, bytes]]) -> None:
        """(size, start, packed); replaces what is there."""

    def read(self, size: int, since: int) -> tuple[bytes, ...]: ...
    def prune(self, size: int, before: int) -> None: ...
    def record_start(self, at: int, boot_id: str, forget_before: int) -> None:
        """Once for each ``at``."""

    def starts(self, since: int, limit: int) -> tuple[tuple[int, str], ...]:
        """The newest ``limit``, oldest first."""

    def add_work(self, hour: int, parts: Sequence[tuple[str, int, int]]) -> None:
        """Add (agent, busy, there) to what the hour has of them."""

    def work(self, agent_id: str, hours: Sequence[int]) -> tuple[tuple[int, int, int], ...]:
        """(hour, busy, there) of those of ``hours`` that it has, oldest first."""

    def prune_work(self, before: int) -> None: ...


class DirectoryStorage(Protocol):
    """In the same transactions as the tasks."""

    def identities(self) -> tuple[Identity, ...]: ...
    def identities_of(self, name: str) -> tuple[Identity, ...]:
        """Oldest first."""

    def count_identities(self) -> int: ...
    def add_identity(self, identity: Identity) -> None: ...
    def remove_identities(self, name: str, keep_token_ids: tuple[str, ...] = ()) -> int: ...
    def setting(self, key: str) -> Any: ...
    def write_setting(self, key: str, value: Any) -> None: ...
    def agents(self) -> tuple[KnownAgent, ...]: ...
    def record_agent(self, agent: KnownAgent) -> None: ...
    def add_enrolment(self, code_sha256: bytes, expires_at: int) -> None: ...
    def spend_enrolment(self, code_sha256: bytes, now: int) -> bool:
        """True once for a known code that has not expired."""

    def has_enrolment(self, code_sha256: bytes, now: int) -> bool: ...
    def record_connection(self, agent_id: str, at: int, presence: AgentPresence) -> None:
        """Keeps a day, and at most a hundred for each agent."""

    def connections(self, agent_id: str) -> tuple[tuple[int, str], ...]:
        """Oldest first."""

    def presence_of(self, agent_id: str) -> AgentPresence | None: ...
    def agent_modes(self) -> dict[str, AgentMode]:
        """Of those agents whose mode is not active."""

    def write_agent_mode(self, agent_id: str, mode: AgentMode) -> None: ...
    def is_agent(self, agent_id: str) -> bool:
        """Whether it was ever connected, or has a token of role agent."""

    def forget_agent(self, agent_id: str) -> bool:
        """Its presence and its mode; False when it was never connected."""


class NoticeStorage(Protocol):
    """In the same transactions as the tasks. ``target``: ``webhook:<id>`` or ``push:<id>``."""

    def webhooks(self) -> tuple[Webhook, ...]:
        """Newest first, as are the subscriptions."""

    def save_webhook(self, webhook: Webhook) -> None: ...
    def remove_webhook(self, id_: str) -> bool: ...
    def subscriptions(self) -> tuple[PushSubscription, ...]: ...
    def save_subscription(self, one: PushSubscription) -> None: ...
    def remove_subscription(self, id_: str) -> bool: ...
    def add_notice(self, notice: Notice, now: int) -> bool:
        """False: it is there already."""

    def notice_body(self, notice_id: str) -> str | None: ...
    def add_delivery(self, notice_id: str, kind: str, target: str, now: int) -> Delivery: ...
    def delivery(self, id_: int) -> Delivery | None: ...
    def save_delivery(self, one: Delivery) -> None: ...
    def deliveries(self, target: str, limit: int) -> tuple[Delivery, ...]:
        """Newest first."""

    def due(self, now: int, limit: int, per_target: int) -> tuple[Delivery, ...]:
        """Those that wait and whose time has come, the one that is due longest first; at most ``per_target`` of one."""

    def oldest_waiting(self, limit: int) -> tuple[Delivery, ...]: ...

    def hold(self, target: str, until: int) -> None:
        """Nothing that waits for it is due before ``until``."""

    def give_up_waiting(self, target: str, because: str) -> None: ...
    def count_waiting(self) -> int: ...
    def trim(self, keep: int) -> None:
        """Forget the oldest deliveries that are over, and notices that no delivery names."""

    def memory(self, key: str) -> Any: ...
    def remember(self, key: str, value: Any) -> None: ...
    def lost_agents(self, before: int, limit: int) -> tuple[KnownAgent, ...]:
        """Those that vanished at or before ``before``, the latest first."""


class SearchStorage(Protocol):
    """Each looks at a bounded number of rows and says where it stopped. Raises ``DoesNotFit``."""

    def find(self, query: FindTasks, now_ms: int) -> FoundTasks: ...
    def count(self, query: CountTasks, now_ms: int) -> Counted: ...
    def suggest(self, key: str, prefix: str, limit: int) -> tuple[Suggestion, ...]: ...
    def collect(
        self, filter_: Filter, position: str | None, now_ms: int
    ) -> tuple[list[tuple[int, int, int]], str | None]:
        """(key, generation, updated_at) of what fits, and where to go on."""


class DeadLetterStorage(Protocol):
    """Kept by ``Storage.save``; here it is read."""

    def groups(self, query: ListDeadGroups) -> tuple[list[tuple[Any, ...]], str | None]:
        """(id, reason, shape, alive, discarded, one count a lane, first_at, last_at) of each, and the next cursor."""

    def hours(self, groups: Sequence[str], now_ms: int) -> dict[str, list[int]]: ...
    def newest(self, group: str) -> list[tuple[int, str | None]]: ...
    def discarded_at(self, key: int) -> int | None:
        """When a task was discarded; None when it was not, or too long ago."""

    def forget(self, discarded_before: int, empty_before: int, limit: int) -> None: ...
    def mute(self, group: str, by: str, note: str | None, at: int, until: int) -> Mute | None: ...
    def unmute(self, group: str) -> bool: ...
    def muted(self, group: str, now: int) -> Mute | None: ...
    def count_muted(self, now: int) -> int: ...
    def mutes(self) -> tuple[tuple[str, int, int], ...]: ...


class OutputStorage(Protocol):
    """In the same transactions as the tasks; bounded by itself."""

    def save(self, tails: Sequence[tuple[int, Tail]], now: int) -> None:
        """(key of the task, tail), each attempt once; replaces what there is of it."""

    def read(self, key: int) -> tuple[tuple[int, str, bytes], ...]: ...


class OperationStorage(Protocol):
    def add(self, operation: Operation, plan: Sequence[int]) -> None:
        """``plan``: key and generation of each task, one after the other."""

    def write(self, operation: Operation, items: Sequence[tuple[int, str, str]]) -> None:
        """How far it is, and (key, outcome, detail) of what was looked at since the last time."""

    def read(self, id_: str) -> Operation | None: ...
    def newest(self, limit: int) -> tuple[Operation, ...]: ...
    def running(self) -> list[Operation]: ...
    def last_retry(self, group: str, since_ms: int) -> Operation | None: ...
    def retried_groups(self, since_ms: int, limit: int) -> list[str]: ...
    def plan(self, id_: str, position: int, count: int) -> list[tuple[int, int]]: ...
    def done_keys(self, id_: str, limit: int) -> list[int]: ...
    def problems(self, id_: str, limit: int) -> list[tuple[int, str, str]]: ...
    def outcome(self, id_: str, limit: int) -> dict[str, int]: ...
    def prune(self, before_ms: int, limit: int) -> None: ...


class AuditStorage(Protocol):
    """In the same transactions as what it tells of."""

    def add(self, entry: AuditEntry) -> None:
        """``entry.seq`` is given by the storage."""

    def page(self, query: ReadAudit) -> AuditPage:
        """Newest first. Raises ``ValueError`` for a cursor that is none of ours."""

    def prune(self, before_ms: int, keep: int, limit: int) -> int:
        """Delete at most ``limit`` of the oldest entries that are from before ``before_ms`` or beyond the newest ``keep``."""
