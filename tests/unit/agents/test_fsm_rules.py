"""The agent's transition table, cell by cell."""

from __future__ import annotations

import pytest

from actors.fsm_rules import (
    MODES,
    TAKES_WORK,
    TRANSITIONS,
    Input,
    State,
    capability_names,
    next_mode,
    next_state,
    shown_mode,
)
from actors.vocabulary.fleet import AgentMode, AgentOrder

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


#: What each order makes of an agent, whatever was wanted of it before.
WANTED = {
    AgentOrder.PAUSE: AgentMode.PAUSED,
    AgentOrder.DRAIN: AgentMode.DRAINING,
    AgentOrder.RESUME: AgentMode.ACTIVE,
}


@pytest.mark.parametrize("mode", list(AgentMode))
@pytest.mark.parametrize("order", list(AgentOrder))
def test_every_order_has_its_effect_in_every_mode_and_twice_is_as_good_as_once(
    mode: AgentMode, order: AgentOrder
) -> None:
    after = next_mode(mode, order)
    assert after is WANTED[order]
    assert next_mode(after, order) is after
    assert ((mode, order) in MODES) == (after is not mode), "a cell that changes nothing is not in the table"


def test_only_an_active_agent_takes_work() -> None:
    assert {AgentMode.ACTIVE} == TAKES_WORK


def test_an_agent_that_drains_is_drained_when_it_holds_nothing() -> None:
    assert [shown_mode(AgentMode.DRAINING, held) for held in (2, 1, 0)] == ["draining", "draining", "drained"]
    assert shown_mode(AgentMode.PAUSED, 0) == "paused" and shown_mode(AgentMode.ACTIVE, 0) == "active"


def test_capabilities_may_be_strings_or_objects_and_junk_is_dropped() -> None:
    assert capability_names(("a", {"name": "b", "level": 3}, {"level": 1}, 7, None)) == {"a", "b"}
