"""One web process: from its options to serving, and from SIGTERM to its end.

It shares the listening socket with the other web processes and keeps no state but its connections. Ready means that it
listens and has heard from the hub, or that the hub let it wait for ``GREETING_WAIT_S``: pages and agents may connect
before the hub is there.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

import msgspec

from link.notify import notify
from web.application import make_application, make_server
from web.handlers.socket import GOING_AWAY
from web.listener import Listener
from web.options import WebOptions
from web.services import Services

logger = logging.getLogger("agentcom.web")

GREETING_WAIT_S = 2.0

#: How often it is looked whether what is waited for has come.
LOOK_S = 0.02

#: For the other sides of closed sockets to answer the goodbye.
GOODBYE_S = 0.5


def main(argv: Sequence[str]) -> int:
    """``argv``: the options as one JSON object. For tests and by hand; the root starts ``agentcom.web_process``."""
    logging.basicConfig(level=logging.INFO)
    return run(msgspec.json.decode(argv[0], type=WebOptions))


def run(options: WebOptions) -> int:
    """Serve until SIGTERM or SIGINT; the exit status."""
    asyncio.run(serve(options))
    return 0


async def serve(options: WebOptions) -> None:
    web = WebProcess(options)
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, web.stop_requested.set)
    await web.start()
    await web.wait_for_greeting(GREETING_WAIT_S)
    notify("READY=1")
    await web.stop_requested.wait()
    await web.stop()


class WebProcess:
    """``start`` and ``stop`` once each, on one loop."""

    def __init__(self, options: WebOptions) -> None:
        self._options = options
        self._socket = socket.socket(fileno=options.listen_fd)
        self.port: int = self._socket.getsockname()[1]
        self.services = Services(options, self.port)
        self._application = make_application(self.services)
        self._server = make_server(self._application, options.limits)
        self._listener = Listener(self._socket, self._server, options.limits)
        self._sweeper: asyncio.Task[None] | None = None
        self.stop_requested = asyncio.Event()

    async def start(self) -> None:
        self.services.link.start()
        self._listener.start()
        self._sweeper = asyncio.create_task(self._sweep())

    async def wait_for_greeting(self, timeout_s: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self.services.link.greeted.wait(), timeout_s)

    async def _sweep(self) -> None:
        limits = self._options.limits
        services = self.services
        report_at = services.clock() + limits.seen_period_s
        while True:
            await asyncio.sleep(limits.sweep_period_s)
            now = services.clock()
            services.liveness.sweep(now)
            services.viewers.close_deaf()
            services.report_sockets(now)
            if now >= report_at:
                report_at = now + limits.seen_period_s
                services.agents.report_seen(now)

    async def stop(self) -> None:
        """Take nothing new, answer what is under way, say goodbye, and let go of the hub."""
        services = self.services
        self._listener.stop()
        if self._sweeper is not None:
            self._sweeper.cancel()
        for viewer in services.viewers:
            viewer.close_with(GOING_AWAY, "hub stopping")
        for agent in services.agents:
            agent.close_with(GOING_AWAY, "hub stopping")
        await self._wait_while(lambda: services.requests_under_way, self._options.limits.drain_s)
        await self._wait_while(lambda: len(services.viewers) or len(services.agents), GOODBYE_S)
        await services.link.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._server.close_all_connections(), GOODBYE_S)
        self._socket.close()

    async def _wait_while(self, condition: Callable[[], object], at_most_s: float) -> None:
        clock = self.services.clock
        deadline = clock() + at_most_s
        while condition() and clock() < deadline:
            await asyncio.sleep(LOOK_S)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
