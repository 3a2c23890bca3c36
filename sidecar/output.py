"""What a child prints: read as fast as it comes, so that the child never waits for us, and kept up to a limit."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections import deque
from collections.abc import Callable

from sidecar.outcome import PROGRESS_CHARS, progress_of

READ_BYTES = 64 * 1024

PROGRESS_PERIOD_S = 0.5
"""At most two progress frames in a second: a person sees no more, and the hub has other agents."""


class Output:
    """One pipe from a child. The last ``limit`` bytes are kept, in whole chunks of at most 64 KiB."""

    def __init__(self, limit: int, also: Callable[[bytes], None] | None = None) -> None:
        self._limit = limit
        self._also = also
        self._chunks: deque[bytes] = deque()
        self._kept = 0
        self._ended = asyncio.Event()
        self._read_end, self.write_end = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self._read_end, False)

    def follow(self) -> None:
        """Begin to read; call it once the child has its copy of the write end."""
        os.close(self.write_end)
        self.write_end = -1
        asyncio.get_running_loop().add_reader(self._read_end, self._read)

    async def drain(self, timeout_s: float) -> None:
        """Wait for the end of the output, then close; after ``timeout_s`` close all the same. Idempotent."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), timeout_s)
        self.close()

    def close(self) -> None:
        self._ended.set()
        if self._read_end >= 0:
            asyncio.get_running_loop().remove_reader(self._read_end)
            os.close(self._read_end)
            self._read_end = -1
        if self.write_end >= 0:
            os.close(self.write_end)
            self.write_end = -1

    def text(self) -> str:
        """The end of what was printed; bytes that are no UTF-8 are replaced."""
        return b"".join(self._chunks)[-self._limit :].decode("utf-8", "replace")

    def _read(self) -> None:
        try:
            chunk = os.read(self._read_end, READ_BYTES)
        except BlockingIOError:
            return
        if not chunk:
            self.close()
            return
        self._chunks.append(chunk)
        self._kept += len(chunk)
        while self._kept - len(self._chunks[0]) >= self._limit:
            self._kept -= len(self._chunks.popleft())
        if self._also is not None:
            self._also(chunk)


class ProgressLines:
    """Finds progress in a stream of bytes and tells ``on_progress`` the newest value, at most twice a second."""

    def __init__(self, on_progress: Callable[[int], None]) -> None:
        self._on_progress = on_progress
        self._line = b""
        self._newest: int | None = None
        self._pause: asyncio.TimerHandle | None = None

    def feed(self, chunk: bytes) -> None:
        *lines, rest = chunk.split(b"\n")
        for line in lines:
            self._end_line(self._line + line)
            self._line = b""
        # Of a line that is too long only so much is kept that it stays too long.
        self._line = (self._line + rest[: 2 * PROGRESS_CHARS])[: 2 * PROGRESS_CHARS]

    def close(self) -> None:
        """No more calls. A value that waits is not told: the outcome follows at once."""
        if self._pause is not None:
            self._pause.cancel()

    def _end_line(self, line: bytes) -> None:
        if len(line) > PROGRESS_CHARS:
            return
        percent = progress_of(line.decode("utf-8", "replace"))
        if percent is None:
            return
        self._newest = percent
        if self._pause is None:
            self._tell()

    def _tell(self) -> None:
        self._pause = None
        if self._newest is None:
            return
        newest, self._newest = self._newest, None
        self._pause = asyncio.get_running_loop().call_later(PROGRESS_PERIOD_S, self._tell)
        self._on_progress(newest)
