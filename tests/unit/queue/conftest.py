"""A real queue on a real file, on a manual clock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pykka
import pytest

from actors.task_queue import TaskQueue, TaskQueueOptions
from actors.vocabulary import names
from actors.vocabulary import tasks as v
from actors.vocabulary.events import TASKS, TaskEvent
from supervision.actor import Actor
from supervision.bus import Published
from supervision.clock import ManualClock
from supervision.runtime import Runtime


class Recorder(Actor):
    handles = {Published: "note"}

    def __init__(self) -> None:
        super().__init__()
        self.events: list[TaskEvent] = []

    def on_start(self) -> None:
        self.runtime.bus.subscribe(TASKS, self.actor_ref)

    def note(self, published: Published) -> None:
        self.events.append(published.event)


class Queue:
    """Asks the actor; ``reopen`` kills it without warning and starts another on the same file."""

    def __init__(self, path: Path, options: TaskQueueOptions | None = None) -> None:
        self.path = path
        self.options = options or TaskQueueOptions()
        self.runtime = Runtime(clock=ManualClock(), seed=3)
        self.fatal: list[BaseException] = []
        self.recorder = self.runtime.spawn(Recorder)
        self._start()

    def _start(self) -> None:
        self.ref: pykka.ActorRef[Any] = self.runtime.spawn(
            TaskQueue, self.path, self.options, self.fatal.append, name=names.TASK_QUEUE
        )

    def reopen(self) -> None:
        cell = self.runtime.names.cell(names.TASK_QUEUE)
        assert cell is not None
        cell.revoke("test")
        self.runtime.settle()
        self._start()

    def ask(self, message: object) -> Any:
        answer = self.ref.ask(message, timeout=10)
        self.runtime.settle()
        return answer

    def submit(self, description: str = "work", **fields: Any) -> str:
        answer = self.ask(v.SubmitTasks((v.NewTask(description, **fields),), "me"))[0]
        assert isinstance(answer, v.Submitted), answer
        return answer.task_id

    def claim(self, agent: str = "a", *capabilities: str) -> v.Task | None:
        task: v.Task | None = self.ask(v.Claim((v.Offer(agent, frozenset(capabilities)),)))[0]
        return task

    def task(self, task_id: str) -> v.Task:
        task = self.ask(v.GetTask(task_id))
        assert isinstance(task, v.Task), task
        return task

    def events(self) -> list[TaskEvent]:
        self.runtime.settle()
        return list(self.recorder.proxy().events.get(timeout=5))

    def wait(self, seconds: float) -> None:
        self.runtime.advance(seconds)

    def close(self) -> None:
        self.ref.stop()
        self.runtime.settle()
        self.runtime.close()


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    made = Queue(tmp_path / "hub.db")
    yield made
    made.close()
