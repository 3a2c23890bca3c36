"""Folding events equals counting tasks, from whatever point the folding begins: each once, none twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from actors.health import Moment
from actors.snapshot import (
    COMPLETIONS_SHOWN,
    DEAD_LETTERS_KEPT,
    DEAD_LETTERS_SHOWN,
    Picture,
    completion_ms,
    rebuild,
)
from actors.vocabulary.events import TaskEvent
from actors.vocabulary.tasks import (
    FinishedMinute,
    Overview,
    QueueStats,
    Task,
    TaskStatus,
)

NOW = Moment(50_000.0, 1_800_000_000_000)

STEPS = (
    "submit",
    "claim",
    "accept",
    "progress",
    "complete",
    "fail",
    "bury",
    "reclaim",
    "cancel",
    "expire",
    "retry",
    "ready",
    "prune",
)
Step = tuple[str, int]


@dataclass
class Queue:
    """A task table that is right by being simple: it keeps every task and publishes each transition with a number."""

    make_task: Callable[..., Task]
    seq: int = 0
    tasks: dict[str, Task] = field(default_factory=dict)
    published: list[tuple[int, TaskEvent]] = field(default_factory=list)
    completed: list[Task] = field(default_factory=list)
    died: list[str] = field(default_factory=list)
    failures: int = 0

    def apply(self, step: Step) -> None:
        name, pick = step
        if name == "submit":
            task = self.make_task(id=f"task-{len(self.published)}", priority=pick % 4)
            self._publish("task_submitted", None, task)
            return
        allowed = [task for task in self.tasks.values() if task.status in FROM[name]]
        if allowed:
            getattr(self, name)(allowed[pick % len(allowed)])

    def claim(self, task: Task) -> None:
        after = replace(
            task, status=TaskStatus.ASSIGNED, generation=task.generation + 1, assigned_to="a", assigned_at=10
        )
        self._publish("task_assigned", task, after)

    def accept(self, task: Task) -> None:
        self._publish("task_accepted", task, replace(task, accepted_at=20))

    def progress(self, task: Task) -> None:
        self._publish("task_progress", task, task, progress=50)

    def complete(self, task: Task) -> None:
        after = replace(task, status=TaskStatus.COMPLETED, completed_at=10 + len(self.published), tokens_used=7)
        self.completed.append(after)
        self._publish("task_completed", task, after)

    def fail(self, task: Task) -> None:
        self._publish("task_retried", task, self._queued(task), failed=True)

    def bury(self, task: Task) -> None:
        self._publish("task_dead_letter", task, replace(task, status=TaskStatus.DEAD_LETTER), failed=True)

    def reclaim(self, task: Task) -> None:
        self._publish("task_reclaimed", task, self._queued(task), cause="agent_lost")

    def cancel(self, task: Task) -> None:
        self._publish("task_cancelled", task, replace(task, status=TaskStatus.CANCELLED))

    def expire(self, task: Task) -> None:
        self._publish(
            "task_dead_letter", task, replace(task, status=TaskStatus.DEAD_LETTER), failed=True, cause="deadline"
        )

    def retry(self, task: Task) -> None:
        self._publish("task_retried", task, self._queued(task))

    def ready(self, task: Task) -> None:
        self._publish("task_ready", task, task)

    def prune(self, task: Task) -> None:
        self._publish("task_pruned", task, task)
        del self.tasks[task.id]

    @staticmethod
    def _queued(task: Task) -> Task:
        return replace(
            task, status=TaskStatus.QUEUED, generation=task.generation + 1, assigned_to=None, assigned_at=None
        )

    def _publish(self, event: str, before: Task | None, after: Task, **fields: Any) -> None:
        previous = None if before is None else before.status
        self.tasks[after.id] = after
        self.failures += fields.get("failed", False)
        if after.status == TaskStatus.DEAD_LETTER and previous != after.status:
            self.died.append(after.id)
        self.seq += 1
        self.published.append((self.seq, TaskEvent(event, after, at=self.seq, previous=previous, **fields)))

    # --- what is true, counted and not folded ---------------------------------------------------------------------

    def by_status(self) -> dict[str, int]:
        counted = Counter(task.status for task in self.tasks.values())
        return {status.value: counted[status] for status in TaskStatus}

    def lanes(self) -> dict[int, int]:
        counted = Counter(task.priority for task in self.tasks.values() if task.status == TaskStatus.QUEUED)
        return {lane: counted[lane] for lane in range(4)}

    def dead_newest_first(self) -> list[Task]:
        dead = {task.id for task in self.tasks.values() if task.status == TaskStatus.DEAD_LETTER}
        order: dict[str, None] = {}
        for task_id in self.died:
            order.pop(task_id, None)
            order[task_id] = None
        return [self.tasks[task_id] for task_id in reversed(order) if task_id in dead]

    def overview(self) -> Overview:
        duration = sum(completion_ms(task) for task in self.completed)
        tokens = sum(task.tokens_used for task in self.completed)
        minute = NOW.unix_ms // 60_000
        return Overview(
            stats=QueueStats(
                by_status={name: count for name, count in self.by_status().items() if name != "dead_letter"},
                queued_by_priority=self.lanes(),
                dead_letter=self.by_status()["dead_letter"],
                ready=0,
            ),
            completions=tuple(reversed(self.completed[-COMPLETIONS_SHOWN:])),
            dead_letters=tuple(self.dead_newest_first()[:DEAD_LETTERS_KEPT]),
            assigned=tuple(task for task in self.tasks.values() if task.status == TaskStatus.ASSIGNED),
            minutes=(FinishedMinute(minute, len(self.completed), self.failures, duration, tokens),),
            agents=(),
            as_of_seq=self.seq,
        )


FROM: dict[str, set[TaskStatus]] = {
    "claim": {TaskStatus.QUEUED},
    "accept": {TaskStatus.ASSIGNED},
    "progress": {TaskStatus.ASSIGNED},
    "complete": {TaskStatus.ASSIGNED},
    "fail": {TaskStatus.ASSIGNED},
    "bury": {TaskStatus.ASSIGNED},
    "reclaim": {TaskStatus.ASSIGNED},
    "cancel": {TaskStatus.QUEUED, TaskStatus.ASSIGNED, TaskStatus.DEAD_LETTER},
    "expire": {TaskStatus.QUEUED, TaskStatus.ASSIGNED},
    "retry": {TaskStatus.DEAD_LETTER},
    "ready": {TaskStatus.QUEUED},
    "prune": {TaskStatus.COMPLETED, TaskStatus.DEAD_LETTER, TaskStatus.CANCELLED},
}

histories = st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 50)), max_size=150)


def ids(entries: list[dict[str, object]], key: str) -> list[object]:
    return [entry[key] for entry in entries]


def assert_same_as(picture: Picture, queue: Queue) -> None:
    assert picture.by_status == queue.by_status()
    assert picture.queued_by_priority == queue.lanes()
    assert picture.dead_letter_total == queue.by_status()["dead_letter"]
    assert ids(picture.dead_letters, "id") == [task.id for task in queue.dead_newest_first()[:DEAD_LETTERS_SHOWN]]
    assert ids(picture.completions, "task_id") == [task.id for task in reversed(queue.completed[-COMPLETIONS_SHOWN:])]
    totals = picture.hour.totals(NOW.monotonic_s)
    assert (totals.completed, totals.failed) == (len(queue.completed), queue.failures)
    assert totals.duration_ms == sum(completion_ms(task) for task in queue.completed)
    assert totals.tokens_used == sum(task.tokens_used for task in queue.completed)


@given(histories)
@settings(max_examples=150)
def test_folding_every_event_equals_counting_the_tasks(make_task: Callable[..., Task], history: list[Step]) -> None:
    queue = Queue(make_task)
    start = queue.overview()
    for step in history:
        queue.apply(step)
    assert_same_as(rebuild(start, queue.published, NOW), queue)


@given(history=histories, middle=st.integers(0, 150), subscribed=st.integers(0, 150))
@settings(max_examples=150)
def test_an_overview_from_the_middle_and_all_buffered_events_count_each_event_once_lessons_38_46(
    make_task: Callable[..., Task], history: list[Step], middle: int, subscribed: int
) -> None:
    queue = Queue(make_task)
    read_at = min(middle, len(history))
    heard_at = min(subscribed, read_at)  # an observer subscribes first and asks for the overview then
    for step in history[:heard_at]:
        queue.apply(step)
    heard_from = len(queue.published)
    for step in history[heard_at:read_at]:
        queue.apply(step)
    overview = queue.overview()
    for step in history[read_at:]:
        queue.apply(step)
    assert_same_as(rebuild(overview, queue.published[heard_from:], NOW), queue)


@pytest.fixture
def queue(make_task: Callable[..., Task]) -> Queue:
    return Queue(make_task)


def run(queue: Queue, *names: str) -> None:
    for name in names:
        queue.apply((name, 0))


def test_one_completion_counts_once_with_its_duration_lessons_38(queue: Queue) -> None:
    run(queue, "submit", "claim", "accept", "progress", "complete")
    totals = rebuild(Queue(queue.make_task).overview(), queue.published, NOW).hour.totals(NOW.monotonic_s)
    assert (totals.completed, totals.failed) == (1, 0)
    assert totals.avg_completion_ms == queue.completed[0].completed_at - 10  # type: ignore[operator]


def test_a_task_that_fails_three_times_is_three_failures_and_a_reclaim_is_none_lessons_39(queue: Queue) -> None:
    run(queue, "submit", "claim", "fail", "claim", "reclaim", "claim", "fail", "claim", "bury")
    picture = rebuild(Queue(queue.make_task).overview(), queue.published, NOW)
    assert picture.hour.totals(NOW.monotonic_s).failed == 3
    assert picture.dead_letter_total == 1


def test_by_priority_forgets_a_task_that_left_the_queue_lessons_52(queue: Queue) -> None:
    run(queue, "submit", "claim", "complete")
    picture = rebuild(Queue(queue.make_task).overview(), queue.published, NOW)
    assert picture.queued_by_priority == {0: 0, 1: 0, 2: 0, 3: 0}


def test_the_lists_stay_bounded_and_show_the_newest(queue: Queue) -> None:
    for _ in range(DEAD_LETTERS_KEPT + 50):
        run(queue, "submit", "claim", "bury")
        run(queue, "submit", "claim", "complete")
    picture = rebuild(Queue(queue.make_task).overview(), queue.published, NOW)
    assert picture.dead_letter_total == DEAD_LETTERS_KEPT + 50
    assert_same_as(picture, queue)
    assert (len(picture.dead_letters), len(picture.completions)) == (DEAD_LETTERS_SHOWN, COMPLETIONS_SHOWN)


def test_a_list_that_ran_short_of_older_dead_letters_says_so(queue: Queue) -> None:
    for _ in range(DEAD_LETTERS_KEPT + 50):
        run(queue, "submit", "claim", "bury")
    picture = Picture(queue.overview(), NOW)
    newest = queue.dead_newest_first()
    for number, task in enumerate(newest[: DEAD_LETTERS_KEPT - DEAD_LETTERS_SHOWN]):
        assert not picture.needs_overview, number
        queue.retry(task)
        picture.fold(queue.published[-1][1], NOW.monotonic_s)
    queue.retry(newest[DEAD_LETTERS_KEPT - DEAD_LETTERS_SHOWN])
    picture.fold(queue.published[-1][1], NOW.monotonic_s)
    assert picture.needs_overview
    assert not Picture(queue.overview(), NOW).needs_overview


def test_a_counter_below_zero_asks_for_the_truth(queue: Queue) -> None:
    run(queue, "submit", "claim")
    picture = Picture(Queue(queue.make_task).overview(), NOW)
    picture.fold(queue.published[1][1], NOW.monotonic_s)  # the submission was missed
    assert picture.needs_overview
