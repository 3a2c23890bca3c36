"""``agentcom task …``: submit, list, show, wait for, cancel and retry tasks."""

from __future__ import annotations

import json
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from typing import TextIO

import click

from agentcom.cli.bulk import consent_options, run
from agentcom.cli.main import NearestCommand
from agentcom.cli.output import age, duration, state
from agentcom.cli.session import Session, hub_options
from agentcom.cli.task_output import PAGE_LINES, follow_output, print_output
from agentcom.client import HubError, Json, quoted
from agentcom.config import seconds
from agentcom.failures import ExitStatus, Failure
from wire.queries import SORTS

LANES = ("urgent", "high", "normal", "low")
STATUSES = ("queued", "assigned", "completed", "dead_letter", "cancelled")
ENDED = frozenset({"completed", "dead_letter", "cancelled"})

BULK_LIMIT = 1000
"""The hub takes at most so many tasks in one request."""
POLL_S = (0.1, 1.0)
"""First and longest pause between two looks at a task that is waited for."""


def parse_duration(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """A duration such as 30s, in seconds."""
    try:
        return None if value is None else seconds(value)
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is not {error}", ctx, param) from None


@click.group(cls=NearestCommand)
def task() -> None:
    """Submit, list, show, wait for, cancel and retry tasks."""


@task.command()
@click.argument("description", required=False)
@click.option("--run", "command", help="a command line for agents that run commands (metadata.run)")
@click.option("--lane", type=click.Choice(LANES), default="normal", show_default=True, help="which queue it waits in")
@click.option("--needs", multiple=True, help="a capability that the agent must have (repeatable)")
@click.option("--agent", "assign_to", help="only this agent may have it")
@click.option("--retries", type=click.IntRange(0, 100), default=3, show_default=True, help="retries before it is dead")
@click.option("--metadata", help="a JSON object that travels with the task")
@click.option("--key", help="idempotency key: the same key twice is the same task")
@click.option("--file", "source", type=click.File(encoding="utf-8"), help="one JSON task a line; - reads stdin")
@click.option("--wait", is_flag=True, help="wait until it has ended")
@click.option("--timeout", callback=parse_duration, help="with --wait: give up after so long")
@hub_options
def submit(
    session: Session,
    description: str | None,
    command: str | None,
    lane: str,
    needs: tuple[str, ...],
    assign_to: str | None,
    retries: int,
    metadata: str | None,
    key: str | None,
    source: TextIO | None,
    wait: bool,
    timeout: float | None,
) -> int:
    """Queue a task, or many with --file."""
    if source is not None:
        if description is not None or wait:
            raise click.UsageError("--file stands alone: no DESCRIPTION and no --wait")
        return _submit_file(session, source)
    if description is None:
        raise click.UsageError('say what is to be done:  agentcom task submit "Tidy the README"')
    body: dict[str, Json] = {"description": description, "priority": lane, "max_retries": retries}
    body["metadata"] = _metadata(metadata) | ({"run": command} if command else {})
    body["needed_capabilities"] = list(needs)
    if assign_to:
        body["assign_to"] = assign_to
    answer = session.hub.post("/api/tasks", body, {"Idempotency-Key": key} if key else None)
    task_id = str(answer["task_id"])
    if wait:
        return wait_for(session, [task_id], timeout)
    if session.out.as_json:
        session.out.data(answer)
    else:
        session.out.line(task_id)
        session.out.hint(f"Queued in lane {lane}. Watch it:  agentcom task wait {task_id}")
    return ExitStatus.OK


@task.command("list")
@click.argument("query", nargs=-1)
@click.option("--status", type=click.Choice(STATUSES), help="only these")
@click.option("--lane", type=click.Choice(LANES), help="only this lane")
@click.option("--agent", "assigned_to", help="only tasks of this agent")
@click.option("--sort", type=click.Choice(tuple(SORTS)), help="with a QUERY: the order; -created is the default")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True, help="at most so many")
@click.option("--cursor", help="go on where an earlier list ended (next_cursor)")
@hub_options
def list_(
    session: Session,
    query: tuple[str, ...],
    status: str | None,
    lane: str | None,
    assigned_to: str | None,
    sort: str | None,
    limit: int,
    cursor: str | None,
) -> None:
    """List tasks: those that QUERY finds, newest first, or all, the most urgent first.

    A QUERY is, for example,  state:dead_letter error:timeout 'age:<24h' '"two words"';  after -- a term may begin with a minus.
    """
    asked = {"status": status, "priority": lane, "assigned_to": assigned_to, "limit": limit, "cursor": cursor}
    text = " ".join(query)
    if query or sort:
        asked |= {"q": text, "sort": sort, "total": 1}
    answer = session.hub.get("/api/tasks", asked)
    again = shlex.join(["agentcom", "task", "list", *([f"--sort={sort}"] if sort else []), *query])
    print_tasks(session, answer, again)
    if not session.out.as_json and "total" in answer:
        total = answer["total"]
        session.out.hint(f"{total['count']:,}{'' if total['is_exact'] else '+'} tasks match.")


@task.command()
@click.argument("task_id")
@hub_options
def show(session: Session, task_id: str) -> None:
    """Everything about one task, with its history."""
    found = read(session, task_id)
    if session.out.as_json:
        session.out.data(found)
        return
    for field in ("id", "status", "description", "priority", "assigned_to", "generation", "retry_count", "max_retries"):
        session.out.line(f"{field:<20} {lane_of(found) if field == 'priority' else found.get(field)}")
    for field in ("reclaim_count", "needed_capabilities", "last_error", "result", "submitted_by", "metadata"):
        if found.get(field):
            session.out.line(f"{field:<20} {json.dumps(found[field], ensure_ascii=False)}")
    session.out.line("history (newest first)")
    for entry in found.get("history", []):
        details = entry.get("details")
        session.out.line(f"  {age(entry.get('timestamp')):>7} ago  {entry.get('event'):<12} {json.dumps(details)}")


@task.command("explain")
@click.argument("task_id")
@hub_options
def explain_(session: Session, task_id: str) -> None:
    """Say why a task waits, and what to do about it."""
    found = session.hub.get(f"/api/tasks/{quoted(task_id)}/explain")
    if session.out.as_json:
        session.out.data(found)
        return
    session.out.line(str(found["sentence"]))
    if found["agents"]:
        rows = [
            (one["agent_id"], one["state"], f"{one['free']}/{one['slots']}", ", ".join(one["missing"]))
            for one in found["agents"]
        ]
        session.out.table(("AGENT", "STATE", "FREE", "LACKS"), rows)
    if found["next_step"]:
        session.out.hint(str(found["next_step"]))


@task.command("output")
@click.argument("task_id")
@click.option("--follow", "-f", is_flag=True, help="go on with what it prints, until it has ended")
@click.option(
    "--lines", "-n", type=click.IntRange(1, PAGE_LINES), default=1000, show_default=True, help="the last so many"
)
@click.option("--attempt", type=click.IntRange(0), help="of this attempt (its generation), not of the newest")
@hub_options
def output_(session: Session, task_id: str, follow: bool, lines: int, attempt: int | None) -> int:
    """Print what a task printed; with --follow the exit status is 1 when it does not complete."""
    if follow and attempt is not None:
        raise click.UsageError("--follow shows the newest attempt: it cannot be said together with --attempt")
    if not follow:
        print_output(session, task_id, attempt, lines, ENDED)
        return ExitStatus.OK
    return ExitStatus.OK if follow_output(session, task_id, lines, ENDED) else ExitStatus.FAILED


@task.command("wait")
@click.argument("task_ids", nargs=-1, required=True)
@click.option("--timeout", callback=parse_duration, help="give up after so long, as 30s or 10m (exit status 7)")
@hub_options
def wait_command(session: Session, task_ids: tuple[str, ...], timeout: float | None) -> int:
    """Wait until all named tasks have ended; exit status 1 when one of them did not complete."""
    return wait_for(session, task_ids, timeout)


@task.command()
@click.argument("task_ids", nargs=-1)
@click.option("--query", help="those that a filter finds and that are not over, as in agentcom task list")
@consent_options
@hub_options
def cancel(session: Session, task_ids: tuple[str, ...], query: str | None, yes: bool, no_wait: bool) -> int:
    """Take tasks out of the queue, or away from their agents."""
    if bool(task_ids) == (query is not None):
        raise click.UsageError("name tasks or say --query, one of the two")
    if query is not None:
        return run(session, "cancel", {"query": query}, yes=yes, no_wait=no_wait)
    return each(session, task_ids, lambda one: session.hub.post(f"/api/tasks/{quoted(one)}/cancel", {}))


@task.command()
@click.argument("lane", type=click.Choice(LANES))
@click.argument("task_ids", nargs=-1)
@click.option("--query", help="those that a filter finds and that are queued")
@consent_options
@hub_options
def move(session: Session, lane: str, task_ids: tuple[str, ...], query: str | None, yes: bool, no_wait: bool) -> int:
    """Put queued tasks at the end of another LANE."""
    if bool(task_ids) == (query is not None):
        raise click.UsageError("name tasks or say --query, one of the two")
    if query is not None:
        return run(session, "lane", {"query": query}, yes=yes, no_wait=no_wait, lane=lane)
    return each(session, task_ids, lambda one: session.hub.post(f"/api/tasks/{quoted(one)}/lane", {"lane": lane}))


@task.command()
@click.argument("task_ids", nargs=-1)
@click.option("--to", "agent", metavar="AGENT", help="only this agent may have them")
@click.option("--to-anybody", is_flag=True, help="any agent that can do them")
@click.option("--query", help="those that a filter finds and that are queued")
@consent_options
@hub_options
def reassign(
    session: Session,
    task_ids: tuple[str, ...],
    agent: str | None,
    to_anybody: bool,
    query: str | None,
    yes: bool,
    no_wait: bool,
) -> int:
    """Give queued tasks to one agent, or to anybody again."""
    if (agent is not None) == to_anybody:
        raise click.UsageError("say --to AGENT or --to-anybody, one of the two")
    if bool(task_ids) == (query is not None):
        raise click.UsageError("name tasks or say --query, one of the two")
    if query is not None:
        return run(session, "reassign", {"query": query}, yes=yes, no_wait=no_wait, agent=agent)
    return each(session, task_ids, lambda one: session.hub.post(f"/api/tasks/{quoted(one)}/reassign", {"agent": agent}))


@task.command()
@click.argument("task_ids", nargs=-1, required=True)
@hub_options
def retry(session: Session, task_ids: tuple[str, ...]) -> int:
    """Queue dead tasks again."""
    return each(session, task_ids, lambda one: session.hub.post(f"/api/tasks/{quoted(one)}/retry", {}))


# --- shared with ``dead`` and ``run`` -----------------------------------------------------------------------------


def read(session: Session, task_id: str) -> dict[str, Json]:
    """One task. Raises ``HubError`` (404) when there is none."""
    found: dict[str, Json] = session.hub.get(f"/api/tasks/{quoted(task_id)}")
    return found


def lane_of(found: dict[str, Json]) -> str:
    number = found.get("priority")
    return LANES[number] if isinstance(number, int) and 0 <= number < len(LANES) else str(number)


def print_tasks(session: Session, answer: dict[str, Json], command: str) -> None:
    """A page of tasks, and how to get the next one."""
    if session.out.as_json:
        session.out.data(answer)
        return
    rows = [
        (
            each["id"],
            state(str(each["status"])),
            lane_of(each),
            each.get("assigned_to"),
            f"{each.get('retry_count')}/{each.get('max_retries')}",
            age(each.get("created_at")),
            each.get("description"),
        )
        for each in answer["tasks"]
    ]
    session.out.table(("ID", "STATE", "LANE", "AGENT", "RETRIES", "AGE", "TITLE"), rows)
    if answer.get("next_cursor"):
        session.out.hint(f"There are more:  {command} --cursor {answer['next_cursor']}")


def each(session: Session, task_ids: Sequence[str], act: Callable[[str], Json]) -> int:
    """Do ``act`` for every task and say how it went; the exit status: 0 all, 8 some, else the first refusal."""
    answers: list[Json] = []
    refused: list[HubError] = []
    for task_id in task_ids:
        try:
            answer = act(task_id)
        except HubError as error:
            if len(task_ids) == 1 or error.exit_status in (ExitStatus.UNREACHABLE, ExitStatus.NOT_ALLOWED):
                raise
            refused.append(error)
            answers.append({"task_id": task_id, "error": error.code, "detail": str(error)})
        else:
            answers.append(answer)
    if session.out.as_json:
        session.out.data(answers[0] if len(task_ids) == 1 else {"results": answers})
    else:
        for answer in answers:
            session.out.fields(answer.get("task_id"), answer.get("status") or f"error: {answer.get('detail')}")
    if not refused:
        return ExitStatus.OK
    return ExitStatus.PARTLY_DONE if len(refused) < len(task_ids) else refused[0].exit_status


def wait_for(session: Session, task_ids: Sequence[str], timeout_s: float | None) -> int:
    """Look until every task has ended and print how each did. Raises ``Failure`` (7) when ``timeout_s`` passes first."""
    started = time.monotonic()
    waiting, ended, pause_s = list(dict.fromkeys(task_ids)), dict[str, dict[str, Json]](), POLL_S[0]
    while waiting:
        for task_id in list(waiting):
            found = read(session, task_id)
            if found["status"] in ENDED:
                ended[task_id] = found
                waiting.remove(task_id)
        passed = time.monotonic() - started
        if waiting and timeout_s is not None and passed >= timeout_s:
            hint = f"They go on. Wait longer:  agentcom task wait {' '.join(waiting)}"
            raise Failure(f"{len(waiting)} not ended after {duration(passed)}", hint, ExitStatus.TIMED_OUT, "timed_out")
        if waiting:
            time.sleep(pause_s if timeout_s is None else min(pause_s, max(0.0, timeout_s - passed)))
            pause_s = min(pause_s * 1.5, POLL_S[1])
    in_order = [ended[task_id] for task_id in dict.fromkeys(task_ids)]
    if session.out.as_json:
        session.out.data(in_order[0] if len(in_order) == 1 else {"tasks": in_order})
    else:
        for found in in_order:
            outcome = found.get("result") if found["status"] == "completed" else found.get("last_error")
            session.out.fields(found["id"], found["status"], json.dumps(outcome, ensure_ascii=False))
    return ExitStatus.OK if all(found["status"] == "completed" for found in in_order) else ExitStatus.FAILED


def _metadata(text: str | None) -> dict[str, Json]:
    if text is None:
        return {}
    try:
        value = json.loads(text)
    except ValueError as error:
        raise click.UsageError(f"--metadata is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise click.UsageError("--metadata takes an object:  --metadata '{\"issue\": 12}'")
    return value


def _submit_file(session: Session, source: TextIO) -> int:
    bodies = []
    for number, line in enumerate(source, 1):
        if line.strip():
            try:
                bodies.append(json.loads(line))
            except ValueError as error:
                raise Failure(
                    f"line {number} is not JSON ({error})", "Write one task a line.", ExitStatus.USAGE
                ) from None
    if not bodies:
        raise Failure(
            "the file holds no task", "Write one JSON task a line.", ExitStatus.NOTHING_TO_DO, "nothing_to_do"
        )
    results: list[dict[str, Json]] = []
    for start in range(0, len(bodies), BULK_LIMIT):
        results += session.hub.post("/api/tasks/bulk", {"tasks": bodies[start : start + BULK_LIMIT]})["results"]
    failed = [result for result in results if "error" in result]
    if session.out.as_json:
        session.out.data({"results": results})
    else:
        for result in results:
            session.out.line(str(result.get("task_id") or f"error: {result.get('error')} {result.get('detail', '')}"))
    print(f"{len(results) - len(failed)} queued, {len(failed)} refused", file=sys.stderr)
    if not failed:
        return ExitStatus.OK
    return ExitStatus.PARTLY_DONE if len(failed) < len(results) else ExitStatus.USAGE
