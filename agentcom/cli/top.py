"""``agentcom top``: the overview of a hub in a terminal, live."""

from __future__ import annotations

import asyncio
import importlib.util
import sys

import click

from agentcom.cli.session import Session, hub_options
from agentcom.failures import ExitStatus, Failure


@click.command()
@click.option("--once", is_flag=True, help="print one picture and end")
@hub_options
def top(session: Session, once: bool) -> int:
    """The overview in a terminal, live: health, counters, lanes, agents, dead letters and what was done last.

    Keys: q quits, p pauses, s sorts the agents differently, r tries at once to connect again.

    Example:  agentcom top --hub http://127.0.0.1:4000
    """
    if session.out.as_json:
        hint = "The same numbers as JSON:  agentcom status --json"
        raise Failure("top draws and has no JSON", hint, ExitStatus.USAGE, "no_json")
    if importlib.util.find_spec("rich") is None:
        raise Failure("agentcom top draws with the package rich", "Install it:  pip install rich", 1, "no_rich")
    if not once and not (sys.stdin.isatty() and sys.stdout.isatty()):
        hint = "One picture:  agentcom top --once"
        raise Failure("this is not a terminal", hint, ExitStatus.USAGE, "not_a_terminal")
    from agentcom.top.terminal import show_once, watch

    show = show_once if once else watch
    return asyncio.run(show(session.hub.url, session.hub.token))
