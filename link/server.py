"""The hub's end of the link: a Unix socket server in an asyncio loop, with thread-safe sending."""

from __future__ import annotations

import asyncio
import logging
import os
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path

from link.connection import LinkConnection
from link.messages import FromHub, FromWeb
from link.traffic import Traffic

logger = logging.getLogger("link")


class LinkServer:
    """Peers are numbered in order of connection and never reused.

    ``on_messages(peer, messages)`` and ``on_lost(peer)`` are called in the loop's thread and must not block.
    A peer of another user is cut off before anything that it sends is read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._numbers = count(1)
        self._peers: dict[int, LinkConnection[FromWeb]] = {}
        self._outbox: deque[tuple[int | None, FromHub | None]] = deque()
        self._flushing = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: asyncio.Server | None = None
        self.on_up: Callable[[int], None] = lambda peer: None
        self.on_messages: Callable[[int, list[FromWeb]], None] = lambda peer, messages: None
        self.on_lost: Callable[[int], None] = lambda peer: None

    async def start(self) -> None:
        """Listen. The socket file is readable by its owner only (0600)."""
        self._loop = asyncio.get_running_loop()
        with suppress(FileNotFoundError):
            self._path.unlink()
        previous = os.umask(0o177)
        try:
            self._server = await self._loop.create_unix_server(self._connection, str(self._path))
        finally:
            os.umask(previous)

    def _connection(self) -> LinkConnection[FromWeb]:
        peer = next(self._numbers)
        accepted = False

        def up() -> None:
            nonlocal accepted
            if connection.peer_uid() not in (None, os.getuid()):
                logger.warning("link: refused a process of another user")
                connection.close()
                return
            accepted = True
            self._peers[peer] = connection
            self.on_up(peer)

        def received(messages: list[FromWeb]) -> None:
            if accepted:
                self.on_messages(peer, messages)

        def lost() -> None:
            if self._peers.pop(peer, None) is not None:
                self.on_lost(peer)

        connection: LinkConnection[FromWeb] = LinkConnection(FromWeb, on_messages=received, on_lost=lost, on_up=up)
        return connection

    # --- from any thread --------------------------------------------------------------------------------------------

    def send(self, peer: int | None, message: FromHub) -> None:
        """Send to one peer, or to all (``None``). Nothing for a peer that is gone."""
        self._post(peer, message)

    def disconnect_all(self) -> None:
        """Close every connection after what was sent; the peers come back and announce themselves anew."""
        self._post(None, None)

    def traffic(self) -> dict[int, Traffic]:
        """By peer, of those that are connected now."""
        return {peer: connection.traffic() for peer, connection in list(self._peers.items())}

    def _post(self, peer: int | None, message: FromHub | None) -> None:
        if self._loop is None:  # not listening yet, so there is nobody to send to
            return
        self._outbox.append((peer, message))
        if not self._flushing:
            self._flushing = True  # one wake-up for everything that is posted until the loop gets to it
            with suppress(RuntimeError):  # the loop is closed: the hub is going down
                self._loop.call_soon_threadsafe(self._flush)

    def _flush(self) -> None:
        """One write for each peer with everything that waits for it, up to a request to disconnect."""
        self._flushing = False
        waiting: dict[LinkConnection[FromWeb], list[FromHub]] = {}
        while self._outbox:
            peer, message = self._outbox.popleft()
            targets = list(self._peers.values()) if peer is None else [self._peers.get(peer)]
            for connection in targets:
                if connection is None:
                    continue
                if message is None:
                    connection.send_now(waiting.pop(connection, ()))
                    connection.close()
                else:
                    waiting.setdefault(connection, []).append(message)
        for connection, messages in waiting.items():
            connection.send_now(messages)

    async def close(self) -> None:
        self._flush()
        await asyncio.sleep(0)
        for connection in list(self._peers.values()):
            connection.close()
        if self._server is not None:
            self._server.close()
        with suppress(FileNotFoundError):
            self._path.unlink()
