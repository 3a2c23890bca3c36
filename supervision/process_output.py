"""The last lines that a child wrote: read as they come, so that a flood blocks neither side, and kept within a bound."""

from __future__ import annotations

import os
from collections import deque

#: Characters kept of one line.
LINE_LIMIT = 1000

#: Bytes of one read: a flood leaves the loop time for everything else.
READ_BYTES = 65536


class OutputTail:
    """``fd``: the reading end of the child's output; closed by ``close``."""

    def __init__(self, fd: int, lines: int) -> None:
        self.fd = fd
        os.set_blocking(fd, False)
        self._lines: deque[str] = deque(maxlen=lines)
        self._partial = b""

    def read(self) -> bool:
        """Take what is there. False: the child closed it."""
        try:
            data = os.read(self.fd, READ_BYTES)
        except BlockingIOError:
            return True
        *whole, partial = (self._partial + data).split(b"\n")
        self._partial = partial[:LINE_LIMIT]
        self._lines.extend(line[:LINE_LIMIT].decode(errors="replace") for line in whole)
        return bool(data)

    def text(self) -> str:
        """The last lines, newline between them."""
        partial = [self._partial.decode(errors="replace")] if self._partial else []
        return "\n".join([*self._lines, *partial])

    def close(self) -> None:
        os.close(self.fd)
