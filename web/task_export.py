"""Tasks as a file: JSON Lines with everything that the API shows of a task, or CSV with a row of plain columns for a spreadsheet.

A page of the list at a time, so that neither this process nor the hub ever holds more than that. Times in CSV are UTC. A text
that a spreadsheet would take for a formula gets an apostrophe in front.
"""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from typing import Any

from web import task_search
from web.task_search import Call
from web.task_view import task_object
from wire import codec
from wire.limits import PAGE_ROWS
from wire.task_filter import LANES

#: Tasks of one file; whoever wants more narrows the filter, for example by time.
EXPORT_TASKS = 100_000

#: Columns of CSV.
COLUMNS = (
    *("id", "title", "state", "lane", "agent", "only_for", "needs", "attempt", "retries", "max_retries", "tokens"),
    *("submitted_by", "created", "assigned", "updated", "completed", "error"),
)

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


async def pages(call: Call, filter_: dict[str, Any], order: str, *, descending: bool) -> AsyncIterator[list[Any]]:
    """The tasks of a filter as the hub has them, at most ``EXPORT_TASKS``. Raises what ``call`` raises."""
    cursor, left = None, EXPORT_TASKS
    while left > 0:
        arguments = {"filter": filter_, "order": order, "descending": descending, "cursor": cursor}
        arguments |= {"backwards": False, "seek": None, "at": None, "limit": min(PAGE_ROWS, left)}
        found = await task_search.find(call, arguments)
        yield found["tasks"]
        cursor, left = found["next"], left - len(found["tasks"])
        if cursor is None:
            return


def as_json_lines(tasks: Iterable[dict[str, Any]]) -> bytes:
    return b"".join(codec.encode(task_object(task)) + b"\n" for task in tasks)


def csv_head() -> str:
    return _lines([COLUMNS])


def as_csv(tasks: Iterable[dict[str, Any]]) -> str:
    return _lines(_row(task) for task in tasks)


def _lines(rows: Iterable[Iterable[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()


def _row(task: dict[str, Any]) -> tuple[object, ...]:
    return (
        *(task["id"], _text(task["description"]), task["status"], LANES[task["priority"]], _text(task["assigned_to"])),
        *(_text(task["assign_to"]), _text(" ".join(task["needed_capabilities"])), task["generation"]),
        *(task["retry_count"], task["max_retries"], task["tokens_used"], _text(task["submitted_by"])),
        *(_time(task[name]) for name in ("created_at", "assigned_at", "updated_at", "completed_at")),
        _text(task["last_error"]),
    )


def _text(value: str | None) -> str:
    if value is None:
        return ""
    return f"'{value}" if value.startswith(_FORMULA) else value


def _time(unix_ms: int | None) -> str:
    if unix_ms is None:
        return ""
    return datetime.fromtimestamp(unix_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
