"""What a task printed, in a terminal: its own stdout on ours, its stderr on ours, and the news while it runs."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator

import click

from agentcom.cli.session import Session
from agentcom.client import Json, quoted
from wire.output import plain_line, safe_line

PAGE_LINES = 5000

#: Pause between two looks while nothing new comes.
FOLLOW_S = 0.5


def print_output(session: Session, task_id: str, generation: int | None, lines: int, ended: frozenset[str]) -> None:
    """The last ``lines`` lines, once."""
    found = _read(session, task_id, {"generation": generation, "limit": min(lines, PAGE_LINES)})
    _print_page(session, found)
    if found["generation"] is None:
        status = session.hub.get(f"/api/tasks/{quoted(task_id)}")["status"]
        session.out.hint("Nothing is kept of what it printed." if status in ended else "It has printed nothing yet.")


def follow_output(session: Session, task_id: str, lines: int, ended: frozenset[str]) -> bool:
    """What is there, and then every line as it comes, until the task has ended. True: it completed."""
    generation: int | None = None
    query: dict[str, int | None] = {"limit": min(lines, PAGE_LINES)}
    seen = 0
    while True:
        # Asked before the output is read, so that what came right before the end is not missed.
        status = session.hub.get(f"/api/tasks/{quoted(task_id)}")["status"]
        found = _read(session, task_id, query)
        if found["generation"] != generation:
            if generation is not None:
                session.out.hint(f"--- attempt {found['generation']} by {found['agent_id']} ---")
                found = _read(session, task_id, {"after": 0, "limit": PAGE_LINES})
            generation, seen = found["generation"], 0
        if generation is not None and found["last_seq"] < seen:  # another hub, which knows less
            seen = 0
        last = _print_page(session, found, after=seen)
        is_all = last is None or last >= found["last_seq"]
        seen = seen if last is None else last
        query = {"after": seen, "limit": PAGE_LINES} if generation is not None else query
        if is_all:
            if status in ended:
                return bool(status == "completed")
            time.sleep(FOLLOW_S)


def _read(session: Session, task_id: str, query: dict[str, int | None]) -> dict[str, Json]:
    found: dict[str, Json] = session.hub.get(f"/api/dashboard/tasks/{quoted(task_id)}/output", query)
    return found


def _print_page(session: Session, found: dict[str, Json], after: int | None = None) -> int | None:
    """The number of the last line, None when there is none. ``after``: say what is missing since that line."""
    last = after
    is_any = False
    for seq, stream, text in _numbered(found):
        if last and seq > last + 1:
            session.out.hint(f"--- {seq - last - 1} lines are missing here ---")
        last, is_any = seq, True
        if session.out.as_json:
            line = {"generation": found["generation"], "seq": seq, "stream": stream, "text": text}
            click.echo(json.dumps(line, ensure_ascii=False))
        else:
            _print_line(stream, text)
    return last if is_any else None


def _numbered(found: dict[str, Json]) -> Iterator[tuple[int, str, str]]:
    for part in found["parts"]:
        for offset, (stream, text) in enumerate(part["lines"]):
            yield part["first_seq"] + offset, stream, text


def _print_line(stream: str, text: str) -> None:
    """The hub sends nothing that a terminal would obey, but this terminal does not rely on that."""
    target = sys.stderr if stream == "err" else sys.stdout
    has_colours = target.isatty() and "NO_COLOR" not in os.environ
    click.echo(f"{safe_line(text)}\x1b[0m" if has_colours and "\x1b" in text else plain_line(text), file=target)
