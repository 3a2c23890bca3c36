"""Longest idle first, capabilities respected, nobody offered twice."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from actors.matching import BacklogHint, ReadyAgents

NONE: frozenset[str] = frozenset()
A = frozenset({"a"})
AB = frozenset({"a", "b"})


def test_the_longest_idle_agent_that_fits_is_taken() -> None:
    """Lesson 22: the same first agent every time."""
    ready = ReadyAgents()
    ready.set("plain", NONE, 1)
    ready.set("both", AB, 1)
    ready.set("one", A, 1)
    assert ready.take_longest_idle(A) == ("both", AB)
    assert ready.take_longest_idle(A) == ("one", A)
    assert ready.take_longest_idle(A) is None
    assert ready.take_longest_idle(NONE) == ("plain", NONE)


def test_saying_ready_again_keeps_the_place_and_new_capabilities_lose_it() -> None:
    ready = ReadyAgents()
    ready.set("x", A, 1)
    ready.set("y", A, 1)
    ready.set("x", A, 1)
    assert ready.take_longest_idle(A) == ("x", A)
    ready.set("z", A, 1)
    ready.set("y", AB, 1)
    assert ready.take_longest_idle(A) == ("z", A)


def test_a_pinned_task_waits_for_its_agent_only() -> None:
    ready, backlog = ReadyAgents(), BacklogHint()
    backlog.add(A, "x")
    ready.set("y", A, 1)
    assert list(backlog.pairs(ready)) == []
    ready.set("x", NONE, 1)
    assert list(backlog.pairs(ready)) == [("x", NONE, None)]
    assert not backlog.pinned


def test_an_agent_with_several_slots_queues_up_again_after_each() -> None:
    ready = ReadyAgents()
    ready.set("many", A, 2)
    ready.set("one", A, 1)
    assert [ready.take_longest_idle(A) for _ in range(4)] == [("many", A), ("one", A), ("many", A), None]


def test_every_slot_of_a_pin_is_used() -> None:
    ready, backlog = ReadyAgents(), BacklogHint()
    for _ in range(3):
        backlog.add(NONE, "x")
    ready.set("x", A, 2)
    assert [agent for agent, _, _ in backlog.pairs(ready)] == ["x", "x"]
    assert backlog.pinned["x"] == 1


capability_sets = st.frozensets(st.sampled_from("abc"))


@given(st.lists(capability_sets, max_size=8), st.lists(capability_sets, max_size=8))
def test_pairs_fit_use_each_agent_once_and_leave_nothing_possible(
    agents: list[frozenset[str]], needs: list[frozenset[str]]
) -> None:
    ready, backlog = ReadyAgents(), BacklogHint()
    for number, capabilities in enumerate(agents):
        ready.set(f"agent-{number}", capabilities, 1)
    for need in needs:
        backlog.add(need, None)
    pairs = list(backlog.pairs(ready))
    assert len({agent for agent, _, _ in pairs}) == len(pairs)
    assert all(need is not None and need <= capabilities for _, capabilities, need in pairs)
    assert sum(backlog.by_needs.values()) == len(needs) - len(pairs)
    assert all(ready.take_longest_idle(need) is None for need in backlog.by_needs)
