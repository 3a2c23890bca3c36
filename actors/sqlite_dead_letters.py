"""Dead letters by cause: who died of what, counted in the transaction in which it happens, so that a group costs no scan.

Collected during a batch and written at its end, like the transitions themselves. A discarded task stays a member until its time
for recovery is over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from actors import fingerprint as cause
from actors.sqlite_connection import SqliteConnection
from actors.storage import DoesNotFit
from actors.vocabulary.search import ListDeadGroups, Mute
from actors.vocabulary.tasks import Task, TaskStatus

HOUR_MS = 3_600_000
HOURS_SHOWN = 24

#: Members whose agents are named with a group.
AGENTS_FROM = 50

#: A group that somebody looks after asks for attention again when it is so many times as large, but not for a few more.
GROWTH = 2
GROWTH_LEAST = 10

#: Mutes that health is told of; as many kinds of failure are remembered there.
MUTES_TOLD = 200

_LANES = ("urgent", "high", "normal", "low")


@dataclass(frozen=True, slots=True)
class Member:
    group: str
    died_at: int
    discarded_at: int | None = None


@dataclass(slots=True)
class _Change:
    """What a batch adds to a group."""

    reason: str = ""
    shape: str = ""
    """Empty: the group is there already."""
    alive: int = 0
    discarded: int = 0
    lanes: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    first_at: int = 0
    last_at: int = 0


class DeadLetters:
    def __init__(self, connection: SqliteConnection) -> None:
        self._connection = connection
        self._run = connection.run
        self._members: dict[int, Member | None] = {}
        self._changes: dict[str, _Change] = {}
        self._hours: dict[tuple[str, int], int] = {}

    def __bool__(self) -> bool:
        return bool(self._members)

    def clear(self) -> None:
        self._members, self._changes, self._hours = {}, {}, {}

    # --- what happens to them -----------------------------------------------------------------------------------------

    def moved(self, before: Task | None, after: Task | None, *, discarded: bool) -> None:
        """A task became a dead letter or is none any more. ``after`` None: its record is gone."""
        if before is not None and before.status is TaskStatus.DEAD_LETTER:
            self._left(before, discarded_at=after.updated_at if discarded and after is not None else None)
        elif after is not None and before is not None and before.status is TaskStatus.CANCELLED:
            self._came_back(after)
        elif after is not None and before is not None:
            self._died(before, after)

    def _died(self, before: Task, after: Task) -> None:
        reason, shape = cause.reason_of(before, after), cause.shape_of(after.last_error)
        group = cause.fingerprint(reason, shape)
        self._members[after.key] = Member(group, after.updated_at)
        change = self._change(group)
        change.reason, change.shape = reason, shape
        change.alive += 1
        change.lanes[after.priority] += 1
        change.first_at = change.first_at or after.updated_at
        change.last_at = max(change.last_at, after.updated_at)
        hour = (group, after.updated_at // HOUR_MS)
        self._hours[hour] = self._hours.get(hour, 0) + 1

    def _left(self, task: Task, discarded_at: int | None) -> None:
        member = self.member(task.key)
        if member is None:  # of a database that was written by hand
            return
        change = self._change(member.group)
        change.alive -= 1
        change.lanes[task.priority] -= 1
        if discarded_at is None:
            self._members[task.key] = None
        else:
            change.discarded += 1
            self._members[task.key] = Member(member.group, member.died_at, discarded_at)

    def _came_back(self, task: Task) -> None:
        member = self.member(task.key)
        if member is None or member.discarded_at is None:
            return
        change = self._change(member.group)
        change.alive += 1
        change.discarded -= 1
        change.lanes[task.priority] += 1
        self._members[task.key] = Member(member.group, member.died_at)

    def _change(self, group: str) -> _Change:
        return self._changes.setdefault(group, _Change())

    def member(self, key: int) -> Member | None:
        if key in self._members:
            return self._members[key]
        row = self._run("SELECT dead_group, died_at, discarded_at FROM dead_member WHERE key = ?", (key,)).fetchone()
        return Member(*row) if row is not None else None

    def discarded_at(self, key: int) -> int | None:
        member = self.member(key)
        return member.discarded_at if member is not None else None

    # --- at the end of the batch --------------------------------------------------------------------------------------

    def flush(self) -> None:
        """Write everything in the current transaction."""
        kept = [(k, m.group, m.died_at, m.discarded_at) for k, m in self._members.items() if m is not None]
        gone = [(key,) for key, member in self._members.items() if member is None]
        many = self._connection.run_many
        if kept:
            many("INSERT OR REPLACE INTO dead_member VALUES (?, ?, ?, ?)", kept)
        if gone:
            many("DELETE FROM dead_member WHERE key = ?", gone)
        new = [(g, c.reason, c.shape, c.first_at, c.last_at) for g, c in self._changes.items() if c.shape]
        if new:
            many("INSERT OR IGNORE INTO dead_group VALUES (?, ?, ?, 0, 0, 0, 0, 0, 0, ?, ?)", new)
        lanes = ", ".join(f"{lane} = {lane} + ?" for lane in _LANES)
        counts = f"alive = alive + ?, discarded = discarded + ?, {lanes}, last_at = max(last_at, ?)"
        sql = f"UPDATE dead_group SET {counts} WHERE id = ?"
        many(sql, [(c.alive, c.discarded, *c.lanes, c.last_at, g) for g, c in self._changes.items()])
        sql = "INSERT INTO dead_hour VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET died = died + excluded.died"
        many(sql, [(group, hour, died) for (group, hour), died in self._hours.items()])
        self.clear()

    def forget(self, discarded_before: int, empty_before: int, limit: int) -> None:
        """What can be recovered no longer, hours that are not shown any more, and groups that are long empty."""
        sql = "SELECT key, dead_group FROM dead_member WHERE discarded_at < ? ORDER BY discarded_at LIMIT ?"
        old = self._run(sql, (discarded_before, limit)).fetchall()
        sql = "SELECT id FROM dead_group WHERE last_at < ? AND alive = 0 AND discarded = 0 ORDER BY last_at LIMIT ?"
        empty = self._run(sql, (empty_before, limit)).fetchall()
        sql = "SELECT dead_group, hour FROM dead_hour WHERE hour < ? LIMIT ?"
        hours = self._run(sql, (discarded_before // HOUR_MS - HOURS_SHOWN, limit)).fetchall()
        if not (old or empty or hours):
            return
        self._connection.begin()
        many = self._connection.run_many
        many("DELETE FROM dead_member WHERE key = ?", [(key,) for key, _ in old])
        many("UPDATE dead_group SET discarded = discarded - 1 WHERE id = ?", [(group,) for _, group in old])
        many("DELETE FROM dead_group WHERE id = ? AND discarded = 0", empty)
        many("DELETE FROM dead_mute WHERE dead_group = ?", empty)
        many("DELETE FROM dead_hour WHERE dead_group = ? AND hour = ?", hours)

    # --- those that somebody looks after ------------------------------------------------------------------------------

    def mute(self, group: str, by: str, note: str | None, at: int, until: int) -> Mute | None:
        """Replaces an earlier one; None when there is no such group with members."""
        row = self._run("SELECT alive FROM dead_group WHERE id = ? AND alive > 0", (group,)).fetchone()
        if row is None:
            return None
        limit = max(GROWTH * row[0], row[0] + GROWTH_LEAST)
        self._connection.begin()
        self._run("INSERT OR REPLACE INTO dead_mute VALUES (?, ?, ?, ?, ?, ?)", (group, by, at, until, note, limit))
        return Mute(by, at, until, note, limit)

    def unmute(self, group: str) -> bool:
        self._connection.begin()
        return self._run("DELETE FROM dead_mute WHERE dead_group = ?", (group,)).rowcount > 0

    def muted(self, group: str, now: int) -> Mute | None:
        sql = (
            "SELECT muted_by, at, until, note, alive_limit FROM dead_mute JOIN dead_group ON id = dead_group"
            " WHERE dead_group = ? AND until > ? AND alive < alive_limit"
        )
        row = self._run(sql, (group, now)).fetchone()
        return Mute(*row) if row is not None else None

    def count_muted(self, now: int) -> int:
        return int(self._run("SELECT COUNT(*) FROM dead_mute WHERE until > ?", (now,)).fetchone()[0])

    def mutes(self) -> tuple[tuple[str, int, int], ...]:
        """(shape, at, until) of each, also of those whose time is over; those that their group has outgrown are taken away. The
        newest ones when there are very many."""
        sql = (
            "SELECT dead_group, shape, at, until, alive >= alive_limit FROM dead_mute JOIN dead_group ON id = dead_group"
            " ORDER BY until DESC LIMIT ?"
        )
        rows = self._run(sql, (MUTES_TOLD,)).fetchall()
        outgrown = [(group,) for group, *_, is_outgrown in rows if is_outgrown]
        if outgrown:
            self._connection.begin()
            self._connection.run_many("DELETE FROM dead_mute WHERE dead_group = ?", outgrown)
        return tuple((shape, at, until) for _, shape, at, until, is_outgrown in rows if not is_outgrown)

    # --- reading ------------------------------------------------------------------------------------------------------

    def groups(self, query: ListDeadGroups) -> tuple[list[tuple[Any, ...]], str | None]:
        """Rows of ``dead_group`` that have living members, and the next cursor. Raises ``DoesNotFit``."""
        if query.only is not None:
            return self._run("SELECT * FROM dead_group WHERE id = ?", (query.only,)).fetchall(), None
        column = "alive" if query.order == "size" else "last_at"
        number, name = _place(query.cursor)
        sql = f"SELECT * FROM dead_group WHERE alive > 0 AND ({column}, id) < (?, ?) ORDER BY {column} DESC, id DESC LIMIT ?"
        rows = self._run(sql, (number, name, query.limit + 1)).fetchall()
        if len(rows) <= query.limit:
            return rows, None
        last = rows[query.limit - 1]
        return rows[: query.limit], f"{last[3] if column == 'alive' else last[10]}.{last[0]}"

    def hours(self, groups: Sequence[str], now_ms: int) -> dict[str, list[int]]:
        """Deaths of each hour, oldest first."""
        first = now_ms // HOUR_MS - HOURS_SHOWN + 1
        found = {group: [0] * HOURS_SHOWN for group in groups}
        for group in groups:
            sql = "SELECT hour, died FROM dead_hour WHERE dead_group = ? AND hour >= ?"
            for hour, died in self._run(sql, (group, first)):
                if hour - first < HOURS_SHOWN:  # a clock that was set back
                    found[group][hour - first] = died
        return found

    def newest(self, group: str) -> list[tuple[int, str | None]]:
        """(key, agent) of the newest living members."""
        sql = (
            "SELECT m.key, task.assigned_to FROM dead_member m CROSS JOIN task ON task.key = m.key"
            " WHERE m.dead_group = ? AND m.discarded_at IS NULL ORDER BY m.key DESC LIMIT ?"
        )
        return self._run(sql, (group, AGENTS_FROM)).fetchall()


def _place(cursor: str | None) -> tuple[int, str]:
    if cursor is None:
        return 2**62, ""
    number, _, name = cursor.partition(".")
    if not number.isdecimal() or len(number) > 18 or len(name) != 12:
        raise DoesNotFit("the cursor is not one of ours")
    return int(number), name
