"""The query of ``GET /api/tasks`` and its relatives: strings, as they come in an address."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta

from wire import limits
from wire.errors import FieldError
from wire.fields import AgentId, Capability, Cursor, Digits, priority_number
from wire.parsing import Body

DEFAULT_PAGE = 100

TaskStatusWord = Literal["queued", "assigned", "completed", "dead_letter", "cancelled"]


class PageQuery(Body):
    cursor: Cursor | None = None
    """``next_cursor`` of the page before."""
    limit: Annotated[str, Meta(max_length=20)] = str(DEFAULT_PAGE)

    @property
    def page_size(self) -> int:
        return int(self.limit)

    def faults(self) -> Iterator[FieldError]:
        is_number = self.limit.isascii() and self.limit.isdigit()
        if not is_number or not 1 <= int(self.limit) <= limits.PAGE_LIMIT:
            yield FieldError("limit", "out_of_range", f"must be a number from 1 to {limits.PAGE_LIMIT}")


class TaskQuery(PageQuery):
    status: TaskStatusWord | None = None
    priority: Annotated[str, Meta(max_length=20)] | None = None
    assigned_to: AgentId | None = None
    capability: Capability | None = None

    @property
    def lane(self) -> int | None:
        return priority_number(self.priority) if self.priority is not None else None

    def faults(self) -> Iterator[FieldError]:
        yield from super().faults()
        if self.priority is not None and self.lane is None:
            yield FieldError("priority", "unknown_value", "must be urgent, high, normal, low, or 0 to 3")


class OutputQuery(Body):
    """``after`` and ``before`` are numbers of lines; neither means the newest. ``generation``: of which attempt."""

    after: Digits | None = None
    before: Digits | None = None
    generation: Digits | None = None
    limit: Digits = "1000"
    format: Literal["json", "text"] = "json"

    def faults(self) -> Iterator[FieldError]:
        if self.after is not None and self.before is not None:
            yield FieldError("before", "contradiction", "cannot be said together with after")
        if not 1 <= int(self.limit) <= limits.OUTPUT_PAGE_LINES:
            yield FieldError("limit", "out_of_range", f"must be a number from 1 to {limits.OUTPUT_PAGE_LINES}")

    @property
    def numbers(self) -> dict[str, int]:
        """The fields of ``actors.vocabulary.output.ReadOutput`` that were given."""
        given = {name: getattr(self, name) for name in ("after", "before", "generation", "limit")}
        return {name: int(value) for name, value in given.items() if value is not None}
