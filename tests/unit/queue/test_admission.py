"""New tasks are refused before the disk, the memory or the queue's mailbox is full; completions are not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from actors.admission import Admission, free_disk, free_memory
from actors.agent_fsm import AgentOptions
from actors.gateway import MAX_SUBMITTING, Gateway
from actors.task_queue import TaskQueueOptions
from actors.vocabulary import names
from actors.vocabulary import tasks as v
from actors.vocabulary.gateway import FromPeer, PeerUp
from actors.vocabulary.tasks import Refusal, Refused
from link.messages import Call, FromHub, Reply
from link.traffic import Traffic
from supervision.actor import Actor
from supervision.clock import ManualClock
from supervision.deferred import Deferred
from supervision.runtime import Runtime
from tests.unit.queue.conftest import Queue

MUCH = 2**62


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (TaskQueueOptions(min_free_disk=MUCH), Refusal.NO_SPACE),
        (TaskQueueOptions(min_free_memory=MUCH), Refusal.OVERLOADED),
    ],
)
def test_without_room_submits_are_refused_and_completions_are_taken(
    tmp_path: Path, options: TaskQueueOptions, reason: Refusal
) -> None:
    queue = Queue(tmp_path / "hub.db", TaskQueueOptions())
    task_id = queue.submit()
    queue.options = replace(options, boot_grace_s=30.0)
    queue.reopen()
    refused = queue.ask(v.SubmitTasks((v.NewTask("more"),), "me"))
    assert refused.reason is reason and "free" in refused.detail
    task = queue.claim("a")
    assert task is not None
    done = queue.ask(v.Complete(task_id, "a", task.generation, "result", 0))
    assert not isinstance(done, Refused)
    assert queue.task(task_id).status == "completed"
    queue.close()


def test_room_is_looked_at_again_after_a_second(tmp_path: Path) -> None:
    admission = Admission(tmp_path, 0, 0)
    assert admission.refusal(10.0) is None
    admission._min_free_disk = MUCH
    assert admission.refusal(10.9) is None
    refused = admission.refusal(11.0)
    assert refused is not None and refused.reason is Refusal.NO_SPACE


def test_free_memory_is_the_least_of_the_machine_and_the_control_group(tmp_path: Path) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 4000 kB\nMemAvailable: 2000 kB\n")
    assert free_memory(meminfo, tmp_path) == 2000 * 1024
    (tmp_path / "memory.max").write_text("3000000\n")
    (tmp_path / "memory.current").write_text("2900000\n")
    assert free_memory(meminfo, tmp_path) == 100_000
    (tmp_path / "memory.max").write_text("max\n")
    assert free_memory(meminfo, tmp_path) == 2000 * 1024
    assert free_memory(tmp_path / "none", tmp_path / "none") is None


def test_the_real_machine_can_be_read(tmp_path: Path) -> None:
    memory = free_memory()
    assert free_disk(tmp_path) > 0 and memory is not None and memory > 0


class Slow(Actor):
    """A queue that answers when it is told to."""

    handles = {v.SubmitTasks: "keep", str: "answer"}

    def __init__(self) -> None:
        super().__init__()
        self._waiting: list[Deferred] = []

    def keep(self, _: v.SubmitTasks) -> Deferred:
        self._waiting.append(self.defer())
        return self._waiting[-1]

    def answer(self, _: str) -> None:
        for deferred in self._waiting:
            deferred.reply(())
        self._waiting.clear()


class Outlet:
    def __init__(self) -> None:
        self.replies: list[Reply] = []

    def send(self, _: int | None, message: FromHub) -> None:
        if isinstance(message, Reply):
            self.replies.append(message)

    def disconnect_all(self) -> None: ...

    def traffic(self) -> dict[int, Traffic]:
        return {}


def test_submits_that_would_wait_too_long_are_refused_at_once_and_taken_again_later() -> None:
    runtime, outlet = Runtime(clock=ManualClock()), Outlet()
    slow = runtime.spawn(Slow, name=names.TASK_QUEUE)
    gateway = runtime.spawn(Gateway, outlet, "boot", 1, AgentOptions())
    gateway.tell(PeerUp(1))

    def submit(call_id: int, count: int) -> None:
        args: dict[str, Any] = {"tasks": [{"description": "x"}] * count}
        gateway.tell(FromPeer(1, (Call(call_id, "tasks.submit", args),)))
        runtime.settle()

    submit(1, MAX_SUBMITTING)
    assert outlet.replies == [], "what fits waits for its answer"
    submit(2, 1)
    assert [(reply.call_id, reply.refusal) for reply in outlet.replies] == [(2, "overloaded")]
    slow.tell("now")
    runtime.settle()
    submit(3, 1)
    slow.tell("now")
    runtime.settle()
    assert [(reply.call_id, reply.refusal) for reply in outlet.replies[1:]] == [(1, None), (3, None)]
    runtime.close()
