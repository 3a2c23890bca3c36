"""The agent's transition table, cell by cell."""

from __future__ import annotations

import pytest

from actors.fsm_rules import TRANSITIONS, Input, State, capability_names, next_state

BUSY = (State.ASSIGNED, State.WORKING, State.BLOCKED)


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("input_", list(Input))
def test_every_cell_is_a_transition_or_changes_nothing(state: State, input_: Input) -> None:
    assert next_state(state, input_) == TRANSITIONS.get((state, input_))


@pytest.mark.parametrize("state", BUSY)
@pytest.mark.parametrize("input_", [Input.FINISH, Input.WITHDRAW])
def test_a_busy_agent_is_free_after_its_task_ends_in_any_way(state: State, input_: Input) -> None:
    """Lessons 3 and 9: a result without an accept, or one that was refused, must not leave the agent busy."""
    assert next_state(state, input_) is State.IDLE


@pytest.mark.parametrize("state", [state for state in State if state is not State.OFFLINE])
def test_a_dropped_connection_is_offline_from_every_state(state: State) -> None:
    assert next_state(state, Input.DROP) is State.OFFLINE


@pytest.mark.parametrize("state", [*BUSY, State.OFFLINE])
def test_only_an_idle_agent_can_be_assigned(state: State) -> None:
    """Lesson 5: two tasks at once."""
    assert next_state(state, Input.ASSIGN) is None


def test_an_agent_that_comes_back_is_idle_or_has_to_confirm_what_it_holds() -> None:
    assert next_state(State.OFFLINE, Input.RETURN_IDLE) is State.IDLE
    assert next_state(State.OFFLINE, Input.RETURN_HOLDING) is State.ASSIGNED


def test_capabilities_may_be_strings_or_objects_and_junk_is_dropped() -> None:
    assert capability_names(("a", {"name": "b", "level": 3}, {"level": 1}, 7, None)) == {"a", "b"}
