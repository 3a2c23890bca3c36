"""``agentcom status``: the hub in five lines."""

from __future__ import annotations

import click

from agentcom.cli.output import MARKS, duration
from agentcom.cli.session import Session, hub_options
from agentcom.failures import ExitStatus


@click.command()
@hub_options
def status(session: Session) -> int:
    """Is the hub there, and what is it doing? Exit status 1 when its health is critical."""
    found = session.hub.get("/api/dashboard/state")
    if session.out.as_json:
        session.out.data(found)
    else:
        health, queue = found.get("health", {}), found.get("queue", {})
        counts = queue.get("by_status", {})
        session.out.line(f"Hub     {session.hub.url}  up {duration(found.get('uptime_ms', 0) / 1000)}")
        session.out.line(f"Health  {health.get('status', 'unknown')}")
        for one in health.get("details", []):
            by = one.get("acknowledged") or {}
            note = f" (acknowledged by {by.get('by')})" if by else ""
            session.out.line(f"        {one.get('severity')} {one.get('id')}: {one.get('message')}{note}")
        agents = found.get("agents", [])
        session.out.line(f"Agents  {len(agents)}  " + _counted([str(each.get("fsm_state")) for each in agents]))
        session.out.line("Tasks   " + "  ".join(f"{MARKS.get(name, '')} {n} {name}" for name, n in counts.items()))
        session.out.hint("More:  agentcom task list   agentcom agent list   agentcom dead list")
    return ExitStatus.FAILED if found.get("health", {}).get("status") == "critical" else ExitStatus.OK


def _counted(words: list[str]) -> str:
    return "  ".join(f"{words.count(word)} {word}" for word in sorted(set(words)))
