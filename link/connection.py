"""One end of the link on an asyncio loop: reads all frames of one read at once, writes once per turn of the loop."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from msgspec import structs

from link.framing import FrameError, FrameReader, encode_frame
from link.traffic import Traffic

logger = logging.getLogger("link")

T = TypeVar("T")

#: Unsent bytes at which the peer counts as stuck and is cut off.
MAX_UNSENT_BYTES = 256 * 1024 * 1024


class LinkConnection(asyncio.Protocol, Generic[T]):
    """``on_messages(list)`` for each read; ``on_up()`` once connected; ``on_lost()`` once, when the connection is gone."""

    def __init__(
        self,
        union: object,
        *,
        on_messages: Callable[[list[T]], None],
        on_lost: Callable[[], None],
        on_up: Callable[[], None] | None = None,
    ) -> None:
        self._reader: FrameReader[T] = FrameReader(union)
        self._on_messages = on_messages
        self._on_lost = on_lost
        self._on_up = on_up
        self._transport: asyncio.WriteTransport | None = None
        self._outbox: list[object] = []
        self._flush_scheduled = False
        self._traffic = Traffic()
        self._loop = asyncio.get_running_loop()

    # --- asyncio.Protocol -------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport
        if self._on_up is not None:
            self._on_up()

    def data_received(self, data: bytes) -> None:
        try:
            messages = self._reader.feed(data)
        except FrameError as error:
            logger.error("link closed: %s", error)
            self.close()
            return
        self._traffic.bytes_in += len(data)
        if messages:
            self._traffic.messages_in += len(messages)
            self._on_messages(messages)

    def connection_lost(self, _error: Exception | None) -> None:
        self._transport = None
        self._outbox.clear()
        self._on_lost()

    # --- sending ----------------------------------------------------------------------------------------------------

    @property
    def is_up(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def send(self, message: object) -> None:
        """Send with everything else of this turn of the loop. Only from the loop's thread; nothing when it is down."""
        if self._transport is None:
            return
        self._outbox.append(message)
        if not self._flush_scheduled:
            self._flush_scheduled = True
            self._loop.call_soon(self._flush)

    def send_now(self, messages: Sequence[object]) -> None:
        """Send these, and what waits, without a further turn of the loop."""
        if self._transport is not None:
            self._outbox += messages
            self._flush()

    def _flush(self) -> None:
        self._flush_scheduled = False
        messages, self._outbox = self._outbox, []
        if self._transport is None or not messages:
            return
        try:
            self._write(encode_frame(messages), len(messages))
        except FrameError:
            for message in messages:  # together too large: one by one, so that at most the giant itself is lost
                self._write_alone(message)
        if self._transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            logger.error("link closed: the peer does not read")
            self._transport.abort()

    def _write(self, frame: bytes, messages: int) -> None:
        assert self._transport is not None
        self._transport.write(frame)
        self._traffic.bytes_out += len(frame)
        self._traffic.messages_out += messages

    def _write_alone(self, message: object) -> None:
        try:
            self._write(encode_frame([message]), 1)
        except FrameError as error:
            logger.error("link: dropped one %s: %s", type(message).__name__, error)

    def close(self) -> None:
        """Send what waits, then close."""
        self._flush()
        if self._transport is not None:
            self._transport.close()

    def traffic(self) -> Traffic:
        """From any thread."""
        unsent = self._transport.get_write_buffer_size() if self._transport is not None else 0
        return structs.replace(self._traffic, unsent_bytes=unsent)

    def peer_uid(self) -> int | None:
        """User id of the process at the other end (Linux ``SO_PEERCRED``); None where the system cannot tell."""
        sock: Any = self._transport.get_extra_info("socket") if self._transport is not None else None
        if sock is None or not hasattr(socket, "SO_PEERCRED"):
            return None
        credentials = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        uid: int = struct.unpack("3i", credentials)[1]
        return uid
