"""WebSocket frames as bytes (RFC 6455 section 5.2), built once and written to many connections.

Tornado's ``write_message`` builds the frame anew for each connection and starts a task for each; with hundreds of dashboards or
thousands of assignments a second that is most of the cost.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from asyncio import Future

    from tornado.iostream import IOStream
    from tornado.websocket import WebSocketHandler, WebSocketProtocol13

_FINAL_TEXT = 0x81


def text_frame(payload: bytes) -> bytes:
    """One unfragmented, unmasked text frame; ``payload`` is UTF-8."""
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", _FINAL_TEXT, size)
    elif size <= 0xFFFF:
        head = struct.pack("!BBH", _FINAL_TEXT, 126, size)
    else:
        head = struct.pack("!BBQ", _FINAL_TEXT, 127, size)
    return head + payload


def open_stream(handler: WebSocketHandler) -> IOStream | None:
    """Where frames of this connection can be written now; None once it is closing."""
    protocol = handler.ws_connection
    if protocol is None or protocol.is_closing():
        return None
    return protocol.stream


def write_frames(handler: WebSocketHandler, frames: bytes) -> Future[None] | None:
    """Write complete frames; done when they were handed to the system. None when the connection is closing."""
    stream = open_stream(handler)
    return stream.write(frames) if stream is not None else None


def limit_messages(handler: WebSocketHandler, max_bytes: int) -> None:
    """From now on Tornado reads messages of up to ``max_bytes`` from this connection."""
    protocol = cast("WebSocketProtocol13 | None", handler.ws_connection)
    if protocol is not None:
        protocol.params.max_message_size = max_bytes
