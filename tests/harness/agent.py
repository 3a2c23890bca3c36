"""An agent for tests: speaks the wire protocol over a real WebSocket and writes down everything it sees.

As a process: ``python -m tests.harness.agent WS_URL NAME TOKEN LOG [--capability X]... [--work-ms N]``. Every line of LOG is one
JSON object with ``at`` (the agent's monotonic clock), ``what`` and the frame. It keeps its unacknowledged attempt in
``LOG.attempt`` so that it may be killed and started again, as a real sidecar may.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import time
from pathlib import Path
from typing import Any

from tornado.websocket import WebSocketClientConnection, websocket_connect


class Agent:
    """One agent: accepts, works ``work_ms``, completes with ``{"by": name, "generation": n}``, and reconnects for ever."""

    def __init__(
        self, url: str, name: str, token: str, log: Path, capabilities: tuple[str, ...] = (), work_ms: int = 5
    ) -> None:
        self.url = url.rstrip("/") + "/ws"
        self.name = name
        self._token = token
        self._log = log.open("a", buffering=1)
        self._attempt_file = log.with_suffix(".attempt")
        self._capabilities = capabilities
        self._work_ms = work_ms
        self._socket: WebSocketClientConnection | None = None
        self._attempt: dict[str, Any] | None = self._load_attempt()
        self.connections = 0

    def note(self, what: str, **fields: Any) -> None:
        self._log.write(json.dumps({"at": time.monotonic(), "agent": self.name, "what": what, **fields}) + "\n")

    # --- the attempt in hand --------------------------------------------------------------------------------------

    def _load_attempt(self) -> dict[str, Any] | None:
        try:
            loaded: dict[str, Any] | None = json.loads(self._attempt_file.read_text())
        except (FileNotFoundError, ValueError):
            return None
        return loaded

    def _keep(self, attempt: dict[str, Any] | None) -> None:
        self._attempt = attempt
        temporary = self._attempt_file.with_suffix(".tmp")
        temporary.write_text(json.dumps(attempt))
        temporary.replace(self._attempt_file)

    # --- the connection -------------------------------------------------------------------------------------------

    async def run(self) -> None:
        delay = 0.05
        while True:
            try:
                socket = await websocket_connect(self.url, connect_timeout=5)
            except Exception as error:
                self.note("connect_failed", error=type(error).__name__)
                await asyncio.sleep(random.uniform(0, delay))
                delay = min(delay * 2, 1.0)
                continue
            delay = 0.05
            self.connections += 1
            self.note("connected")
            self._socket = socket
            await self._talk(socket)
            self.note("disconnected", code=socket.close_code)

    async def _talk(self, socket: WebSocketClientConnection) -> None:
        await self._send(type="identify", agent_id=self.name, token=self._token, capabilities=list(self._capabilities))
        worker: asyncio.Task[None] | None = None
        while (text := await socket.read_message()) is not None:
            frame = json.loads(text)
            self.note("got", frame=frame)
            if frame["type"] == "identified" and self._attempt is not None:
                await self._report()
            elif frame["type"] == "task_assign":
                worker = asyncio.create_task(self._work(frame, after=worker))
            elif (
                (frame["type"] == "task_ack" and frame["status"] == "complete" and self._is_mine(frame))
                or (frame["type"] == "task_reassign" and self._is_mine(frame))
                or (frame["type"] == "error" and "task_complete_failed" in frame["error"] and self._is_mine(frame))
            ):
                self._keep(None)

    def _is_mine(self, frame: dict[str, Any]) -> bool:
        return self._attempt is not None and self._attempt["task_id"] == frame.get("task_id")

    async def _report(self) -> None:
        assert self._attempt is not None
        attempt = self._attempt
        if attempt["done"]:
            await self._complete(attempt)
        else:  # this process died at work: say so
            fields = {"task_id": attempt["task_id"], "generation": attempt["generation"]}
            await self._send(type="task_recovering", last_status="crashed", **fields)

    async def _work(self, frame: dict[str, Any], after: asyncio.Task[None] | None) -> None:
        """One attempt, when the one ``after`` is done: what the hub sent twice is at work while the next one comes."""
        if after is not None:
            await after
        attempt = {"task_id": frame["task_id"], "generation": frame["generation"], "done": False}
        self._keep(attempt)
        await self._send(type="task_accepted", task_id=attempt["task_id"], generation=attempt["generation"])
        await asyncio.sleep(self._work_ms / 1000)
        attempt["done"] = True
        self._keep(attempt)
        self.note("effect", task_id=attempt["task_id"], generation=attempt["generation"])
        await self._complete(attempt)

    async def _complete(self, attempt: dict[str, Any]) -> None:
        result = {"by": self.name, "generation": attempt["generation"]}
        await self._send(
            type="task_complete", task_id=attempt["task_id"], generation=attempt["generation"], result=result
        )

    async def _send(self, **frame: Any) -> None:
        self.note("sent", frame={key: value for key, value in frame.items() if key != "token"})
        if self._socket is not None:
            try:
                await self._socket.write_message(json.dumps({"protocol_version": 1, **frame}))
            except Exception:
                self.note("send_failed", type=frame["type"])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("name")
    parser.add_argument("token")
    parser.add_argument("log", type=Path)
    parser.add_argument("--capability", action="append", default=[])
    parser.add_argument("--work-ms", type=int, default=5)
    options = parser.parse_args()
    agent = Agent(options.url, options.name, options.token, options.log, tuple(options.capability), options.work_ms)
    agent.note("started", pid=os.getpid())
    asyncio.run(agent.run())


if __name__ == "__main__":
    main()
