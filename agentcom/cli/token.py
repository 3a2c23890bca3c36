"""``agentcom token …``: who may talk to the hub."""

from __future__ import annotations

import click

from agentcom.cli.main import NearestCommand
from agentcom.cli.session import Session, hub_options
from agentcom.client import quoted
from agentcom.failures import ExitStatus

ROLES = ("agent", "submitter", "operator", "admin")


@click.group(cls=NearestCommand)
def token() -> None:
    """Make, list and revoke tokens."""


@token.command()
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), default="agent", show_default=True, help="what it may do")
@hub_options
def create(session: Session, name: str, role: str) -> int:
    """Make a token for NAME and print it; it is shown only now.

    Example:  agentcom token create builder > builder.token
    """
    answer = session.hub.post("/admin/tokens", {"agent_id": name, "role": role})
    if session.out.as_json:
        session.out.data(answer)
        return ExitStatus.OK
    session.out.line(str(answer["token"]))
    session.out.hint(f"A token of role {role} for {name}. Keep it in a file of mode 0600; it is not shown again.")
    return ExitStatus.OK


@token.command("list")
@hub_options
def list_(session: Session) -> None:
    """Who has a token; the tokens themselves are not stored."""
    answer = session.hub.get("/admin/tokens")
    if session.out.as_json:
        session.out.data(answer)
        return
    rows = [(each["agent_id"], each.get("role"), each.get("token_prefix")) for each in answer["tokens"]]
    session.out.table(("NAME", "ROLE", "TOKEN"), rows)


@token.command()
@click.argument("name")
@hub_options
def revoke(session: Session, name: str) -> None:
    """End every token of NAME, at once."""
    answer = session.hub.delete(f"/admin/tokens/{quoted(name)}")
    if session.out.as_json:
        session.out.data(answer)
    else:
        session.out.fields(name, "revoked")


@token.command()
@hub_options
def enrol(session: Session) -> None:
    """Make a code with which one agent joins, once, within ten minutes."""
    answer = session.hub.post("/api/onboard/codes", {})
    if session.out.as_json:
        session.out.data(answer)
        return
    session.out.line(str(answer["code"]))
    session.out.hint(
        f"On the agent's machine:  agentcom agent join {session.hub.url} --code {answer['code']} -- COMMAND"
    )
    session.out.hint("It is good for one agent. Hand it over on a way that others cannot read.")
