"""A WebSocket for tests that read like a conversation: ``say``, ``hear``, and nothing asynchronous to see."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

_loop = asyncio.new_event_loop()
threading.Thread(target=_loop.run_forever, name="test-sockets", daemon=True).start()

T = TypeVar("T")


def _run(step: Coroutine[Any, Any, T]) -> T:
    """In the loop of all sockets, which has a thread of its own: pings are answered while a test does other things."""
    return asyncio.run_coroutine_threadsafe(step, _loop).result(60)


class Refused(Exception):
    """The upgrade was answered with ``status``."""

    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status


class Socket:
    """One connection. Frames wait until they are heard."""

    def __init__(self, url: str, headers: dict[str, str] | None = None) -> None:
        self._pending: asyncio.Future[str | bytes | None] | None = None
        self._connection: WebSocketClientConnection = _run(self._connect(url, headers or {}))

    @staticmethod
    async def _connect(url: str, headers: dict[str, str]) -> WebSocketClientConnection:
        try:
            return await websocket_connect(
                HTTPRequest(url, headers=headers, connect_timeout=10), max_message_size=2**26
            )
        except HTTPClientError as error:
            raise Refused(error.code) from None

    def say(self, frame: Any = None, **fields: Any) -> None:
        """Send a frame: keyword fields as a JSON object, or ``str``/``bytes`` as they are (bytes become a binary frame)."""
        raw = json.dumps(fields) if frame is None else frame
        data = raw if isinstance(raw, str | bytes) else json.dumps(raw)
        _run(self._write(data))

    async def _write(self, data: str | bytes) -> None:
        await self._connection.write_message(data, binary=isinstance(data, bytes))

    def hear(self, timeout_s: float = 10.0) -> dict[str, Any]:
        """The next frame. Fails when the connection closes; ``TimeoutError`` when nothing comes."""
        text = _run(self._read(timeout_s))
        assert text is not None, f"closed with {self._connection.close_code} {self._connection.close_reason}"
        frame: dict[str, Any] = json.loads(text)
        return frame

    async def _read(self, timeout_s: float) -> str | bytes | None:
        # A read that was given up stays pending and is taken up again: cancelling it could lose a frame.
        if self._pending is None:
            self._pending = asyncio.ensure_future(self._connection.read_message())
        await asyncio.wait([self._pending], timeout=timeout_s)
        if not self._pending.done():
            raise TimeoutError
        done, self._pending = self._pending, None
        return done.result()

    def hear_type(self, type_: str, timeout_s: float = 10.0) -> dict[str, Any]:
        """The next frame of a type; others are skipped."""
        return self.hear_until(lambda frame: frame["type"] == type_, timeout_s)

    def hear_until(self, fits: Callable[[dict[str, Any]], bool], timeout_s: float = 10.0) -> dict[str, Any]:
        deadline = _loop.time() + timeout_s
        while True:
            frame = self.hear(max(deadline - _loop.time(), 0.01))
            if fits(frame):
                return frame

    def ask(self, **fields: Any) -> dict[str, Any]:
        self.say(**fields)
        return self.hear()

    def closed(self, timeout_s: float = 10.0) -> int | None:
        """Wait for the other side to close; the close code."""

        async def drain() -> None:
            while await self._read(timeout_s) is not None:
                pass

        _run(asyncio.wait_for(drain(), timeout_s))
        return self._connection.close_code

    def silent(self, seconds: float = 0.3) -> bool:
        """Whether nothing comes for a while."""
        try:
            self.hear(seconds)
        except TimeoutError:
            return True
        return False

    def close(self, code: int = 1000) -> None:
        async def leave() -> None:
            self._connection.close(code)
            await asyncio.sleep(0.05)

        _run(leave())
