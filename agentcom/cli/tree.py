"""``agentcom tree``: the hub's supervision tree, once or live."""

from __future__ import annotations

import time
from collections.abc import Iterator

import click

from agentcom.cli.output import duration
from agentcom.cli.session import Session, hub_options
from agentcom.client import Json

#: Seconds between two looks with ``--watch``.
WATCH_PERIOD_S = 1.0

#: More children of one supervisor than this are counted and not listed.
CHILDREN_SHOWN = 12


@click.command()
@click.option("--watch", is_flag=True, help="draw it again every second until Ctrl-C")
@hub_options
def tree(session: Session, watch: bool) -> None:
    """The supervision tree: who runs, for how long, how often it was started again, and what it is at.

    Example:  agentcom tree --watch
    """
    while True:
        found = session.hub.get("/api/system/tree")
        if session.out.as_json:
            session.out.data(found)
        else:
            if watch:
                click.clear()
            for line in (*lines(found), *alarm_lines(found)):
                session.out.line(line)
        if not watch:
            return
        time.sleep(WATCH_PERIOD_S)


def lines(node: Json, prefix: str = "", lead: str = "") -> Iterator[str]:
    """The drawing of one node and everything under it."""
    yield f"{prefix}{lead}{node['id']}{facts(node)}"
    children = list(node.get("children", ()))
    below = prefix + {"": "", "├── ": "│   ", "└── ": "    "}[lead]
    shown = children[:CHILDREN_SHOWN]
    rest = len(children) - len(shown)
    for number, child in enumerate(shown):
        is_last = number == len(shown) - 1 and rest == 0
        yield from lines(child, below, "└── " if is_last else "├── ")
    if rest:
        yield f"{below}└── … and {rest} more"


def alarm_lines(root: Json) -> Iterator[str]:
    for alarm in root.get("alarms", ()):
        yield f"! {alarm['id']}  {alarm['subject']}: {alarm['message']} (for {duration(alarm['for_s'])})"


def facts(node: Json) -> str:
    """What is worth saying about a node, after its name."""
    said = [str(node["state"])] if node["state"] != "running" else []
    if node.get("strategy"):
        said.append(str(node["strategy"]))
    if node.get("uptime_s") is not None:
        said.append(f"up {duration(node['uptime_s'])}")
    if node.get("restarts"):
        said.append(f"restarted {node['restarts']}× (last: {node['last_exit']})")
    if node.get("mailbox"):
        said.append(f"{node['mailbox']} waiting")
    if node.get("handling") and (node.get("busy_s") or 0) > 1:
        said.append(f"at {node['handling']} for {duration(node['busy_s'])}")
    return f"  {', '.join(said)}" if said else ""
