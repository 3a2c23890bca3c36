"""Many tasks submitted at once: each is accepted or refused by itself, and the answer has one result for each, in order.

Shared by ``POST /api/tasks/bulk`` and the frame ``submit`` of ``/ws``.
"""

from __future__ import annotations

from typing import Any

from web.errors import ApiError
from wire.errors import Invalid
from wire.tasks import parse_new_task, submission


class BulkSubmission:
    """``add`` everything, submit ``accepted`` to the hub, then ``results`` of its answers."""

    def __init__(self) -> None:
        self._results: list[dict[str, Any] | None] = []
        self.accepted: list[dict[str, Any]] = []
        """Fields of ``actors.vocabulary.tasks.NewTask``, for those that are valid."""

    def __len__(self) -> int:
        return len(self._results)

    def add(self, item: object) -> None:
        """A task as the submitter wrote it, or the error that reading it gave."""
        if isinstance(item, ApiError):
            self._results.append(item.body())
            return
        try:
            self.accepted.append(submission(parse_new_task(item, f"tasks[{len(self)}].")))
        except Invalid as error:
            detail = "fields break the rules named in errors"
            self._results.append(ApiError(422, "validation_failed", detail, errors=error.errors).body())
        else:
            self._results.append(None)

    def results(self, answers: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """``answers``: what the hub says about ``accepted``."""
        said = iter(answers)
        return [_result(next(said)) if one is None else one for one in self._results]


def _result(one: dict[str, Any]) -> dict[str, Any]:
    """``one`` is the hub's word about a task: accepted, or refused with a reason."""
    if "reason" in one:
        return {"error": one["reason"], "detail": one["detail"]}
    shown = {"task_id": one["task_id"], "priority": one["priority"], "created_at": one["created_at"]}
    return shown | {"duplicate": True} if one["duplicate"] else shown
