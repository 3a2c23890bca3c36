"""One child in a drawing of a supervision tree: actors, supervisors and processes alike."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from supervision.children import Child
from supervision.core import SupervisorCore


@dataclass(frozen=True, slots=True)
class Node:
    """One child. Times are ages in seconds; None where there is nothing to say.

    ``kind``: supervisor, actor or process. ``state``: starting, running, restarting or none. ``strategy``, ``children``,
    ``restarts_in_window`` and ``max_restarts`` are a supervisor's; ``pid`` and ``status`` (what it says of itself) a process's.
    ``retry_s``: of one whose back-off pauses: in how many seconds it is started again.
    ``handling``: the type of the message that an actor is at, ``busy_s`` for how long, ``stack`` where in the code, if asked for.
    ``mailbox``: messages that wait, ``oldest_s`` the longest of them.
    """

    id: str
    kind: str
    state: str
    restarts: int = 0
    last_exit: str | None = None
    last_exit_s: float | None = None
    retry_s: float | None = None
    uptime_s: float | None = None
    mailbox: int | None = None
    oldest_s: float | None = None
    handling: str | None = None
    busy_s: float | None = None
    stack: str | None = None
    pid: int | None = None
    status: str | None = None
    strategy: str | None = None
    restarts_in_window: int | None = None
    max_restarts: int | None = None
    children: tuple[Node, ...] = field(default=())


def age(now: float, then: float | None) -> float | None:
    """Seconds to the millisecond."""
    return round(max(now - then, 0.0), 3) if then is not None else None


def supervisor_facts(core: SupervisorCore, now: float) -> dict[str, Any]:
    """What a node says of a supervisor, of actors or of processes."""
    return {
        "kind": "supervisor",
        "strategy": core.flags.strategy.value,
        "restarts_in_window": core.window.passes_seen(now),
        "max_restarts": core.flags.max_restarts,
    }


def exits_of(child: Child | None, now: float) -> dict[str, Any]:
    """How often a child was started again, and how and when it ended last."""
    if child is None:
        return {}
    last_exit = str(child.last_exit) if child.last_exit is not None else None
    retry_s = round(max(child.retry_at_s - now, 0.0), 3) if child.retry_at_s is not None else None
    return {
        "restarts": child.restarts,
        "last_exit": last_exit,
        "last_exit_s": age(now, child.last_exit_s),
        "retry_s": retry_s,
    }
