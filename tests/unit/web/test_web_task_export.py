"""A file of tasks: columns, texts that no spreadsheet may run, and a bound."""

from __future__ import annotations

import asyncio
import csv
import io
from typing import Any

import pytest

from web import task_export

TASK: dict[str, Any] = {
    "id": "task-1",
    "description": "do it",
    "status": "queued",
    "priority": 0,
    "assigned_to": None,
    "assign_to": "anna",
    "needed_capabilities": ["gpu", "linux"],
    "generation": 2,
    "retry_count": 1,
    "max_retries": 3,
    "tokens_used": 7,
    "submitted_by": "me",
    "created_at": 1_772_323_200_123,
    "assigned_at": None,
    "updated_at": 1_772_323_200_123,
    "completed_at": None,
    "last_error": None,
    "extras": {},
    "seq": 1,
    "key": 1,
    "accepted_on": None,
}


def rows(*tasks: dict[str, Any]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(task_export.csv_head() + task_export.as_csv(tasks))))


def test_a_row_says_what_the_list_says() -> None:
    assert rows(TASK) == [
        {
            "id": "task-1",
            "title": "do it",
            "state": "queued",
            "lane": "urgent",
            "agent": "",
            "only_for": "anna",
            "needs": "gpu linux",
            "attempt": "2",
            "retries": "1",
            "max_retries": "3",
            "tokens": "7",
            "submitted_by": "me",
            "created": "2026-03-01T00:00:00.123Z",
            "assigned": "",
            "completed": "",
            "updated": "2026-03-01T00:00:00.123Z",
            "error": "",
        }
    ]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx"])
def test_a_text_that_a_spreadsheet_would_run_is_a_text(text: str) -> None:
    [row] = rows(TASK | {"description": text, "last_error": text})
    assert row["title"] == row["error"] == f"'{text}"


def test_any_text_comes_back_as_it_was() -> None:
    text = 'two\nlines, a "quote" and \u2028'
    [row] = rows(TASK | {"description": text})
    assert row["title"] == text


def test_no_file_has_more_tasks_than_a_file_may_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_export, "EXPORT_TASKS", 250)
    asked: list[int] = []

    async def call(op: str, **args: Any) -> dict[str, Any]:
        asked.append(args["limit"])
        return {"tasks": [TASK] * args["limit"], "next": "more", "previous": None, "stopped": False}

    async def count() -> int:
        return sum([len(page) async for page in task_export.pages(call, {"terms": []}, "created", descending=True)])

    assert asyncio.run(count()) == 250 and asked == [100, 100, 50]
