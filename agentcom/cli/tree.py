"""``agentcom tree``: the supervision tree, processes and the hub's actors, once or live."""

from __future__ import annotations

import time
from collections.abc import Iterator

import click

from agentcom.cli.output import duration, safe
from agentcom.cli.session import Session, hub_options
from agentcom.client import Json

#: Seconds between two looks with ``--watch``.
WATCH_PERIOD_S = 1.0

#: More children of one supervisor than this are counted and not listed.
CHILDREN_SHOWN = 12

#: The innermost lines of a stack are those that say something.
STACK_LINES = 12


@click.command()
@click.option(
    "--watch", is_flag=True, help="draw it again every second until Ctrl-C, what was started again stands out"
)
@click.option("--stacks", is_flag=True, help="of every actor that is at a message: where in the code")
@hub_options
def tree(session: Session, watch: bool, stacks: bool) -> None:
    """The supervision tree: who runs, for how long, how often it was started again, and what it is at.

    Example:  agentcom tree --watch
    """
    restarts: dict[str, int] = {}
    while True:
        found = session.hub.get("/api/system/tree" + ("?stacks=1" if stacks else ""))
        if session.out.as_json:
            session.out.data(found)
        else:
            if watch:
                click.clear()
            whole = with_processes(found)
            for line in (*lines(whole, restarts=restarts if watch else None), *alarm_lines(found)):
                session.out.drawing(line)
        if not watch:
            return
        time.sleep(WATCH_PERIOD_S)


def with_processes(found: Json) -> Json:
    """The tree of processes with the hub's actors under the hub; those alone when nobody knows the processes."""
    root = found.get("processes")
    if root is None:
        return found
    children = [{**child, "children": [found]} if child["id"] == "hub" else child for child in root["children"]]
    return {**root, "children": children}


def lines(node: Json, prefix: str = "", lead: str = "", restarts: dict[str, int] | None = None) -> Iterator[str]:
    """The drawing of one node and everything under it, safe to print. ``restarts``: of the last drawing, by path; updated."""
    yield f"{prefix}{lead}{_name(node, restarts, prefix)}{safe(facts(node))}"
    children = list(node.get("children", ()))
    below = prefix + {"": "", "├── ": "│   ", "└── ": "    "}[lead]
    yield from (f"{below}{'│ ' if children else '  '}{safe(line)}" for line in _stack_lines(node))
    shown = children[:CHILDREN_SHOWN]
    rest = len(children) - len(shown)
    for number, child in enumerate(shown):
        is_last = number == len(shown) - 1 and rest == 0
        yield from lines(child, below, "└── " if is_last else "├── ", restarts)
    if rest:
        yield f"{below}└── … and {rest} more"


def _name(node: Json, restarts: dict[str, int] | None, place: str) -> str:
    name = safe(str(node["id"]))
    if restarts is None:
        return name
    path, now = f"{place}{node['id']}", node.get("restarts") or 0
    before = restarts.get(path, now)
    restarts[path] = now
    return click.style(name, bold=True, reverse=True) if now > before else name


def _stack_lines(node: Json) -> list[str]:
    stack = node.get("stack")
    return stack.rstrip().splitlines()[-STACK_LINES:] if stack else []


def alarm_lines(root: Json) -> Iterator[str]:
    for alarm in root.get("alarms", ()):
        yield safe(f"! {alarm['id']}  {alarm['subject']}: {alarm['message']} (for {duration(alarm['for_s'])})")


def facts(node: Json) -> str:
    """What is worth saying about a node, after its name."""
    said = [str(node["state"])] if node["state"] != "running" else []
    if node.get("strategy"):
        said.append(str(node["strategy"]))
    if node.get("uptime_s") is not None:
        said.append(f"up {duration(node['uptime_s'])}")
    if node.get("pid"):
        said.append(f"pid {node['pid']}")
    if node.get("restarts"):
        ago = f", {duration(node['last_exit_s'])} ago" if node.get("last_exit_s") is not None else ""
        said.append(f"restarted {node['restarts']}× (last: {node['last_exit']}{ago})")
    if node.get("retry_s") is not None:
        said.append(f"started again in {duration(node['retry_s'])}")
    if node.get("mailbox"):
        oldest = f", oldest {duration(node['oldest_s'])}" if (node.get("oldest_s") or 0) >= 1 else ""
        said.append(f"{node['mailbox']} waiting{oldest}")
    if node.get("handling") and (node.get("busy_s") or 0) > 1:
        said.append(f"at {node['handling']} for {duration(node['busy_s'])}")
    return f"  {', '.join(said)}" if said else ""
