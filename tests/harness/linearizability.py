"""Whether what clients saw of one task can be put into one order in which every answer was right (Wing and Gong's search).

Operations on different tasks commute, so each task is judged alone, which keeps the search to some tens of operations. An
operation may be next only if no other one that is left had ended before it began. One whose outcome is unknown may take effect
at any later point, or never. ``hidden=True`` is for logs from which the hub's own steps are missing (it reclaims, and it assigns
to agents that die before they read it); then generations may skip, but still never stand still or go back.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from tests.harness.history import FAIL, OK, UNKNOWN, Operation

NONE, QUEUED, ASSIGNED, COMPLETED, DEAD, CANCELLED = (
    "none",
    "queued",
    "assigned",
    "completed",
    "dead_letter",
    "cancelled",
)


@dataclass(frozen=True, slots=True)
class State:
    """One task. ``owner`` is the agent of the live attempt, or the one whose completion was accepted."""

    status: str = NONE
    gen: int = 0
    owner: str | None = None

    @property
    def is_open(self) -> bool:
        return self.status in (QUEUED, ASSIGNED)

    def is_live(self, args: dict[str, Any]) -> bool:
        return self.status == ASSIGNED and (self.gen, self.owner) == (args["gen"], args["owner"])

    def is_done_by(self, args: dict[str, Any]) -> bool:
        return self.status == COMPLETED and (self.gen, self.owner) == (args["gen"], args["owner"])

    def back_in_queue(self) -> State:
        return State(QUEUED, self.gen + 1)

    def dead(self) -> State:
        return replace(self, status=DEAD, owner=None)


def _submit(state: State, operation: Operation, hidden: bool) -> list[State]:
    duplicate = operation.value.get("duplicate")
    if state.status == NONE:
        return [] if duplicate else [State(QUEUED)]
    return [] if duplicate is False else [state]


def _claim(state: State, operation: Operation, hidden: bool) -> list[State]:
    claimed = State(ASSIGNED, operation.args["gen"], operation.args["owner"])
    if hidden:
        return [claimed] if state.is_open and state.gen < claimed.gen else []
    return [claimed] if state.status == QUEUED and state.gen + 1 == claimed.gen else []


def _refused(state: State, operation: Operation, hidden: bool) -> list[State]:
    """An attempt was told that it is not the live one."""
    if not state.is_live(operation.args):
        return [] if operation.op == "complete" and state.is_done_by(operation.args) else [state]
    return [state.back_in_queue(), state.dead()] if hidden else []


def _complete(state: State, operation: Operation, hidden: bool) -> list[State]:
    if operation.outcome == FAIL:
        return _refused(state, operation, hidden)
    if state.is_live(operation.args):
        return [replace(state, status=COMPLETED)]
    return [state] if state.is_done_by(operation.args) else []


def _fail(state: State, operation: Operation, hidden: bool) -> list[State]:
    if operation.outcome == FAIL:
        return _refused(state, operation, hidden)
    return _ended(state, operation) if state.is_live(operation.args) else []


def _reclaim(state: State, operation: Operation, hidden: bool) -> list[State]:
    is_live = state.status == ASSIGNED and state.gen == operation.args["gen"]
    if operation.outcome == FAIL:
        return [] if is_live else [state]
    return _ended(state, operation) if is_live else []


def _ended(state: State, operation: Operation) -> list[State]:
    """An attempt is over without a result: back in the queue or dead, as the answer says."""
    status = operation.value.get("status")
    return [after for after in (state.back_in_queue(), state.dead()) if status in (None, after.status)]


def _touch(state: State, operation: Operation, hidden: bool) -> list[State]:
    """Accept, progress, recover: only the live attempt may, and it changes nothing that others see."""
    if operation.outcome == FAIL:
        return _refused(state, operation, hidden)
    return [state] if state.is_live(operation.args) else []


def _cancel(state: State, operation: Operation, hidden: bool) -> list[State]:
    possible = state.status not in (NONE, COMPLETED)
    if operation.outcome == FAIL:
        return [] if possible else [state]
    return [replace(state, status=CANCELLED, owner=None)] if possible else []


def _retry(state: State, operation: Operation, hidden: bool) -> list[State]:
    possible = state.status == DEAD or (hidden and state.is_open)
    if operation.outcome == FAIL:
        return [] if state.status == DEAD else [state]
    return [state.back_in_queue()] if possible else []


def _read(state: State, operation: Operation, hidden: bool) -> list[State]:
    if operation.outcome == FAIL:
        return [state] if state.status == NONE else []
    seen = State(operation.value["status"], operation.value["gen"], operation.value.get("owner"))
    if (seen.status, seen.gen) == (state.status, state.gen) and seen.owner in (None, state.owner):
        return [state]
    if not hidden:
        return []
    later = seen.gen > state.gen or (seen.gen == state.gen and seen.status == DEAD)
    if seen.status == CANCELLED:
        return [state] if state.status == CANCELLED and later else []
    return [seen] if state.is_open and later and seen.status in (QUEUED, ASSIGNED, DEAD) else []


STEPS: dict[str, Callable[[State, Operation, bool], list[State]]] = {
    "submit": _submit,
    "claim": _claim,
    "accept": _touch,
    "progress": _touch,
    "recover": _touch,
    "complete": _complete,
    "fail": _fail,
    "reclaim": _reclaim,
    "cancel": _cancel,
    "retry": _retry,
    "read": _read,
}


#: A second effect of the same request is none, whatever happened in between.
IDEMPOTENT = frozenset({"submit", "complete"})


def is_linearizable(operations: Iterable[Operation], *, hidden: bool = False) -> bool:
    """Whether the operations of ONE task fit one order that begins with a task that does not exist."""
    ordered = _without_repeats(sorted((o for o in operations if _matters(o)), key=lambda o: o.start))
    known = sum(1 << i for i, o in enumerate(ordered) if o.outcome != UNKNOWN)
    seen: set[tuple[int, State]] = set()
    stack = [(0, State())]
    while stack:
        done, state = stack.pop()
        if (done, state) in seen:
            continue
        seen.add((done, state))
        if done & known == known:
            return True
        stack += _branches(ordered, done, state, hidden)
    return False


def _branches(ordered: list[Operation], done: int, state: State, hidden: bool) -> list[tuple[int, State]]:
    """What may come next. A known answer that is right now and changes nothing is taken at once: waiting cannot help it."""
    branches = []
    for index in _next(ordered, done):
        one = ordered[index]
        afters = STEPS[one.op](state, one, hidden)
        if afters == [state]:
            if one.is_known:
                return [(done | 1 << index, state)]
            continue  # without an effect an unknown operation is as good as one that never happened
        branches += [(done | 1 << index, after) for after in afters]
    return branches


def _without_repeats(ordered: list[Operation]) -> list[Operation]:
    """Of many tries of one request with unknown outcomes the first stands for all: it may take effect at any later point."""
    seen: set[str] = set()
    kept = []
    for one in ordered:
        request = f"{one.op} {sorted(one.args.items(), key=str)}"
        if one.outcome != UNKNOWN or request not in seen:
            kept.append(one)
        if one.outcome == UNKNOWN and one.op in IDEMPOTENT:
            seen.add(request)
    return kept


def _matters(operation: Operation) -> bool:
    """A read without an answer says nothing, and neither does a submission that was refused."""
    if operation.op == "submit" and operation.outcome == FAIL:
        return False
    return operation.outcome in (OK, FAIL) or operation.op != "read"


def _next(ordered: list[Operation], done: int) -> list[int]:
    """Who may come next: whoever began before the first of those that are left had ended."""
    left = [i for i in range(len(ordered)) if not done >> i & 1]
    first_end = min((ordered[i].end for i in left), default=math.inf)
    return [i for i in left if ordered[i].start <= first_end]


def faults(operations: Iterable[Operation], *, hidden: bool = False) -> list[str]:
    """A sentence for each task whose history no order explains."""
    by_task: dict[str, list[Operation]] = defaultdict(list)
    for operation in operations:
        if operation.op in STEPS and (task := operation.args.get("task")) is not None:
            by_task[task].append(operation)
    return [
        f"the history of {task} fits no order: {_told(history)}"
        for task, history in sorted(by_task.items())
        if not is_linearizable(history, hidden=hidden)
    ]


def _told(history: list[Operation]) -> str:
    parts = []
    for one in sorted(history, key=lambda o: o.start):
        args = {key: value for key, value in one.args.items() if key in ("gen", "owner")}
        parts.append(f"[{one.start:.3f}..{one.end:.3f}] {one.op}{args} {one.outcome} {one.value}")
    return "; ".join(parts)
