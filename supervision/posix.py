"""What Linux offers to tie a child process to its parent."""

from __future__ import annotations

import ctypes
import os
import signal
from typing import Any

_PR_SET_PDEATHSIG = 1


def _find_prctl() -> Any:
    try:
        return ctypes.CDLL(None, use_errno=True).prctl
    except (OSError, AttributeError):
        return None


_prctl = _find_prctl()


def tie_to_parent() -> None:
    """Between fork and exec: the new program gets SIGKILL when this parent dies. Only a system call, as must be there."""
    if _prctl is not None:
        _prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


def die_with_parent(signum: int = signal.SIGKILL, expected_parent: int | None = None) -> None:
    """Get ``signum`` when the parent process dies; at once if it is no longer ``expected_parent``.

    Without this a parent that is killed with SIGKILL leaves orphans behind. Does nothing on systems without prctl.
    """
    if _prctl is None:
        return
    _prctl(_PR_SET_PDEATHSIG, int(signum), 0, 0, 0)
    if expected_parent is not None and os.getppid() != expected_parent:
        os.kill(os.getpid(), signum)
