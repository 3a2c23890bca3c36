"""Many tasks at once, a few at a time: previews in memory, operations in the database.

Belongs to ``TaskQueue`` and runs inside its transactions: what was done to a task and that it was done are stored together, so
a crash between two steps repeats nothing and leaves nothing out. A step takes a bounded number of tasks, so the other work
waits for milliseconds at most.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from actors.storage import Storage
from actors.task_ids import id_of
from actors.vocabulary import bulk as b
from actors.vocabulary import tasks as v
from actors.vocabulary.tasks import Refusal, Refused, Task, TaskStatus
from wire.task_filter import Filter, Term

#: Tasks of one step over all operations, and the pause between two steps.
STEP_TASKS = 200
STEP_PAUSE_S = 0.02

#: How often a probe is looked at, and the longest pause of an operation that is spread over a time.
PROBE_PERIOD_S = 0.5
PACE_PERIOD_S = 0.5

#: Previews that are kept, and for how long; tasks of one operation; operations at once.
PREVIEWS = 8
PREVIEW_S = 600.0
MAX_TASKS = 1_000_000
MAX_RUNNING = 20

SAMPLES = 5
PROBLEMS_SHOWN = 50
#: Tasks whose fate is told with an operation, and how old the telling may be.
OUTCOME_OF = 10_000
OUTCOME_AGE_S = 2.0

_TITLE_CHARS = 120

#: Instead of a generation in a plan: the task changed after the time that the operation is about.
CHANGED = -1


class Queue(Protocol):
    """What an operation needs of the queue: its way to read a task and its own requests by hand."""

    def read_key(self, key: int) -> Task | None: ...
    def do_by_hand(self, message: object, operation: str) -> object:
        """``operation``: on whose account it stands in the task's history."""


@dataclass(slots=True)
class _Preview:
    """``plan``: key and generation of each task, one after the other; generation ``CHANGED``: it changed after ``as_of``."""

    id: str
    action: b.BulkAction
    filter: Filter
    asked: Filter | None
    """As it was asked for, None for a list of ids."""
    as_of: int
    made_s: float
    plan: array[int] = field(default_factory=lambda: array("q"))
    changed: int = 0
    position: str | None = None
    is_complete: bool = False

    @property
    def count(self) -> int:
        return len(self.plan) // 2


@dataclass(slots=True)
class _Running:
    """An operation that is under way. What is spread over a time is so from ``from_s`` and ``from_position`` on."""

    operation: b.Operation
    from_s: float
    from_position: int
    look_s: float = 0.0
    """When a probe is looked at next."""

    def due(self, now_s: float) -> int:
        """How many tasks may be looked at now."""
        operation = self.operation
        left = operation.total - operation.position
        if operation.over_ms <= 0:
            return left
        allowed = self.from_position + int((now_s - self.from_s) * 1000 * operation.total / operation.over_ms) + 1
        return max(0, min(left, allowed - operation.position))


class BulkOperations:
    """Everything here happens in the current transaction of ``storage``, which the queue ends."""

    def __init__(self, queue: Queue, storage: Storage) -> None:
        self._queue = queue
        self._storage = storage
        self._store = storage.operations
        self._previews: dict[str, _Preview] = {}
        self._running: dict[str, _Running] = {}
        self._outcomes: dict[str, tuple[float, int, dict[str, int]]] = {}
        """When it was counted, how many had been done by then, and what they were."""

    def start(self, now_s: float) -> bool:
        """Take up what was running when the hub ended; whether there is something."""
        for operation in self._store.running():
            self._running[operation.id] = _Running(operation, now_s, operation.position)
        return bool(self._running)

    # --- previews -----------------------------------------------------------------------------------------------------

    def preview(self, message: b.Preview, new_id: str, now_s: float, now_ms: int) -> b.Previewed:
        """``message.filter`` and ``message.ids``: one of the two."""
        wanted = Term("state", b.APPLIES_TO[message.action])
        asked = message.filter if message.filter is not None else Filter((Term("id", message.ids),))
        made = _Preview(
            id=f"pv-{new_id}",
            action=message.action,
            filter=Filter((*asked.terms, wanted)),
            asked=message.filter,
            as_of=min(message.as_of, now_ms) if message.as_of is not None else now_ms,
            made_s=now_s,
        )
        self._forget_previews(now_s)
        self._previews[made.id] = made
        return self._look_further(made)

    def continue_preview(self, message: b.ContinuePreview) -> b.Previewed | Refused:
        made = self._previews.get(message.preview)
        return _unknown_preview() if made is None else self._look_further(made)

    def _look_further(self, made: _Preview) -> b.Previewed:
        if not made.is_complete:
            rows, made.position = self._storage.search.collect(made.filter, made.position, made.as_of)
            for key, generation, updated_at in rows:
                is_changed = updated_at > made.as_of
                made.changed += is_changed
                made.plan.extend((key, CHANGED if is_changed else generation))
            made.is_complete = made.position is None or made.count >= MAX_TASKS
        return b.Previewed(
            preview=made.id,
            action=made.action,
            count=made.count,
            changed=made.changed,
            as_of=made.as_of,
            is_complete=made.is_complete,
            samples=self._samples(made) if made.is_complete else (),
        )

    def _samples(self, made: _Preview) -> tuple[dict[str, Any], ...]:
        """From the whole of it, not only the newest ones."""
        step = max(1, made.count // SAMPLES)
        keys = [made.plan[2 * at] for at in range(0, made.count, step)][:SAMPLES]
        return tuple(sample_of(task) for key in keys if (task := self._queue.read_key(key)) is not None)

    def _forget_previews(self, now_s: float) -> None:
        old = [id_ for id_, made in self._previews.items() if now_s - made.made_s > PREVIEW_S]
        for id_ in old + list(self._previews)[: max(0, len(self._previews) - PREVIEWS + 1)]:
            self._previews.pop(id_, None)

    # --- from the start to the end ------------------------------------------------------------------------------------

    def begin(self, message: b.StartOperation, now_s: float, now_ms: int) -> b.Operation | Refused:
        """The operation of a preview has the preview's number, so starting it twice is starting it once."""
        id_ = "op-" + message.preview.removeprefix("pv-")
        known = self.read_now(id_)
        if known is not None:
            return known
        made = self._previews.get(message.preview)
        if made is None or now_s - made.made_s > PREVIEW_S:
            return _unknown_preview()
        fault = _fault_of(message, made) or self._unknown_agent(message.agent)
        if fault is not None:
            return Refused(Refusal.INVALID_STATE, fault)
        if len(self._running) >= MAX_RUNNING:
            return Refused(Refusal.OVERLOADED, f"{MAX_RUNNING} operations are running; cancel one or wait for its end")
        operation = b.Operation(
            id=id_,
            action=made.action,
            lane=message.lane,
            query=str(made.asked) if made.asked is not None else None,
            dead_group=_group_of(made.asked),
            made_by=message.made_by,
            as_of=made.as_of,
            over_ms=message.over_ms,
            probe=min(message.probe, made.count),
            state="probing" if message.probe and made.count > message.probe else "running",
            total=made.count,
            position=0,
            done=0,
            skipped=0,
            failed=0,
            note="",
            made_at=now_ms,
            ended_at=None,
            agent=message.agent,
        )
        self._store.add(operation, made.plan)
        del self._previews[message.preview]
        self._running[id_] = _Running(operation, now_s, 0)
        return operation

    def _unknown_agent(self, agent: str | None) -> str | None:
        if agent is None or self._storage.directory.is_agent(agent):
            return None
        return f"nobody knows an agent {agent}"

    def cancel(self, message: b.CancelOperation, now_ms: int) -> b.Operation | Refused:
        running = self._running.get(message.operation)
        if running is None:
            known = self._store.read(message.operation)
            return known if known is not None else Refused(Refusal.NOT_FOUND, "no such operation")
        left = running.operation.total - running.operation.position
        note = f"cancelled by {message.cancelled_by or 'somebody'} with {left:,} tasks not looked at"
        return self._end(running, "cancelled", note, now_ms, ())

    # --- steps --------------------------------------------------------------------------------------------------------

    def step(self, now_s: float, now_ms: int) -> float | None:
        """Do the next bit of everything that runs. Seconds until the next step, None when nothing runs."""
        pauses = []
        share = max(1, STEP_TASKS // max(1, len(self._running)))
        for running in list(self._running.values()):
            pauses.append(self._advance(running, share, now_s, now_ms))
        return min(pauses) if self._running else None

    def _advance(self, running: _Running, share: int, now_s: float, now_ms: int) -> float:
        operation = running.operation
        if operation.state == "probing" and operation.done >= operation.probe:
            return self._look_at_probe(running, now_s, now_ms)
        due = running.due(now_s) if operation.state == "running" else operation.probe - operation.done
        plan = self._store.plan(operation.id, operation.position, min(share, due)) if due > 0 else []
        if not plan and operation.position < operation.total:
            return PACE_PERIOD_S
        items = [(key, *self._do(operation, key, generation)) for key, generation in plan]
        counts = {kind: sum(outcome == kind for _, outcome, _ in items) for kind in ("done", "skipped", "failed")}
        operation = replace(
            operation,
            position=operation.position + len(plan),
            done=operation.done + counts["done"],
            skipped=operation.skipped + counts["skipped"],
            failed=operation.failed + counts["failed"],
        )
        running.operation = operation
        if operation.position >= operation.total and operation.state == "running":
            self._end(running, "finished", "", now_ms, items)
        elif operation.position >= operation.total and operation.done == 0:
            self._end(running, "finished", "nothing was left to probe", now_ms, items)
        else:
            if operation.position >= operation.total:  # fewer were left than the probe was to have
                running.operation = replace(operation, probe=operation.done)
            self._store.write(running.operation, items)
        return STEP_PAUSE_S if running.operation.state == "probing" or running.due(now_s) else PACE_PERIOD_S

    def _do(self, operation: b.Operation, key: int, generation: int) -> tuple[str, str]:
        """(outcome, why) for one task."""
        task = self._queue.read_key(key)
        if task is None:
            return "skipped", "it is gone"
        if generation == CHANGED or task.generation != generation:
            return "skipped", "it changed after the preview"
        if task.status.value not in _STORED_AS[operation.action]:
            return "skipped", f"it is {task.status.value}"
        answer = self._queue.do_by_hand(_request(operation, task), operation.id)
        if isinstance(answer, Refused):
            is_over = answer.reason in (Refusal.NOT_FOUND, Refusal.INVALID_STATE)
            return "skipped" if is_over else "failed", answer.detail
        return "done", ""

    def _look_at_probe(self, running: _Running, now_s: float, now_ms: int) -> float:
        """The rest follows when every task of the probe completed; nothing does as soon as one failed again."""
        if now_s < running.look_s:
            return running.look_s - now_s
        running.look_s = now_s + PROBE_PERIOD_S
        operation = running.operation
        tasks = [self._queue.read_key(key) for key in self._store.done_keys(operation.id, operation.probe)]
        completed = sum(task is not None and task.status is TaskStatus.COMPLETED for task in tasks)
        bad = [task for task in tasks if _failed_again(task)]
        left = operation.total - operation.position
        if bad:
            example = bad[0].last_error if bad[0] is not None and bad[0].last_error else "no error text"
            note = f"{len(bad)} of the {len(tasks)} probed failed again ({example[:200]}), so {left:,} were not retried"
            self._end(running, "probe_failed", note, now_ms, ())
        elif completed == len(tasks):
            note = f"all {completed} probed completed, so the rest follows"
            running.operation = replace(operation, state="running", note=note)
            running.from_s, running.from_position = now_s, operation.position
            self._store.write(running.operation, ())
            if left == 0:
                self._end(running, "finished", note, now_ms, ())
            return STEP_PAUSE_S
        else:
            note = f"waiting for the probe: {completed} of {len(tasks)} completed"
            if note != operation.note:
                running.operation = replace(operation, note=note)
                self._store.write(running.operation, ())
        return PROBE_PERIOD_S

    def _end(
        self, running: _Running, state: str, note: str, now_ms: int, items: list[tuple[int, str, str]] | tuple[()]
    ) -> b.Operation:
        operation = replace(running.operation, state=state, note=note or running.operation.note, ended_at=now_ms)
        self._store.write(operation, items)
        running.operation = operation
        self._running.pop(operation.id, None)
        return operation

    # --- reading ------------------------------------------------------------------------------------------------------

    def read_now(self, id_: str) -> b.Operation | None:
        running = self._running.get(id_)
        return running.operation if running is not None else self._store.read(id_)

    def details(self, id_: str, now_s: float) -> b.OperationDetails | Refused:
        operation = self.read_now(id_)
        if operation is None:
            return Refused(Refusal.NOT_FOUND, "no such operation")
        problems = tuple(
            {"task_id": id_of(key), "outcome": outcome, "detail": detail}
            for key, outcome, detail in self._store.problems(id_, PROBLEMS_SHOWN)
        )
        return b.OperationDetails(operation, self.outcome(operation, now_s), min(operation.done, OUTCOME_OF), problems)

    def outcome(self, operation: b.Operation, now_s: float) -> dict[str, int]:
        """What its tasks are now, by status, of the first ``OUTCOME_OF``; at most ``OUTCOME_AGE_S`` old, and never of fewer tasks
        than the operation has done."""
        known = self._outcomes.get(operation.id)
        if known is not None and 0 <= now_s - known[0] < OUTCOME_AGE_S and known[1] == operation.done:
            return known[2]
        if len(self._outcomes) >= 100:
            self._outcomes.clear()
        counted = self._store.outcome(operation.id, OUTCOME_OF)
        self._outcomes[operation.id] = (now_s, operation.done, counted)
        return counted

    def newest(self, limit: int) -> tuple[b.Operation, ...]:
        return tuple(self.read_now(one.id) or one for one in self._store.newest(limit))


#: Statuses of a task that an action may be done to; a discarded one is cancelled.
_STORED_AS = {
    action: {"cancelled" if state == "discarded" else state for state in states}
    for action, states in b.APPLIES_TO.items()
}


def _request(operation: b.Operation, task: Task) -> object:
    match operation.action:
        case b.BulkAction.RETRY:
            return v.RetryDeadLetter(task.id, operation.made_by)
        case b.BulkAction.CANCEL:
            return v.Cancel(task.id, operation.made_by)
        case b.BulkAction.DISCARD:
            return b.DiscardDeadLetter(task.id, operation.made_by)
        case b.BulkAction.RECOVER:
            return b.RecoverDiscarded(task.id, operation.made_by)
        case b.BulkAction.LANE:
            return b.ChangeLane(task.id, operation.lane or 0, operation.made_by)
        case b.BulkAction.REASSIGN:
            return b.Reassign(task.id, operation.agent, operation.made_by)


def _failed_again(task: Task | None) -> bool:
    """A task of a probe came to a bad end, or failed an attempt."""
    if task is None or task.status in (TaskStatus.DEAD_LETTER, TaskStatus.CANCELLED):
        return True
    return task.status is not TaskStatus.COMPLETED and task.retry_count > 0


def _fault_of(message: b.StartOperation, made: _Preview) -> str | None:
    if not made.is_complete:
        return "the preview is not complete"
    if message.action is not made.action:
        return f"the preview is one of {made.action.value}"
    if (message.action is b.BulkAction.LANE) != (message.lane is not None):
        return "a lane belongs to the action lane, and to no other"
    if message.agent is not None and message.action is not b.BulkAction.REASSIGN:
        return "an agent belongs to the action reassign, and to no other"
    if message.probe and message.action is not b.BulkAction.RETRY:
        return "only retries can be probed"
    if made.count == 0:
        return "no task fits"
    return None


def _group_of(asked: Filter | None) -> str | None:
    """The group that the filter is about and nothing more."""
    groups = asked.only("group") if asked is not None else None
    return str(groups[0]) if groups is not None and len(groups) == 1 else None


def _unknown_preview() -> Refused:
    return Refused(Refusal.NOT_FOUND, "no such preview; it may be too old, or the hub was restarted: preview again")


def sample_of(task: Task) -> dict[str, Any]:
    """Enough of a task to recognise it."""
    return {
        "id": task.id,
        "title": task.description[:_TITLE_CHARS],
        "status": task.status.value,
        "priority": task.priority,
        "assigned_to": task.assigned_to,
        "last_error": task.last_error[:_TITLE_CHARS] if task.last_error is not None else None,
    }
