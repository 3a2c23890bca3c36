"""A task as the API shows it (protocol.md section 3): the hub's fields, with the pass-through fields beside them."""

from __future__ import annotations

from typing import Any

#: Fields of ``actors.vocabulary.tasks.Task`` that nobody outside needs.
_INTERNAL = frozenset({"seq", "key", "accepted_on", "extras"})


def task_object(task: dict[str, Any]) -> dict[str, Any]:
    """``task`` is the hub's, as plain types. ``history`` is filled when a single task is read, and empty in lists."""
    shown = {name: value for name, value in task.items() if name not in _INTERNAL}
    return {**task["extras"], **shown}


def page_object(page: dict[str, Any]) -> dict[str, Any]:
    tasks = [task_object(task) for task in page["tasks"]]
    return {"tasks": tasks, "count": len(tasks), "next_cursor": page["next_cursor"]}


def stats_object(stats: dict[str, Any]) -> dict[str, Any]:
    """``by_…`` hold what is not zero; ``by_priority`` counts queued tasks."""
    lanes = {str(lane): count for lane, count in stats["queued_by_priority"].items() if count}
    return {
        "by_status": {status: count for status, count in stats["by_status"].items() if count},
        "by_priority": lanes,
        "dead_letter": stats["dead_letter"],
        "queued_index_size": sum(lanes.values()),
        "ready": stats["ready"],
    }


#: Fields of a row of a list, beside ``id`` and the two texts, which are cut.
_ROW = (
    *("priority", "status", "assigned_to", "assign_to", "generation", "retry_count", "max_retries", "created_at"),
    *("updated_at", "assigned_at", "completed_at", "not_before", "tokens_used", "submitted_by", "needed_capabilities"),
)
_ROW_CHARS = 200


def row_object(task: dict[str, Any]) -> dict[str, Any]:
    """What a list shows of a task, so that a hundred of the largest are still a small answer."""
    row = {"id": task["id"], "title": task["description"][:_ROW_CHARS]}
    error = task["last_error"]
    return row | {name: task[name] for name in _ROW} | {"last_error": error[:_ROW_CHARS] if error else None}


def found_object(found: dict[str, Any], tasks: list[dict[str, Any]]) -> dict[str, Any]:
    """``stopped``: there may be more than the page holds, further on than was looked."""
    return {
        "tasks": tasks,
        "count": len(tasks),
        "next_cursor": found["next"],
        "previous_cursor": found["previous"],
        "stopped": found["stopped"],
    }
