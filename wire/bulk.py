"""Bodies of the routes for bulk operations and for one task by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from msgspec import Meta

from wire import limits
from wire.errors import FieldError
from wire.fields import AgentId, Milliseconds, TaskId, priority_number
from wire.parsing import Body
from wire.task_filter import FILTER_CHARS, Filter, parse

Action = Literal["retry", "cancel", "lane", "discard", "recover", "reassign"]

#: The longest time over which an operation may be spread, and the largest probe.
MAX_SPREAD_S = 86_400
MAX_PROBE = 1_000


class SelectionBody(Body):
    """Which tasks: ``ids`` or a ``query``, one of the two; ``as_of`` is the time after which a change takes a task out."""

    action: Action
    query: Annotated[str, Meta(max_length=FILTER_CHARS)] | None = None
    ids: Annotated[list[TaskId], Meta(min_length=1, max_length=limits.BULK_IDS)] | None = None
    as_of: Milliseconds | None = None

    @property
    def filter(self) -> Filter | None:
        """Raises ``Invalid``."""
        return parse(self.query) if self.query is not None else None

    def faults(self) -> Iterator[FieldError]:
        if (self.query is None) == (self.ids is None):
            yield FieldError("query", "contradiction", "give query or ids, one of the two")


class PreviewBody(SelectionBody):
    pass


class OperationBody(SelectionBody):
    """Starts a ``preview``, or what a selection names."""

    preview: Annotated[str, Meta(pattern=r"^pv-[0-9a-f]{12}\Z")] | None = None
    lane: str | int | None = None
    agent: AgentId | None = None
    """Who is to have what is reassigned; nobody named: anybody."""
    over_s: Annotated[int, Meta(ge=0, le=MAX_SPREAD_S)] = 0
    probe: Annotated[int, Meta(ge=0, le=MAX_PROBE)] = 0

    @property
    def lane_number(self) -> int | None:
        return priority_number(self.lane) if self.lane is not None else None

    def faults(self) -> Iterator[FieldError]:
        if self.preview is None:
            yield from super().faults()
        elif self.query is not None or self.ids is not None or self.as_of is not None:
            yield FieldError(
                "preview", "contradiction", "a preview says which tasks; give no query, ids or as_of with it"
            )
        yield from lane_faults(self.lane, is_needed=self.action == "lane")
        if self.agent is not None and self.action != "reassign":
            yield FieldError("agent", "contradiction", "belongs to the action reassign only")


class LaneBody(Body):
    lane: str | int

    @property
    def lane_number(self) -> int:
        return priority_number(self.lane) or 0

    def faults(self) -> Iterator[FieldError]:
        yield from lane_faults(self.lane, is_needed=True)


class ReassignBody(Body):
    """``agent`` null: anybody that can do it."""

    agent: AgentId | None


def lane_faults(lane: Any, *, is_needed: bool) -> Iterator[FieldError]:
    if lane is None and is_needed:
        yield FieldError("lane", "required", "is missing")
    elif lane is not None and not is_needed:
        yield FieldError("lane", "contradiction", "belongs to the action lane only")
    elif lane is not None and priority_number(lane) is None:
        yield FieldError("lane", "unknown_value", "must be urgent, high, normal, low, or 0 to 3")
