"""The pure rules of the queue: retry arithmetic, back-off, leases, and the index of ready tasks."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from actors import task_rules as rules
from actors.leases import Leases
from actors.queue_options import TaskQueueOptions
from actors.ready_index import ReadyIndex
from actors.vocabulary.tasks import CHARGED_CAUSES, NewTask, Offer, ReclaimCause, Refusal, Refused, Task, TaskStatus

NEW = rules.new_task(NewTask("x"), 1, 1, "me", 1000)
ASSIGNED = rules.claimed(NEW, "a", 2000)


@pytest.mark.parametrize(("limit", "failures"), [(3, 3), (2, 2), (1, 1), (0, 1)])
def test_max_retries_counts_failures_in_total(limit: int, failures: int) -> None:
    task = replace(NEW, max_retries=limit)
    for number in range(1, failures + 1):
        task = rules.failed(rules.claimed(task, "a", 1), "no", 9, 1000, 1)
        wanted = TaskStatus.DEAD_LETTER if number == failures else TaskStatus.QUEUED
        assert task.status is wanted


def test_the_generation_grows_with_every_step_that_ends_an_attempt() -> None:
    retried = rules.failed(ASSIGNED, "no", 2, 1000, 3000)
    assert [NEW.generation, ASSIGNED.generation, retried.generation] == [0, 1, 2]
    assert rules.reclaimed(ASSIGNED, ReclaimCause.REJECTED, 2, 5, 1).generation == 2
    dead = rules.failed(replace(ASSIGNED, max_retries=1), "no", 2, 0, 1)
    assert dead.generation == 1
    assert rules.retried_by_hand(dead, 3, 1).generation == 2


@pytest.mark.parametrize("cause", list(ReclaimCause))
def test_silent_ends_are_charged_and_returns_are_not(cause: ReclaimCause) -> None:
    after = rules.reclaimed(ASSIGNED, cause, 7, 5, 1)
    charged = cause in CHARGED_CAUSES
    assert (after.reclaim_count, after.seq) == ((1, 7) if charged else (0, 1))
    dead = rules.reclaimed(replace(ASSIGNED, reclaim_count=4), cause, 7, 5, 1)
    assert (dead.status is TaskStatus.DEAD_LETTER) is charged


@pytest.mark.parametrize(
    ("task", "owner", "generation", "reason"),
    [
        (ASSIGNED, "a", 1, None),
        (ASSIGNED, "a", None, None),
        (ASSIGNED, "b", 1, Refusal.STALE_GENERATION),
        (ASSIGNED, "a", 2, Refusal.STALE_GENERATION),
        (ASSIGNED, "b", None, Refusal.STALE_GENERATION),
        (NEW, "a", 0, Refusal.INVALID_STATE),
        (NEW, "a", 1, Refusal.STALE_GENERATION),
    ],
)
def test_only_the_live_attempt_may_report(
    task: Task, owner: str, generation: int | None, reason: Refusal | None
) -> None:
    refused = rules.is_live(task, owner, generation)
    assert (refused.reason if isinstance(refused, Refused) else None) == reason


@given(st.integers(0, 100), st.integers())
def test_a_back_off_doubles_with_jitter_and_stays_under_the_cap(retries: int, seed: int) -> None:
    options = TaskQueueOptions()
    full = min(options.retry_base_s * 2**retries, options.retry_cap_s) * 1000
    assert full / 2 - 1 <= rules.back_off_ms(retries, options, random.Random(seed)) <= full


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.frozensets(st.sampled_from("abc")), st.sampled_from([None, None, "x", "y"])),
        max_size=30,
    ),
    st.frozensets(st.sampled_from("abc")),
    st.sampled_from("xyz"),
)
def test_the_index_gives_the_lowest_that_fits_until_nothing_fits(
    tasks: list[tuple[int, frozenset[str], str | None]], capabilities: frozenset[str], agent: str
) -> None:
    index = ReadyIndex()
    for seq, (priority, needs, pin) in enumerate(tasks):
        index.add(f"t{seq}", priority, seq, needs, pin)
    fits = [
        (priority, seq)
        for seq, (priority, needs, pin) in enumerate(tasks)
        if pin == agent or (pin is None and needs <= capabilities)
    ]
    taken = []
    while (best := index.take_best(Offer(agent, capabilities))) is not None:
        taken.append(best)
    assert taken == [f"t{seq}" for _, seq in sorted(fits)]
    backlog = index.backlog()
    assert sum(backlog.by_needs.values()) + sum(backlog.pinned.values()) == len(index) == len(tasks) - len(fits)


def test_an_entry_that_moved_is_not_given_at_its_old_place() -> None:
    index = ReadyIndex()
    index.add("t1", 0, 1, frozenset(), None)
    index.add("t2", 0, 2, frozenset(), None)
    index.add("t1", 0, 3, frozenset(), None)
    assert [index.take_best(Offer("a", frozenset())) for _ in range(3)] == ["t2", "t1", None]


def test_leases_run_out_are_renewed_by_owner_and_can_be_limited() -> None:
    leases = Leases(lease_s=90, period_s=0.5)
    leases.grant(1, 1, "a", 0.0)
    leases.grant(2, 1, "b", 0.0)
    now = 0.0

    def run(until: float, alive: tuple[str, ...] = ()) -> list[tuple[int, ReclaimCause]]:
        nonlocal now
        found: list[tuple[int, ReclaimCause]] = []
        while now < until:
            now += 0.5
            leases.renew(alive, now)
            for lease in leases.expired(now):
                found.append((lease.key, lease.cause))
                leases.end(lease.key)
        return found

    assert run(80, ("a",)) == []
    assert run(100, ("a",)) == [(2, ReclaimCause.LEASE_EXPIRED)]
    leases.limit(1, 1, ReclaimCause.AGENT_LOST, now, 10)
    assert run(109) == []
    assert run(111) == [(1, ReclaimCause.AGENT_LOST)]


def test_a_pause_of_the_watcher_is_not_the_death_of_the_watched() -> None:
    """P12: after SIGSTOP and SIGCONT every lease looks expired."""
    leases = Leases(lease_s=10, period_s=0.5)
    leases.grant(1, 1, "a", 0.0)
    assert leases.expired(0.5) == []
    assert leases.expired(300.0) == []
    assert leases.expired(300.5) == []
    gone = [lease.key for second in range(1, 24) for lease in leases.expired(300.5 + second / 2)]
    assert gone[:1] == [1]
