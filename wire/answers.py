"""Which frame of the hub answers which frame of an agent (docs/protocol.md)."""

from __future__ import annotations

from typing import Any

#: The frames of an agent that the hub answers; others get no answer.
ANSWERED = frozenset(
    {"status", "task_accepted", "task_complete", "task_failed", "task_rejected", "task_recovering", "state_report"}
)

_ACK_OF = {
    "accepted": "task_accepted",
    "complete": "task_complete",
    "retried": "task_failed",
    "dead_letter": "task_failed",
    "rejected": "task_rejected",
}
_ERROR_OF = {
    "task_accept_failed": "task_accepted",
    "task_complete_failed": "task_complete",
    "task_fail_failed": "task_failed",
}
_REPLY_OF = {
    "task_continue": "task_recovering",
    "task_reassign": "task_recovering",
    "state_report_ack": "state_report",
    "status_updated": "status",
}


def answered_by(reply: dict[str, Any]) -> tuple[str, str | None] | None:
    """Type and task of the frame that ``reply`` answers; None when it answers none."""
    type_ = _answered_type(reply)
    return (type_, reply.get("task_id")) if type_ is not None else None


def _answered_type(reply: dict[str, Any]) -> str | None:
    match reply.get("type"):
        case "task_ack":
            return _ACK_OF.get(reply.get("status", ""))
        case "error":
            return _ERROR_OF.get(str(reply.get("error")).partition(":")[0])
        case other:
            return _REPLY_OF.get(str(other))
