"""The tree of actors as plain data, read without asking anybody, so that a supervisor that is stuck can still be seen.

What is read belongs to other threads: every value is a true one, but two values of one node may be a moment apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from supervision import threads
from supervision.cell import Cell
from supervision.children import Child, RunState
from supervision.node import Node, age, exits_of, supervisor_facts
from supervision.runtime import Runtime
from supervision.supervisor import StartActor, Supervisor


def tree(runtime: Runtime, name: str, *, stacks: bool = False) -> Node | None:
    """The tree under the supervisor called ``name``; None when nobody is called that. ``stacks``: also where each handler is."""
    cell = runtime.names.cell(name)
    return _Look(runtime.clock.monotonic(), stacks).at_cell(name, cell) if cell is not None else None


@dataclass(frozen=True, slots=True)
class _Look:
    now: float
    stacks: bool

    def at_cell(self, id_: str, cell: Cell, child: Child | None = None) -> Node:
        actor = cell.actor
        handling = cell.handling
        own: dict[str, Any] = self._of_supervisor(actor) if isinstance(actor, Supervisor) else {"kind": "actor"}
        return Node(
            id=id_,
            state="running",
            **exits_of(child, self.now),
            uptime_s=age(self.now, cell.started_s),
            mailbox=len(cell.mailbox.queue),
            oldest_s=age(self.now, cell.mailbox.oldest_s()),
            handling=handling,
            busy_s=age(self.now, cell.busy_since_s) if handling is not None else None,
            stack=threads.stack_of(cell.thread_id) if self.stacks and handling is not None else None,
            **own,
        )

    def _of_supervisor(self, supervisor: Supervisor) -> dict[str, Any]:
        children = tuple(self._at_child(supervisor, child) for child in list(supervisor.core.children.values()))
        return {**supervisor_facts(supervisor.core, self.now), "children": children}

    def _at_child(self, supervisor: Supervisor, child: Child) -> Node:
        cell = supervisor.cell_of(child)
        if cell is not None and child.state is RunState.RUNNING:
            return self.at_cell(child.spec.id, cell, child)
        start = child.spec.start
        is_supervisor = isinstance(start, StartActor) and issubclass(start.actor_class, Supervisor)
        kind = "supervisor" if is_supervisor else "actor"
        return Node(child.spec.id, kind, child.state.name.lower(), **exits_of(child, self.now))
