"""Many tasks in one request: a JSON array, ``{"tasks": […]}``, or one JSON object a line (NDJSON).

Each task is accepted or refused by itself; the answer has one result for each, in order. The body may be large, so it is
parsed a piece at a time where it can be, and the loop gets a turn between the pieces.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from web.bulk_submission import BulkSubmission
from web.errors import ApiError, json_detail
from web.handlers.base import JSON, ApiHandler
from wire import codec, limits
from wire.codec import CodecError
from wire.errors import FieldError, Invalid

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
        bulk = BulkSubmission()
        async for item in self._lines() if self.content_type == NDJSON else self._elements():
            bulk.add(item)
        if not len(bulk):
            raise Invalid([FieldError("tasks", "too_few", "must have at least one task")])
        if not bulk.accepted:
            detail = "no task of this request is valid"
            raise ApiError(422, "validation_failed", detail, fields={"results": bulk.results([])})
        answers = await self.call("tasks.submit", tasks=bulk.accepted, submitted_by=self.caller_name)
        self.answer({"results": bulk.results(answers)}, 201)

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
