"""A program on a terminal of its own: what it shows, what is typed, and what it leaves behind."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
from typing import Any, Self

from tests.harness.hub import REPOSITORY

_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|\][^\x07]*\x07|[()][A-Z0-9])")

#: A program that draws whole screens begins each of them in the upper left corner.
HOME = "\x1b[H"
ALTERNATE_ON, ALTERNATE_OFF = "\x1b[?1049h", "\x1b[?1049l"


class Terminal:
    """``agentcom ARGUMENTS`` on a pseudo terminal. Use as a context manager: leaving it kills what is left."""

    def __init__(self, *arguments: str, width: int = 120, height: int = 40) -> None:
        self._ours, self._theirs = pty.openpty()
        self._raw = ""
        self._lock = threading.Lock()
        self.resize(width, height, tell=False)
        self.before: Any = termios.tcgetattr(self._theirs)
        environment = {key: value for key, value in os.environ.items() if not key.startswith("AGENTCOM_")}
        environment |= {"PYTHONPATH": str(REPOSITORY), "TERM": "xterm-256color"}
        for name in ("COLUMNS", "LINES", "NO_COLOR"):
            environment.pop(name, None)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "agentcom", *arguments],
            stdin=self._theirs,
            stdout=self._theirs,
            stderr=self._theirs,
            env=environment,
            start_new_session=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            while data := os.read(self._ours, 65536):
                with self._lock:
                    self._raw += data.decode(errors="replace")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(timeout=10)
        os.close(self._theirs)
        os.close(self._ours)

    def type(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def resize(self, width: int, height: int, *, tell: bool = True) -> None:
        fcntl.ioctl(self._theirs, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        if tell:
            self.process.send_signal(signal.SIGWINCH)

    @property
    def raw(self) -> str:
        """Everything that it has written."""
        with self._lock:
            return self._raw

    def screen(self) -> str:
        """The last screen that is complete, without colours."""
        screens = self.raw.split(HOME)
        return _ESCAPES.sub("", screens[-2]).replace("\r", "") if len(screens) > 2 else ""

    def settings(self) -> Any:
        return termios.tcgetattr(self._theirs)
