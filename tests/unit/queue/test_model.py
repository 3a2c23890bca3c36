"""The queue against a small model, step by step, with crashes and jumps of time as ordinary steps."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from actors.task_queue import TaskQueueOptions
from actors.vocabulary import tasks as v
from actors.vocabulary.tasks import ReclaimCause, Refused, TaskStatus
from tests.unit.queue.conftest import Queue

AGENTS = ("a", "b", "c")


class QueueMachine(RuleBasedStateMachine):
    """The model knows of each task its status, generation and owner; the order of ready tasks follows from the rules."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="queue-")
        self.model: dict[str, dict[str, Any]] = {}
        self.place = 0

    @initialize()
    def open(self) -> None:
        options = TaskQueueOptions(max_reclaims=2, retry_base_s=1, retry_cap_s=2, lease_s=1e6, boot_grace_s=1e6)
        self.queue = Queue(Path(self.folder.name) / "hub.db", options)

    def teardown(self) -> None:
        if hasattr(self, "queue"):
            self.queue.close()
        self.folder.cleanup()

    def _next_place(self) -> int:
        self.place += 1
        return self.place

    def _ids(self, *statuses: str) -> list[str]:
        return [id_ for id_, task in self.model.items() if task["status"] in statuses]

    @rule(priority=st.integers(0, 3), retries=st.integers(0, 3))
    def submit(self, priority: int, retries: int) -> None:
        task_id = self.queue.submit(priority=priority, max_retries=retries)
        self.model[task_id] = {
            "status": "queued",
            "gen": 0,
            "owner": None,
            "lane": (priority, self._next_place()),
            "waits": False,
            "fails": 0,
            "lost": 0,
            "retries": retries,
        }

    @rule(agent=st.sampled_from(AGENTS))
    def claim(self, agent: str) -> None:
        got = self.queue.claim(agent)
        ready = [id_ for id_ in self._ids("queued") if not self.model[id_]["waits"]]
        best = min(ready, key=lambda id_: self.model[id_]["lane"], default=None)
        assert (got.id if got is not None else None) == best
        if got is not None:
            task = self.model[got.id]
            task.update(status="assigned", gen=task["gen"] + 1, owner=agent)
            assert got.generation == task["gen"]

    @precondition(lambda self: self.model)
    @rule(data=st.data(), agent=st.sampled_from(AGENTS), shift=st.sampled_from([0, 0, 0, -1, 1]))
    def complete(self, data: st.DataObject, agent: str, shift: int) -> None:
        task_id = data.draw(st.sampled_from(sorted(self.model)))
        task = self.model[task_id]
        answer = self.queue.ask(v.Complete(task_id, agent, task["gen"] + shift, {"g": task["gen"]}))
        if shift == 0 and task["owner"] == agent and task["status"] in ("assigned", "completed"):
            assert answer == v.Completed(task_id, duplicate=task["status"] == "completed")
            task["status"] = "completed"
        else:
            assert isinstance(answer, Refused)

    @precondition(lambda self: self._ids("assigned"))
    @rule(data=st.data())
    def fail(self, data: st.DataObject) -> None:
        task_id = data.draw(st.sampled_from(sorted(self._ids("assigned"))))
        task = self.model[task_id]
        answer = self.queue.ask(v.Fail(task_id, task["owner"], task["gen"], "no"))
        task["fails"] += 1
        place = self._next_place()
        if task["fails"] >= task["retries"]:
            task.update(status="dead_letter")
        else:
            task.update(status="queued", gen=task["gen"] + 1, owner=None, waits=True, lane=(task["lane"][0], place))
        assert answer.status == task["status"]

    @precondition(lambda self: self._ids("assigned"))
    @rule(data=st.data(), cause=st.sampled_from([ReclaimCause.AGENT_LOST, ReclaimCause.REJECTED]))
    def reclaim(self, data: st.DataObject, cause: ReclaimCause) -> None:
        task_id = data.draw(st.sampled_from(sorted(self._ids("assigned"))))
        task = self.model[task_id]
        assert isinstance(self.queue.ask(v.Reclaim(task_id, task["gen"] - 1, cause)), Refused)
        answer = self.queue.ask(v.Reclaim(task_id, task["gen"], cause))
        place = self._next_place()
        if cause is ReclaimCause.AGENT_LOST:
            task["lost"] += 1
            task["lane"] = (task["lane"][0], place)
        if task["lost"] >= 2 and cause is ReclaimCause.AGENT_LOST:
            task.update(status="dead_letter")
        else:
            task.update(status="queued", gen=task["gen"] + 1, owner=None)
        assert answer.status == task["status"]

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        task_id = data.draw(st.sampled_from(sorted(self.model)))
        task = self.model[task_id]
        answer = self.queue.ask(v.Cancel(task_id))
        if task["status"] == "completed":
            assert isinstance(answer, Refused)
        else:
            assert answer.previous_status == task["status"]
            task.update(status="cancelled", waits=False)

    @precondition(lambda self: self._ids("dead_letter"))
    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        task_id = data.draw(st.sampled_from(sorted(self._ids("dead_letter"))))
        task = self.model[task_id]
        assert isinstance(self.queue.ask(v.RetryDeadLetter(task_id)), v.Requeued)
        lane = (task["lane"][0], self._next_place())
        task.update(status="queued", gen=task["gen"] + 1, owner=None, fails=0, lost=0, waits=False, lane=lane)

    @rule()
    def time_passes(self) -> None:
        self.queue.wait(3)
        waiting = [task for task in self.model.values() if task["waits"]]
        for task in waiting:
            task["waits"] = False

    @rule()
    def crash(self) -> None:
        self.queue.reopen()

    @invariant()
    def counters_are_the_rows_and_the_model(self) -> None:
        """I1, I9: nothing is lost, and every counter says what is there."""
        if not hasattr(self, "queue"):
            return
        stats = self.queue.ask(v.ReadStats())
        for status in ("queued", "assigned", "completed", "cancelled"):
            assert stats.by_status[status] == len(self._ids(status)), status
        assert stats.dead_letter == len(self._ids("dead_letter"))
        listed = self.queue.ask(v.ListTasks(status=TaskStatus.QUEUED, limit=500)).tasks
        in_order = sorted(self._ids("queued"), key=lambda id_: self.model[id_]["lane"])
        assert [task.id for task in listed] == in_order


QueueMachine.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
TestQueueModel = QueueMachine.TestCase
