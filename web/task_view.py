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
