"""``agentcom dead …``: tasks that were given up after their last retry."""

from __future__ import annotations

from collections.abc import Callable

import click

from agentcom.cli.bulk import consent_options, parse_spread, run
from agentcom.cli.main import NearestCommand
from agentcom.cli.output import age
from agentcom.cli.session import Session, hub_options
from agentcom.cli.task import each, lane_of
from agentcom.client import Json, quoted
from agentcom.failures import ExitStatus, Failure

PAGE = 500


@click.group(cls=NearestCommand)
def dead() -> None:
    """Tasks that were given up: list, group by cause, retry, discard."""


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
@click.option(
    "--sort", type=click.Choice(("size", "recent")), default="size", show_default=True, help="which come first"
)
@click.option("--cursor", help="go on where an earlier list ended (next_cursor)")
@hub_options
def groups(session: Session, sort: str, cursor: str | None) -> None:
    """By cause: how many died of what, since when."""
    answer = session.hub.get("/api/dashboard/dead-letter/groups", {"sort": sort, "cursor": cursor})
    if session.out.as_json:
        session.out.data(answer)
        return
    living = [one for one in answer["groups"] if one["count"]]
    rows = [
        (one["id"], one["count"], one["reason"], age(one["last_at"]), age(one["first_at"]), one["shape"])
        for one in living
    ]
    session.out.table(("GROUP", "TASKS", "REASON", "LAST", "FIRST", "TITLE"), rows)
    if answer.get("next_cursor"):
        session.out.hint(f"There are more:  agentcom dead groups --cursor {answer['next_cursor']}")
    if rows:
        session.out.hint(f"Give one another chance:  agentcom dead retry --group {rows[0][0]} --probe 5")


@dead.command()
@click.argument("group")
@click.option("--for", "for_s", callback=parse_spread, default="8h", show_default=True, help="how long, as 8h")
@click.option("--note", help="why, for the others")
@hub_options
def mute(session: Session, group: str, for_s: int, note: str | None) -> None:
    """Look after one cause: it asks nobody else for attention until the time is over, or it has doubled."""
    answer = session.hub.post(f"/api/dead-letter/groups/{quoted(group)}/mute", {"for_s": for_s, "note": note})
    if session.out.as_json:
        session.out.data(answer)
    else:
        session.out.line(f"{group} is muted, or until it has {answer['muted']['until_count']:,} tasks")


@dead.command()
@click.argument("group")
@hub_options
def unmute(session: Session, group: str) -> None:
    """One cause asks for attention again."""
    answer = session.hub.post(f"/api/dead-letter/groups/{quoted(group)}/unmute", {})
    if session.out.as_json:
        session.out.data(answer)
    else:
        session.out.line(f"{group} is not muted")


def selection_options(command: Callable[..., object]) -> Callable[..., object]:
    """``--group`` and ``--query``, beside ids."""
    command = click.option("--query", help="those that a filter finds, as in agentcom task list")(command)
    return click.option("--group", help="those of one cause (agentcom dead groups)")(command)


def selection_of(task_ids: tuple[str, ...], group: str | None, query: str | None) -> dict[str, Json] | None:
    """For a bulk operation; None when nothing names one. Raises ``UsageError`` for more than one way of naming."""
    if sum((bool(task_ids), group is not None, query is not None)) > 1:
        raise click.UsageError("name tasks, or say --group or --query, one of them")
    if task_ids:
        return {"ids": list(task_ids)}
    filters = [query] if query is not None else [f"group:{group}"] if group is not None else []
    return {"query": filters[0]} if filters else None


@dead.command()
@click.argument("task_ids", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="every task that is dead now")
@selection_options
@click.option("--over", callback=parse_spread, help="spread over a time, as 10m")
@click.option("--probe", type=click.IntRange(1, 1000), help="so many first; the rest when all of these completed")
@consent_options
@hub_options
def retry(
    session: Session,
    task_ids: tuple[str, ...],
    everything: bool,
    group: str | None,
    query: str | None,
    over: int,
    probe: int | None,
    yes: bool,
    no_wait: bool,
) -> int:
    """Queue dead tasks again, with all their retries."""
    selection = selection_of(task_ids, group, query)
    if everything == (selection is not None):
        raise click.UsageError("name tasks, or say --all, --group or --query, one of them")
    if group is not None or query is not None or over or probe:
        bulk = selection or {"query": "state:dead_letter"}
        return run(session, "retry", bulk, yes=yes, no_wait=no_wait, over_s=over, probe=probe)
    wanted = all_dead(session) if everything else list(task_ids)
    if not wanted:
        raise Failure("no task is dead", "", ExitStatus.NOTHING_TO_DO, "nothing_to_do")
    return each(session, wanted, lambda one: session.hub.post(f"/api/tasks/{quoted(one)}/retry", {}))


@dead.command()
@click.argument("task_ids", nargs=-1)
@selection_options
@consent_options
@hub_options
def discard(
    session: Session, task_ids: tuple[str, ...], group: str | None, query: str | None, yes: bool, no_wait: bool
) -> int:
    """Take them out of the dead letters; for 24 hours they can be recovered."""
    return _act(session, "discard", selection_of(task_ids, group, query), yes=yes, no_wait=no_wait)


@dead.command()
@click.argument("task_ids", nargs=-1)
@selection_options
@consent_options
@hub_options
def recover(
    session: Session, task_ids: tuple[str, ...], group: str | None, query: str | None, yes: bool, no_wait: bool
) -> int:
    """Make what was discarded dead letters again."""
    return _act(session, "recover", selection_of(task_ids, group, query), yes=yes, no_wait=no_wait)


def _act(session: Session, action: str, selection: dict[str, Json] | None, *, yes: bool, no_wait: bool) -> int:
    if selection is None:
        raise click.UsageError("name tasks, or say --group or --query")
    return run(session, action, selection, yes=yes, no_wait=no_wait)


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
