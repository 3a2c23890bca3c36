"""Answers to what people look for: tasks by a filter, values to suggest, dead letters by cause. Part of ``TaskQueue``, which
asks in its own transactions; only reads."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from actors.bulk_operations import BulkOperations, sample_of
from actors.storage import DoesNotFit, Storage
from actors.vocabulary import search as s
from actors.vocabulary.tasks import Refusal, Refused, Task

#: How long a bulk retry is told with its group, and how many groups without living members are shown for one.
RETRY_SHOWN_MS = 86_400_000
EMPTIED_SHOWN = 20


class TaskQuestions:
    """``assigned``: the tasks that are held in memory because somebody works on them, newer than their rows."""

    def __init__(self, storage: Storage, assigned: dict[int, Task], bulk: BulkOperations) -> None:
        self._storage = storage
        self._assigned = assigned
        self._bulk = bulk

    def answer(self, message: object, now_s: float, now_ms: int) -> object:
        try:
            match message:
                case s.FindTasks():
                    return self._find(message, now_ms)
                case s.CountTasks():
                    return self._storage.search.count(message, now_ms)
                case s.SuggestValues():
                    return self._storage.search.suggest(message.key, message.prefix, message.limit)
                case s.ListDeadGroups():
                    return self._dead_groups(message, now_s, now_ms)
        except DoesNotFit as fault:
            return Refused(Refusal.INVALID_STATE, str(fault))
        raise TypeError(type(message).__name__)

    def _find(self, message: s.FindTasks, now_ms: int) -> s.FoundTasks:
        found = self._storage.search.find(message, now_ms)
        tasks = tuple(self._assigned.get(task.key, task) for task in found.tasks)
        return s.FoundTasks(tasks, found.previous, found.next, found.stopped, found.known_total)

    def _dead_groups(self, message: s.ListDeadGroups, now_s: float, now_ms: int) -> s.DeadGroupPage:
        dead = self._storage.dead_letters
        rows, cursor = dead.groups(message)
        if message.cursor is None and message.only is None:  # those that a retry emptied are news as well
            shown = {row[0] for row in rows}
            for group in self._storage.operations.retried_groups(now_ms - RETRY_SHOWN_MS, EMPTIED_SHOWN):
                if group not in shown:
                    emptied, _ = dead.groups(s.ListDeadGroups(only=group))
                    rows += [row for row in emptied if row[3] == 0]
        hours = dead.hours([row[0] for row in rows], now_ms)
        total = self._storage.counters().get("status:dead_letter", 0)
        groups = tuple(self._group(row, hours[row[0]], now_s, now_ms) for row in rows)
        return s.DeadGroupPage(groups, cursor, total)

    def _group(self, row: tuple[Any, ...], hours: list[int], now_s: float, now_ms: int) -> s.DeadGroup:
        id_, reason, shape, alive, discarded, *lanes, first_at, last_at = row
        newest = self._storage.dead_letters.newest(id_)
        sample = self._storage.read(newest[0][0]) if newest else None
        return s.DeadGroup(
            id=id_,
            reason=reason,
            shape=shape,
            count=alive,
            discarded=discarded,
            by_lane=(lanes[0], lanes[1], lanes[2], lanes[3]),
            first_at=first_at,
            last_at=last_at,
            hours=tuple(hours),
            agents=tuple(sorted({agent for _, agent in newest if agent is not None})),
            sample=sample_of(sample) if sample is not None else None,
            last_retry=self._last_retry(id_, now_s, now_ms),
            muted=self._storage.dead_letters.muted(id_, now_ms),
        )

    def _last_retry(self, group: str, now_s: float, now_ms: int) -> dict[str, Any] | None:
        stored = self._storage.operations.last_retry(group, now_ms - RETRY_SHOWN_MS)
        if stored is None:
            return None
        operation = self._bulk.read_now(stored.id) or stored
        return {**asdict(operation), "outcome": self._bulk.outcome(operation, now_s)}
