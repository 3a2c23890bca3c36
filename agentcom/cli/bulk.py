"""Many tasks at once: preview, consent, progress; for ``task`` and ``dead``. ``agentcom operation …`` looks back at them."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TypeVar

import click

from agentcom.cli.main import NearestCommand
from agentcom.cli.output import age, safe
from agentcom.cli.session import Session, hub_options
from agentcom.client import Json, quoted
from agentcom.config import seconds
from agentcom.failures import ExitStatus, Failure

POLL_S = 0.5

PAST = {
    "retry": "retried",
    "cancel": "cancelled",
    "lane": "moved",
    "discard": "discarded",
    "recover": "recovered",
    "reassign": "reassigned",
}

_Command = TypeVar("_Command", bound=Callable[..., object])


def parse_spread(ctx: click.Context, param: click.Parameter, value: str | None) -> int:
    """A duration such as 10m, in whole seconds."""
    try:
        return 0 if value is None else round(seconds(value))
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is not {error}", ctx, param) from None


def consent_options(command: _Command) -> _Command:
    """``--yes`` and ``--no-wait``."""
    command = click.option("--no-wait", is_flag=True, help="do not wait for the end; print the id of the operation")(
        command
    )
    return click.option("--yes", is_flag=True, help="do not ask, after the preview")(command)


def run(
    session: Session,
    action: str,
    selection: dict[str, Json],
    *,
    yes: bool,
    no_wait: bool,
    **options: Json,
) -> int:
    """Preview, ask, start, and watch to the end. ``selection``: query or ids; ``options``: of ``POST /api/operations``."""
    made = session.hub.post("/api/operations/preview", {"action": action, **selection})
    if made["count"] == 0:
        raise Failure("no task fits", "", ExitStatus.NOTHING_TO_DO, "nothing_to_do")
    if not yes:
        _ask(action, made)
    body = {"action": action, "preview": made["preview"], **{name: value for name, value in options.items() if value}}
    started = session.hub.post("/api/operations", body)["operation"]
    if no_wait:
        if session.out.as_json:
            session.out.data(started)
        else:
            session.out.line(started["id"])
        session.out.hint(f"Watch it:  agentcom operation show {started['id']}")
        return ExitStatus.OK
    return watch(session, started["id"])


def _ask(action: str, made: dict[str, Json]) -> None:
    """On stderr, because stdout is for the answer. Raises ``Failure`` when nobody can be asked, or says no."""
    click.echo(f"{made['count']:,} tasks would be {PAST[action]}, among them:", err=True)
    for one in made["samples"]:
        error = f"  ({one['last_error']})" if one.get("last_error") else ""
        click.echo(safe(f"  {one['id']}  {one['title']}{error}"), err=True)
    if not sys.stdin.isatty():
        raise Failure("nothing was changed: nobody to ask", "Say --yes to do it.", ExitStatus.USAGE, "not_confirmed")
    if not click.confirm("Do it?", err=True):
        raise Failure("nothing was changed", "", ExitStatus.NOTHING_TO_DO, "not_confirmed")


def watch(session: Session, operation: str) -> int:
    """Wait for the end of an operation and say how it went."""
    while True:
        found = session.hub.get(f"/api/operations/{quoted(operation)}")
        now = found["operation"]
        if now["state"] not in ("running", "probing"):
            break
        if sys.stderr.isatty():
            click.echo(f"\r{now['position']:,} of {now['total']:,} {safe(now['note'])}\x1b[K", err=True, nl=False)
        time.sleep(POLL_S)
    if sys.stderr.isatty():
        click.echo("\r\x1b[K", err=True, nl=False)
    if session.out.as_json:
        session.out.data(found)
    else:
        session.out.line(summary(now))
        for problem in found["problems"][:5]:
            session.out.hint(safe(f"  {problem['task_id']}: {problem['detail']}"))
    if now["state"] == "finished":
        return ExitStatus.PARTLY_DONE if now["failed"] else ExitStatus.OK
    return ExitStatus.FAILED


def summary(operation: dict[str, Json]) -> str:
    words = f"{operation['done']:,} {PAST[operation['action']]}, {operation['skipped']:,} skipped, {operation['failed']:,} failed"
    note = f": {operation['note']}" if operation["note"] else ""
    return f"{operation['id']} {operation['state']}: {words} of {operation['total']:,}{note}"


@click.group(cls=NearestCommand)
def operation() -> None:
    """Bulk operations: list, show, and cancel."""


@operation.command("list")
@hub_options
def list_(session: Session) -> None:
    """The newest 50."""
    answer = session.hub.get("/api/operations")
    if session.out.as_json:
        session.out.data(answer)
        return
    rows = [
        (
            one["id"],
            one["state"],
            one["action"],
            one["done"],
            one["total"],
            age(one["made_at"]),
            one["query"] or "(ids)",
        )
        for one in answer["operations"]
    ]
    session.out.table(("ID", "STATE", "ACTION", "DONE", "OF", "AGE", "TITLE"), rows)


@operation.command()
@click.argument("operation_id")
@hub_options
def show(session: Session, operation_id: str) -> None:
    """How far it is, and what became of its tasks."""
    found = session.hub.get(f"/api/operations/{quoted(operation_id)}")
    if session.out.as_json:
        session.out.data(found)
        return
    session.out.line(summary(found["operation"]))
    if found["outcome"]:
        session.out.line(
            "now: " + ", ".join(f"{count:,} {status}" for status, count in sorted(found["outcome"].items()))
        )
    for problem in found["problems"]:
        session.out.fields(problem["task_id"], problem["outcome"], problem["detail"])


@operation.command()
@click.argument("operation_id")
@hub_options
def cancel(session: Session, operation_id: str) -> None:
    """Stop it where it is."""
    found = session.hub.post(f"/api/operations/{quoted(operation_id)}/cancel", {})["operation"]
    if session.out.as_json:
        session.out.data(found)
    else:
        session.out.line(summary(found))
