"""What a task printed, as far as the hub still has it."""

from __future__ import annotations

from typing import Any

from web.handlers.base import ApiHandler
from web.handlers.tasks import about_task
from wire import codec
from wire.output import plain_line
from wire.queries import OutputQuery

#: As many lines as there can be: the hub keeps less than this of one attempt.
ALL_LINES = 1_000_000


class TaskOutput(ApiHandler):
    """A page of numbered lines; with ``format=text`` all that is kept, as a file."""

    route = "/api/dashboard/tasks/:id/output"

    async def on_get(self, task_id: str) -> None:
        query = self.query_as(OutputQuery)
        is_file = query.format == "text"
        numbers = query.numbers | ({"limit": ALL_LINES} if is_file else {})
        page: bytes = (await self.call("output.read", task_id=task_id, **numbers))["json"]
        found: dict[str, Any] | None = None
        if is_file or page.startswith(b'{"generation":null'):
            found = codec.decode_own(page)
            if found["generation"] is None:
                await about_task(self, "tasks.get", task_id)  # answers 404 when there is no such task
        if is_file and found is not None:
            self._answer_file(task_id, found)
        else:
            self.finish(page)

    def _answer_file(self, task_id: str, found: dict[str, Any]) -> None:
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        name = "".join(letter for letter in task_id if letter.isalnum() or letter in "-_")
        self.set_header("Content-Disposition", f'attachment; filename="{name}-attempt-{found["generation"] or 0}.txt"')
        self.finish(as_text(found["parts"]))


def as_text(parts: list[dict[str, Any]]) -> str:
    """Lines without colours; where some are missing it says so."""
    lines: list[str] = []
    expected = 1
    for part in parts:
        if part["first_seq"] > expected:
            lines.append(f"[{part['first_seq'] - expected} lines are missing here]")
        lines += [plain_line(text) for _, text in part["lines"]]
        expected = part["first_seq"] + len(part["lines"])
    return "".join(f"{line}\n" for line in lines)
