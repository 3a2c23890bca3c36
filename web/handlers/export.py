"""Tasks as a file."""

from __future__ import annotations

import asyncio
import logging

import msgspec
from tornado.iostream import StreamClosedError

from link.client import HubRefused, HubUnavailable
from web import task_export
from web.errors import ApiError
from web.handlers.base import ApiHandler
from web.handlers.tasks import refusals_about
from wire.queries import SORTS, ExportQuery

logger = logging.getLogger("agentcom.web.export")

#: Files that one process writes at the same time.
AT_ONCE = 2

#: Seconds in which a reader has to take a page of them.
READER_S = 30.0

_TYPES = {"jsonl": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}


class TaskExport(ApiHandler):
    """What a filter finds, streamed; a file that breaks off is not whole, and its connection says so."""

    route = "/api/dashboard/tasks/export"

    async def on_get(self) -> None:
        query = self.query_as(ExportQuery)
        if self.services.exports >= AT_ONCE:
            raise ApiError(503, "overloaded", "other files are being written; try again", headers={"Retry-After": "5"})
        self.services.exports += 1
        try:
            await self._export(query)
        finally:
            self.services.exports -= 1

    async def _export(self, query: ExportQuery) -> None:
        order, descending = SORTS[query.sort]
        is_csv = query.format == "csv"
        pages = task_export.pages(self.call, msgspec.to_builtins(query.filter), order, descending=descending)
        with refusals_about("sort"):
            first = await anext(pages)
        self.set_header("Content-Type", _TYPES[query.format])
        self.set_header("Content-Disposition", f'attachment; filename="tasks.{query.format}"')
        self.set_header("X-Most-Tasks", str(task_export.EXPORT_TASKS))
        if is_csv:
            self.write(task_export.csv_head())
        try:
            await self._write_page(first, is_csv)
            async for tasks in pages:
                await self._write_page(tasks, is_csv)
        except (HubUnavailable, HubRefused, TimeoutError) as error:
            logger.warning("a file of tasks broke off: %s", error)
            self._break_off()
        except StreamClosedError:
            return
        else:
            await self.finish()

    async def _write_page(self, tasks: list[dict[str, object]], is_csv: bool) -> None:
        self.write(task_export.as_csv(tasks) if is_csv else task_export.as_json_lines(tasks))
        await asyncio.wait_for(self.flush(), READER_S)

    def _break_off(self) -> None:
        """Without the last chunk, so that nobody takes it for all there was."""
        stream = self.detach()
        stream.close()
