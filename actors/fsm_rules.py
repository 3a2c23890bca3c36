"""The state machine of an agent, as a table.

Read a row aloud: "an idle agent that is assigned a task is assigned". What is not in the table changes nothing.
"""

from __future__ import annotations

from enum import StrEnum

from actors.vocabulary.fleet import DRAINED, AgentMode, AgentOrder


class State(StrEnum):
    IDLE = "idle"
    ASSIGNED = "assigned"  # handed a task, not yet accepted
    WORKING = "working"
    BLOCKED = "blocked"  # says that it waits for something
    OFFLINE = "offline"  # its connection dropped; it may return within the grace

    __hash__ = str.__hash__  # that of Enum is a Python function, and states are looked up with every frame


class Input(StrEnum):
    ASSIGN = "assign"
    ACCEPT = "accept"  # said so, or showed it by progress or by a report
    FINISH = "finish"  # completed or failed, also without an accept before
    WITHDRAW = "withdraw"  # cancelled, reclaimed, refused, rejected
    TIME_OUT = "time_out"  # did not accept in time
    BLOCK = "block"
    UNBLOCK = "unblock"
    DROP = "drop"
    RETURN_IDLE = "return_idle"
    RETURN_HOLDING = "return_holding"  # came back; what it holds is still to be confirmed

    __hash__ = str.__hash__


TRANSITIONS: dict[tuple[State, Input], State] = {
    (State.IDLE, Input.ASSIGN): State.ASSIGNED,
    (State.IDLE, Input.DROP): State.OFFLINE,
    (State.ASSIGNED, Input.ACCEPT): State.WORKING,
    (State.ASSIGNED, Input.FINISH): State.IDLE,
    (State.ASSIGNED, Input.WITHDRAW): State.IDLE,
    (State.ASSIGNED, Input.TIME_OUT): State.IDLE,
    (State.ASSIGNED, Input.DROP): State.OFFLINE,
    (State.WORKING, Input.FINISH): State.IDLE,
    (State.WORKING, Input.WITHDRAW): State.IDLE,
    (State.WORKING, Input.BLOCK): State.BLOCKED,
    (State.WORKING, Input.DROP): State.OFFLINE,
    (State.BLOCKED, Input.ACCEPT): State.WORKING,
    (State.BLOCKED, Input.UNBLOCK): State.WORKING,
    (State.BLOCKED, Input.FINISH): State.IDLE,
    (State.BLOCKED, Input.WITHDRAW): State.IDLE,
    (State.BLOCKED, Input.DROP): State.OFFLINE,
    (State.OFFLINE, Input.RETURN_IDLE): State.IDLE,
    (State.OFFLINE, Input.RETURN_HOLDING): State.ASSIGNED,
}


#: What an operator wants of the agent as a whole, whatever its slots do: "a paused agent that is to drain is draining".
MODES: dict[tuple[AgentMode, AgentOrder], AgentMode] = {
    (AgentMode.ACTIVE, AgentOrder.PAUSE): AgentMode.PAUSED,
    (AgentMode.ACTIVE, AgentOrder.DRAIN): AgentMode.DRAINING,
    (AgentMode.PAUSED, AgentOrder.DRAIN): AgentMode.DRAINING,
    (AgentMode.PAUSED, AgentOrder.RESUME): AgentMode.ACTIVE,
    (AgentMode.DRAINING, AgentOrder.PAUSE): AgentMode.PAUSED,
    (AgentMode.DRAINING, AgentOrder.RESUME): AgentMode.ACTIVE,
}

#: The modes in which an agent is offered to the scheduler, and keeps what it is handed.
TAKES_WORK = frozenset({AgentMode.ACTIVE})


def next_mode(mode: AgentMode, order: AgentOrder) -> AgentMode:
    """The mode after ``order``; the same one when the table does not have it."""
    return MODES.get((mode, order), mode)


def shown_mode(mode: AgentMode, held: int) -> str:
    """``held``: tasks in its slots. An agent that drains and holds nothing is drained."""
    return DRAINED if mode is AgentMode.DRAINING and held == 0 else mode.value


def next_state(state: State, input_: Input) -> State | None:
    """The state after ``input_``, or None when it does not apply to ``state``."""
    return TRANSITIONS.get((state, input_))


def capability_names(capabilities: tuple[object, ...]) -> frozenset[str]:
    """The names in a list as agents send it: strings, or objects with a ``name``; anything else is dropped."""
    names: set[str] = set()
    for capability in capabilities:
        name = capability.get("name") if isinstance(capability, dict) else capability
        if isinstance(name, str):
            names.add(name)
    return frozenset(names)
