"""Settings that the hub stores for its clients and does not use itself."""

from __future__ import annotations

from web.handlers.base import ApiHandler
from wire.bodies import DefaultRepoBody, HeartbeatIntervalBody

HEARTBEAT_INTERVAL = "heartbeat_interval_ms"
DEFAULT_HEARTBEAT_INTERVAL_MS = 900_000

DEFAULT_REPO = "default_repo"


class HeartbeatInterval(ApiHandler):
    route = "/api/config/heartbeat-interval"

    async def on_get(self) -> None:
        value = await self.call("settings.read", key=HEARTBEAT_INTERVAL)
        self.answer({HEARTBEAT_INTERVAL: DEFAULT_HEARTBEAT_INTERVAL_MS if value is None else value})

    async def on_put(self) -> None:
        value = self.body_as(HeartbeatIntervalBody, unique_keys=True).heartbeat_interval_ms
        await self.call("settings.write", key=HEARTBEAT_INTERVAL, value=value)
        self.answer({HEARTBEAT_INTERVAL: value, "status": "updated"})


class DefaultRepo(ApiHandler):
    route = "/api/config/default-repo"

    async def on_get(self) -> None:
        value = await self.call("settings.read", key=DEFAULT_REPO)
        self.answer({"default_repo": value, "configured": value is not None})

    async def on_put(self) -> None:
        url = self.body_as(DefaultRepoBody, unique_keys=True).url
        await self.call("settings.write", key=DEFAULT_REPO, value=url)
        self.answer({"status": "ok", "default_repo": url})
