"""What Linux offers to tie a child process to its parent."""

from __future__ import annotations

import ctypes
import os
import signal

_PR_SET_PDEATHSIG = 1


def die_with_parent(signum: int = signal.SIGKILL, expected_parent: int | None = None) -> None:
    """Get ``signum`` when the parent process dies; at once if it is no longer ``expected_parent``.

    Without this a parent that is killed with SIGKILL leaves orphans behind. Does nothing on systems without prctl.
    """
    try:
        prctl = ctypes.CDLL(None, use_errno=True).prctl
    except (OSError, AttributeError):
        return
    prctl(_PR_SET_PDEATHSIG, int(signum), 0, 0, 0)
    if expected_parent is not None and os.getppid() != expected_parent:
        os.kill(os.getpid(), signum)
