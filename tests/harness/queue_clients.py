"""A real ``TaskQueue`` on a real file, driven by several clients at once in one process, who write down what they saw.

It runs on a manual clock, so that leases, back-offs and jumps of the wall clock are steps of a script and not waiting. Clients
know what the contract lets them know, and no more: generations and owners from claims, and times from a clock that they share.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from actors.storage import StorageFailed
from actors.task_queue import TaskQueue, TaskQueueOptions
from actors.vocabulary import names
from actors.vocabulary import tasks as v
from actors.vocabulary.events import TASKS, TaskEvent
from supervision.actor import Actor
from supervision.bus import Published
from supervision.clock import ManualClock
from supervision.runtime import Runtime
from tests.harness import checks, linearizability
from tests.harness.history import FAIL, OK, UNKNOWN, Operation

AGENTS = ("a", "b", "c")
ANSWER_LIMIT_S = 10.0


class Listener(Actor):
    """Notes every event that is published."""

    handles = {Published: "note"}

    def __init__(self, note: Callable[[TaskEvent], None]) -> None:
        super().__init__()
        self._note = note

    def on_start(self) -> None:
        self.runtime.bus.subscribe(TASKS, self.actor_ref)

    def note(self, published: Published) -> None:
        self._note(published.event)


@dataclass
class Clients:
    """One queue, and the operations that its clients saw. ``crash`` ends the queue between two instructions of a batch."""

    path: Path
    options: TaskQueueOptions
    seed: int = 1
    operations: list[Operation] = field(default_factory=list)
    attempts: dict[str, tuple[int, str]] = field(default_factory=dict)
    """The last attempt of a task that a claim returned."""
    events: list[TaskEvent] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.clock = ManualClock()
        self.runtime = Runtime(clock=self.clock, seed=self.seed)
        self.fatal: list[BaseException] = []
        self.tasks: list[str] = []
        self._tick = 0
        self.runtime.spawn(Listener, self.events.append)
        self.open()

    # --- life ---------------------------------------------------------------------------------------------------------

    def open(self) -> None:
        self._ref = self.runtime.spawn(TaskQueue, self.path, self.options, self.fatal.append, name=names.TASK_QUEUE)

    def crash(self) -> None:
        """As a kill: what is not committed is gone. Then the next incarnation."""
        cell = self.runtime.names.cell(names.TASK_QUEUE)
        if cell is not None:
            queue: Any = cell.actor
            cell.revoke("test")
            self.runtime.settle()
            if queue is not None:
                queue._storage.close()
        self.open()

    def crash_at_commit(self) -> None:
        """The process ends instead of the next commit; its callers get no answer."""
        connection = self._queue()._storage._connection

        def die() -> None:
            connection.rollback()
            raise StorageFailed("planted")

        connection.commit = die

    def _queue(self) -> Any:
        cell = self.runtime.names.cell(names.TASK_QUEUE)
        assert cell is not None
        return cell.actor

    def close(self) -> None:
        self.runtime.close()

    def wait(self, seconds: float) -> None:
        self.runtime.advance(seconds)

    # --- asking -------------------------------------------------------------------------------------------------------

    def ask(
        self, client: str, op: str, message: object, judge: Callable[[Any], tuple[str, dict[str, Any]]], **args: Any
    ) -> Any:
        """One operation, alone. An exception leaves it unknown."""
        return self.together([(client, op, message, judge, args)])[0]

    def together(
        self, calls: list[tuple[str, str, object, Callable[[Any], tuple[str, dict[str, Any]]], dict[str, Any]]]
    ) -> list[Any]:
        """Operations that run at the same time: all are asked before the first answer is read."""
        start = self._now()
        futures = [self._begin(message) for _, _, message, _, _ in calls]
        answers = []
        for (client, op, _, judge, args), future in zip(calls, futures, strict=True):
            outcome, answer = UNKNOWN, None
            value: dict[str, Any] = {}
            try:
                answer = future.get(timeout=ANSWER_LIMIT_S)
                outcome, value = judge(answer)
            except Exception:  # whatever it is: the client does not know what became of it
                answer = None
            end = self._now() if outcome != UNKNOWN else float("inf")
            self.operations.append(Operation(client, op, {**args, **value.pop("args", {})}, start, end, outcome, value))
            answers.append(answer)
        self.runtime.settle()
        return answers

    def _begin(self, message: object) -> Any:
        return self._ref.ask(message, block=False)

    def _now(self) -> float:
        """Order is all that the checkers need of time; it never stands still."""
        self._tick += 1
        return float(self._tick)

    # --- the clients' requests ----------------------------------------------------------------------------------------

    def submit(self, key: str | None = None, priority: int = 2, **fields: Any) -> str | None:
        new = v.NewTask("work", priority=priority, idempotency_key=key, **fields)
        answer = self.ask("s", "submit", v.SubmitTasks((new,), "me"), _submitted, key=key, priority=priority)
        if answer is None or not isinstance(answer[0], v.Submitted):
            return None
        self.tasks.append(answer[0].task_id)
        return str(answer[0].task_id)

    def claim(self, agent: str) -> tuple[str, int] | None:
        answer = self.ask(agent, "claim", v.Claim((v.Offer(agent, frozenset()),)), lambda a: _claimed(a, agent))
        if not answer or answer[0] is None:
            return None
        task = answer[0]
        self.attempts[task.id] = (task.generation, agent)
        return task.id, task.generation

    def complete(self, task: str, gen: int, owner: str) -> object:
        message = v.Complete(task, owner, gen, {"by": owner, "gen": gen})
        return self.ask(owner, "complete", message, _refusable, task=task, gen=gen, owner=owner)

    def fail(self, task: str, gen: int, owner: str) -> object:
        return self.ask(owner, "fail", v.Fail(task, owner, gen), _refusable, task=task, gen=gen, owner=owner)

    def reclaim(self, task: str, gen: int, cause: v.ReclaimCause = v.ReclaimCause.AGENT_LOST) -> object:
        return self.ask("reaper", "reclaim", v.Reclaim(task, gen, cause), _refusable, task=task, gen=gen)

    def progress(self, task: str, gen: int, owner: str) -> object:
        return self.ask(owner, "progress", v.Progress(task, owner, gen), _refusable, task=task, gen=gen, owner=owner)

    def cancel(self, task: str) -> object:
        return self.ask("o", "cancel", v.Cancel(task), _refusable, task=task)

    def retry(self, task: str) -> object:
        return self.ask("o", "retry", v.RetryDeadLetter(task), _refusable, task=task)

    def read(self, task: str) -> v.Task | None:
        answer = self.ask("r", "read", v.GetTask(task), _read, task=task)
        return answer if isinstance(answer, v.Task) else None

    def count(self) -> None:
        self.ask("r", "count", v.ReadStats(), _counted)

    # --- the verdict --------------------------------------------------------------------------------------------------

    def verdict(self, *, hidden: bool = False) -> list[str]:
        """Read everything once more, and hold it against what the clients saw."""
        self.count()
        final = {}
        for task_id in dict.fromkeys([*self.tasks, *self._stored()]):
            task = self.read(task_id)
            if task is not None:
                owner = task.assigned_to if task.status in ("assigned", "completed") else None
                final[task_id] = {"status": task.status.value, "gen": task.generation, "owner": owner}
        statuses = {task: str(state["status"]) for task, state in final.items()}
        return [
            *checks.total_queue(self.operations, statuses),
            *checks.exactly_once(self.operations, final),
            *checks.rising_generations(self.operations),
            *checks.order(self.operations),
            *checks.conservation(self.operations, exact=True),
            *linearizability.faults(self.operations, hidden=hidden),
            *self._false_events(final),
        ]

    def _stored(self) -> list[str]:
        return [task.id for task in self._begin(v.ListTasks(limit=500)).get(timeout=ANSWER_LIMIT_S).tasks]

    def _false_events(self, final: Mapping[str, Mapping[str, Any]]) -> list[str]:
        """A dashboard was told of what never became durable (I11)."""
        told = {(event.task.id, event.task.generation) for event in self.events}
        false = [(task, gen) for task, gen in sorted(told) if task not in final or final[task]["gen"] < gen]
        return [f"I11: an event told of generation {gen} of {task}, which is not in the store" for task, gen in false]


def _submitted(answer: Any) -> tuple[str, dict[str, Any]]:
    one = answer[0]
    if isinstance(one, v.Refused):
        return FAIL, {"reason": one.reason.value}
    return OK, {"task": one.task_id, "duplicate": one.duplicate, "args": {"task": one.task_id}}


def _claimed(answer: Any, agent: str) -> tuple[str, dict[str, Any]]:
    task = answer[0]
    if task is None:
        return FAIL, {}
    return OK, {"args": {"task": task.id, "gen": task.generation, "owner": agent}}


def _refusable(answer: Any) -> tuple[str, dict[str, Any]]:
    if isinstance(answer, v.Refused):
        return FAIL, {"reason": answer.reason.value}
    status = getattr(answer, "status", None)
    return OK, {"status": status.value} if status is not None else {}


def _read(answer: Any) -> tuple[str, dict[str, Any]]:
    if isinstance(answer, v.Refused):
        return FAIL, {}
    owner = answer.assigned_to if answer.status in ("assigned", "completed") else None
    return OK, {"status": answer.status.value, "gen": answer.generation, "owner": owner}


def _counted(answer: v.QueueStats) -> tuple[str, dict[str, Any]]:
    return OK, {"total": sum(answer.by_status.values()) + answer.dead_letter}
