"""The records that a supervisor keeps of its children, in start order, and what can be read from them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from supervision.core_messages import ChildCounts, ChildInfo
from supervision.exits import ExitReason
from supervision.spec import ChildSpec, ChildType, Restart


class RunState(Enum):
    RUNNING = auto()
    RESTARTING = auto()
    NONE = auto()


@dataclass(slots=True)
class Child:
    key: str
    spec: ChildSpec
    state: RunState = RunState.NONE
    ref: Any = None
    incarnation: int = 0
    retry_token: int = 0
    retry_at_s: float | None = None
    """When its pause is over; None when it has none."""
    restarts: int = 0
    last_exit: ExitReason | None = None
    last_exit_s: float | None = None
    started_s: float = 0.0
    failures: int = 0
    """In a row, for its back-off."""
    pass_is_counted: bool = False
    """The retry that it waits for is the rest of a pass that was counted when it began."""

    def info(self) -> ChildInfo:
        last_exit = str(self.last_exit) if self.last_exit is not None else None
        return ChildInfo(self.spec.id, self.ref, self.state.name.lower(), self.spec.type, self.restarts, last_exit)

    def runs_as(self, ref: Any, now: float) -> None:
        self.state, self.ref, self.started_s, self.retry_at_s = RunState.RUNNING, ref, now, None
        if self.spec.restart is Restart.TEMPORARY:  # never started again, so its arguments need not be kept
            self.spec = self.spec.without_start()

    def rests(self) -> None:
        self.state, self.ref, self.pass_is_counted, self.retry_at_s = RunState.NONE, None, False, None

    def note_exit(self, reason: ExitReason, now: float) -> None:
        self.last_exit, self.last_exit_s = reason, now


class Children(dict[str, Child]):
    """By key, in start order. ``dynamic``: several may have one id, so the key of a further one differs from its id."""

    def __init__(self, dynamic: bool) -> None:
        super().__init__()
        self._dynamic = dynamic
        self._numbers = 0

    def add(self, spec: ChildSpec) -> Child:
        key = spec.id
        if key in self:
            self._numbers += 1
            key = f"{spec.id}#{self._numbers}"
        child = self[key] = Child(key, spec)
        return child

    def remove(self, child: Child) -> None:
        self.pop(child.key, None)

    def find(self, which: Any) -> Child | None:
        """By id; of a dynamic supervisor also by ref, and one of those with that id."""
        child = self.get(which) if isinstance(which, str) else None
        if child is not None or not self._dynamic or (isinstance(which, str) and not self._numbers):
            return child
        return next((one for one in self.values() if one.spec.id == which or one.ref is which), None)

    def infos(self) -> list[ChildInfo]:
        """Latest started first, as OTP lists them."""
        return [child.info() for child in reversed(self.values())]

    def counts(self) -> ChildCounts:
        supervisors = sum(child.spec.type is ChildType.SUPERVISOR for child in self.values())
        active = sum(child.state is RunState.RUNNING for child in self.values())
        return ChildCounts(len(self), active, supervisors, len(self) - supervisors)
