"""The hub itself: is it well, what does the dashboard show, and start it again."""

from __future__ import annotations

from web import processes
from web.handlers.base import ApiHandler


class Alive(ApiHandler):
    """For load balancers: 200 while this process reaches its hub, 503 otherwise."""

    route = "/health"

    async def on_get(self) -> None:
        count = await self.services.count_agents()
        self.answer({"status": "ok", "service": "agent_com", "agents_connected": count})


class Health(ApiHandler):
    """For people: ``status`` is ok, warning or critical, with the conditions that make it so."""

    route = "/api/health"

    async def on_get(self) -> None:
        self.answer(await self.call("dashboard.health"))


class DashboardState(ApiHandler):
    """The snapshot, as the hub encoded it."""

    route = "/api/dashboard/state"

    async def on_get(self) -> None:
        snapshot = await self.services.feed.read_snapshot()
        self.finish(snapshot.json)


class RecentEvents(ApiHandler):
    """What happened before a page was opened, as the page would have heard it."""

    route = "/api/dashboard/events"

    async def on_get(self) -> None:
        recent = await self.services.reads.read("dashboard.recent")
        self.finish(b'{"events":%b}' % recent["json"])


class Tree(ApiHandler):
    """The hub's supervision tree: who runs, how often it was started again, and what it is at (``?stacks=1``: where)."""

    route = "/api/system/tree"

    async def on_get(self) -> None:
        found = await self.call("hub.tree", stacks=self.get_query_argument("stacks", "0") in ("1", "true"))
        self.answer({**found, "processes": processes.read(self.services.options.processes_file)})


class Figures(ApiHandler):
    """Storage, the link between the processes, and the sockets of each: counters that there are, read when somebody asks."""

    route = "/api/system/figures"

    async def on_get(self) -> None:
        self.answer(await self.services.reads.read("hub.figures"))


class Reset(ApiHandler):
    """Starts the hub's actors again, in order; neither the listener nor a connection notices."""

    route = "/api/admin/reset"

    async def on_post(self) -> None:
        await self.call("hub.reset", triggered_by=self.caller_name)
        self.answer({"status": "reset_scheduled", "triggered_by": self.caller_name})
