"""The life of a task as pure functions: a task and a request in, the next task or a refusal out.

    (new) -> queued -> assigned -> completed
               ^  \\       |  \\
               |   \\      v   `-> queued again (retry, reclaim) or dead_letter
               |    `-> cancelled
               `------ dead_letter (retried by hand) <-> cancelled (discarded by hand, recovered by hand)

The generation grows with every assignment, retry, reclaim and dead-letter retry, and never goes back. A result must match
task, generation and owner; anything else is stale and changes nothing.
"""

from __future__ import annotations

import random

from msgspec.structs import replace

from actors.queue_options import TaskQueueOptions
from actors.task_ids import id_of
from actors.vocabulary.tasks import (
    ASSIGNED,
    CANCELLED,
    CHARGED_CAUSES,
    COMPLETED,
    DEAD_LETTER,
    QUEUED,
    NewTask,
    ReclaimCause,
    Refusal,
    Refused,
    Task,
    TaskStatus,
)

DEADLINE_PASSED = "deadline passed"

#: Which status may follow which. A test walks every pair.
FOLLOWS: dict[TaskStatus, frozenset[TaskStatus]] = {
    QUEUED: frozenset({ASSIGNED, CANCELLED, DEAD_LETTER}),
    ASSIGNED: frozenset({QUEUED, COMPLETED, DEAD_LETTER, CANCELLED, ASSIGNED}),
    DEAD_LETTER: frozenset({QUEUED, CANCELLED}),
    COMPLETED: frozenset(),
    CANCELLED: frozenset({DEAD_LETTER}),  # what was discarded, within its time
}


def new_task(new: NewTask, key: int, seq: int, submitted_by: str | None, now: int) -> Task:
    return Task(
        id=id_of(key),
        key=key,
        seq=seq,
        description=new.description,
        metadata=new.metadata,
        priority=int(new.priority),
        status=QUEUED,
        assigned_to=None,
        assigned_at=None,
        accepted_at=None,
        accepted_on=None,
        generation=0,
        retry_count=0,
        max_retries=new.max_retries,
        reclaim_count=0,
        needed_capabilities=tuple(sorted(set(new.needed_capabilities))) if new.needed_capabilities else (),
        assign_to=new.assign_to,
        last_error=None,
        complete_by=new.complete_by,
        not_before=None,
        result=None,
        tokens_used=0,
        submitted_by=submitted_by,
        created_at=now,
        updated_at=now,
        completed_at=None,
        extras=new.extras,
    )


def claimed(task: Task, owner: str, now: int) -> Task:
    return replace(
        task,
        status=ASSIGNED,
        assigned_to=owner,
        assigned_at=now,
        accepted_at=None,
        accepted_on=None,
        not_before=None,
        generation=task.generation + 1,
        updated_at=now,
    )


def accepted(task: Task, connection: str | None, now: int) -> Task:
    """The agent shows over ``connection`` that it works on this attempt: for the first time, or after it came back."""
    return replace(
        task,
        accepted_at=task.accepted_at if task.accepted_at is not None else now,
        accepted_on=connection if connection is not None else task.accepted_on,
        updated_at=now,
    )


def is_live(task: Task, owner: str, generation: int | None) -> Refused | None:
    """None when (task, generation, owner) is the attempt that runs now. Generation None: whatever the owner holds."""
    if task.status is ASSIGNED and task.assigned_to == owner and generation in (None, task.generation):
        return None
    if task.status is not ASSIGNED and generation in (None, task.generation):
        return Refused(Refusal.INVALID_STATE, f"the task is {task.status.value}")
    return Refused(Refusal.STALE_GENERATION, "another attempt has the task")


def is_same_completion(task: Task, owner: str, generation: int) -> bool:
    """The very attempt that completed the task says so again: its acknowledgement was lost."""
    return task.status is COMPLETED and task.assigned_to == owner and task.generation == generation


def completed(task: Task, result: object, tokens_used: int, now: int) -> Task:
    return replace(
        task,
        status=COMPLETED,
        result=result,
        tokens_used=tokens_used,
        updated_at=now,
        completed_at=now,
    )


def failed(task: Task, error: str, seq: int, back_off_ms: int, now: int) -> Task:
    """``max_retries`` is the number of failures in total: with 3 it is retried twice."""
    retry_count = task.retry_count + 1
    if retry_count >= task.max_retries:
        return replace(task, status=DEAD_LETTER, retry_count=retry_count, last_error=error, updated_at=now)
    return replace(
        _back_to_queue(task, now), seq=seq, retry_count=retry_count, last_error=error, not_before=now + back_off_ms
    )


def reclaimed(task: Task, cause: ReclaimCause, seq: int, max_reclaims: int, now: int) -> Task:
    """A silent end counts against ``max_reclaims`` and costs the place in the lane; a return by the agent does neither."""
    if cause not in CHARGED_CAUSES:
        return _back_to_queue(task, now)
    reclaim_count = task.reclaim_count + 1
    if reclaim_count >= max_reclaims:
        error = f"handed out {reclaim_count} times and never finished (last: {cause.value})"
        return replace(task, status=DEAD_LETTER, reclaim_count=reclaim_count, last_error=error, updated_at=now)
    return replace(_back_to_queue(task, now), seq=seq, reclaim_count=reclaim_count)


def _back_to_queue(task: Task, now: int) -> Task:
    return replace(
        task,
        status=QUEUED,
        assigned_to=None,
        assigned_at=None,
        accepted_at=None,
        accepted_on=None,
        generation=task.generation + 1,
        updated_at=now,
    )


def past_deadline(task: Task, now: int) -> Task:
    return replace(task, status=DEAD_LETTER, last_error=DEADLINE_PASSED, not_before=None, updated_at=now)


def cancelled(task: Task, now: int) -> Task:
    return replace(task, status=CANCELLED, not_before=None, updated_at=now, completed_at=now)


def retried_by_hand(task: Task, seq: int, now: int) -> Task:
    """A dead letter begins anew, with its id and its history; a deadline that has passed would end it again at once."""
    deadline = task.complete_by if task.complete_by is not None and task.complete_by > now else None
    return replace(
        _back_to_queue(task, now),
        seq=seq,
        retry_count=0,
        reclaim_count=0,
        last_error=None,
        complete_by=deadline,
        not_before=None,
    )


def discarded(task: Task, now: int) -> Task:
    return replace(task, status=TaskStatus.CANCELLED, updated_at=now, completed_at=now)


def recovered(task: Task, now: int) -> Task:
    """What was discarded is a dead letter again."""
    return replace(task, status=TaskStatus.DEAD_LETTER, updated_at=now, completed_at=None)


def moved(task: Task, lane: int, seq: int, now: int) -> Task:
    """To the end of another lane."""
    return replace(task, priority=lane, seq=seq, updated_at=now)


def reassigned(task: Task, agent: str | None, seq: int, now: int) -> Task:
    """For one agent, or for anybody; at the end of its lane, so that nobody is overtaken."""
    return replace(task, assign_to=agent, seq=seq, updated_at=now)


def back_off_ms(retry_count: int, options: TaskQueueOptions, chance: random.Random) -> int:
    """Before attempt ``retry_count`` + 2: doubling from the base up to the cap, the upper half of it by chance."""
    full = min(options.retry_base_s * 2 ** min(retry_count, 40), options.retry_cap_s)
    return int(full * chance.uniform(0.5, 1.0) * 1000)
