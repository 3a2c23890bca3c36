"""Everything that the handlers of one web process share."""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import Callable
from itertools import count

from tornado.httputil import HTTPServerRequest

from link.client import HubLink
from link.messages import CloseAgent, HubHello, IdentityUpdate, Sockets
from web.agent_registry import AgentRegistry
from web.dashboard_feed import DashboardFeed
from web.dashboard_viewers import DashboardViewers
from web.hosts import HostPolicy, OriginPolicy, is_loopback
from web.identities import Authenticator, Identities
from web.liveness import Liveness
from web.options import WebOptions
from web.pacing import Budget, Guesses
from web.rejected_input import RejectedInput
from web.shared_reads import SharedReads
from web.single_flight import SingleFlight
from web.socket_report import SocketReport
from web.trends import TrendsReader
from wire.outgoing import Policy, parse_networks

#: Headers that a proxy adds: then the peer's address says nothing about who is at the other end.
FORWARDING_HEADERS = ("Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via")

#: Bytes of tasks' output that this process takes from all its agents together, sustained and at once. Reading a MiB of it takes
#: 40 to 75 ms here and 0.3 ms in the hub, which hands on what it does not open; what is too much costs 0.1 µs a message.
OUTPUT_PER_S = 1024 * 1024
OUTPUT_AT_ONCE = 8 * 1024 * 1024

#: Age in seconds up to which the number of agents is told again without asking the hub.
AGENT_COUNT_AGE_S = 1.0


class Services:
    """Made once, inside the running loop. ``port`` is the one that the shared socket listens on."""

    def __init__(self, options: WebOptions, port: int) -> None:
        loop = asyncio.get_running_loop()
        self.options = options
        self.limits = options.limits
        self.clock = loop.time
        self.now_ms = _wall_clock(options.clock_file)
        self.link = HubLink(options.hub_socket, options.web_id)
        self.identities = Identities()
        self.authenticator = Authenticator(self.identities, self.link)
        self.agents = AgentRegistry(self.link, self.identities)
        self.feed = DashboardFeed(self.link, options.limits, loop)
        self.viewers = DashboardViewers(self.identities)
        self.hosts = HostPolicy(port, options.allowed_hosts)
        self.origins = OriginPolicy(options.trusted_origins)
        self.outgoing = Policy(parse_networks(options.outgoing_networks))
        self.liveness = Liveness(options.limits)
        self.rejected = RejectedInput(self.link, loop)
        self.trends = TrendsReader(self.link, options.limits, loop, self.now_ms)
        self.guesses = Guesses()
        self.printing = Budget(OUTPUT_PER_S, OUTPUT_AT_ONCE)
        self.unidentified = 0
        """Agent sockets that have not said who they are."""
        self.requests_under_way = 0
        self.exports = 0
        """Files of tasks that are being written."""
        self.is_stopping = False
        self._connections = count(1)
        self._boot = secrets.token_hex(6)
        self._agent_count = 0
        self._agents_counted_at = float("-inf")
        self._counting = SingleFlight(self._count_agents)
        self.reads = SharedReads(self.link, options.limits.call_timeout_s)
        self._sockets = SocketReport(self.link)
        self._connect_link()

    def _connect_link(self) -> None:
        self.link.on_up = self._link_is_up
        self.link.on_hello = self._greeted
        self.link.on_lost = self._lost
        self.link.on_to_agents = self.agents.relay
        self.link.on_close_agent = self._close_agent
        self.link.on_batch = self.feed.take
        self.link.on_health = self.feed.take_health
        self.link.on_printed = self.feed.output.take
        self.link.on_identities = self._identities_changed

    def _link_is_up(self) -> None:
        self.agents.hub_is_back(self.clock())
        self._sockets.hub_is_back()

    def report_sockets(self, now: float) -> None:
        """Tell the hub what this process serves."""
        lagging = sum(viewer.is_lagging for viewer in self.viewers)
        agents, dashboards = len(self.agents), len(self.viewers)
        self._sockets.report(
            now, self.feed.frames_sent, Sockets(agents, dashboards, lagging, requests=self.requests_under_way)
        )

    def _greeted(self, hello: HubHello) -> None:
        self._identities_changed(IdentityUpdate(hello.identities))
        self.feed.hub_is_back(hello)

    def _lost(self) -> None:
        self.agents.hub_is_away(self.clock())
        self.feed.hub_is_away()

    def _close_agent(self, message: CloseAgent) -> None:
        self.agents.close(message)

    def _identities_changed(self, update: IdentityUpdate) -> None:
        self.identities.replace(update.identities)
        self.agents.close_revoked()
        self.viewers.close_revoked()

    def new_connection_id(self) -> str:
        """Unique over all web processes and their lives."""
        return f"{self.options.web_id}-{self._boot}-{next(self._connections)}"

    def is_local(self, request: HTTPServerRequest) -> bool:
        """Whether a program on this machine sent this, and not a proxy for somebody else."""
        forwarded = any(name in request.headers for name in FORWARDING_HEADERS)
        return not forwarded and is_loopback(request.remote_ip or "")

    def is_our_page(self, request: HTTPServerRequest) -> bool:
        """Whether a page of ours sent this from a browser on this machine. Where reading is open it needs no token to write."""
        if self.options.dashboard_auth != "open" or not self.is_local(request):
            return False
        return self.origins.is_ours(request.headers.get("Origin"), request.headers.get("Host", ""))

    async def count_agents(self) -> int:
        """Connected agents of the whole hub, at most a second old. Raises ``HubUnavailable``."""
        if not self.link.is_up or self.clock() - self._agents_counted_at > AGENT_COUNT_AGE_S:
            await self._counting.shared()
        return self._agent_count

    async def _count_agents(self) -> None:
        agents = await self.link.call("agents.list", self.limits.call_timeout_s)
        self._agent_count = sum(agent["fsm_state"] != "offline" for agent in agents)
        self._agents_counted_at = self.clock()


def _wall_clock(clock_file: str | None) -> Callable[[], int]:
    """Reads Unix milliseconds: the system's, or those that stand in a file of 8 bytes."""
    if clock_file is None:
        return now_ms
    descriptor = os.open(clock_file, os.O_RDONLY | os.O_CLOEXEC)
    return lambda: int.from_bytes(os.pread(descriptor, 8, 0))


def now_ms() -> int:
    """Unix milliseconds, for what people read."""
    return time.time_ns() // 1_000_000
