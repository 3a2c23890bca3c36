"""The truth about tasks. Everything that waits in its mailbox shares one transaction; answers and events follow the commit.

Nothing is answered, published or pushed before it is durable. What nobody expected rolls the whole batch back and ends the
actor: its callers get an error, its supervisor starts it again from the database. An error of the disk ends the process,
because then nobody knows what was stored.

In memory are an index of the ready tasks, the leases, and the assigned tasks themselves; all of it is rebuilt at the start.
"""

from __future__ import annotations

import hashlib
import heapq
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from msgspec.structs import replace

from actors import task_rules as rules
from actors.admission import Admission, disk_space
from actors.audit import AuditLog
from actors.bulk_operations import BulkOperations
from actors.directory import Directory
from actors.leases import Leases
from actors.notices import Notices
from actors.queue_options import TaskQueueOptions
from actors.ready_index import ReadyIndex
from actors.rollup_keeper import RollupKeeper
from actors.sqlite_rows import to_json
from actors.sqlite_storage import DISCARDED, SqliteStorage
from actors.storage import Finish, Storage, StorageFailed, Unstorable
from actors.task_ids import key_of, make_key
from actors.task_questions import TaskQuestions
from actors.vocabulary import bulk as b
from actors.vocabulary import fleet
from actors.vocabulary import notices as n
from actors.vocabulary import search as s
from actors.vocabulary import tasks as v
from actors.vocabulary import trends as t
from actors.vocabulary.audit import Audited, ReadAudit, RecordAudit
from actors.vocabulary.events import PRESENCE, TASKS, TaskEvent
from actors.vocabulary.output import ReadTails, SaveTails, Tail
from actors.vocabulary.system import Commit, ReadStorage, StorageFigures
from actors.vocabulary.tasks import (
    ASSIGNED,
    CANCELLED,
    DEAD_LETTER,
    FINAL,
    QUEUED,
    HistoryEntry,
    NewTask,
    Overview,
    QueueStats,
    ReclaimCause,
    Refusal,
    Refused,
    Task,
    TaskStatus,
)
from supervision.actor import BatchActor, Request

logger = logging.getLogger("agentcom.task_queue")

HISTORY_SHOWN = 50

#: Tasks that are told of one agent: those that it holds, and those that it had.
RECORDS_SHOWN = 50

#: The field of ``extras`` that names the task after which this one was made.
DUPLICATE_OF = "duplicate_of"

#: Groups of dead letters that may be muted at once: so many, and there is something else wrong.
MUTES = 100

#: More tokens than any attempt can use; a larger number is cut, so that sums of them stay integers of the database.
MAX_TOKENS = 10**12

#: Tasks in one transaction: beyond about a thousand a commit only takes longer (docs/operations.md).
BATCH_WEIGHT = 2_000

#: The exit status after a disk error whose outcome is unknown (EX_SOFTWARE of sysexits.h).
FATAL_EXIT_STATUS = 70


def exit_process(error: BaseException) -> None:
    """The default of ``on_fatal``: no clean-up may touch the database any more."""
    logger.critical("the storage failed, the outcome of the last commit is unknown: %s", error)
    os._exit(FATAL_EXIT_STATUS)


@dataclass(frozen=True, slots=True)
class Sweep:
    """Look at leases, back-offs, deadlines and housekeeping."""


class TaskQueue(BatchActor):
    """``path``: the database file. ``on_fatal`` is called with the error of a storage that failed, and must not return."""

    batch_limit = BATCH_WEIGHT

    handles: ClassVar[dict[type, str]] = {
        v.SubmitTasks: "submit",
        v.GetTask: "get",
        v.AskWaiting: "waiting",
        v.ReadDuplicates: "duplicates",
        v.ListTasks: "list_tasks",
        v.ListDeadLetter: "list_dead_letter",
        v.ReadStats: "stats",
        v.Claim: "claim",
        v.Accept: "accept",
        v.Progress: "progress",
        v.Complete: "complete",
        v.Fail: "fail",
        v.Reclaim: "reclaim",
        v.Cancel: "cancel",
        v.RetryDeadLetter: "retry_dead_letter",
        b.DiscardDeadLetter: "discard",
        b.RecoverDiscarded: "recover_discarded",
        b.ChangeLane: "change_lane",
        b.Reassign: "reassign",
        b.Preview: "bulk",
        b.ContinuePreview: "bulk",
        b.StartOperation: "bulk",
        b.ReadOperation: "bulk",
        b.ListOperations: "bulk",
        b.CancelOperation: "bulk",
        b.StepOperations: "step_operations",
        s.FindTasks: "question",
        s.CountTasks: "question",
        s.SuggestValues: "question",
        s.ListDeadGroups: "question",
        s.MuteDeadGroup: "mute",
        s.UnmuteDeadGroup: "unmute",
        v.Recover: "recover",
        v.Together: "together",
        v.AssignedTo: "assigned_to",
        v.RenewLeases: "renew_leases",
        v.LimitLease: "limit_lease",
        v.ReadBacklog: "backlog",
        v.ReadOverview: "overview",
        v.ReadFinished: "finished",
        v.CreateIdentity: "directory",
        v.RevokeIdentity: "directory",
        v.ListIdentities: "directory",
        v.ReadSetting: "directory",
        v.WriteSetting: "directory",
        v.RecordPresence: "directory",
        v.CreateEnrolment: "directory",
        v.Enrol: "directory",
        n.ListTargets: "notices",
        n.CreateWebhook: "notices",
        n.EnableWebhook: "notices",
        n.Subscribe: "notices",
        n.RemoveTarget: "notices",
        n.SendTest: "notices",
        n.Redeliver: "notices",
        n.ListDeliveries: "notices",
        n.ReadWatch: "notices",
        n.RecordNotices: "notices",
        n.KeepPushKey: "notices",
        n.ReadOutbox: "notices",
        n.RecordAttempt: "notices",
        t.RecordRollups: "rollups",
        t.ReadRollups: "rollups",
        t.ReadVitals: "vitals",
        ReadStorage: "storage_figures",
        SaveTails: "save_tails",
        ReadTails: "read_tails",
        fleet.OrderAgent: "directory",
        fleet.ReadAgentMode: "directory",
        fleet.ForgetAgent: "directory",
        fleet.EndOldTokens: "directory",
        fleet.ReadAgentRecords: "agent_records",
        fleet.RecordWork: "rollups",
        Audited: "audited",
        RecordAudit: "record_audit",
        ReadAudit: "read_audit",
        Sweep: "sweep",
    }

    def __init__(
        self,
        path: Path,
        options: TaskQueueOptions | None = None,
        on_fatal: Callable[[BaseException], None] = exit_process,
    ) -> None:
        super().__init__()
        self._path = path
        self._options = options or TaskQueueOptions()
        self._on_fatal = on_fatal
        self._storage: Storage
        self._directory: Directory
        self._notices: Notices
        self._rollups: RollupKeeper
        self._bulk: BulkOperations
        self._questions: TaskQuestions
        self._steps_due = False
        """A step of the bulk operations is on its way."""
        self._audit: AuditLog
        self._admission = Admission(path.parent, self._options.min_free_disk, self._options.min_free_memory)
        self._ready = ReadyIndex()
        self._leases = Leases(self._options.lease_s, self._options.sweep_period_s)
        self._assigned: dict[int, Task] = {}
        self._waiting: list[tuple[float, int, int]] = []
        """Back-offs: (monotonic time when due, key, generation)."""
        self._deadlines: list[tuple[int, int]] = []
        """``complete_by`` of tasks that are not final: (Unix ms, key)."""
        self._events: list[TaskEvent] = []
        self._next_prune = 0.0
        self._housekeeping_due = False
        self._how: dict[str, str] = {}
        """How what is being done was asked for, for the history."""
        self._commits = 0
        self._last_commit = (0, 0, 0.0)
        """When (Unix ms), messages, seconds."""
        self._now_s = 0.0
        self._now_ms = 0
        """The time of a batch is that of its beginning."""

    @classmethod
    def weigh(cls, message: object) -> int:
        if isinstance(message, v.SubmitTasks):
            return len(message.tasks)
        return len(message.requests) if isinstance(message, v.Together) else 1

    # --- life -----------------------------------------------------------------------------------------------------

    def on_start(self) -> None:
        self._storage = SqliteStorage(self._path)
        self._directory = Directory(self._storage.directory)
        self._notices = Notices(self._storage.notices, self.runtime.new_id)
        self._rollups = RollupKeeper(self._storage.rollups)
        self._bulk = BulkOperations(self, self._storage)
        self._questions = TaskQuestions(self._storage, self._assigned, self._bulk)
        self._audit = AuditLog(self._storage.audit, self._storage.directory)
        self._read_clocks()
        for task in self._storage.open_tasks():
            if task.complete_by is not None:
                self._deadlines.append((task.complete_by, task.key))
            if isinstance(task, Task):
                assert task.assigned_to is not None
                self._assigned[task.key] = task
                grace_s = self._options.boot_grace_s
                self._leases.grant(task.key, task.generation, task.assigned_to, self._now_s, grace_s)
            elif task.not_before is not None and (due := self._due(task.not_before)) > self._now_s:
                self._waiting.append((due, task.key, -1))
            else:
                self._ready.add(task.key, task.priority, task.seq, task.needs, task.assign_to)
        heapq.heapify(self._waiting)
        heapq.heapify(self._deadlines)
        self.send_every(self._options.sweep_period_s, Sweep())
        if self._bulk.start(self._now_s):
            self._step_after(0.0)

    def _due(self, not_before: int) -> float:
        """A back-off outlives a restart by the wall clock, but a clock that jumped cannot make it longer than the cap."""
        left_s = (not_before - self._now_ms) / 1000
        return self._now_s + min(max(left_s, 0.0), self._options.retry_cap_s)

    def on_stop(self) -> None:
        self._storage.close()

    def on_failure(self, *_: Any) -> None:
        if hasattr(self, "_storage"):
            self._storage.close()

    def _read_clocks(self) -> None:
        self._now_s = self.runtime.clock.monotonic()
        self._now_ms = self.runtime.clock.time_ms()

    def on_batch(self, requests: list[Request]) -> None:
        self._read_clocks()
        try:
            answers = self._handle_all(requests)
            if self.actor_stopped.is_set():  # revoked meanwhile: a successor may have started
                self._storage.rollback()
                return
            self._storage.commit()
            if self._storage.commits != self._commits:
                self._commits = self._storage.commits
                self._last_commit = (self._now_ms, len(requests), self.runtime.clock.monotonic() - self._now_s)
            if self._housekeeping_due:  # only between transactions
                self._housekeeping_due = False
                self._storage.idle(self._now_s)
        except StorageFailed as error:
            self._on_fatal(error)
            raise
        except BaseException:
            self._storage.rollback()
            raise
        events, self._events = self._events, []
        seq = self.runtime.bus.publish_all((TASKS, event) for event in events)
        for news in self._directory.take_news():
            seq = self.runtime.bus.publish(PRESENCE, news)
        for request, answer in zip(requests, answers, strict=True):
            request.reply(replace(answer, as_of_seq=seq) if isinstance(answer, Overview) else answer)

    def _handle_all(self, requests: list[Request]) -> list[object]:
        """The answers in order. Overviews are read last, so that they contain everything that this batch publishes."""
        answers: list[object] = [None] * len(requests)
        last = [i for i, request in enumerate(requests) if type(request.message) is v.ReadOverview]
        for index in [*(i for i in range(len(requests)) if i not in last), *last]:
            answers[index] = self._handle_one(requests[index].message)
        return answers

    def _handle_one(self, message: object) -> object:
        try:
            return getattr(self, self.handles[type(message)])(message)
        except Unstorable as error:
            return Refused(Refusal.INVALID_STATE, str(error))

    def together(self, message: v.Together) -> tuple[object, ...]:
        return tuple(self._handle_one(request) for request in message.requests)

    # --- submitting and reading -------------------------------------------------------------------------------------

    def submit(self, message: v.SubmitTasks) -> tuple[v.Submitted | Refused, ...] | Refused:
        """One answer for each task; one refusal for all when nobody's tasks may come in now."""
        refused = self._admission.refusal(self._now_s)
        if refused is not None:
            return refused
        return tuple(self._submit_one(new, message.submitted_by) for new in message.tasks)

    def _submit_one(self, new: NewTask, submitted_by: str | None) -> v.Submitted | Refused:
        body_hash = b""
        if new.idempotency_key is not None:
            body_hash = _hash(new)
            known = self._storage.find_key(submitted_by or "", new.idempotency_key)
            if known is not None and known.body_hash == body_hash:
                return v.Submitted(known.task_id, known.priority, known.created_at, duplicate=True)
            if known is not None:
                return Refused(Refusal.IDEMPOTENCY_CONFLICT, "the key was used with another body")
        if self._storage.counters().get("status:queued", 0) >= self._options.max_queued:
            return Refused(Refusal.QUEUE_FULL, f"{self._options.max_queued} tasks are queued")
        seq = self._storage.next_seq()
        try:
            task = rules.new_task(new, make_key(seq, self._chance()), seq, submitted_by, self._now_ms)
            self._save(None, task, None, event="task_submitted")
        except Unstorable as error:
            return Refused(Refusal.INVALID_STATE, str(error))
        if new.idempotency_key is not None:
            self._storage.add_key(submitted_by or "", new.idempotency_key, body_hash, task)
        if DUPLICATE_OF in new.extras:
            self._storage.add_duplicate(key_of(new.extras[DUPLICATE_OF]), task.key)
        if task.complete_by is not None:
            heapq.heappush(self._deadlines, (task.complete_by, task.key))
        self._make_ready(task)
        return v.Submitted(task.id, task.priority, task.created_at)

    def _chance(self) -> int:
        return self.runtime.random.getrandbits(32)

    def get(self, message: v.GetTask) -> Task | Refused:
        task = self._read(message.task_id)
        if task is None:
            return Refused(Refusal.NOT_FOUND, "no such task")
        return replace(task, history=self._storage.history(task, HISTORY_SHOWN))

    def waiting(self, message: v.AskWaiting) -> v.Waiting | Refused:
        task = self._read(message.task_id)
        if task is None:
            return Refused(Refusal.NOT_FOUND, "no such task")
        ahead = self._storage.count_ahead(task, v.Waiting.AHEAD_LIMIT) if task.status is QUEUED else 0
        return v.Waiting(task, ahead, task.key in self._ready)

    def duplicates(self, message: v.ReadDuplicates) -> tuple[str, ...]:
        key = key_of(message.task_id)
        return self._storage.duplicates(key, message.LIMIT) if key is not None else ()

    def list_tasks(self, message: v.ListTasks) -> v.TaskPage | Refused:
        try:
            page = self._storage.list_tasks(message)
        except ValueError:
            return Refused(Refusal.INVALID_STATE, "the cursor is not one of ours")
        return replace(page, tasks=tuple(self._assigned.get(task.key, task) for task in page.tasks))

    def list_dead_letter(self, message: v.ListDeadLetter) -> v.TaskPage | Refused:
        try:
            return self._storage.list_dead_letters(message.cursor, message.limit)
        except ValueError:
            return Refused(Refusal.INVALID_STATE, "the cursor is not one of ours")

    def stats(self, _: v.ReadStats | None = None) -> QueueStats:
        counters = self._storage.counters()
        statuses = ("queued", "assigned", "completed", "cancelled")
        return QueueStats(
            by_status={status: counters.get(f"status:{status}", 0) for status in statuses},
            queued_by_priority={priority: counters.get(f"priority:{priority}", 0) for priority in range(4)},
            dead_letter=counters.get("status:dead_letter", 0),
            ready=len(self._ready),
        )

    # --- assignment and results ---------------------------------------------------------------------------------------

    def claim(self, message: v.Claim) -> tuple[Task | None, ...]:
        chosen = [self._ready.take_best(offer) for offer in message.offers]
        tasks = self._storage.read_many([key for key in chosen if key is not None])
        return tuple(
            self._claim_one(offer, tasks[key]) if key is not None else None
            for offer, key in zip(message.offers, chosen, strict=True)
        )

    def _claim_one(self, offer: v.Offer, task: Task) -> Task | None:
        """``task``, or the next best one when its deadline has passed."""
        while task.complete_by is not None and task.complete_by <= self._now_ms:
            self._expire(task)
            key = self._ready.take_best(offer)
            if key is None:
                return None
            task = self._storage.read_many([key])[key]
        claimed = rules.claimed(task, offer.agent_id, self._now_ms)
        self._save(task, claimed, None, event="task_assigned", agent_id=offer.agent_id)
        self._assigned[task.key] = claimed
        self._leases.grant(task.key, claimed.generation, offer.agent_id, self._now_s)
        return claimed

    def accept(self, message: v.Accept) -> Task | Refused:
        task = self._live(message.task_id, message.owner, message.generation)
        return task if isinstance(task, Refused) else self._accept(task, message.connection)

    def _accept(self, task: Task, connection: str | None) -> Task:
        if task.accepted_at is not None and connection in (None, task.accepted_on):
            return task
        assert task.assigned_to is not None
        after = rules.accepted(task, connection, self._now_ms)
        event = "task_accepted" if task.accepted_at is None else None
        self._save(task, after, None, event=event, agent_id=task.assigned_to)
        self._assigned[task.key] = after
        self._leases.renew((task.assigned_to,), self._now_s)
        return after

    def progress(self, message: v.Progress) -> Refused | None:
        """Costs no write: the time of it reaches the row with the next transition."""
        task = self._live(message.task_id, message.owner, message.generation)
        if isinstance(task, Refused):
            return task
        touched = replace(task, updated_at=self._now_ms)
        self._assigned[task.key] = touched
        self._leases.renew((message.owner,), self._now_s)
        self._publish("task_progress", touched, task.status, agent_id=message.owner, progress=message.progress)
        return None

    def complete(self, message: v.Complete) -> v.Completed | Refused:
        task = self._read(message.task_id)
        if task is not None and rules.is_same_completion(task, message.owner, message.generation):
            return v.Completed(task.id, duplicate=True)
        live = self._live(message.task_id, message.owner, message.generation)
        if isinstance(live, Refused):
            return live
        now = self._now_ms
        tokens_used = min(message.tokens_used, MAX_TOKENS)
        completed = rules.completed(live, message.result, tokens_used, now)
        duration_ms = max(0, now - (live.assigned_at or now))
        finish = Finish(completed=1, duration_ms=duration_ms, tokens_used=tokens_used)
        self._save(live, completed, None, event="task_completed", agent_id=message.owner, finish=finish)
        return v.Completed(live.id)

    def fail(self, message: v.Fail) -> v.Failed | Refused:
        task = self._live(message.task_id, message.owner, message.generation)
        if isinstance(task, Refused):
            return task
        back_off_ms = rules.back_off_ms(task.retry_count, self._options, self.runtime.random)
        after = rules.failed(task, message.error, self._storage.next_seq(), back_off_ms, self._now_ms)
        if after.status is DEAD_LETTER:
            back_off_ms = 0
            after = replace(after, seq=task.seq)
        entry = "retry" if after.status is QUEUED else "dead_letter"
        self._save(
            task,
            after,
            entry,
            message.error,
            event=_event_of(after, "task_retried"),
            agent_id=message.owner,
            failed=True,
        )
        if after.status is QUEUED:
            heapq.heappush(self._waiting, (self._now_s + back_off_ms / 1000, after.key, after.generation))
        return v.Failed(task.id, after.status, back_off_ms)

    def reclaim(self, message: v.Reclaim) -> v.Reclaimed | Refused:
        task = self._read(message.task_id)
        if task is None:
            return Refused(Refusal.NOT_FOUND, "no such task")
        if task.status is not ASSIGNED or task.generation != message.generation:
            return Refused(Refusal.STALE_GENERATION, "the attempt is over")
        return self._reclaim(task, message.cause)

    def _reclaim(self, task: Task, cause: ReclaimCause) -> v.Reclaimed:
        after = rules.reclaimed(task, cause, self._storage.next_seq(), self._options.max_reclaims, self._now_ms)
        if after.status is DEAD_LETTER:
            after = replace(after, seq=task.seq)
        entry = "reclaimed" if after.status is QUEUED else "dead_letter"
        details = cause.value if after.status is QUEUED else after.last_error
        event = _event_of(after, "task_reclaimed")
        self._save(task, after, entry, details, event=event, agent_id=task.assigned_to, cause=cause.value)
        if after.status is QUEUED:
            self._make_ready(after)
        return v.Reclaimed(task.id, after.status)

    def recover(self, message: v.Recover) -> Task | Refused:
        task = self._live(message.task_id, message.owner, message.generation)
        if isinstance(task, Refused):
            return task
        self._leases.renew((message.owner,), self._now_s)
        return self._accept(task, message.connection)

    def assigned_to(self, message: v.AssignedTo) -> tuple[Task, ...]:
        """Oldest assignment first."""
        held = [self._assigned[key] for key in self._leases.held_by(message.owner)]
        return tuple(sorted(held, key=lambda task: (task.assigned_at or 0, task.seq)))

    # --- by hand ------------------------------------------------------------------------------------------------------

    def cancel(self, message: v.Cancel) -> v.Cancelled | Refused:
        task = self._read(message.task_id)
        if task is None:
            return Refused(Refusal.NOT_FOUND, "no such task")
        if task.status is CANCELLED:
            return v.Cancelled(task.id, task.status)
        if CANCELLED not in rules.FOLLOWS[task.status]:
            return Refused(Refusal.INVALID_STATE, f"the task is {task.status.value}")
        after = rules.cancelled(task, self._now_ms)
        details = self._by(message.cancelled_by, previous_status=task.status.value)
        owner = task.assigned_to if task.status is ASSIGNED else None
        self._save(task, after, "cancelled", details, event="task_cancelled", agent_id=owner)
        return v.Cancelled(task.id, task.status, owner)

    def retry_dead_letter(self, message: v.RetryDeadLetter) -> v.Requeued | Refused:
        task = self._read(message.task_id)
        if task is None or task.status is not DEAD_LETTER:
            return Refused(Refusal.NOT_FOUND, "no such dead letter")
        after = rules.retried_by_hand(task, self._storage.next_seq(), self._now_ms)
        details = self._by(message.requested_by, previous_status=task.status.value)
        self._save(task, after, "queued", details, event="task_retried")
        if after.complete_by is not None:
            heapq.heappush(self._deadlines, (after.complete_by, after.key))
        self._make_ready(after)
        return v.Requeued(after.id, after.priority)

    def discard(self, message: b.DiscardDeadLetter) -> b.Changed | Refused:
        task = self._read_in(TaskStatus.DEAD_LETTER, message.task_id)
        if isinstance(task, Refused):
            return task
        after = rules.discarded(task, self._now_ms)
        details = self._by(message.discarded_by, previous_status=task.status.value)
        self._save(task, after, DISCARDED, details, event="task_cancelled", cause=DISCARDED)
        return b.Changed(after.id, after.status, after.priority)

    def recover_discarded(self, message: b.RecoverDiscarded) -> b.Changed | Refused:
        task = self._read(message.task_id)
        at = self._storage.dead_letters.discarded_at(task.key) if task is not None else None
        if task is None or task.status is not TaskStatus.CANCELLED or at is None or at < self._discarded_since():
            return Refused(Refusal.NOT_FOUND, "no task that was discarded within 24 hours")
        after = rules.recovered(task, self._now_ms)
        details = self._by(message.recovered_by)
        self._save(task, after, "recovered", details, event="task_dead_letter", cause="recovered")
        return b.Changed(after.id, after.status, after.priority)

    def _by(self, name: str | None, **more: object) -> dict[str, object]:
        """For the history: who it was, and how (``way``, or the ``operation`` that it is part of), as far as that was said."""
        return {"by": name, **self._how, **more}

    def _discarded_since(self) -> int:
        return self._now_ms - int(self._options.discarded_hours * 3_600_000)

    def change_lane(self, message: b.ChangeLane) -> b.Changed | Refused:
        task = self._read_in(TaskStatus.QUEUED, message.task_id)
        if isinstance(task, Refused):
            return task
        if not 0 <= message.lane <= 3:
            return Refused(Refusal.INVALID_STATE, "there is no such lane")
        if task.priority == message.lane:
            return b.Changed(task.id, task.status, task.priority)
        was_ready = task.key in self._ready
        after = rules.moved(task, message.lane, self._storage.next_seq(), self._now_ms)
        details = self._by(message.changed_by, **{"from": task.priority, "to": after.priority})
        self._save(task, after, "moved", details, event="task_moved", cause=str(int(task.priority)))
        if was_ready:
            self._make_ready(after)
        return b.Changed(after.id, after.status, after.priority)

    def reassign(self, message: b.Reassign) -> b.Changed | Refused:
        task = self._read_in(TaskStatus.QUEUED, message.task_id)
        if isinstance(task, Refused):
            return task
        if message.agent is not None and not self._storage.directory.is_agent(message.agent):
            return Refused(Refusal.INVALID_STATE, f"nobody knows an agent {message.agent}")
        if task.assign_to == message.agent:
            return b.Changed(task.id, task.status, task.priority)
        was_ready = task.key in self._ready
        after = rules.reassigned(task, message.agent, self._storage.next_seq(), self._now_ms)
        details = self._by(message.changed_by, **{"from": task.assign_to, "to": after.assign_to})
        self._storage.write_now()
        self._save(task, after, "reassigned", details, event="task_reassigned", cause=task.assign_to)
        self._storage.write_now()
        if was_ready:
            self._make_ready(after)
        return b.Changed(after.id, after.status, after.priority)

    # --- many at once, and questions ----------------------------------------------------------------------------------

    def bulk(self, message: object) -> object:
        match message:
            case b.Preview():
                return self._bulk.preview(message, self.runtime.new_id(6), self._now_s, self._now_ms)
            case b.ContinuePreview():
                return self._bulk.continue_preview(message)
            case b.StartOperation():
                self._step_after(0.0)
                return self._bulk.begin(message, self._now_s, self._now_ms)
            case b.CancelOperation():
                return self._bulk.cancel(message, self._now_ms)
            case b.ReadOperation():
                return self._bulk.details(message.operation, self._now_s)
            case b.ListOperations():
                return self._bulk.newest(message.limit)
        raise TypeError(type(message).__name__)

    def step_operations(self, _: b.StepOperations) -> None:
        self._steps_due = False
        pause_s = self._bulk.step(self._now_s, self._now_ms)
        if pause_s is not None:
            self._step_after(pause_s)

    def _step_after(self, seconds: float) -> None:
        if not self._steps_due:
            self._steps_due = True
            self.send_after(seconds, b.StepOperations())

    def read_key(self, key: int) -> Task | None:
        """For the bulk operations, which are part of this."""
        return self._read_key(key)

    def do_by_hand(self, message: object, operation: str) -> object:
        return self._handle_as({"operation": operation}, message)

    def _handle_as(self, how: dict[str, str], message: object) -> object:
        self._how = how
        try:
            return self._handle_one(message)
        finally:
            self._how = {}

    def question(self, message: object) -> object:
        return self._questions.answer(message, self._now_s, self._now_ms)

    def mute(self, message: s.MuteDeadGroup) -> s.Mute | Refused:
        dead = self._storage.dead_letters
        if dead.count_muted(self._now_ms) >= MUTES:
            return Refused(Refusal.OVERLOADED, f"{MUTES} groups are muted; end one of them first")
        until = self._now_ms + message.for_ms
        muted = dead.mute(message.group, message.by, message.note, self._now_ms, until)
        return muted if muted is not None else Refused(Refusal.NOT_FOUND, "no such group of dead letters")

    def unmute(self, message: s.UnmuteDeadGroup) -> bool:
        return self._storage.dead_letters.unmute(message.group)

    # --- leases, sweeps -----------------------------------------------------------------------------------------------

    def renew_leases(self, message: v.RenewLeases) -> None:
        self._leases.renew(message.owners, self._now_s)

    def limit_lease(self, message: v.LimitLease) -> None:
        key = key_of(message.task_id)
        if key is not None:
            self._leases.limit(key, message.generation, message.cause, self._now_s, message.seconds)

    def sweep(self, _sweep: Sweep) -> None:
        now_s, now_ms = self._now_s, self._now_ms
        for lease in self._leases.expired(now_s):
            task = self._assigned.get(lease.key)
            if task is None or task.generation != lease.generation:
                self._leases.end(lease.key)
            else:
                self._reclaim(task, lease.cause)
        while self._waiting and self._waiting[0][0] <= now_s:
            _, key, generation = heapq.heappop(self._waiting)
            self._end_back_off(key, generation)
        while self._deadlines and self._deadlines[0][0] <= now_ms:
            task = self._read_key(heapq.heappop(self._deadlines)[1])
            if task is not None and task.status not in FINAL and (task.complete_by or now_ms + 1) <= now_ms:
                self._expire(task)
        if now_s >= self._next_prune:
            self._next_prune = now_s + self._options.prune_period_s
            self._prune(now_ms)
        self._housekeeping_due = True

    def _end_back_off(self, key: int, generation: int) -> None:
        task = self._read_key(key)
        is_same = task is not None and generation in (-1, task.generation)
        if task is not None and is_same and task.status is QUEUED and key not in self._ready:
            self._make_ready(task)
            self._publish("task_ready", task, QUEUED)

    def _expire(self, task: Task) -> None:
        after = rules.past_deadline(task, self._now_ms)
        owner = task.assigned_to if task.status is ASSIGNED else None
        self._save(
            task,
            after,
            "dead_letter",
            rules.DEADLINE_PASSED,
            event="task_dead_letter",
            agent_id=owner,
            failed=True,
            cause="deadline",
        )

    def _prune(self, now_ms: int) -> None:
        before = now_ms - int(self._options.retention_days * 86_400_000)
        for task in self._storage.prune(before, self._options.prune_slice):
            self._publish("task_pruned", task, task.status)
        self._storage.dead_letters.forget(self._discarded_since(), before, self._options.prune_slice)
        self._storage.operations.prune(before, self._options.prune_slice)
        self._audit.prune(now_ms, self._options)
        self._storage.prune_keys(now_ms - int(self._options.idempotency_hours * 3_600_000), self._options.prune_slice)

    # --- for scheduler and dashboard ----------------------------------------------------------------------------------

    def backlog(self, _: v.ReadBacklog) -> v.Backlog:
        return self._ready.backlog()

    def overview(self, message: v.ReadOverview) -> Overview:
        return Overview(
            stats=self.stats(),
            completions=self._storage.completions(message.completions),
            dead_letters=self._storage.list_dead_letters(None, message.dead_letters).tasks,
            assigned=tuple(self._assigned.values()),
            minutes=self._storage.minutes((self._now_ms - message.window_s * 1000) // 60_000),
            agents=self._directory.agents(),
            finished=self._storage.finished(self._now_ms - message.window_s * 1000, message.finished),
        )

    def finished(self, message: v.ReadFinished) -> tuple[fleet.FinishedAttempt, ...]:
        return self._storage.finished(0, message.limit)[-message.limit :]

    def agent_records(self, message: fleet.ReadAgentRecords) -> fleet.AgentRecords:
        """What an agent holds, until when, and what its last tasks are called."""
        now_s = self._now_s
        held = tuple(
            fleet.Held(
                *(task.id, task.generation, task.description, task.assigned_at or 0, task.accepted_at),
                left_ms=max(0, int((self._leases.deadline_of(task.key) - now_s) * 1000)),
            )
            for task in self.assigned_to(v.AssignedTo(message.agent_id))[:RECORDS_SHOWN]
        )
        keys = [key for one in message.task_ids[:RECORDS_SHOWN] if (key := key_of(one)) is not None]
        titles = {task.id: task.description for task in self._storage.read_many(keys).values()}
        work = self._rollups.work_of(message.agent_id, self._now_ms)
        return fleet.AgentRecords(held, titles, self._storage.directory.connections(message.agent_id), work)

    def directory(self, message: Any) -> object:
        """Identities, settings, enrolment and known agents live in the same database, so the one writer serves them."""
        return self._directory.handle(message, self._now_ms)

    def notices(self, message: Any) -> object:
        """Whom to tell, what, and what became of it: rows for the notifier process, for the same reason."""
        return self._notices.handle(message, self._now_ms)

    def rollups(self, message: Any) -> object:
        """What the trends are made from; the one writer keeps it as well."""
        return self._rollups.handle(message, self._now_ms)

    def vitals(self, _: t.ReadVitals) -> t.Vitals:
        refused = self._admission.refusal(self._now_s)
        no_space = refused.detail if refused is not None and refused.reason is Refusal.NO_SPACE else None
        oldest, disk = self._storage.oldest_waiting(self._now_ms), disk_space(self._path.parent)
        mutes = self._storage.dead_letters.mutes()
        return t.Vitals(oldest, *disk, no_space, self._notices.disabled_webhooks(), mutes)

    def storage_figures(self, _: ReadStorage) -> StorageFigures:
        at, messages, took_s = self._last_commit
        last = Commit(at, messages, round(took_s * 1_000_000)) if self._commits else None
        database, wal = self._storage.sizes()
        free, size = disk_space(self._path.parent)
        return StorageFigures(
            *(str(self._path), self._storage.schema, database, wal, free, size), commits=self._commits, last_commit=last
        )

    def save_tails(self, message: SaveTails) -> None:
        """Of tasks that are still there."""
        keyed = [(key, one) for one in message.tails if (key := key_of(one.task_id)) is not None]
        known = [(key, one) for key, one in keyed if self._read_key(key) is not None]
        if known:
            self._storage.output.save(known, self._now_ms)

    def read_tails(self, message: ReadTails) -> tuple[Tail, ...]:
        key = key_of(message.task_id)
        rows = self._storage.output.read(key) if key is not None else ()
        return tuple(Tail(message.task_id, *row) for row in rows)

    # --- the audit log ------------------------------------------------------------------------------------------------

    def audited(self, message: Audited) -> object:
        """The request and its entry are one transaction: neither is ever there without the other."""
        before = self._audit.before(message.request)
        answer = self._handle_as({"way": message.by.way}, message.request)
        self._audit.add(message, before, answer, self._now_ms)
        return answer

    def record_audit(self, message: RecordAudit) -> None:
        self._audit.record(message, self._now_ms)

    def read_audit(self, message: ReadAudit) -> object:
        return self._audit.page(message)

    # --- shared by the handlers ---------------------------------------------------------------------------------------

    def _read(self, task_id: str) -> Task | None:
        key = key_of(task_id)
        return self._read_key(key) if key is not None else None

    def _read_in(self, status: TaskStatus, task_id: str) -> Task | Refused:
        task = self._read(task_id)
        if task is None:
            return Refused(Refusal.NOT_FOUND, "no such task")
        if task.status is not status:
            return Refused(Refusal.INVALID_STATE, f"the task is {task.status.value}")
        return task

    def _read_key(self, key: int) -> Task | None:
        return self._assigned.get(key) or self._storage.read(key)

    def _live(self, task_id: str, owner: str, generation: int | None) -> Task | Refused:
        task = self._read(task_id)
        if task is None:
            return Refused(Refusal.NOT_FOUND, "no such task")
        return rules.is_live(task, owner, generation) or task

    def _make_ready(self, task: Task) -> None:
        self._ready.add(task.key, task.priority, task.seq, frozenset(task.needed_capabilities), task.assign_to)

    def _save(
        self,
        before: Task | None,
        after: Task,
        entry: str | None,
        details: object = None,
        *,
        event: str | None,
        agent_id: str | None = None,
        failed: bool = False,
        cause: str | None = None,
        finish: Finish | None = None,
    ) -> None:
        """Write a transition and remember its event, if it is news, for after the commit."""
        history = HistoryEntry(entry, after.updated_at, details) if entry is not None else None
        if failed and finish is None:
            finish = Finish(failed=1)
        self._storage.save(before, after, history, finish)
        if after.status is not ASSIGNED:
            if self._assigned.pop(after.key, None) is not None:
                self._leases.end(after.key)
            if before is not None:
                self._ready.remove(after.key)
        if event is not None:
            previous = before.status if before is not None else None
            self._publish(event, after, previous, agent_id=agent_id, failed=failed, cause=cause)

    def _publish(
        self,
        event: str,
        task: Task,
        previous: TaskStatus | None,
        *,
        agent_id: str | None = None,
        failed: bool = False,
        cause: str | None = None,
        progress: int | None = None,
    ) -> None:
        self._events.append(TaskEvent(event, task, self._now_ms, agent_id, previous, failed, cause, progress))


def _event_of(after: Task, queued_event: str) -> str:
    return "task_dead_letter" if after.status is DEAD_LETTER else queued_event


def _hash(new: NewTask) -> bytes:
    """Of everything that makes the task, so that the same key with another body is noticed."""
    body = (
        new.description,
        int(new.priority),
        new.metadata,
        sorted(new.needed_capabilities),
        new.max_retries,
        new.complete_by,
        new.assign_to,
        new.extras,
    )
    return hashlib.sha256(to_json(body).encode()).digest()


__all__ = ["TaskQueue", "TaskQueueOptions"]
