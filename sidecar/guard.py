"""The process that cleans up when a sidecar is killed with SIGKILL and cannot do it itself.

One guard for each sidecar, in a session of its own, so that what ends the sidecar's session does not end the guard. It
reads ``+PGID`` and ``-PGID`` lines from a pipe on stdin. End of file means that the sidecar is dead: the process
groups that are still listed get SIGKILL, and the guard ends. It imports next to nothing, so that it starts in a moment
and costs little memory.
"""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Guard:
    """The sidecar's handle on its guard process; starts another one when it was killed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def ensure(self) -> int:
        """Have a guard running. Returns the file descriptor for ``+PGID`` lines: a child writes its own before it
        becomes the operator's program, so there is no moment in which it runs and is not listed."""
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(Path(__file__).resolve())],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                bufsize=0,
                start_new_session=True,
                cwd="/",
            )
        assert self._process.stdin is not None
        return self._process.stdin.fileno()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def forget(self, pgid: int) -> None:
        """The group is gone; a later group with its number is none of our business."""
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(OSError):  # the guard was killed; the next task gets another one
                self._process.stdin.write(b"-%d\n" % pgid)

    def close(self) -> None:
        """End the guard. It kills what is still listed."""
        if self._process is None:
            return
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


def watch(source: int) -> set[int]:
    """Follow the lines on the file descriptor ``source`` to its end. Returns the groups that are still listed."""
    groups: set[int] = set()
    rest = b""
    while chunk := os.read(source, 4096):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            sign, number = line[:1], line[1:]
            if not number.isdigit() or int(number) <= 1:
                continue
            if sign == b"+":
                groups.add(int(number))
            elif sign == b"-":
                groups.discard(int(number))
    return groups


def main() -> None:
    for signum in IGNORED:
        signal.signal(signum, signal.SIG_IGN)
    for pgid in watch(0):
        with contextlib.suppress(OSError):  # it ended by itself
            os.killpg(pgid, signal.SIGKILL)


if __name__ == "__main__":
    main()
