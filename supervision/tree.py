"""The supervision tree as plain data, read without asking anybody, so that a supervisor that is stuck can still be seen.

What is read belongs to other threads: every value is a true one, but two values of one node may be a moment apart.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from supervision.cell import Cell
from supervision.core import Child, RunState
from supervision.runtime import Runtime
from supervision.supervisor import StartActor, Supervisor


@dataclass(frozen=True, slots=True)
class Node:
    """One child. Times are seconds of the monotonic clock's age; None where there is nothing to say.

    ``state``: running, restarting or none. ``restarts_in_window`` and ``children`` are a supervisor's.
    ``handling``: the type of the message that an actor is at, ``busy_s`` for how long.
    """

    id: str
    kind: str
    state: str
    restarts: int = 0
    last_exit: str | None = None
    uptime_s: float | None = None
    mailbox: int | None = None
    handling: str | None = None
    busy_s: float | None = None
    strategy: str | None = None
    restarts_in_window: int | None = None
    max_restarts: int | None = None
    children: tuple[Node, ...] = field(default=())


def tree(runtime: Runtime, name: str) -> Node | None:
    """The tree under the supervisor called ``name``; None when nobody is called that."""
    cell = runtime.names.cell(name)
    return _node_of_cell(name, cell, runtime.clock.monotonic()) if cell is not None else None


def _node_of_cell(id_: str, cell: Cell, now: float, child: Child | None = None) -> Node:
    actor = cell.actor
    is_supervisor = isinstance(actor, Supervisor)
    handling = cell.handling
    own: dict[str, Any] = _supervisor_fields(actor, now) if isinstance(actor, Supervisor) else {}
    return Node(
        id=id_,
        kind="supervisor" if is_supervisor else "actor",
        state="running",
        restarts=child.restarts if child is not None else 0,
        last_exit=_last_exit(child),
        uptime_s=round(now - cell.started_s, 3),
        mailbox=len(cell.mailbox.queue),
        handling=handling,
        busy_s=round(now - cell.busy_since_s, 3) if handling is not None else None,
        **own,
    )


def _supervisor_fields(supervisor: Supervisor, now: float) -> dict[str, Any]:
    core = supervisor.core
    return {
        "strategy": core.flags.strategy.value,
        "restarts_in_window": core.window.passes_seen(now),
        "max_restarts": core.flags.max_restarts,
        "children": tuple(_child_node(supervisor, child, now) for child in list(core.children.values())),
    }


def _child_node(supervisor: Supervisor, child: Child, now: float) -> Node:
    cell = supervisor.cell_of(child)
    if cell is not None and child.state is RunState.RUNNING:
        return _node_of_cell(child.spec.id, cell, now, child)
    start = child.spec.start
    is_supervisor = isinstance(start, StartActor) and issubclass(start.actor_class, Supervisor)
    return Node(
        id=child.spec.id,
        kind="supervisor" if is_supervisor else "actor",
        state=child.state.name.lower(),
        restarts=child.restarts,
        last_exit=_last_exit(child),
    )


def _last_exit(child: Child | None) -> str | None:
    return str(child.last_exit) if child is not None and child.last_exit is not None else None
