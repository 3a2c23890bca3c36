"""Keeps the roll-ups for ``DashboardState``, inside the queue's transactions: one small write every ten seconds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from actors.storage import RollupStorage
from actors.vocabulary import trends as t
from wire.rollups import KEPT_S, pack

#: Marks that are shown: a hub that was started more often than this within a range has other troubles.
STARTS_SHOWN = 200


class RollupKeeper:
    """Answers as documented in ``actors.vocabulary.trends``."""

    def __init__(self, storage: RollupStorage) -> None:
        self._storage = storage
        self._handlers: dict[type, Callable[[Any, int], object]] = {
            t.RecordRollups: self._record,
            t.ReadRollups: self._read,
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
