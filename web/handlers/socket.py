"""What both kinds of WebSocket share: the checks of every request, frames that are built once, and signs of life."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from web import errors
from web.errors import ApiError
from web.handlers.base import Guard
from web.ws_frames import limit_messages, open_stream, text_frame
from wire import codec

#: Close codes of RFC 6455 that this program uses; its own ones stand where they are used.
GOING_AWAY = 1001
NO_LIFE = 1002
TOO_BIG = 1009
VIOLATION = 1008
TRY_LATER = 1013


class GuardedSocket(Guard, WebSocketHandler):
    """Subclasses have ``opened``, ``received`` and ``closed``. Everything runs on the loop of the process."""

    message_limit: int
    """Bytes; a larger message closes the connection with 1009."""

    def initialize(self) -> None:
        self.heard_at = 0.0
        self.asked_at = 0.0
        self.closed_by_us = False
        self._is_open = False
        self._unsent = 0

    # --- the upgrade ------------------------------------------------------------------------------------------------

    async def prepare(self) -> None:
        await self.check_caller(self.check_head())
        self._check_upgrade()
        self.check_origin_headers()
        self.check_room()

    def _check_upgrade(self) -> None:
        headers = self.request.headers
        wants = [word.strip().lower() for word in headers.get("Connection", "").split(",")]
        if headers.get("Upgrade", "").lower() != "websocket" or "upgrade" not in wants:
            raise ApiError(426, "upgrade_required", "this is a WebSocket", headers={"Upgrade": "websocket"})
        if headers.get("Sec-WebSocket-Version") != "13" or not headers.get("Sec-WebSocket-Key"):
            version = {"Sec-WebSocket-Version": "13"}
            raise ApiError(426, "upgrade_required", "this speaks WebSocket version 13", headers=version)

    def check_room(self) -> None:
        """Raises ``ApiError`` when there are too many of this kind."""

    def check_origin(self, origin: str) -> bool:
        """Tornado asks only about origins that ``prepare`` has let through."""
        return True

    @property
    def max_message_size(self) -> int:
        """What Tornado reads at most. More than our own limit, so that a peer that is a little over it is told in an orderly
        way; what is beyond this is cut off at once."""
        return 4 * self.message_limit

    def accept_messages(self) -> None:
        """``message_limit`` has changed."""
        limit_messages(self, self.max_message_size)

    # --- life ---------------------------------------------------------------------------------------------------------

    def open(self, *_: str, **__: str) -> None:
        self.set_nodelay(True)
        self._is_open = True
        self.heard_at = self.asked_at = self.services.clock()
        self.services.liveness.watch(self)
        self.opened()

    def on_message(self, message: str | bytes) -> Any:
        self._heard()
        if len(message) > self.message_limit or (
            isinstance(message, str) and not message.isascii() and len(message.encode()) > self.message_limit
        ):
            self.close_with(TOO_BIG, "the message is too big")
            return None
        return self.received(message)

    def on_ping(self, data: bytes) -> None:
        self._heard()

    def on_pong(self, data: bytes) -> None:
        self._heard()

    def _heard(self) -> None:
        self.heard_at = self.services.clock()

    def ask_for_life(self) -> None:
        try:
            self.ping()
        except (WebSocketClosedError, StreamClosedError):
            return  # on_close comes

    def give_up(self) -> None:
        self.close_with(NO_LIFE, "no sign of life")

    def on_close(self) -> None:
        """Also called when the client went away before the upgrade."""
        if self._is_open:
            self._is_open = False
            self.services.liveness.forget(self)
            self.closed()

    def close_with(self, code: int, reason: str) -> None:
        self.closed_by_us = True
        self.close(code, reason)

    def opened(self) -> None:
        raise NotImplementedError

    def received(self, message: str | bytes) -> Any:
        raise NotImplementedError

    def closed(self) -> None:
        raise NotImplementedError

    # --- writing ----------------------------------------------------------------------------------------------------

    def send_frames(self, frames: bytes) -> None:
        """Write complete frames. A peer that lets more than a MiB wait is closed: it is too slow to be of use."""
        if self._unsent > self.services.limits.unsent_bytes:
            self.close_with(TRY_LATER, "too slow")
            return
        self.write_counted(frames)

    def write_counted(self, frames: bytes) -> asyncio.Future[None] | None:
        """Done when the frames left this process; None when the connection is closing."""
        stream = open_stream(self)
        if stream is None:
            return None
        try:
            written = stream.write(frames)
        except StreamClosedError:
            return None
        if not written.done():
            size = len(frames)
            self._unsent += size
            written.add_done_callback(lambda _: self._left(size))
        return written

    def _left(self, size: int) -> None:
        self._unsent -= size

    def say(self, frame: Mapping[str, object]) -> None:
        self.send_frames(text_frame(codec.encode(frame)))


def no_room(what: str) -> ApiError:
    error = errors.hub_unavailable()
    return ApiError(503, "too_many_connections", f"there are too many {what}", error.hint, headers=error.headers)
