"""Lines of a running task on their way to the hub: as they come, but never at the cost of anything that matters.

What cannot be sent soon enough is forgotten, the oldest first, and its numbers are left out, so that whoever reads sees that
something is missing. A frame is sent only when the one before has left this process, so that a result or a ping never
waits behind more than one of them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, TypeAlias

from wire import limits
from wire.output import safe_line

#: Least time between two frames.
PERIOD_S = 0.1

#: Of one frame, as UTF-8; escaped for JSON it can be three times as much.
FRAME_BYTES = 64 * limits.KIB

#: What may wait.
WAITING_BYTES = 1024 * limits.KIB

#: What may be sent right before the result, which must not wait long for it.
LAST_BYTES = 256 * limits.KIB

#: Sustained, and at once after a quiet time.
BYTES_PER_S = 256 * limits.KIB
BURST_BYTES = 1024 * limits.KIB

#: What a line costs beside its text.
LINE_BYTES = 12

#: A line that is not ended is shown as it is after so long: a question to a person has no line end.
UNENDED_S = 1.0

Lines: TypeAlias = "list[tuple[str, str]]"

#: Sends (number of the first line, lines); False: not now.
Deliver: TypeAlias = Callable[[int, Lines], bool]


class LineSplitter:
    """Bytes of one stream -> its lines. Of a line that is overwritten with a carriage return the last state counts."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> list[str]:
        *ended, self._rest = (self._rest + chunk).split(b"\n")
        lines = [_text(line) for line in ended]
        if len(self._rest) > 4 * limits.OUTPUT_LINE_CHARS:
            lines.append(_text(self._rest))
            self._rest = b""
        return lines

    def take_rest(self) -> list[str]:
        rest, self._rest = self._rest, b""
        return [_text(rest)] if rest else []


def _text(line: bytes) -> str:
    """Bytes that are no UTF-8 are replaced."""
    return safe_line(line.rstrip(b"\r").rpartition(b"\r")[2].decode("utf-8", "replace"))


class LiveOutput:
    """Of one attempt. Everything runs on the event loop."""

    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver
        self._splitters = {"out": LineSplitter(), "err": LineSplitter()}
        self._waiting: deque[tuple[str, str, int]] = deque()
        """Stream, text and cost."""
        self._size = 0
        self._next_seq = 1
        """The number of the oldest line that waits."""
        self._allowance = float(BURST_BYTES)
        self._loop = asyncio.get_running_loop()
        self._filled_at = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._unended: dict[str, asyncio.TimerHandle] = {}
        self._is_closed = False

    def feed(self, stream: str, chunk: bytes) -> None:
        """``stream``: out or err."""
        timer = self._unended.pop(stream, None)
        if timer is not None:
            timer.cancel()
        splitter = self._splitters[stream]
        self._add(stream, splitter.feed(chunk))
        if not self._is_closed:
            self._unended[stream] = self._loop.call_later(UNENDED_S, self._show_unended, stream)

    def finish(self) -> None:
        """The task is over: what still waits goes now, as far as it may, and the rest of it never."""
        self._close()
        for stream, splitter in self._splitters.items():
            self._add(stream, splitter.take_rest())
        self._forget_down_to(LAST_BYTES)
        while self._waiting and self._send():
            pass

    def _close(self) -> None:
        self._is_closed = True
        for timer in (self._timer, *self._unended.values()):
            if timer is not None:
                timer.cancel()
        self._unended.clear()

    def _show_unended(self, stream: str) -> None:
        self._unended.pop(stream, None)
        self._add(stream, self._splitters[stream].take_rest())

    def _add(self, stream: str, lines: list[str]) -> None:
        for line in lines:
            cost = LINE_BYTES + (len(line) if line.isascii() else len(line.encode("utf-8", "replace")))
            self._waiting.append((stream, line, cost))
            self._size += cost
        self._forget_down_to(WAITING_BYTES)
        if self._waiting and self._timer is None and not self._is_closed:
            self._timer = self._loop.call_later(PERIOD_S, self._tick)

    def _forget_down_to(self, size: int) -> None:
        while self._size > size:
            self._size -= self._waiting.popleft()[2]
            self._next_seq += 1

    def _tick(self) -> None:
        self._timer = None
        now = self._loop.time()
        self._allowance = min(BURST_BYTES, self._allowance + BYTES_PER_S * (now - self._filled_at))
        self._filled_at = now
        if self._allowance > 0:
            self._send()
        if self._waiting:
            self._timer = self._loop.call_later(PERIOD_S, self._tick)

    def _send(self) -> bool:
        """One frame of what has waited longest."""
        lines: Lines = []
        size = 0
        for stream, text, cost in self._waiting:
            if lines and (size + cost > FRAME_BYTES or len(lines) >= limits.OUTPUT_LINES):
                break
            lines.append((stream, text))
            size += cost
        if not lines or not self._deliver(self._next_seq, lines):
            return False
        for _ in lines:
            self._waiting.popleft()
        self._size -= size
        self._next_seq += len(lines)
        self._allowance -= size
        return True


def frame_of(key: tuple[str, int], seq: int, lines: Lines) -> dict[str, Any]:
    """``type`` comes first: the hub's door looks no further when it is too busy for output."""
    task_id, generation = key
    return {"type": "task_output", "task_id": task_id, "generation": generation, "seq": seq, "lines": lines}
