"""``agentcom dead …``: tasks that were given up after their last retry."""

from __future__ import annotations

import click

from agentcom.cli.main import NearestCommand
from agentcom.cli.output import age
from agentcom.cli.session import Session, hub_options
from agentcom.cli.task import each, lane_of
from agentcom.client import Json, quoted
from agentcom.failures import ExitStatus, Failure

PAGE = 500


@click.group(cls=NearestCommand)
def dead() -> None:
    """Tasks that were given up: list and retry."""


@dead.command("list")
@click.option("--limit", type=click.IntRange(1, PAGE), default=50, show_default=True, help="at most so many")
@click.option("--cursor", help="go on where an earlier list ended (next_cursor)")
@hub_options
def list_(session: Session, limit: int, cursor: str | None) -> None:
    """List them with what went wrong."""
    answer = session.hub.get("/api/tasks/dead-letter", {"limit": limit, "cursor": cursor})
    if session.out.as_json:
        session.out.data(answer)
        return
    rows = [
        (
            one["id"],
            lane_of(one),
            one.get("retry_count"),
            age(one.get("updated_at")),
            one["description"],
            one.get("last_error"),
        )
        for one in answer["tasks"]
    ]
    session.out.table(("ID", "LANE", "RETRIES", "DEAD", "TITLE", "ERROR"), rows)
    if answer.get("next_cursor"):
        session.out.hint(f"There are more:  agentcom dead list --cursor {answer['next_cursor']}")
    if rows:
        session.out.hint("Queue them again:  agentcom dead retry ID…   or   agentcom dead retry --all")


@dead.command()
@click.argument("task_ids", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="every task that is dead now")
@hub_options
def retry(session: Session, task_ids: tuple[str, ...], everything: bool) -> int:
    """Queue dead tasks again, with all their retries."""
    if bool(task_ids) == everything:
        raise click.UsageError("name tasks or say --all, one of the two")
    wanted = all_dead(session) if everything else list(task_ids)
    if not wanted:
        raise Failure("no task is dead", "", ExitStatus.NOTHING_TO_DO, "nothing_to_do")
    return each(session, wanted, lambda one: session.hub.post(f"/api/tasks/{quoted(one)}/retry", {}))


def all_dead(session: Session) -> list[str]:
    """The ids of all dead tasks, read page by page before any of them is changed."""
    found: list[str] = []
    cursor: str | None = None
    while True:
        page: dict[str, Json] = session.hub.get("/api/tasks/dead-letter", {"limit": PAGE, "cursor": cursor})
        found += [str(one["id"]) for one in page["tasks"]]
        cursor = page.get("next_cursor")
        if not cursor:
            return found
