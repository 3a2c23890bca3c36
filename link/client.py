"""The far end of the link, in web processes and the notifier: calls with deadlines, pushes, and reconnecting for ever.

All of it runs on the loop of the process. While the hub is away every call fails at once and nothing is sent; when it is back
``on_up`` lets the owner announce what it has, before anything else goes out.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Any

from link.connection import LinkConnection
from link.messages import (
    Call,
    CalledBy,
    CloseAgent,
    DashboardBatch,
    FromHub,
    FromWeb,
    HealthUpdate,
    HubHello,
    IdentityUpdate,
    Reply,
    TaskPrinted,
    ToAgents,
    WebHello,
)

logger = logging.getLogger("agentcom.link")

#: Waits between two attempts to connect: the first, and the most. A hub that was killed is back within two seconds.
FIRST_RETRY_S = 0.05
LONGEST_RETRY_S = 0.5

#: Calls that may wait for an answer; more are a sign that the hub does not keep up.
MAX_PENDING_CALLS = 10_000


class HubUnavailable(Exception):
    """The hub is away, does not answer in time, or says that it cannot now. The outcome of a write is unknown."""


class HubRefused(Exception):
    """The hub understood and said no. ``detail`` is safe to show."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class HubLink:
    """Set the ``on_…`` callables before ``start``."""

    def __init__(self, path: str, web_id: str) -> None:
        self._path = path
        self._hello = WebHello(web_id, os.getpid())
        self._connection: LinkConnection[FromHub] | None = None
        self._call_ids = count(1)
        self._pending: dict[int, asyncio.Future[Any]] = {}
        self._task: asyncio.Task[None] | None = None
        self._up = asyncio.Event()
        self.greeted = asyncio.Event()
        """Set once the first ``HubHello`` came."""
        self.on_up: Callable[[], None] = lambda: None
        self.on_hello: Callable[[HubHello], None] = lambda hello: None
        self.on_lost: Callable[[], None] = lambda: None
        self.on_to_agents: Callable[[list[ToAgents]], None] = lambda messages: None
        self.on_close_agent: Callable[[CloseAgent], None] = lambda message: None
        self.on_batch: Callable[[DashboardBatch], None] = lambda batch: None
        self.on_health: Callable[[HealthUpdate], None] = lambda update: None
        self.on_printed: Callable[[TaskPrinted], None] = lambda printed: None
        self.on_identities: Callable[[IdentityUpdate], None] = lambda update: None

    # --- life -------------------------------------------------------------------------------------------------------

    @property
    def is_up(self) -> bool:
        return self._up.is_set()

    def start(self) -> None:
        self._task = asyncio.create_task(self._keep_connected())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        if self._connection is not None:
            self._connection.close()

    async def wait_until_up(self, timeout_s: float) -> bool:
        """Whether the hub is there, now or within ``timeout_s``."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._up.wait(), timeout_s)
        return self.is_up

    async def _keep_connected(self) -> None:
        delay_s = FIRST_RETRY_S
        while True:
            lost = asyncio.Event()
            try:
                await self._connect(lost)
            except OSError:
                await asyncio.sleep(delay_s)
                delay_s = min(2 * delay_s, LONGEST_RETRY_S)
                continue
            await lost.wait()
            delay_s = FIRST_RETRY_S
            await asyncio.sleep(delay_s)

    async def _connect(self, lost: asyncio.Event) -> None:
        def gone() -> None:
            self._went_down()
            lost.set()

        connection: LinkConnection[FromHub] = LinkConnection(
            FromHub, on_messages=self._received, on_lost=gone, on_up=lambda: self._came_up(connection)
        )
        await asyncio.get_running_loop().create_unix_connection(lambda: connection, self._path)

    def _came_up(self, connection: LinkConnection[FromHub]) -> None:
        logger.info("connected to the hub")
        self._connection = connection
        connection.send(self._hello)
        self.on_up()
        self._up.set()

    def _went_down(self) -> None:
        logger.warning("the hub is away")
        self._connection = None
        self._up.clear()
        pending, self._pending = self._pending, {}
        for future in pending.values():
            if not future.done():
                future.set_exception(HubUnavailable("the link dropped"))
        self.on_lost()

    # --- sending ----------------------------------------------------------------------------------------------------

    def send(self, message: FromWeb) -> None:
        """Send with everything else of this turn of the loop; nothing while the hub is away."""
        if self._connection is not None:
            self._connection.send(message)

    async def call(self, op: str, timeout_s: float = 5.0, called_by: CalledBy | None = None, **args: Any) -> Any:
        """The ``value`` of the hub's reply, plain types. ``called_by``: for the audit log. Raises ``HubUnavailable`` or
        ``HubRefused``."""
        if self._connection is None:
            raise HubUnavailable("the hub is away")
        if len(self._pending) >= MAX_PENDING_CALLS:
            raise HubUnavailable("too many calls wait for the hub")
        call_id = next(self._call_ids)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._pending[call_id] = future
        self._connection.send(Call(call_id, op, args, called_by))
        try:
            return await asyncio.wait_for(future, timeout_s)
        except TimeoutError:
            raise HubUnavailable(f"no answer to {op} within {timeout_s:g} s") from None
        finally:
            self._pending.pop(call_id, None)

    # --- receiving --------------------------------------------------------------------------------------------------

    def _received(self, messages: list[FromHub]) -> None:
        """Frames for agents are handed on together, so that one agent's frames become one write."""
        to_agents: list[ToAgents] = []
        for message in messages:
            if isinstance(message, ToAgents):
                to_agents.append(message)
                continue
            if to_agents:
                self.on_to_agents(to_agents)
                to_agents = []
            self._receive(message)
        if to_agents:
            self.on_to_agents(to_agents)

    def _receive(self, message: FromHub) -> None:
        match message:
            case Reply():
                self._settle(message)
            case DashboardBatch():
                self.on_batch(message)
            case HealthUpdate():
                self.on_health(message)
            case TaskPrinted():
                self.on_printed(message)
            case CloseAgent():
                self.on_close_agent(message)
            case IdentityUpdate():
                self.on_identities(message)
            case HubHello():
                self.on_hello(message)
                self.greeted.set()

    def _settle(self, reply: Reply) -> None:
        future = self._pending.get(reply.call_id)
        if future is None or future.done():  # its caller gave up waiting
            return
        if reply.refusal is None:
            future.set_result(reply.value)
        elif reply.refusal == "unavailable":
            future.set_exception(HubUnavailable(reply.detail))
        else:
            future.set_exception(HubRefused(reply.refusal, reply.detail))
