"""The WebSocket to the hub: connects, reads, and connects again for ever, with pauses that grow and differ.

Pauses are drawn between nothing and a ceiling that doubles (full jitter), so that a thousand agents whose hub came
back do not all knock at once. Only being identified resets the ceiling: a hub that accepts connections and then drops
them is not well.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import WebSocketClientConnection, WebSocketClosedError, WebSocketError, websocket_connect

from sidecar.options import SidecarOptions, websocket_url
from wire import codec

BACKOFF_BASE_S = 0.5
BACKOFF_CAP_S = 30.0

CONNECT_TIMEOUT_S = 10.0
IDENTIFY_TIMEOUT_S = 10.0
"""A connection that does not lead to ``identified`` in this time is given up."""

PING_PERIOD_S = 30.0
"""The hub ends a connection that was silent for a minute; twice in that time is enough."""

WEBSOCKET_PING_S = 20.0
"""Finds a connection whose other end has vanished without a word."""

CLOSE_TIMEOUT_S = 2.0
MAX_FRAME_BYTES = 1024 * 1024
"""The largest task is 64 KiB; a hub that sends more than this is not one."""

UNAUTHORIZED_CLOSE = 4401


@dataclass(slots=True)
class Backoff:
    """Pauses with full jitter. ``chance`` is a number in [0, 1)."""

    chance: Callable[[], float] = random.random
    base_s: float = BACKOFF_BASE_S
    cap_s: float = BACKOFF_CAP_S
    ceiling_s: float = BACKOFF_BASE_S

    def pause_s(self) -> float:
        pause = self.chance() * self.ceiling_s
        self.ceiling_s = min(self.cap_s, 2 * self.ceiling_s)
        return pause

    def reset(self) -> None:
        self.ceiling_s = self.base_s


@dataclass(frozen=True, slots=True)
class Listener:
    """Who hears of the connection. ``on_tick`` is called every half minute while it is identified."""

    on_open: Callable[[], None]
    on_frame: Callable[[dict[str, Any]], None]
    on_tick: Callable[[], None]
    on_close: Callable[[int | None], None]
    log: Callable[..., None]


class Connection:
    """At most one open socket. Everything runs on the event loop; callbacks are not called from within ``send``."""

    def __init__(self, options: SidecarOptions, listener: Listener, backoff: Backoff | None = None) -> None:
        self._url = websocket_url(options.hub_url)
        self._headers = {"Authorization": f"Bearer {options.token}"}
        self._listener = listener
        self._backoff = backoff or Backoff()
        self._socket: WebSocketClientConnection | None = None
        self._identified = asyncio.Event()
        self._is_closing = False

    async def keep_open(self) -> None:
        """Connect, serve, pause, again; ends by ``close``, or by being cancelled."""
        while not self._is_closing:
            await self._connect_once()
            await asyncio.sleep(self._backoff.pause_s())

    def identified(self) -> None:
        """The hub took us in: the next pause is short again."""
        self._backoff.reset()
        self._identified.set()

    def send(self, frame: dict[str, Any]) -> bool:
        """False: there is no connection, the frame is lost."""
        if self._socket is None:
            return False
        try:
            written = self._socket.write_message(codec.encode_str(frame))
        except WebSocketClosedError:
            return False
        written.add_done_callback(lambda future: future.cancelled() or future.exception())
        return True

    def send_if_idle(self, frame: dict[str, Any]) -> bool:
        """For what can be done without: False, and nothing sent, while anything still waits to leave this process."""
        protocol = self._socket.protocol if self._socket is not None else None
        stream = protocol.stream if protocol is not None else None
        if stream is None or not self._identified.is_set() or stream.writing():
            return False
        return self.send(frame)

    async def close(self) -> None:
        """Say goodbye (1000) and wait for the answer, shortly. Nothing is opened afterwards."""
        self._is_closing = True
        socket = self._socket
        if socket is None:
            return
        socket.close(1000, "stopping")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                while self._socket is socket:
                    await asyncio.sleep(0.01)

    # --- one connection -----------------------------------------------------------------------------------------------

    async def _connect_once(self) -> None:
        try:
            self._socket = await self._connect()
        except (OSError, HTTPClientError, WebSocketError) as error:
            self._listener.log("not_connected", hub=self._url, reason=error or type(error).__name__)
            if isinstance(error, HTTPClientError) and error.code == 401:
                self._listener.on_close(UNAUTHORIZED_CLOSE)
            return
        self._identified.clear()
        watch = asyncio.create_task(self._watch(self._socket))
        try:
            self._listener.on_open()
            await self._read(self._socket)
        finally:
            watch.cancel()
            socket, self._socket = self._socket, None
            socket.close()
        self._listener.log("disconnected", code=socket.close_code or "none", reason=socket.close_reason or "none")
        self._listener.on_close(socket.close_code)

    async def _connect(self) -> WebSocketClientConnection:
        request = HTTPRequest(
            self._url,
            headers=self._headers,
            connect_timeout=CONNECT_TIMEOUT_S,
            request_timeout=0,
            follow_redirects=False,
        )
        # Not ``wait_for``: up to Python 3.11 it loses a cancellation that comes together with the result.
        async with asyncio.timeout(2 * CONNECT_TIMEOUT_S):
            return await websocket_connect(request, ping_interval=WEBSOCKET_PING_S, max_message_size=MAX_FRAME_BYTES)

    async def _read(self, socket: WebSocketClientConnection) -> None:
        while (message := await socket.read_message()) is not None:
            try:
                frame = codec.decode_object(message, max_bytes=MAX_FRAME_BYTES)
            except codec.CodecError as error:
                self._listener.log("bad_frame", rule=error.rule)
                continue
            self._listener.on_frame(frame)

    async def _watch(self, socket: WebSocketClientConnection) -> None:
        """Give up a connection on which nobody identifies us, and keep alive the others."""
        try:
            async with asyncio.timeout(IDENTIFY_TIMEOUT_S):
                await self._identified.wait()
        except TimeoutError:
            socket.close(1000, "not identified in time")
            return
        while True:
            await asyncio.sleep(PING_PERIOD_S)
            self.send({"type": "ping", "protocol_version": 1})
            self._listener.on_tick()
