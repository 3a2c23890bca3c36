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
    ready.add("plain", NONE)
    ready.add("both", AB)
    ready.add("one", A)
    assert ready.take_longest_idle(A) == ("both", AB)
    assert ready.take_longest_idle(A) == ("one", A)
    assert ready.take_longest_idle(A) is None
    assert ready.take_longest_idle(NONE) == ("plain", NONE)


def test_saying_ready_again_keeps_the_place_and_new_capabilities_lose_it() -> None:
    ready = ReadyAgents()
    ready.add("x", A)
    ready.add("y", A)
    ready.add("x", A)
    assert ready.take_longest_idle(A) == ("x", A)
    ready.add("z", A)
    ready.add("y", AB)
    assert ready.take_longest_idle(A) == ("z", A)


def test_a_pinned_task_waits_for_its_agent_only() -> None:
    ready, backlog = ReadyAgents(), BacklogHint()
    backlog.add(A, "x")
    ready.add("y", A)
    assert list(backlog.pairs(ready)) == []
    ready.add("x", NONE)
    assert list(backlog.pairs(ready)) == [("x", NONE, None)]
    assert not backlog.pinned


capability_sets = st.frozensets(st.sampled_from("abc"))


@given(st.lists(capability_sets, max_size=8), st.lists(capability_sets, max_size=8))
def test_pairs_fit_use_each_agent_once_and_leave_nothing_possible(
    agents: list[frozenset[str]], needs: list[frozenset[str]]
) -> None:
    ready, backlog = ReadyAgents(), BacklogHint()
    for number, capabilities in enumerate(agents):
        ready.add(f"agent-{number}", capabilities)
    for need in needs:
        backlog.add(need, None)
    pairs = list(backlog.pairs(ready))
    assert len({agent for agent, _, _ in pairs}) == len(pairs)
    assert all(need is not None and need <= capabilities for _, capabilities, need in pairs)
    assert sum(backlog.by_needs.values()) == len(needs) - len(pairs)
    assert all(ready.take_longest_idle(need) is None for need in backlog.by_needs)
