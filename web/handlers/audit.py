"""The audit log: who changed what, when, how, and what came of it."""

from __future__ import annotations

from web.handlers.base import ApiHandler
from wire.queries import AuditQuery


class Audit(ApiHandler):
    """Newest first, paged by key."""

    route = "/api/dashboard/audit"

    async def on_get(self) -> None:
        query = self.query_as(AuditQuery)
        page = await self.call(
            "audit.read",
            actor=query.actor,
            way=query.way,
            action=query.action,
            target=query.target,
            outcome=query.outcome,
            cursor=query.cursor,
            limit=query.page_size,
        )
        self.answer({"entries": page["entries"], "next_cursor": page["next_cursor"]})
