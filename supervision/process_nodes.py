"""The tree of processes as plain data, as ``tree`` is that of actors. Inside the supervisor's loop only."""

from __future__ import annotations

from supervision.children import Child, RunState
from supervision.node import Node, age, exits_of, supervisor_facts
from supervision.process_specs import Group
from supervision.process_supervisor import ProcessNode, ProcessSupervisor


def process_tree(supervisor: ProcessSupervisor, name: str) -> Node:
    """The supervisor called ``name`` and all under it."""
    return _at_supervisor(name, supervisor.top, supervisor.now, None)


def _at_supervisor(id_: str, node: ProcessNode, now: float, child: Child | None) -> Node:
    children = tuple(_at_child(node, child, now) for child in node.core.children.values())
    facts = supervisor_facts(node.core, now)
    return Node(id=id_, state="running", **exits_of(child, now), **facts, children=children)


def _at_child(node: ProcessNode, child: Child, now: float) -> Node:
    identity = (child.key, child.incarnation)
    group = node.groups.get(identity)
    if group is not None:
        return _at_supervisor(child.spec.id, group, now, child)
    running = node.processes.get(identity)
    state = child.state.name.lower()
    if running is None:
        kind = "supervisor" if isinstance(child.spec.start, Group) else "process"
        return Node(child.spec.id, kind, state, **exits_of(child, now))
    return Node(
        id=child.spec.id,
        kind="process",
        state="starting" if child.state is RunState.NONE else state,
        **exits_of(child, now),
        uptime_s=age(now, running.spawned_s),
        pid=running.process.pid,
        status=running.status or None,
    )
