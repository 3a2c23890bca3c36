"""The orders of ``agentcom agent``: pause, drain, resume, disconnect, forget, and new tokens."""

from __future__ import annotations

import click

from agentcom.cli.session import Session, hub_options
from agentcom.client import Json, quoted
from agentcom.failures import ExitStatus


def _order(session: Session, name: str, order: str, body: dict[str, object] | None = None) -> Json:
    return session.hub.post(f"/api/agents/{quoted(name)}/{order}", body or {})


def _say_mode(session: Session, name: str, order: str) -> int:
    answer = _order(session, name, order)
    if session.out.as_json:
        session.out.data(answer)
        return ExitStatus.OK
    session.out.fields(name, answer["mode"])
    held = answer["tasks_held"]
    if held and order != "resume":
        session.out.hint(f"It goes on with {held} task{'s' if held > 1 else ''} and gets no new one.")
    return ExitStatus.OK


@click.command()
@click.argument("name")
@hub_options
def pause(session: Session, name: str) -> int:
    """No new work for NAME until it is resumed; it goes on with what it has."""
    return _say_mode(session, name, "pause")


@click.command()
@click.argument("name")
@hub_options
def drain(session: Session, name: str) -> int:
    """Let NAME finish what it has and get nothing new; nobody is warned when it goes away then."""
    return _say_mode(session, name, "drain")


@click.command()
@click.argument("name")
@hub_options
def resume(session: Session, name: str) -> int:
    """Let NAME take work again."""
    return _say_mode(session, name, "resume")


@click.command()
@click.argument("name")
@hub_options
def disconnect(session: Session, name: str) -> int:
    """Close the connection of NAME. It may come back; its tasks wait for it as long as after any other drop."""
    return _say_status(session, name, _order(session, name, "disconnect"))


@click.command()
@click.argument("name")
@hub_options
def forget(session: Session, name: str) -> int:
    """Do not wait for NAME any longer: it is gone from lists and health. Its tokens stay valid."""
    return _say_status(session, name, _order(session, name, "forget"))


def _say_status(session: Session, name: str, answer: Json) -> int:
    if session.out.as_json:
        session.out.data(answer)
    else:
        session.out.fields(name, answer["status"])
    return ExitStatus.OK


@click.command("rotate-token")
@click.argument("name")
@click.option("--end-old", is_flag=True, help="the tokens before it end at once")
@hub_options
def rotate_token(session: Session, name: str, end_old: bool) -> int:
    """Make a new token for NAME and print it; the old one works until end-old-tokens.

    Example:  agentcom agent rotate-token builder > builder.token
    """
    answer = _order(session, name, "rotate-token", {"end_old": end_old})
    if session.out.as_json:
        session.out.data(answer)
        return ExitStatus.OK
    session.out.line(str(answer["token"]))
    if not end_old:
        session.out.hint(f"When {name} uses it, end the old one:  agentcom agent end-old-tokens {name}")
    return ExitStatus.OK


@click.command("end-old-tokens")
@click.argument("name")
@hub_options
def end_old_tokens(session: Session, name: str) -> int:
    """End every token of NAME but the newest, and the connections that were made with them."""
    answer = _order(session, name, "end-old-tokens")
    if session.out.as_json:
        session.out.data(answer)
    else:
        session.out.fields(name, f"{answer['old_tokens_ended']} ended")
    return ExitStatus.OK


ORDERS = (pause, drain, resume, disconnect, forget, rotate_token, end_old_tokens)
