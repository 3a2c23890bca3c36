"""Clients that cost as little as possible, because they share the machine with what they measure.

A WebSocket and an HTTP connection as bare ``asyncio`` protocols: an ordinary client library takes 30 to 100 µs a message, more
than the hub does. They speak real RFC 6455 and HTTP/1.1 to a real hub; what they leave out is everything a hub never sends.
"""

from __future__ import annotations

import asyncio
import base64
import os
import struct
from collections import deque
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import msgspec

encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder().decode

#: A client must mask its frames; with this key the masked payload is the payload.
_MASK = b"\0\0\0\0"


class WebSocket(asyncio.Protocol):
    """``on_message(object)`` for each text message, ``on_message(bytes)`` if ``raw``. A hub does not fragment."""

    def __init__(self, on_message: Callable[[Any], None], raw: bool = False) -> None:
        self._on_message = on_message
        self._read = bytes if raw else decode
        self._buffer = bytearray()
        self._transport: asyncio.Transport
        self.is_closed = False
        self._upgraded: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._is_open = False

    @classmethod
    async def connect(
        cls, url: str, on_message: Callable[[Any], None], path: str = "/ws", headers: str = "", raw: bool = False
    ) -> WebSocket:
        where = urlsplit(url)
        assert where.hostname is not None and where.port is not None
        loop = asyncio.get_running_loop()
        _, socket = await loop.create_connection(lambda: cls(on_message, raw), where.hostname, where.port)
        key = base64.b64encode(os.urandom(16)).decode()
        socket._transport.write(
            f"GET {path} HTTP/1.1\r\nHost: {where.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n{headers}\r\n".encode()
        )
        await socket._upgraded
        return socket

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_closed = True
        if not self._upgraded.done():
            self._upgraded.set_exception(exc or ConnectionError("closed before the upgrade"))

    def send(self, message: object) -> None:
        payload = encode(message)
        size = len(payload)
        if size < 126:
            head = struct.pack("!BB", 0x81, 0x80 | size)
        elif size <= 0xFFFF:
            head = struct.pack("!BBH", 0x81, 0x80 | 126, size)
        else:
            head = struct.pack("!BBQ", 0x81, 0x80 | 127, size)
        self._transport.write(head + _MASK + payload)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._is_open:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            if not self._buffer.startswith(b"HTTP/1.1 101"):
                self._upgraded.set_exception(ConnectionError(bytes(self._buffer[:200]).decode(errors="replace")))
                return
            del self._buffer[: end + 4]
            self._is_open = True
            self._upgraded.set_result(None)
        self._read_frames()

    def _read_frames(self) -> None:
        buffer, at = self._buffer, 0
        while len(buffer) - at >= 2:
            opcode, size, start = buffer[at] & 0x0F, buffer[at + 1] & 0x7F, at + 2
            if size == 126:
                if len(buffer) < at + 4:
                    break
                size, start = int.from_bytes(buffer[at + 2 : at + 4], "big"), at + 4
            elif size == 127:
                if len(buffer) < at + 10:
                    break
                size, start = int.from_bytes(buffer[at + 2 : at + 10], "big"), at + 10
            if len(buffer) < start + size:
                break
            payload = bytes(buffer[start : start + size])
            at = start + size
            if opcode == 1:
                self._on_message(self._read(payload))
            elif opcode == 9:
                self._transport.write(struct.pack("!BB", 0x8A, 0x80 | len(payload)) + _MASK + payload)
        del buffer[:at]

    def abort(self) -> None:
        """As the death of its process does."""
        self._transport.abort()

    def close(self) -> None:
        """With a goodbye, so that the hub does not wait for us to come back."""
        if not self.is_closed:
            self._transport.write(struct.pack("!BB", 0x88, 0x82) + _MASK + struct.pack("!H", 1000))
            self._transport.close()


class Http(asyncio.Protocol):
    """One keep-alive connection; requests may be pipelined, answers come in order."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._waiting: deque[asyncio.Future[tuple[int, bytes]]] = deque()
        self._transport: asyncio.Transport
        self._head = ""

    @classmethod
    async def connect(cls, url: str, token: str | None = None) -> Http:
        where = urlsplit(url)
        assert where.hostname is not None and where.port is not None
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(cls, where.hostname, where.port)
        bearer = f"Authorization: Bearer {token}\r\n" if token is not None else ""
        connection._head = f"Host: {where.netloc}\r\n{bearer}Content-Type: application/json\r\n"
        return connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        for future in self._waiting:
            if not future.done():
                future.set_exception(exc or ConnectionError("the hub closed the connection"))

    def request(self, method: str, path: str, body: object = None) -> asyncio.Future[tuple[int, bytes]]:
        """(status, body) of the answer."""
        payload = encode(body) if body is not None else b""
        head = f"{method} {path} HTTP/1.1\r\n{self._head}Content-Length: {len(payload)}\r\n\r\n"
        self._transport.write(head.encode() + payload)
        future: asyncio.Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        return future

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._buffer[:end]).lower()
            at = head.find(b"content-length:")
            size = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self._buffer) < end + 4 + size:
                return
            body = bytes(self._buffer[end + 4 : end + 4 + size])
            del self._buffer[: end + 4 + size]
            future = self._waiting.popleft()
            if not future.done():
                future.set_result((int(head[9:12]), body))

    def close(self) -> None:
        self._transport.close()


class Agent:
    """Takes tasks and completes them at once; with several slots many completions share a message.

    ``on_assigned(task_id)`` is called for each task that comes; ``completed`` counts the acknowledged ones. With ``holds`` it
    accepts and never completes.
    """

    def __init__(
        self, name: str, *, slots: int = 1, on_assigned: Callable[[str], None] | None = None, holds: bool = False
    ) -> None:
        self.name = name
        self.slots = slots
        self.completed = 0
        self.on_completed: Callable[[], None] = lambda: None
        self._on_assigned = on_assigned
        self._holds = holds
        self._identified: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._results: list[dict[str, Any]] = []
        self.socket: WebSocket

    async def connect(self, url: str, token: str) -> Agent:
        self.socket = await WebSocket.connect(url, self._received)
        identify = {"type": "identify", "agent_id": self.name, "token": token}
        if self.slots > 1:
            identify |= {"slots": self.slots, "batch": True}
        self.socket.send(identify)
        await self._identified
        return self

    def _received(self, message: Any) -> None:
        for frame in message if isinstance(message, list) else (message,):
            self._handle(frame)
        results, self._results = self._results, []
        if len(results) == 1:
            self.socket.send(results[0])
        elif results:
            self.socket.send(results)

    def _handle(self, frame: dict[str, Any]) -> None:
        type_ = frame["type"]
        if type_ == "task_assign":
            if self._on_assigned is not None:
                self._on_assigned(frame["task_id"])
            attempt = {"task_id": frame["task_id"], "generation": frame["generation"]}
            if self._holds:
                self._results.append({"type": "task_accepted", **attempt})
            else:
                self._results.append({"type": "task_complete", **attempt, "result": "ok"})
        elif type_ == "task_ack" and frame["status"] == "complete":
            self.completed += 1
            self.on_completed()
        elif type_ == "identified":
            self._identified.set_result(None)
        elif type_ == "error":
            raise AssertionError(frame)
