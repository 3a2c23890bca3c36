"""Keeps a ``View`` up to date over the dashboard's socket, the one that the page reads.

Events only say that something changed; what changed is read from the next snapshot, at most one a second. A connection
that breaks is made again for ever, with growing pauses; the view says so meanwhile.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from typing import Any

from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import WebSocketClientConnection, WebSocketClosedError, WebSocketError, websocket_connect

from agentcom.failures import ExitStatus, Failure
from agentcom.top.view import View

#: Seconds between two questions for a snapshot: while things happen, and when nothing does.
BUSY_S = 1.0
IDLE_S = 5.0

CONNECT_TIMEOUT_S = 5.0
BACKOFF_S = (0.5, 15.0)

#: A snapshot of a hub with 10,000 agents has some megabytes.
MESSAGE_BYTES = 64 * 1024 * 1024

WRONG_ADDRESS = (400, 403, 404, 421)


class Feed:
    """``changed`` is set whenever there is something new to draw."""

    def __init__(self, url: str, token: str | None, view: View) -> None:
        self._url = url.replace("http", "ws", 1) + "/ws/dashboard"
        self._token = token
        self._view = view
        self._is_dirty = False
        self._try_now = asyncio.Event()
        self.changed = asyncio.Event()
        self.first = asyncio.Event()
        """A snapshot has come."""

    def try_now(self) -> None:
        """Do not wait for the end of the pause."""
        self._try_now.set()

    async def run(self) -> None:
        """For ever. Raises ``Failure`` when trying again cannot help."""
        pause_s = BACKOFF_S[0]
        while True:
            self._view.connecting()
            self.changed.set()
            started = time.monotonic()
            reason = await self._connect_once()
            if time.monotonic() - started > BACKOFF_S[1]:
                pause_s = BACKOFF_S[0]
            wait_s = random.uniform(0.5, 1.0) * pause_s  # noqa: S311 - spreads clients, guards nothing
            self._view.lost(reason, at_ms=time.time_ns() // 1_000_000, retry_at_s=time.monotonic() + wait_s)
            self.changed.set()
            await self._pause(wait_s)
            pause_s = min(2 * pause_s, BACKOFF_S[1])

    async def _pause(self, seconds: float) -> None:
        self._try_now.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._try_now.wait()
        except TimeoutError:
            return

    async def _connect_once(self) -> str:
        """Why it is over."""
        request = HTTPRequest(self._url, connect_timeout=CONNECT_TIMEOUT_S, request_timeout=CONNECT_TIMEOUT_S)
        try:
            socket = await websocket_connect(request, max_message_size=MESSAGE_BYTES)
        except HTTPClientError as error:
            if error.code in WRONG_ADDRESS:
                hint = "Check the address:  agentcom top --hub URL"
                raise Failure(
                    f"{self._url} answers {error.code}, not like a hub", hint, ExitStatus.USAGE, "not_a_hub"
                ) from error
            return f"the hub answers {error.code}"
        except (OSError, WebSocketError) as error:
            return getattr(error, "strerror", None) or str(error) or "no answer"
        asking = asyncio.create_task(self._ask(socket))
        try:
            if self._token is not None:
                socket.write_message(json.dumps({"type": "auth", "token": self._token}))
            while (message := await socket.read_message()) is not None:
                self._hear(json.loads(message))
        except WebSocketClosedError:
            return "the connection was closed"
        except (ValueError, LookupError, TypeError):
            return "the hub says what this program does not understand"
        finally:
            asking.cancel()
            socket.close()
        return "the connection was closed"

    def _hear(self, frame: dict[str, Any]) -> None:
        now_s = time.monotonic()
        self._view.heard(now_s)
        match frame.get("type"):
            case "snapshot":
                self._is_dirty = False
                self._view.take(frame["data"], now_s)
                self.first.set()
            case "events":
                self._is_dirty = True
            case "hub_status":
                self._view.hub_went(away=frame.get("status") == "away")
            case "auth_result" if frame.get("status") == "refused":
                hint = "Name a file with a valid token:  agentcom top --token-file FILE"
                raise Failure("the hub does not know this token", hint, ExitStatus.NOT_ALLOWED, "unauthorized")
        self.changed.set()

    async def _ask(self, socket: WebSocketClientConnection) -> None:
        """For the next snapshot, when there may be news, and else now and then, as a sign of life."""
        asked_s = time.monotonic()
        while True:
            await asyncio.sleep(BUSY_S)
            now_s = time.monotonic()
            if self._is_dirty or now_s - asked_s >= IDLE_S:
                asked_s = now_s
                try:
                    await socket.write_message(json.dumps({"type": "request_snapshot"}))
                except WebSocketClosedError:
                    return
