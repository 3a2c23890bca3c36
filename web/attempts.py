"""The attempts of a task, read from its history: who had it, from when to when, and how that ended. Pure.

All times are the hub's, in Unix milliseconds. Its clock may have been set back meanwhile, so no time is before the one that it
follows, and no duration is negative.
"""

from __future__ import annotations

from typing import Any

#: Entries of the history that end an attempt -> what that is called of an attempt.
_ENDS = {
    "completed": "completed",
    "retry": "failed",
    "dead_letter": "failed",
    "reclaimed": "taken_back",
    "cancelled": "cancelled",
}

RUNNING = "running"

#: Entries after which the task waits again.
_WAITS = frozenset({"queued", "retry", "reclaimed"})


def attempts_of(task: dict[str, Any]) -> list[dict[str, Any]]:
    """Oldest first. ``task`` is the hub's, with its history (newest first, and cut: the oldest attempts may be missing).

    Each: ``generation``, ``agent_id``, ``waiting_since`` and ``assigned_at`` and ``accepted_at`` (null when it is not known) and
    ``ended_at`` (null while it goes on), ``waited_ms``, ``duration_ms`` (null while it goes on), ``outcome`` (running, completed,
    failed, taken_back, cancelled), ``reason``, ``tokens_used``.
    """
    found: list[dict[str, Any]] = []
    open_one: dict[str, Any] | None = None
    waiting_since: int | None = None
    now = 0
    for entry in reversed(task["history"]):
        now = max(now, entry["timestamp"])
        event, details = entry["event"], entry["details"]
        if event == "assigned" and isinstance(details, dict):
            open_one = _begun(details, waiting_since, now)
            found.append(open_one)
        elif event in _ENDS and open_one is not None:
            _end(open_one, event, details, now)
            open_one = None
        waiting_since = now if event in _WAITS else None
    if found and task["generation"] == found[-1]["generation"] and task["accepted_at"] is not None:
        last = found[-1]
        last["accepted_at"] = min(
            max(last["assigned_at"], task["accepted_at"]), last["ended_at"] or task["accepted_at"]
        )
    return found


def _begun(details: dict[str, Any], waiting_since: int | None, now: int) -> dict[str, Any]:
    return {
        "generation": details.get("generation"),
        "agent_id": details.get("agent_id"),
        "waiting_since": waiting_since,
        "assigned_at": now,
        "accepted_at": None,
        "ended_at": None,
        "waited_ms": now - waiting_since if waiting_since is not None else None,
        "duration_ms": None,
        "outcome": RUNNING,
        "reason": None,
        "tokens_used": None,
    }


def _end(attempt: dict[str, Any], event: str, details: Any, now: int) -> None:
    attempt["ended_at"] = now
    attempt["duration_ms"] = now - attempt["assigned_at"]
    attempt["outcome"] = _ENDS[event]
    if isinstance(details, str):
        attempt["reason"] = details
    elif isinstance(details, dict):
        attempt["tokens_used"] = details.get("tokens_used")
        attempt["reason"] = f"by {details['by']}" if details.get("by") else None
