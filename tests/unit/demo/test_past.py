"""The invented past: the same for the same seed, and one that could have happened."""

from __future__ import annotations

from collections import Counter
from itertools import count, pairwise

import pytest

from actors.task_rules import FOLLOWS
from actors.vocabulary.tasks import Task, TaskStatus
from agentcom.demo.past import Past, Step
from agentcom.demo.story import FLEET, LOST, Story, capable

NOW_MS = 1_773_324_120_000


def lived(seed: int, tasks: int) -> tuple[Past, list[Step]]:
    numbers = count(1)
    past = Past(Story(seed), tasks, NOW_MS, lambda: next(numbers))
    return past, list(past.steps())


def last_of(steps: list[Step]) -> dict[int, Task]:
    return {step.after.key: step.after for step in steps}


def test_the_same_seed_makes_the_same_past_and_another_seed_another() -> None:
    one, again, other = lived(7, 300), lived(7, 300), lived(8, 300)
    assert one[1] == again[1] and one[0].held == again[0].held
    assert [step.after.description for step in one[1]] != [step.after.description for step in other[1]]


@pytest.mark.parametrize("tasks", [0, 1, 3, 250, 3000])
def test_every_task_lives_by_the_rules_of_the_queue(tasks: int) -> None:
    _, steps = lived(7, tasks)
    known: dict[int, Task] = {}
    for earlier, later in pairwise(steps):
        assert earlier.after.updated_at <= later.after.updated_at <= NOW_MS
    for step in steps:
        assert step.before == known.get(step.after.key)
        if step.before is not None:
            allowed = FOLLOWS[step.before.status] | {step.before.status}
            assert step.after.status in allowed and step.after.generation >= step.before.generation
        known[step.after.key] = step.after
    assert len(known) == tasks
    assert sum(step.finish.completed for step in steps if step.finish) == sum(
        task.status is TaskStatus.COMPLETED for task in known.values()
    )


def test_an_agent_does_one_thing_at_a_time() -> None:
    _, steps = lived(7, 3000)
    busy: dict[str, int] = {}
    for step in steps:
        before, after = step.before, step.after
        if before is not None and before.assigned_to is not None and after.status is not TaskStatus.ASSIGNED:
            assert busy.pop(before.assigned_to) == after.key
        if after.status is TaskStatus.ASSIGNED:
            assert after.assigned_to is not None and after.assigned_to not in busy
            assert set(after.needed_capabilities) <= set(
                next(one for one in FLEET if one.name == after.assigned_to).capabilities
            )
            busy[after.assigned_to] = after.key


@pytest.mark.parametrize("seed", range(5))
def test_what_waits_now_waits_for_somebody_who_is_busy(seed: int) -> None:
    """Else a frozen demo would move as soon as its agents connect."""
    past, steps = lived(seed, 2000)
    last = last_of(steps)
    held = past.held
    assert past.lost_at is not None and LOST not in held
    assigned = {task.assigned_to: task for task in last.values() if task.status is TaskStatus.ASSIGNED}
    assert {name: task.id for name, task in assigned.items()} == {name: one.task_id for name, one in held.items()}
    for task in last.values():
        if task.status is TaskStatus.QUEUED and task.not_before is None:
            assert {member.name for member in capable(task.needed_capabilities)} - {LOST} <= set(held)


def test_there_is_something_of_everything() -> None:
    _, steps = lived(7, 2000)
    statuses = Counter(task.status for task in last_of(steps).values())
    assert all(statuses[status] > 5 for status in TaskStatus)
    assert {step.entry.event for step in steps if step.entry} == {
        *("queued", "assigned", "completed", "retry", "dead_letter", "cancelled", "reclaimed")
    }
    dead = {task.last_error for task in last_of(steps).values() if task.status is TaskStatus.DEAD_LETTER}
    assert len(dead) > 5
