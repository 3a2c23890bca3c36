"""``agentcom audit``: the log of every change by a person or a program with rights."""

from __future__ import annotations

import json

import click

from agentcom.cli.output import age
from agentcom.cli.session import Session, hub_options

PAGE = 500


@click.command()
@click.option("--actor", help="only what this name did")
@click.option("--way", type=click.Choice(("page", "cli", "api")), help="only what was done in this way")
@click.option("--action", help="only this action, or those that begin so, such as agent.")
@click.option("--target", help="only what was done to this task, agent, name or setting")
@click.option("--outcome", help="ok, or the code of a refusal")
@click.option("--limit", type=click.IntRange(1, PAGE), default=50, show_default=True, help="at most so many")
@click.option("--cursor", help="go on where an earlier list ended (next_cursor)")
@hub_options
def audit(session: Session, limit: int, cursor: str | None, **filters: str | None) -> None:
    """Who changed what, when, how, and what came of it; newest first.

    Example:  agentcom audit --action agent. --limit 20
    """
    answer = session.hub.get("/api/dashboard/audit", {**filters, "limit": limit, "cursor": cursor})
    if session.out.as_json:
        session.out.data(answer)
        return
    rows = [
        (
            age(one["at"]),
            f"{one['actor']} ({one['role']})",
            one["way"],
            one["action"],
            one["target"],
            one["outcome"],
            json.dumps(one["details"], ensure_ascii=False) if one["details"] else None,
        )
        for one in answer["entries"]
    ]
    session.out.table(("AGO", "WHO", "BY", "ACTION", "TARGET", "OUTCOME", "DETAILS"), rows)
    if answer.get("next_cursor"):
        session.out.hint(f"There are more:  agentcom audit --cursor {answer['next_cursor']}")
