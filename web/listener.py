"""Takes connections from the socket that all web processes share, never more than this process can hold.

Tornado's own acceptor goes on accepting when there are no file descriptors left, which costs a core and a flood of log
lines. This one stops listening until there is room again; meanwhile the other web processes, or the kernel's queue, have
the connections.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import resource
import socket
from collections import Counter
from collections.abc import Callable

from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream

from web.hosts import is_loopback
from web.options import WebLimits

logger = logging.getLogger("agentcom.web.listener")

#: Files that are not connections: the database of the loop, the link, logs, libraries.
RESERVED_FILES = 128

#: Connections taken in one turn, so that the processes that share the socket share its connections too.
ACCEPTS_A_TURN = 16

#: After an error such as "too many open files" nothing is accepted for so long.
ERROR_PAUSE_S = 0.5

#: Least time between two lines about the same trouble.
LOG_GAP_S = 10.0

#: What one read takes from a socket, and what may wait unread in this process.
READ_BYTES = 64 * 1024
BUFFER_BYTES = 8 * 1024 * 1024

#: Milliseconds after which unacknowledged data ends a connection (Linux): a peer that vanished without a word.
USER_TIMEOUT_MS = 60_000


def raise_file_limit() -> int:
    """As many open files as the system lets this process have; how many that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (ValueError, OSError):
            return soft
    return hard


class _CountedStream(IOStream):
    """Tells when its descriptor is free again, whoever closed it."""

    def __init__(self, sock: socket.socket, on_free: Callable[[], None]) -> None:
        self._on_free = on_free
        super().__init__(sock, max_buffer_size=BUFFER_BYTES, read_chunk_size=READ_BYTES)

    def close_fd(self) -> None:
        super().close_fd()
        self._on_free()


class Listener:
    """Hands accepted connections to ``server`` as streams."""

    def __init__(self, sock: socket.socket, server: HTTPServer, limits: WebLimits) -> None:
        self._socket = sock
        self._server = server
        self._capacity = limits.connections or max(raise_file_limit() - RESERVED_FILES, 16)
        self._per_address = limits.connections_per_address
        self._loop = asyncio.get_running_loop()
        self._open = 0
        self._by_address: Counter[str] = Counter()
        self._is_listening = False
        self._is_closed = False
        self._logged_at = float("-inf")

    @property
    def open_connections(self) -> int:
        return self._open

    def start(self) -> None:
        self._socket.setblocking(False)
        self._listen()

    def stop(self) -> None:
        """Take no more; connections that are there stay."""
        self._is_closed = True
        self._pause()

    def _listen(self) -> None:
        if not self._is_listening and not self._is_closed and self._open < self._capacity:
            self._is_listening = True
            self._loop.add_reader(self._socket.fileno(), self._accept)

    def _pause(self) -> None:
        if self._is_listening:
            self._is_listening = False
            self._loop.remove_reader(self._socket.fileno())

    def _accept(self) -> None:
        for _ in range(ACCEPTS_A_TURN):
            if self._open >= self._capacity:
                self._complain(f"{self._open} connections are open, no more are taken for now")
                self._pause()
                return
            try:
                connection, address = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return  # another process was faster, or the client went away
            except OSError as error:
                self._complain(f"cannot accept: {errno.errorcode.get(error.errno or 0, 'unknown error')}")
                self._pause()
                self._loop.call_later(ERROR_PAUSE_S, self._listen)
                return
            self._take(connection, address)

    def _take(self, connection: socket.socket, address: tuple[str, int]) -> None:
        host = address[0]
        if self._by_address[host] >= self._per_address and not is_loopback(host):
            self._complain(f"{host} has {self._per_address} connections open; its next ones are closed")
            connection.close()
            return
        connection.setblocking(False)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)
        self._open += 1
        self._by_address[host] += 1
        stream = _CountedStream(connection, lambda: self._freed(host))
        self._server.handle_stream(stream, address)

    def _freed(self, host: str) -> None:
        self._open -= 1
        self._by_address[host] -= 1
        if self._by_address[host] <= 0:
            del self._by_address[host]
        self._listen()

    def _complain(self, message: str) -> None:
        now = self._loop.time()
        if now - self._logged_at >= LOG_GAP_S:
            self._logged_at = now
            logger.warning("%s", message)
