"""Keeps the roll-ups for ``DashboardState``, inside the queue's transactions: a small write every ten seconds, and every five
minutes how busy each agent was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from actors.storage import RollupStorage
from actors.utilisation import AGENTS_KEPT, kept_hours
from actors.vocabulary import trends as t
from actors.vocabulary.fleet import RecordWork
from wire.rollups import KEPT_S, pack

#: Marks that are shown: a hub that was started more often than this within a range has other troubles.
STARTS_SHOWN = 200


class RollupKeeper:
    """Answers as documented in ``actors.vocabulary.trends`` and ``actors.vocabulary.fleet``."""

    def __init__(self, storage: RollupStorage) -> None:
        self._storage = storage
        self._hour = 0
        self._agents: set[str] = set()
        """Those that have a row of that hour, as far as it is known."""
        self._handlers: dict[type, Callable[[Any, int], object]] = {
            t.RecordRollups: self._record,
            t.ReadRollups: self._read,
            RecordWork: self._record_work,
        }

    def handle(self, message: object, now: int) -> object:
        return self._handlers[type(message)](message, now)

    def _record(self, message: t.RecordRollups, now: int) -> None:
        self._storage.record_start(message.booted_at, message.boot_id, now - max(KEPT_S.values()) * 1000)
        self._storage.record([(size, bucket.start, pack(bucket)) for size, bucket in message.buckets])
        for size, kept_s in KEPT_S.items():
            self._storage.prune(size, now - kept_s * 1000)

    def _read(self, message: t.ReadRollups, _: int) -> t.StoredRollups:
        return t.StoredRollups(
            self._storage.read(message.size, message.since), self._storage.starts(message.since, STARTS_SHOWN)
        )

    def _record_work(self, message: RecordWork, now: int) -> None:
        if message.hour != self._hour:
            self._hour, self._agents = message.hour, set()
            self._storage.prune_work(kept_hours(now)[0])
        self._storage.add_work(message.hour, [one for one in message.parts if self._has_room_for(one[0])])

    def _has_room_for(self, agent_id: str) -> bool:
        if len(self._agents) < AGENTS_KEPT:
            self._agents.add(agent_id)
        return agent_id in self._agents

    def work_of(self, agent_id: str, now: int) -> tuple[tuple[int, int, int], ...]:
        return self._storage.work(agent_id, kept_hours(now))
