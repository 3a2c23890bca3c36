"""Bulk operations: preview, start, watch, cancel."""

from __future__ import annotations

from typing import Any

import msgspec

from link.client import HubRefused
from web import task_search
from web.errors import ApiError
from web.handlers.base import ApiHandler
from wire.bulk import OperationBody, PreviewBody, SelectionBody


class OperationPreview(ApiHandler):
    """How many and which; freezes them for ten minutes."""

    route = "/api/operations/preview"

    async def on_post(self) -> None:
        self.answer(await _preview(self, self.body_as(PreviewBody)))


class Operations(ApiHandler):
    route = "/api/operations"

    async def on_get(self) -> None:
        self.answer({"operations": await self.services.reads.read("operations.list")})

    async def on_post(self) -> None:
        """201; from a preview, or from a selection, which is frozen now."""
        body = self.body_as(OperationBody)
        preview = body.preview
        if preview is None:
            preview = (await _preview(self, body))["preview"]
        started = await self.call(
            "operations.start",
            preview=preview,
            action=body.action,
            lane=body.lane_number,
            agent=body.agent,
            over_ms=body.over_s * 1000,
            probe=body.probe,
            made_by=self.caller_name,
        )
        self.answer({"operation": started}, 201)


class OneOperation(ApiHandler):
    route = "/api/operations/:id"

    async def on_get(self, operation: str) -> None:
        self.answer(await _about(self, "operations.get", operation))


class OperationCancel(ApiHandler):
    """Stop where it is."""

    route = "/api/operations/:id/cancel"

    async def on_post(self, operation: str) -> None:
        self.answer({"operation": await _about(self, "operations.cancel", operation, cancelled_by=self.caller_name)})


async def _preview(handler: ApiHandler, body: SelectionBody) -> dict[str, Any]:
    arguments = {
        "action": body.action,
        "filter": msgspec.to_builtins(body.filter),
        "ids": body.ids or [],
        "as_of": body.as_of,
    }
    made = await task_search.preview(handler.call, arguments)
    if not made["is_complete"]:
        hint = "narrow the query, for example with age: or state:"
        raise ApiError(
            503, "overloaded", "there are too many tasks to look at in time", hint, headers={"Retry-After": "5"}
        )
    return made


async def _about(handler: ApiHandler, op: str, operation: str, **args: object) -> dict[str, Any]:
    try:
        value: dict[str, Any] = await handler.call(op, operation=operation, **args)
    except HubRefused as refused:
        if refused.code == "not_found":
            fields = {"operation": operation}
            raise ApiError(404, "operation_not_found", "there is no such operation", fields=fields) from None
        raise
    return value
