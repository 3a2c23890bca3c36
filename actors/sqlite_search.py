"""Finding tasks by a filter: along an index, a bounded number of rows at a time.

A walk is a way through the rows in one order: along the table itself (ids grow with time), along the members of a group of dead
letters, along the queue, or along what ended. Of a walk one *stretch* of at most ``SCAN`` rows is looked at for one question;
the filter is applied on the way. Where the filter names a state that few tasks are in, their keys are gathered first, so that
ten that wait are found among a million that are done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from actors.sqlite_connection import SqliteConnection
from actors.sqlite_filter import Condition, condition
from actors.sqlite_reads import TaskReads
from actors.storage import DoesNotFit
from actors.task_ids import key_of
from actors.vocabulary.search import SCAN, SUGGESTED_FROM, Counted, CountTasks, FindTasks, FoundTasks, Suggestion
from actors.vocabulary.tasks import FINAL, TaskStatus
from wire.task_filter import Filter

OPEN = frozenset({"queued", "assigned"})
ENDED = frozenset(status.value for status in FINAL)

#: Keys in one statement.
_CHUNK = 500

#: A state with at most so many tasks is gathered; their rows lie anywhere, so each costs a page of the disk.
GATHERED = 5_000

Place = tuple[int, ...]
"""A row's place in the order of its walk."""


@dataclass(frozen=True, slots=True)
class Walk:
    """``source`` with ``where`` has its rows in the order of ``columns``, by an index. ``values`` belong to ``where``."""

    source: str
    columns: tuple[str, ...]
    where: str = "1"
    values: tuple[object, ...] = ()

    def stretch(
        self, after: Place | None, *, descending: bool, end: Place | None = None
    ) -> tuple[str, tuple[object, ...]]:
        """The condition for the rows behind ``after``, up to and with ``end``."""
        names = f"({', '.join(self.columns)})"
        marks = f"({', '.join('?' * len(self.columns))})"
        sql, values = self.where, self.values
        if after is not None:
            sql, values = f"{sql} AND {names} {'<' if descending else '>'} {marks}", values + after
        if end is not None:
            sql, values = f"{sql} AND {names} {'>=' if descending else '<='} {marks}", values + end
        return sql, values

    def order(self, *, descending: bool) -> str:
        return ", ".join(f"{column}{' DESC' if descending else ''}" for column in self.columns)


@dataclass(frozen=True, slots=True)
class Stretch:
    """What one look found: places in order with their keys, and where it stopped (None: at the end of the walk)."""

    found: list[tuple[Place, int]]
    stopped_at: Place | None


class TaskSearch:
    """``counters`` gives the kept counters of the tasks, ``status:X``."""

    def __init__(
        self, connection: SqliteConnection, reads: TaskReads, counters: Callable[[], Mapping[str, int]]
    ) -> None:
        self._run = connection.run
        self._reads = reads
        self._counters = counters

    # --- pages --------------------------------------------------------------------------------------------------------

    def find(self, query: FindTasks, now_ms: int) -> FoundTasks:
        """Raises ``DoesNotFit``."""
        descending = query.descending != query.backwards
        walks = self._walks(query.filter, query.order)
        after = self._start(query, walks, descending=descending)
        test = condition(query.filter, now_ms)
        stretches = [self._look(walk, test, after, query.limit + 1, descending=descending) for walk in walks]
        found, stopped_at = _merged(stretches, descending=descending)
        has_more = len(found) > query.limit
        del found[query.limit :]
        onward = found[-1][0] if has_more else stopped_at
        back = found[0][0] if found else after
        is_first = after is None
        if query.backwards:
            found.reverse()
        tasks = self._reads.tasks([key for _, key in found])
        ahead = None if onward is None else _cursor(onward)
        behind = None if is_first or back is None else _cursor(back)
        return FoundTasks(
            tasks=tuple(tasks[key] for _, key in found),
            previous=ahead if query.backwards else behind,
            next=behind if query.backwards else ahead,
            stopped=not has_more and stopped_at is not None,
            known_total=known_total(query.filter, self._counters()),
        )

    def _start(self, query: FindTasks, walks: Sequence[Walk], *, descending: bool) -> Place | None:
        if query.cursor is not None:
            return _place(query.cursor, len(walks[0].columns) if walks else 1)
        if query.seek is None and query.at is None:
            return None
        if query.order != "created":
            raise DoesNotFit("a jump needs the order by creation")
        if query.at is not None:
            return self._place_at(query.at, descending=descending)
        return self._place_of_part(walks, query.seek or 0.0, descending=descending)

    def _place_of_part(self, walks: Sequence[Walk], part: float, *, descending: bool) -> Place | None:
        """Ids of tasks are numbered, so a part of the way is a number between the first and the last."""
        if part <= 0 or not walks:
            return None
        walk = walks[0]
        sql = f"SELECT {walk.columns[0]} FROM {walk.source} WHERE {walk.where} ORDER BY {walk.columns[0]}"
        first = self._run(f"{sql} LIMIT 1", walk.values).fetchone()
        last = self._run(f"{sql} DESC LIMIT 1", walk.values).fetchone()
        if first is None or last is None:
            return None
        low, high = first[0], last[0]
        return (high - int((high - low) * part),) if descending else (low + int((high - low) * part),)

    def _place_at(self, at: int, *, descending: bool) -> Place | None:
        """By halving: the newest task not younger than ``at``, or the oldest not older."""
        first = self._run("SELECT key FROM task ORDER BY key LIMIT 1").fetchone()
        last = self._run("SELECT key FROM task ORDER BY key DESC LIMIT 1").fetchone()
        if first is None or last is None:
            return None
        low, high = first[0], last[0]
        while low < high:
            middle = (low + high) // 2
            row = self._run(
                "SELECT key, created_at FROM task WHERE key >= ? ORDER BY key LIMIT 1", (middle,)
            ).fetchone()
            if row is None or row[0] > high or row[1] > at or (not descending and row[1] >= at):
                high = middle
            else:
                low = row[0] + 1
        return (low,) if descending else (low - 1,)

    # --- counting -----------------------------------------------------------------------------------------------------

    def count(self, query: CountTasks, now_ms: int) -> Counted:
        """Raises ``DoesNotFit`` for a position that is none of ours."""
        known = known_total(query.filter, self._counters())
        if known is not None and query.position is None:
            return Counted(known, None, is_all=True)
        test = condition(query.filter, now_ms)
        [walk] = self._walks(query.filter, "created")
        after = _place(query.position, 1) if query.position is not None else None
        if isinstance(walk, Gathered):
            count = len(self._gathered(walk, test, after, query.limit, descending=True))
            return Counted(count, None, is_all=count < query.limit)
        end = self._end_of(walk, after, descending=True)
        where, values = walk.stretch(after, descending=True, end=end)
        sql = f"SELECT count(*) FROM (SELECT 1 FROM {_source(walk, test)} WHERE {where} AND {test.sql} LIMIT ?)"
        [count] = self._run(sql, (*values, *test.values, query.limit)).fetchone()
        if count >= query.limit:
            return Counted(count, None, is_all=False)
        return Counted(count, None if end is None else _cursor(end), is_all=end is None)

    # --- for bulk operations --------------------------------------------------------------------------------------------

    def collect(
        self, filter_: Filter, position: str | None, now_ms: int
    ) -> tuple[list[tuple[int, int, int]], str | None]:
        """(key, generation, updated_at) of everything that fits in the next stretch, and where to go on."""
        test = condition(filter_, now_ms)
        [walk] = self._walks(filter_, "created")
        after = _place(position, 1) if position is not None else None
        found = self._look(walk, test, after, SCAN, descending=True)
        keys = [key for _, key in found.found]
        rows: list[tuple[int, int, int]] = []
        for start in range(0, len(keys), _CHUNK):
            part = keys[start : start + _CHUNK]
            sql = f"SELECT key, generation, updated_at FROM task WHERE key IN ({', '.join('?' * len(part))}) ORDER BY key DESC"
            rows += self._run(sql, part).fetchall()
        return rows, None if found.stopped_at is None else _cursor(found.stopped_at)

    # --- suggestions --------------------------------------------------------------------------------------------------

    def suggest(self, key: str, prefix: str, limit: int) -> tuple[Suggestion, ...]:
        """Values of ``key`` that begin with (or, for errors, contain) ``prefix``."""
        if key == "group":
            return self._suggest_groups(prefix, limit)
        column = {"agent": "assigned_to", "pinned-to": "assign_to", "submitted-by": "submitted_by"}.get(key)
        newest = f"SELECT * FROM task ORDER BY key DESC LIMIT {SUGGESTED_FROM}"
        if key == "needs":
            source, column = f"({newest}) AS t, json_each(t.needs) AS need", "need.value"
        elif column is not None:
            source = f"({newest})"
        else:
            return ()
        escaped = prefix.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        sql = (
            f"SELECT {column}, count(*) FROM {source} WHERE {column} LIKE ? ESCAPE '\\'"
            f" GROUP BY {column} ORDER BY count(*) DESC, {column} LIMIT ?"
        )
        return tuple(Suggestion(*row) for row in self._run(sql, (f"{escaped}%", limit)))

    def _suggest_groups(self, prefix: str, limit: int) -> tuple[Suggestion, ...]:
        sql = "SELECT id, alive, shape FROM dead_group WHERE alive > 0 ORDER BY alive DESC, id DESC LIMIT 200"
        fitting = [row for row in self._run(sql) if row[0].startswith(prefix) or prefix.lower() in row[2].lower()]
        return tuple(Suggestion(*row) for row in fitting[:limit])

    # --- walks --------------------------------------------------------------------------------------------------------

    def _walks(self, filter_: Filter, order: str) -> list[Walk]:
        states = _states(filter_)
        if order == "lane":
            if not states <= OPEN:
                raise DoesNotFit(
                    "the order by lane is that of tasks that wait or run; add state:queued or state:assigned"
                )
            return [Walk("task INDEXED BY task_open", ("task.priority", "task.seq"), "task.is_final = 0")]
        if order == "ended":
            if not states <= ENDED:
                raise DoesNotFit(
                    "only final tasks have an end; add state:completed, state:dead_letter or state:cancelled"
                )
            where = "task.is_final = 1 AND task.status = ?"
            columns = ("task.updated_at", "task.key")
            return [Walk("task INDEXED BY task_final", columns, where, (state,)) for state in sorted(states)]
        return [self._by_creation(filter_, states)]

    def _by_creation(self, filter_: Filter, states: frozenset[str]) -> Walk:
        ids = filter_.only("id")
        if ids is not None:
            keys = {key for one in ids if (key := key_of(str(one))) is not None}
            return Gathered("task", ("task.key",), keys=tuple(sorted(keys)))
        for name, table, column in (
            ("operation", "operation_item", "operation"),
            ("group", "dead_member", "dead_group"),
        ):
            only = filter_.only(name)
            if only is not None and len(only) == 1:
                source = f"{table} AS member CROSS JOIN task ON task.key = member.key"
                return Walk(source, ("member.key",), f"member.{column} = ?", (only[0],))
        if filter_.only("state") is not None and set(filter_.only("state") or ()) <= {"dead_letter", "discarded"}:
            return Walk("dead_member AS member CROSS JOIN task ON task.key = member.key", ("member.key",))
        counters = self._counters()
        if sum(counters.get(f"status:{state}", 0) for state in states) <= GATHERED:
            return Gathered("task", ("task.key",), keys=self._keys_of(states))
        return Walk("task NOT INDEXED", ("task.key",))

    def _keys_of(self, states: frozenset[str]) -> tuple[int, ...]:
        """Of few tasks, by indexes that hold the key and nothing wide."""
        keys: list[int] = []
        if states & OPEN:
            keys += [key for (key,) in self._run("SELECT key FROM task INDEXED BY task_open WHERE is_final = 0")]
        for state in states & ENDED:
            sql = "SELECT key FROM task INDEXED BY task_final WHERE is_final = 1 AND status = ?"
            keys += [key for (key,) in self._run(sql, (state,))]
        return tuple(sorted(keys))

    # --- one stretch of a walk ------------------------------------------------------------------------------------------

    def _look(self, walk: Walk, test: Condition, after: Place | None, limit: int, *, descending: bool) -> Stretch:
        if isinstance(walk, Gathered):
            keys = self._gathered(walk, test, after, limit, descending=descending)
            return Stretch([((key,), key) for key in keys], None)
        end = self._end_of(walk, after, descending=descending)
        where, values = walk.stretch(after, descending=descending, end=end)
        columns = ", ".join(walk.columns)
        sql = (
            f"SELECT task.key, {columns} FROM {_source(walk, test)} WHERE {where} AND {test.sql}"
            f" ORDER BY {walk.order(descending=descending)} LIMIT ?"
        )
        rows = self._run(sql, (*values, *test.values, limit)).fetchall()
        return Stretch([(tuple(row[1:]), row[0]) for row in rows], end)

    def _end_of(self, walk: Walk, after: Place | None, *, descending: bool) -> Place | None:
        """The last row of the next stretch; None when the walk ends before."""
        where, values = walk.stretch(after, descending=descending)
        order = walk.order(descending=descending)
        source = walk.source.partition(" CROSS JOIN")[0]
        sql = f"SELECT {', '.join(walk.columns)} FROM {source} WHERE {where} ORDER BY {order} LIMIT 1 OFFSET {SCAN - 1}"
        row = self._run(sql, values).fetchone()
        return tuple(row) if row is not None else None

    def _gathered(
        self, walk: Gathered, test: Condition, after: Place | None, limit: int, *, descending: bool
    ) -> list[int]:
        keys = walk.keys
        if after is not None:
            keys = tuple(key for key in keys if (key < after[0] if descending else key > after[0]))
        ordered = keys[::-1] if descending else keys
        found: list[int] = []
        for start in range(0, len(ordered), _CHUNK):
            part = ordered[start : start + _CHUNK]
            sql = (
                f"SELECT task.key FROM {_source(walk, test)} WHERE task.key IN ({', '.join('?' * len(part))})"
                f" AND {test.sql} ORDER BY task.key{' DESC' if descending else ''}"
            )
            found += [key for (key,) in self._run(sql, (*part, *test.values))]
            if len(found) >= limit:
                return found[:limit]
        return found


@dataclass(frozen=True, slots=True)
class Gathered(Walk):
    """Over keys that are known."""

    keys: tuple[int, ...] = ()


def known_total(filter_: Filter, counters: Mapping[str, int]) -> int | None:
    """The number of tasks that fit, where kept counters say it: every one, or those of some states."""
    if any(term.key != "state" or term.op != "=" or "discarded" in term.values for term in filter_.terms):
        return None
    return sum(counters.get(f"status:{state}", 0) for state in _states(filter_))


def _states(filter_: Filter) -> frozenset[str]:
    """The statuses that the filter leaves possible."""
    left = frozenset(status.value for status in TaskStatus)
    for term in filter_.terms:
        if term.key != "state":
            continue
        named = frozenset("cancelled" if value == "discarded" else str(value) for value in term.values)
        if not term.negated:
            left &= named
        elif "discarded" not in term.values:
            left -= named
    return left


def _source(walk: Walk, test: Condition) -> str:
    return f"{walk.source} CROSS JOIN content ON content.key = task.key" if test.needs_content else walk.source


def _merged(stretches: Sequence[Stretch], *, descending: bool) -> tuple[list[tuple[Place, int]], Place | None]:
    """Several walks as one. What lies behind the nearest place where one stopped is not known of that one, so it is left out."""
    found = sorted((one for stretch in stretches for one in stretch.found), reverse=descending)
    stops = [stretch.stopped_at for stretch in stretches if stretch.stopped_at is not None]
    if not stops:
        return found, None
    nearest = max(stops) if descending else min(stops)
    return [one for one in found if (one[0] >= nearest if descending else one[0] <= nearest)], nearest


def _cursor(place: Place) -> str:
    return ".".join(str(number) for number in place)


def _place(cursor: str, length: int) -> Place:
    """Raises ``DoesNotFit``."""
    parts = cursor.split(".")
    if len(parts) != length or not all(part.removeprefix("-").isdecimal() and len(part) <= 20 for part in parts):
        raise DoesNotFit("the cursor is not one of ours")
    place = tuple(int(part) for part in parts)
    if any(abs(number) >= 2**63 for number in place):
        raise DoesNotFit("the cursor is not one of ours")
    return place
