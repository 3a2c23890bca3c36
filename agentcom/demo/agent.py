"""One simulated agent: a real connection and real frames; only the work is a wait of the length that the story says.

It is as forgetful as a process: when its connection breaks off by ``vanish``, what it was at is lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable
from typing import Any

from tornado.websocket import WebSocketClientConnection, WebSocketClosedError, websocket_connect

from agentcom.demo.past import Held
from agentcom.demo.story import Member, Story
from wire import codec, limits

RECONNECT_S = 1.0
ACCEPT_S = (0.15, 0.5)
PROGRESS_STEPS = 5

Frame = dict[str, Any]


class DemoAgent:
    """``run`` connects for ever. ``is_frozen``: it accepts what it is given, and never ends it."""

    def __init__(self, url: str, member: Member, token: str, story: Story, *, is_frozen: bool = False) -> None:
        self._url = url.replace("http", "ws", 1) + "/ws"
        self._member = member
        self._token = token
        self._story = story
        self._is_frozen = is_frozen
        self._chance: random.Random = story.chance(f"agent:{member.name}")
        self._socket: WebSocketClientConnection | None = None
        self._work: asyncio.Task[None] | None = None
        self._attempt: Frame | None = None
        """The assignment in hand."""
        self._report: Frame | None = None
        """What ended and was not acknowledged."""
        self._attempts: dict[str, int] = {}
        self.is_limited = False
        """A provider's limit was reached: it gives back what it is given."""
        self.is_away = False
        """It does not reconnect."""
        self.identified = asyncio.Event()

    async def run(self) -> None:
        while True:
            with contextlib.suppress(OSError, WebSocketClosedError):
                if not self.is_away:
                    await self._connect()
            self.identified.clear()
            await asyncio.sleep(RECONNECT_S)

    def hold(self, held: Held) -> None:
        """What it was at when the past ended."""
        order = {"task_id": held.task_id, "generation": held.generation, "metadata": {"number": held.number}}
        self._attempts[held.task_id] = held.attempt
        self._attempt = order
        self._begin(self._do(order, held.seconds_left))

    def report_state(self) -> None:
        """Say what is in hand, as an agent does that has come back."""
        if self._attempt is not None:
            self._send("state_report", self._attempt)

    def vanish(self) -> None:
        """Without a goodbye, and with what it was at."""
        self._drop()
        self.is_away = True
        protocol = self._socket.protocol if self._socket is not None else None
        if protocol is not None and protocol.stream is not None:
            protocol.stream.close()

    def say_status(self, text: str) -> None:
        self._write({"type": "status", "status": text})

    # --- the connection -------------------------------------------------------------------------------------------

    async def _connect(self) -> None:
        self._socket = await websocket_connect(self._url, max_message_size=limits.BULK_BODY_BYTES)
        self._write(
            {
                "type": "identify",
                "agent_id": self._member.name,
                "token": self._token,
                "capabilities": list(self._member.capabilities),
                "output": True,
            }
        )
        while (message := await self._socket.read_message()) is not None:
            self._hear(codec.decode_object(message, max_bytes=limits.BULK_BODY_BYTES))
        self._socket = None

    def _write(self, frame: Frame) -> None:
        """Lost when there is no connection."""
        if self._socket is not None:
            with contextlib.suppress(WebSocketClosedError):
                self._socket.write_message(codec.encode_str(frame)).add_done_callback(_forget)

    def _send(self, type_: str, order: Frame, **more: object) -> None:
        self._write({"type": type_, "task_id": order["task_id"], "generation": order["generation"], **more})

    def _hear(self, frame: Frame) -> None:
        handler: Callable[[Frame], None] | None = {
            "identified": self._welcome,
            "task_assign": self._assigned,
            "task_ack": self._acknowledged,
            "task_cancelled": self._withdrawn,
            "task_reassign": self._withdrawn,
            "state_report_ack": self._judged,
            "error": self._refused,
        }.get(str(frame.get("type")))
        if handler is not None:
            handler(frame)

    def _welcome(self, _: Frame) -> None:
        self.identified.set()
        if self._is_frozen:
            return  # who prepares the picture says when
        self.report_state()
        if self._report is not None:
            self._write(self._report)

    def _assigned(self, order: Frame) -> None:
        if self.is_limited or self._attempt is not None:
            self._send("task_rejected", order, reason="provider limit" if self.is_limited else "busy")
            return
        self._attempt = order
        self._begin(self._take(order))

    def _acknowledged(self, frame: Frame) -> None:
        if self._report is not None and frame.get("task_id") == self._report["task_id"]:
            self._report = None

    def _refused(self, frame: Frame) -> None:
        self._acknowledged(frame)

    def _withdrawn(self, frame: Frame) -> None:
        if self._attempt is not None and frame.get("task_id") == self._attempt["task_id"]:
            self._drop()

    def _judged(self, frame: Frame) -> None:
        if frame.get("action") == "abort":
            self._withdrawn(frame)

    # --- the work -------------------------------------------------------------------------------------------------

    def _begin(self, work: Any) -> None:
        self._work = asyncio.create_task(work)

    def _drop(self) -> None:
        self._attempt = self._report = None
        if self._work is not None:
            self._work.cancel()

    async def _take(self, order: Frame) -> None:
        await asyncio.sleep(self._chance.uniform(*ACCEPT_S))
        self._send("task_accepted", order)
        number = order["metadata"].get("number")
        if not isinstance(number, int):  # not of the story: somebody tries the demo out
            await self._do(order, self._chance.uniform(2.0, 8.0))
            return
        attempt = self._attempts.get(order["task_id"], 0)
        await self._do(order, self._story.work(number).attempt_s(self._member, attempt))

    async def _do(self, order: Frame, seconds: float) -> None:
        output = self._output(order)
        for step in range(PROGRESS_STEPS):
            await asyncio.sleep(seconds / PROGRESS_STEPS)
            while self._is_frozen:
                await asyncio.sleep(3600)
            self._print(order, output, step, step + 1)
            if step < PROGRESS_STEPS - 1:
                self._send("task_progress", order, progress=100 * (step + 1) // PROGRESS_STEPS)
        self._attempt = None
        self._report = self._ending(order)
        self._write(self._report)

    def print_until_now(self) -> None:
        """What an attempt that is half over has printed."""
        if self._attempt is not None:
            self._print(self._attempt, self._output(self._attempt), 0, PROGRESS_STEPS // 2)

    def _output(self, order: Frame) -> list[str]:
        number = order["metadata"].get("number")
        if not isinstance(number, int):
            return [f"task: {order.get('description', '')}", "done"]
        return self._story.output(self._story.work(number), self._attempts.get(order["task_id"], 0))

    def _print(self, order: Frame, output: list[str], since: int, until: int) -> None:
        """The part of the lines that belongs to these steps."""
        first, last = (len(output) * step // PROGRESS_STEPS for step in (since, until))
        if lines := [["out", line] for line in output[first:last]]:
            self._send("task_output", order, seq=first + 1, lines=lines)

    def _ending(self, order: Frame) -> Frame:
        about = {"task_id": order["task_id"], "generation": order["generation"]}
        number = order["metadata"].get("number")
        if not isinstance(number, int):
            return {**about, "type": "task_complete", "result": {"echo": order.get("description", "")}}
        work = self._story.work(number)
        attempt = self._attempts.get(order["task_id"], 0)
        if attempt < work.plan.fails:
            self._attempts[order["task_id"]] = attempt + 1
            return {**about, "type": "task_failed", "error": work.plan.error}
        self._attempts.pop(order["task_id"], None)
        return {**about, "type": "task_complete", "result": work.result, "tokens_used": work.plan.tokens_used}


def _forget(future: asyncio.Future[None]) -> None:
    if not future.cancelled():
        future.exception()
