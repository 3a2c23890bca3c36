"""Many tasks in one request: a JSON array, ``{"tasks": […]}``, or one JSON object a line (NDJSON).

Each task is accepted or refused by itself; the answer has one result for each, in order. The body may be large, so it is
parsed a piece at a time where it can be, and the loop gets a turn between the pieces.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from web.errors import ApiError, json_detail
from web.handlers.base import JSON, ApiHandler
from wire import codec, limits
from wire.codec import CodecError
from wire.errors import FieldError, Invalid
from wire.tasks import parse_new_task, submission

NDJSON = "application/x-ndjson"

#: Tasks between two turns of the loop; a hundred small ones take about a millisecond.
TASKS_A_TURN = 100

#: A body from this size on is decoded in a thread.
THREAD_BYTES = 256 * 1024

#: A line with a task, encoded with escapes at their longest.
MAX_LINE_BYTES = 6 * limits.TASK_BYTES


class BulkTasks(ApiHandler):
    route = "/api/tasks/bulk"
    body_limit = limits.BULK_BODY_BYTES
    content_types = frozenset({JSON, NDJSON})

    async def on_post(self) -> None:
        is_ndjson = self.content_type == NDJSON
        items = self._lines() if is_ndjson else self._elements()
        results: list[dict[str, Any] | None] = []
        accepted: list[dict[str, Any]] = []
        async for item in items:
            fields = item if isinstance(item, ApiError) else self._submission(item, f"tasks[{len(results)}].")
            if isinstance(fields, ApiError):
                results.append(fields.body())
            else:
                results.append(None)
                accepted.append(fields)
        await self._submit(results, accepted)

    async def _submit(self, results: list[dict[str, Any] | None], accepted: list[dict[str, Any]]) -> None:
        """Fill the gaps in ``results`` with what the hub says about ``accepted``."""
        if not results:
            raise Invalid([FieldError("tasks", "too_few", "must have at least one task")])
        if not accepted:
            detail = "no task of this request is valid"
            raise ApiError(422, "validation_failed", detail, fields={"results": results})
        submitted = await self.call("tasks.submit", tasks=accepted, submitted_by=self.caller_name)
        answers = iter(submitted)
        self.answer({"results": [_result(next(answers)) if one is None else one for one in results]}, 201)

    @staticmethod
    def _submission(item: object, where: str) -> dict[str, Any] | ApiError:
        try:
            return submission(parse_new_task(item, where))
        except Invalid as error:
            detail = "fields break the rules named in errors"
            return ApiError(422, "validation_failed", detail, errors=error.errors)

    async def _elements(self) -> AsyncIterator[object]:
        body = bytes(self._body)
        if len(body) < THREAD_BYTES:
            value = self.decode(body, max_values=limits.BULK_NODES)
        else:
            value = await asyncio.to_thread(self.decode, body, max_values=limits.BULK_NODES)
        tasks = value.get("tasks") if isinstance(value, dict) else value
        if not isinstance(tasks, list):
            raise Invalid([FieldError("tasks", "wrong_type", "must be an array")])
        _check_count(len(tasks))
        for index, task in enumerate(tasks):
            if index % TASKS_A_TURN == TASKS_A_TURN - 1:
                await asyncio.sleep(0)
            yield task

    async def _lines(self) -> AsyncIterator[object]:
        """A line that is not JSON is an error of its own; it does not spoil the others."""
        lines = [line for line in bytes(self._body).split(b"\n") if line.strip()]
        _check_count(len(lines))
        for index, line in enumerate(lines):
            if index % TASKS_A_TURN == TASKS_A_TURN - 1:
                await asyncio.sleep(0)
            try:
                yield codec.decode(line, max_bytes=MAX_LINE_BYTES)
            except CodecError as error:
                yield ApiError(400, "invalid_json", json_detail(error))


def _check_count(count: int) -> None:
    if count > limits.BULK_TASKS:
        raise Invalid([FieldError("tasks", "too_many", f"must have at most {limits.BULK_TASKS} tasks")])


def _result(one: dict[str, Any]) -> dict[str, Any]:
    """``one`` is the hub's word about a task: accepted, or refused with a reason."""
    if "reason" in one:
        return {"error": one["reason"], "detail": one["detail"]}
    shown = {"task_id": one["task_id"], "priority": one["priority"], "created_at": one["created_at"]}
    return shown | {"duplicate": True} if one["duplicate"] else shown
