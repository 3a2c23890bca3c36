"""The slots of an agent: each holds one task at a time and is a state machine of its own (the table in ``fsm_rules``).

An agent that says nothing about slots has one, and then the state of its slot is the state of the agent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from actors.fsm_rules import Input, State, next_state
from actors.vocabulary.tasks import Task

#: What an agent with several slots shows: the first of these that any of its slots is in.
_SHOWN_FIRST = (State.WORKING, State.BLOCKED, State.ASSIGNED, State.IDLE, State.OFFLINE)


class Slot:
    """``due``: the monotonic second by which something is expected of the task in this slot, and ``late``: what to do then.

    Change it through ``Slots`` only, which knows where everything is.
    """

    __slots__ = ("due", "late", "state", "task")

    def __init__(self, state: State) -> None:
        self.state = state
        self.task: Task | None = None
        self.due: float | None = None
        self.late: Callable[[Slot], None] | None = None


class Slots:
    """At least one. Finding a task or a free slot costs the same however many there are."""

    def __init__(self) -> None:
        self._slots = [Slot(State.OFFLINE)]
        self._states: Counter[State] = Counter({State.OFFLINE: 1})
        self._by_task: dict[str, Slot] = {}
        self._empty: dict[Slot, None] = dict.fromkeys(self._slots)

    def __iter__(self) -> Iterator[Slot]:
        return iter(self._slots)

    def __len__(self) -> int:
        return len(self._slots)

    # --- looking ----------------------------------------------------------------------------------------------------

    def holding(self, task_id: str, generation: int | None = None) -> Slot | None:
        """Generation None: whatever attempt of the task is here."""
        slot = self._by_task.get(task_id)
        if slot is None or slot.task is None or generation not in (None, slot.task.generation):
            return None
        return slot

    def empty(self) -> Slot | None:
        """A slot without a task; the agent may be away."""
        return next(iter(self._empty), None)

    def idle(self) -> Slot | None:
        """A slot that can be assigned a task now."""
        slot = self.empty()
        return slot if slot is not None and slot.state is State.IDLE else None

    @property
    def free(self) -> int:
        """How many could be assigned a task now."""
        return self._states[State.IDLE]

    @property
    def used(self) -> int:
        return len(self._by_task)

    @property
    def tasks(self) -> tuple[Task, ...]:
        return tuple(slot.task for slot in self._by_task.values() if slot.task is not None)

    @property
    def first_task(self) -> Task | None:
        """The one that it has had longest."""
        return next(iter(self._by_task.values())).task if self._by_task else None

    @property
    def state(self) -> State:
        return next(state for state in _SHOWN_FIRST if self._states[state])

    # --- changing ---------------------------------------------------------------------------------------------------

    def resize(self, count: int) -> None:
        """The agent says how many it has. A slot that is too many stays until it is empty."""
        state = State.OFFLINE if self.state is State.OFFLINE else State.IDLE
        while len(self._slots) < count:
            slot = Slot(state)
            self._slots.append(slot)
            self._states[state] += 1
            self._empty[slot] = None
        for slot in list(self._empty):
            if len(self._slots) <= max(count, 1):
                return
            self._slots.remove(slot)
            self._states[slot.state] -= 1
            del self._empty[slot]

    def put(self, slot: Slot, task: Task) -> None:
        """Into an empty slot, or in place of an older view of the same task."""
        slot.task = task
        self._by_task[task.id] = slot
        self._empty.pop(slot, None)

    def take_out(self, slot: Slot) -> None:
        if slot.task is not None:
            self._by_task.pop(slot.task.id, None)
        slot.task = slot.due = None
        self._empty[slot] = None

    def apply(self, slot: Slot, input_: Input) -> bool:
        """Make the transition; False when the table does not have it."""
        state = next_state(slot.state, input_)
        if state is None:
            return False
        self._states[slot.state] -= 1
        self._states[state] += 1
        slot.state = state
        return True

    def apply_to_all(self, input_: Input) -> None:
        for slot in self._slots:
            self.apply(slot, input_)
