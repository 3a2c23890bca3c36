"""A filter as a condition of SQL. Every value is a parameter; the only texts put into a statement are our own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from actors.sqlite_rows import to_json
from actors.task_ids import key_of
from wire.task_filter import TEXT, Filter, Term

#: A task that was discarded and can still be recovered.
IS_DISCARDED = (
    "(task.status = 'cancelled' AND EXISTS"
    " (SELECT 1 FROM dead_member m WHERE m.key = task.key AND m.discarded_at IS NOT NULL))"
)

_OPS = frozenset({"=", "<", "<=", ">", ">="})
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


@dataclass(frozen=True, slots=True)
class Condition:
    """``sql`` is about ``task``, and about ``content`` when ``needs_content``."""

    sql: str
    values: tuple[object, ...]
    needs_content: bool


def condition(filter_: Filter, now_ms: int) -> Condition:
    parts, values = ["1"], list[object]()
    for term in filter_.terms:
        sql, given = _of(term, now_ms)
        parts.append(f"NOT ({sql})" if term.negated else f"({sql})")
        values += given
    return Condition(" AND ".join(parts), tuple(values), any(term.key == TEXT for term in filter_.terms))


def _of(term: Term, now_ms: int) -> tuple[str, Sequence[object]]:
    assert term.op in _OPS
    return _WRITERS[term.key](term, now_ms)


def _in(column: str) -> Callable[[Term, int], tuple[str, Sequence[object]]]:
    def write(term: Term, _: int) -> tuple[str, Sequence[object]]:
        return f"coalesce({column}, '') IN ({_marks(term.values)})", term.values

    return write


def _compared(expression: str) -> Callable[[Term, int], tuple[str, Sequence[object]]]:
    def write(term: Term, _: int) -> tuple[str, Sequence[object]]:
        if term.op == "=":
            return f"{expression} IN ({_marks(term.values)})", term.values
        return f"{expression} {term.op} ?", term.values[:1]

    return write


def _since(column: str) -> Callable[[Term, int], tuple[str, Sequence[object]]]:
    """An age is compared the other way round than a time."""

    def write(term: Term, now_ms: int) -> tuple[str, Sequence[object]]:
        return f"{column} {_FLIPPED[term.op]} ?", (now_ms - int(term.values[0]),)

    return write


def _state(term: Term, _: int) -> tuple[str, Sequence[object]]:
    stored = [value for value in term.values if value != "discarded"]
    sql = f"task.status IN ({_marks(stored)})"
    return (f"{sql} OR {IS_DISCARDED}" if len(stored) < len(term.values) else sql), stored


def _needs(term: Term, _: int) -> tuple[str, Sequence[object]]:
    """The column is a JSON array of strings, in which a name stands between its quotation marks and nowhere else."""
    names = [to_json(value) for value in term.values]
    return " OR ".join(["instr(task.needs, ?) > 0"] * len(names)), names


def _error(term: Term, _: int) -> tuple[str, Sequence[object]]:
    return _like("coalesce(task.last_error, '')", term.values)


def _text(term: Term, _: int) -> tuple[str, Sequence[object]]:
    return _like("content.description", term.values)


def _like(expression: str, values: Sequence[object]) -> tuple[str, Sequence[object]]:
    escaped = [str(one).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") for one in values]
    return " OR ".join([f"{expression} LIKE ? ESCAPE '\\'"] * len(escaped)), [f"%{one}%" for one in escaped]


def _id(term: Term, _: int) -> tuple[str, Sequence[object]]:
    keys = [key for value in term.values if (key := key_of(str(value))) is not None]
    return f"task.key IN ({_marks(keys)})", keys


def _group(term: Term, _: int) -> tuple[str, Sequence[object]]:
    sql = f"SELECT 1 FROM dead_member m WHERE m.key = task.key AND m.dead_group IN ({_marks(term.values)})"
    return f"EXISTS ({sql})", term.values


def _operation(term: Term, _: int) -> tuple[str, Sequence[object]]:
    sql = f"SELECT 1 FROM operation_item i WHERE i.operation IN ({_marks(term.values)}) AND i.key = task.key"
    return f"EXISTS ({sql})", term.values


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


_WRITERS: dict[str, Callable[[Term, int], tuple[str, Sequence[object]]]] = {
    "state": _state,
    "lane": _in("task.priority"),
    "agent": _in("task.assigned_to"),
    "pinned-to": _in("task.assign_to"),
    "submitted-by": _in("task.submitted_by"),
    "needs": _needs,
    "error": _error,
    "group": _group,
    "operation": _operation,
    "id": _id,
    "age": _since("task.created_at"),
    "updated": _since("task.updated_at"),
    "took": _compared(
        "CASE WHEN task.status = 'completed' THEN max(0, task.completed_at - task.assigned_at) ELSE -1 END"
    ),
    "retries": _compared("task.retry_count"),
    "tokens": _compared("task.tokens_used"),
    TEXT: _text,
}
