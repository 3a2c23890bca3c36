"""The slots of an agent: each holds one task at a time and is a state machine of its own (the table in ``fsm_rules``).

An agent that says nothing about slots has one, and then the state of its slot is the state of the agent.
"""

from __future__ import annotations

from collections.abc import Iterator

from actors.fsm_rules import Input, State, next_state
from actors.vocabulary.tasks import Task
from supervision.timers import Timer

#: What an agent with several slots shows: the first of these that any of its slots is in.
_SHOWN_FIRST = (State.WORKING, State.BLOCKED, State.ASSIGNED, State.IDLE, State.OFFLINE)


class Slot:
    """``timer`` watches over what is expected next of the task in this slot."""

    __slots__ = ("state", "task", "timer")

    def __init__(self) -> None:
        self.state = State.OFFLINE
        self.task: Task | None = None
        self.timer: Timer | None = None

    def holds(self, task_id: str, generation: int | None) -> bool:
        """Generation None: whatever attempt of the task is here."""
        return self.task is not None and self.task.id == task_id and generation in (None, self.task.generation)

    def apply(self, input_: Input) -> bool:
        """Make the transition; False when the table does not have it."""
        state = next_state(self.state, input_)
        if state is None:
            return False
        self.state = state
        return True

    def let_go(self, input_: Input) -> None:
        """Forget the task."""
        self.task = None
        self.cancel_timer()
        self.apply(input_)

    def cancel_timer(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


class Slots:
    """At least one."""

    def __init__(self) -> None:
        self._slots = [Slot()]

    def __iter__(self) -> Iterator[Slot]:
        return iter(self._slots)

    def __len__(self) -> int:
        return len(self._slots)

    def resize(self, count: int) -> None:
        """The agent says how many it has. A slot that is too many stays until it is empty."""
        state = State.OFFLINE if self.state is State.OFFLINE else State.IDLE
        while len(self._slots) < count:
            slot = Slot()
            slot.state = state
            self._slots.append(slot)
        for slot in reversed(self._slots[:]):
            if len(self._slots) <= max(count, 1):
                return
            if slot.task is None:
                self._slots.remove(slot)

    def holding(self, task_id: str, generation: int | None = None) -> Slot | None:
        return next((slot for slot in self._slots if slot.holds(task_id, generation)), None)

    def empty(self) -> Slot | None:
        """A slot without a task; the agent may be away."""
        return next((slot for slot in self._slots if slot.task is None), None)

    def idle(self) -> Slot | None:
        """A slot that can be assigned a task now."""
        return next((slot for slot in self._slots if slot.state is State.IDLE), None)

    @property
    def free(self) -> int:
        """How many could be assigned a task now."""
        return sum(slot.state is State.IDLE for slot in self._slots)

    @property
    def tasks(self) -> tuple[Task, ...]:
        return tuple(slot.task for slot in self._slots if slot.task is not None)

    @property
    def state(self) -> State:
        states = {slot.state for slot in self._slots}
        return next(state for state in _SHOWN_FIRST if state in states)

    def apply(self, input_: Input) -> None:
        """To each of them."""
        for slot in self._slots:
            slot.apply(input_)
