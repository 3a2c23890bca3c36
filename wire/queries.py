"""The query of ``GET /api/tasks`` and its relatives: strings, as they come in an address."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from wire import limits
from wire.errors import FieldError
from wire.fields import AgentId, Capability, Cursor, Digits, Place, priority_number
from wire.parsing import Body
from wire.task_filter import FILTER_CHARS, Filter, Term, parse

DEFAULT_PAGE = 100

_AGENT_PLACE = r"^[0-9]{1,2}-[0-9]{1,16}-[A-Za-z0-9_][A-Za-z0-9._-]{0,127}\Z"

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


#: Orders of a list, by the word of ``sort``: the order and whether it begins with the largest.
SORTS = {
    "-created": ("created", True),
    "created": ("created", False),
    "lane": ("lane", False),
    "-lane": ("lane", True),
    "-ended": ("ended", True),
    "ended": ("ended", False),
}

FilterText = Annotated[str, Meta(max_length=FILTER_CHARS)]


class FilterQuery(Body):
    """``q`` is a filter (``wire.task_filter``)."""

    q: FilterText = ""

    @property
    def filter(self) -> Filter:
        """Raises ``Invalid``."""
        return parse(self.q)


Sort: TypeAlias = Literal["-created", "created", "lane", "-lane", "-ended", "ended"]


class FindQuery(FilterQuery):
    """A list by a filter. ``page`` before: the page that ends where ``cursor`` begins, or the last one of all."""

    sort: Sort = "-created"
    cursor: Place | None = None
    page: Literal["after", "before"] = "after"
    seek: Annotated[str, Meta(max_length=20)] | None = None
    at: Annotated[str, Meta(max_length=16)] | None = None
    limit: Annotated[str, Meta(max_length=20)] = str(DEFAULT_PAGE)
    total: Literal["1"] | None = None
    status: TaskStatusWord | None = None
    priority: Annotated[str, Meta(max_length=20)] | None = None
    assigned_to: AgentId | None = None
    capability: Capability | None = None

    @property
    def everything(self) -> Filter:
        """``q`` and the older parameters together. Raises ``Invalid``."""
        lane = priority_number(self.priority) if self.priority is not None else None
        older = (("state", self.status), ("lane", lane), ("agent", self.assigned_to), ("needs", self.capability))
        return Filter((*self.filter.terms, *(Term(key, (value,)) for key, value in older if value is not None)))

    @property
    def part(self) -> float | None:
        return float(self.seek) if self.seek is not None else None

    @property
    def at_ms(self) -> int | None:
        return int(self.at) if self.at is not None else None

    def page_size(self, most: int) -> int:
        return min(int(self.limit), most)

    def faults(self) -> Iterator[FieldError]:
        if not (_is_number(self.limit) and 1 <= int(self.limit) <= limits.PAGE_LIMIT):
            yield FieldError("limit", "out_of_range", f"must be a number from 1 to {limits.PAGE_LIMIT}")
        if self.seek is not None and not _is_part(self.seek):
            yield FieldError("seek", "out_of_range", "must be a number from 0 to 1")
        if self.at is not None and not _is_number(self.at):
            yield FieldError("at", "bad_format", "must be a Unix time in milliseconds")
        if self.priority is not None and priority_number(self.priority) is None:
            yield FieldError("priority", "unknown_value", "must be urgent, high, normal, low, or 0 to 3")


class ExportQuery(FilterQuery):
    """A file of what a filter finds."""

    sort: Sort = "-created"
    format: Literal["jsonl", "csv"] = "jsonl"


class CountQuery(FilterQuery):
    """``exact``: to the last one, however long it takes; else it stops at 10,001."""

    exact: Literal["1"] | None = None


class SuggestQuery(Body):
    """What may stand next in a filter: keys while ``key`` is absent, else values of it that begin with ``prefix``."""

    key: Annotated[str, Meta(max_length=40)] | None = None
    prefix: Annotated[str, Meta(max_length=limits.STATUS_CHARS)] = ""


class DeadGroupQuery(Body):
    sort: Literal["size", "recent"] = "size"
    cursor: Annotated[str, Meta(max_length=32)] | None = None
    limit: Annotated[str, Meta(max_length=20)] = "50"

    def faults(self) -> Iterator[FieldError]:
        if not (_is_number(self.limit) and 1 <= int(self.limit) <= limits.PAGE_ROWS):
            yield FieldError("limit", "out_of_range", f"must be a number from 1 to {limits.PAGE_ROWS}")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 15


def _is_part(text: str) -> bool:
    try:
        return 0 <= float(text) <= 1
    except ValueError:
        return False


class AuditQuery(PageQuery):
    """``GET /api/dashboard/audit``; of an action its beginning is enough."""

    actor: AgentId | None = None
    way: Literal["page", "cli", "api"] | None = None
    action: Annotated[str, Meta(max_length=64)] | None = None
    target: Annotated[str, Meta(max_length=limits.AGENT_ID_CHARS)] | None = None
    outcome: Annotated[str, Meta(max_length=64)] | None = None


class FleetQuery(PageQuery):
    """``GET /api/dashboard/agents``. ``q``: a part of an id, a name or a capability."""

    cursor: Annotated[str, Meta(pattern=_AGENT_PLACE)] | None = None
    state: Annotated[str, Meta(max_length=20)] | None = None
    q: Annotated[str, Meta(max_length=limits.AGENT_ID_CHARS)] | None = None
