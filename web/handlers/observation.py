"""What the hub says of itself over time: health with acknowledgements, series for charts, metrics for other systems."""

from __future__ import annotations

from link.client import HubRefused
from web import prometheus
from web.errors import ApiError
from web.handlers.base import ApiHandler
from web.trends import as_csv
from wire.bodies import AcknowledgeBody, TrendFormat, TrendsQuery


class HealthAcknowledge(ApiHandler):
    """Somebody looks after a condition. It asks for attention again when it has cleared and fired anew."""

    route = "/api/health/:id/acknowledge"

    async def on_post(self, condition_id: str) -> None:
        note = self.body_as(AcknowledgeBody).note
        try:
            condition = await self.call(
                "health.acknowledge", condition_id=condition_id, by=self.caller_name or "unknown", note=note
            )
        except HubRefused as refused:
            if refused.code == "not_found":
                raise ApiError(404, "condition_not_found", "there is no such condition now") from None
            raise
        self.answer({"status": "acknowledged", "condition": condition})


class Trends(ApiHandler):
    """Bounded series; ``?range=15m|1h|6h|24h|7d|30d|90d``, ``&format=csv``."""

    route = "/api/dashboard/trends"

    async def on_get(self) -> None:
        query = self.query_as(TrendsQuery)
        known = await self.services.trends.read(query.range)
        if query.format is TrendFormat.JSON:
            self.finish(known.json)
            return
        self.set_header("Content-Type", "text/csv; charset=utf-8")
        self.set_header("Content-Disposition", f'attachment; filename="agentcom-{query.range.value}.csv"')
        self.finish(as_csv(known.found))


class Metrics(ApiHandler):
    """For Prometheus and whoever reads its format."""

    route = "/metrics"

    async def on_get(self) -> None:
        figures = await self.call("dashboard.figures")
        self.set_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.finish(prometheus.render(figures, self.services.now_ms()))
