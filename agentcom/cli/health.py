"""``agentcom health``: the conditions that make the hub unwell, and acknowledging them."""

from __future__ import annotations

import click

from agentcom.cli.main import NearestCommand
from agentcom.cli.output import age
from agentcom.cli.session import Session, hub_options
from agentcom.client import quoted
from agentcom.failures import ExitStatus


@click.group(cls=NearestCommand)
def health() -> None:
    """What is not well: list and acknowledge."""


@health.command("list")
@hub_options
def list_(session: Session) -> int:
    """List the conditions. Exit status 1 when one of them is critical."""
    found = session.hub.get("/api/health")
    if session.out.as_json:
        session.out.data(found)
    else:
        rows = [
            (
                one["id"],
                one["severity"],
                age(one["since"]),
                one.get("count"),
                (one.get("acknowledged") or {}).get("by"),
                one["message"],
            )
            for one in found["conditions"]
        ]
        session.out.table(("ID", "SEVERITY", "FOR", "COUNT", "ACKNOWLEDGED", "TITLE"), rows)
        if any(one.get("acknowledged") is None for one in found["conditions"]):
            session.out.hint("Say that you look after one:  agentcom health ack ID --note TEXT")
    return ExitStatus.FAILED if found["status"] == "critical" else ExitStatus.OK


@health.command()
@click.argument("condition_id")
@click.option("--note", help="what others should know")
@hub_options
def ack(session: Session, condition_id: str, note: str | None) -> None:
    """Say that you look after a condition: it asks for attention again only when it has cleared and come back."""
    body = {"note": note} if note else {}
    answer = session.hub.post(f"/api/health/{quoted(condition_id)}/acknowledge", body)
    if session.out.as_json:
        session.out.data(answer)
    else:
        session.out.line(f"{answer['condition']['id']} acknowledged: {answer['condition']['message']}")
