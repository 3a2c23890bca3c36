"""Buckets of 10 s, a minute and an hour hold what was folded, each event once, whatever the clocks do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from actors.flow import Flow, Levels, Trends
from actors.health import Moment
from actors.vocabulary.events import TaskEvent
from actors.vocabulary.tasks import Task, TaskStatus
from wire.histogram import bucket_of, middle_ms
from wire.rollups import Rollup

START_MS = 1_772_323_200_000  # a whole hour
LEVELS = Levels(queued=4, working=2, online=3, buried=1)


def at(seconds: float, wall_s: float | None = None) -> Moment:
    return Moment(5_000.0 + seconds, START_MS + round((seconds if wall_s is None else wall_s) * 1000))


class Watched:
    """Looks once a second."""

    def __init__(self, **options: Any) -> None:
        self.flow = Flow()
        self.trends = Trends(self.flow, at(0), **options)
        self.stored: list[tuple[int, Rollup]] = []

    def run(self, first: int, last: int, wall: Callable[[int], float] = float) -> None:
        for second in range(first, last + 1):
            self.stored += self.trends.look(LEVELS, at(second, wall(second)))

    def last(self, size: int) -> dict[int, Rollup]:
        """As a database keeps them: by their start, the last one counts."""
        return {(one.start - START_MS) // 1000: one for kept, one in self.stored if kept == size}


@pytest.fixture
def watched() -> Watched:
    return Watched()


def event(
    make_task: Callable[..., Task], kind: str, status: TaskStatus, previous: str | None, **fields: Any
) -> TaskEvent:
    failed = fields.pop("failed", False)
    return TaskEvent(kind, make_task(status=status, **fields), at=1, previous=previous, failed=failed)


def test_each_event_counts_in_its_place(watched: Watched, make_task: Callable[..., Task]) -> None:
    fold = watched.flow.fold
    queued, assigned = TaskStatus.QUEUED, TaskStatus.ASSIGNED
    fold(event(make_task, "task_submitted", queued, None, priority=0))
    fold(
        event(make_task, "task_assigned", assigned, queued, priority=0, generation=1, created_at=100, assigned_at=1_100)
    )
    fold(event(make_task, "task_accepted", assigned, assigned, priority=0))
    fold(event(make_task, "task_progress", assigned, assigned, priority=0))
    fold(event(make_task, "task_retried", queued, assigned, priority=0, failed=True))
    fold(event(make_task, "task_ready", queued, queued, priority=0))
    # A second hand-out says nothing of how long somebody who submits has to wait.
    fold(
        event(
            make_task, "task_assigned", assigned, queued, priority=0, generation=3, created_at=100, assigned_at=90_000
        )
    )
    done = TaskStatus.COMPLETED
    fold(event(make_task, "task_completed", done, assigned, assigned_at=1_000, completed_at=1_500, tokens_used=7))
    fold(event(make_task, "task_dead_letter", TaskStatus.DEAD_LETTER, assigned, failed=True))
    fold(event(make_task, "task_dead_letter", TaskStatus.DEAD_LETTER, queued, priority=3, failed=True))  # its deadline
    fold(event(make_task, "task_cancelled", TaskStatus.CANCELLED, queued, priority=3))
    fold(event(make_task, "task_retried", queued, TaskStatus.DEAD_LETTER, priority=2))
    fold(event(make_task, "task_reclaimed", queued, assigned, priority=1))
    fold(event(make_task, "task_pruned", done, done))
    found = watched.trends.open_buckets()[10]
    assert (found.submitted, found.completed, found.failed, found.dead, found.tokens) == (1, 1, 3, 2, 7)
    assert found.lanes_in == (2, 1, 1, 0)
    assert found.lanes_out == (2, 0, 0, 2)
    assert (found.wait, found.run) == (((bucket_of(1_000), 1),), ((bucket_of(500), 1),))


def test_the_three_sizes_agree_and_levels_are_averages(watched: Watched) -> None:
    for second in range(1, 130):
        watched.flow.submitted += second
        watched.run(second, second)
    fine, minutes = watched.last(10), watched.last(60)
    assert list(fine) == list(range(0, 130, 10))[:-1]
    assert sum(one.submitted for one in fine.values() if one.start < START_MS + 60_000) == minutes[0].submitted
    assert minutes[0].submitted == sum(range(1, 61))  # what came with the 60th look is folded before it
    assert watched.trends.open_buckets()[3600].submitted == sum(range(1, 130))
    assert (minutes[60].samples, minutes[60].queued_sum, minutes[60].queued_max) == (60, 240, 4)
    assert (minutes[60].online_sum, minutes[60].buried_sum) == (180, 60)


def test_a_bucket_goes_on_after_a_restart_where_it_was(make_task: Callable[..., Task]) -> None:
    wait = ((bucket_of(1_000), 5),)
    known = Rollup(START_MS, samples=3, submitted=5, queued_sum=9, queued_max=7, wait=wait)
    other = Rollup(START_MS - 60_000, submitted=99)
    watched = Watched(stored={10: known, 60: other})
    watched.flow.submitted += 1
    watched.run(1, 1)
    found = watched.trends.open_buckets()
    assert (found[10].submitted, found[10].samples, found[10].queued_max, found[10].wait) == (6, 4, 7, wait)
    assert found[60].submitted == 1, "another minute is none of ours"


def test_the_wall_clock_may_jump_and_nothing_is_lost_or_counted_twice_lessons_90(watched: Watched) -> None:
    for second in range(1, 100):
        watched.flow.submitted += 1
        watched.flow.wait[bucket_of(1_000)] += 1
        wall = second + (7_200 if 30 <= second < 60 else 0)
        watched.run(second, second, lambda _, wall=wall: wall)  # type: ignore[misc]
    seen: dict[int, Rollup] = {}
    for size, one in watched.stored:
        if size == 10:
            seen[one.start] = one
    counted = sum(one.submitted for one in seen.values()) + watched.trends.open_buckets()[10].submitted
    assert counted >= 99 - 10, "a wall clock that is set back replaces the bucket that it comes back to"
    assert watched.trends.totals["submitted"] == 99
    assert watched.trends.figures(at(100)).wait.count == 99


def test_the_hour_rolls_and_what_was_an_hour_ago_is_told(watched: Watched) -> None:
    watched.flow.wait[bucket_of(2_000)] += 10
    watched.flow.completed += 10
    watched.run(1, 600)
    assert watched.trends.figures(at(600)).wait.count == 10
    assert watched.trends.figures(at(600)).hour_ago.levels is None
    watched.run(601, 3_599)
    assert watched.trends.figures(at(3_599)).wait.p95_ms == middle_ms(bucket_of(2_000))
    watched.run(3_600, 7_260)
    found = watched.trends.figures(at(7_260))
    assert (found.wait.count, found.wait.p50_ms) == (0, None)
    assert found.hour_ago.levels == LEVELS
    assert found.hour_ago.completed == 10
    assert found.hour_ago.wait_p95_ms == middle_ms(bucket_of(2_000))


def test_minutes_of_a_lane_stand_in_their_place_with_a_gap_where_the_hub_was_away() -> None:
    minutes = [Rollup(START_MS - 60_000 * ago, samples=60, lanes_in=(ago, 0, 0, 0)) for ago in (1, 2, 5, 59, 60, 200)]
    watched = Watched(minutes=minutes)
    watched.flow.lanes_in[0] += 7
    watched.run(1, 1)
    into = watched.trends.figures(at(1)).lanes[0].into
    assert {59 - place: number for place, number in enumerate(into) if number} == {0: 7, 1: 1, 2: 2, 5: 5, 59: 59}


def test_the_pace_of_a_lane_is_that_of_the_time_in_which_the_hub_was_there(watched: Watched) -> None:
    assert watched.trends.figures(at(0)).lanes[2].out_per_minute == 0
    watched.flow.lanes_out[2] += 30
    watched.run(1, 30)
    assert watched.trends.figures(at(30)).lanes[2].out_per_minute == 60
    watched.run(31, 600)
    assert watched.trends.figures(at(600)).lanes[2].out_per_minute == 0
