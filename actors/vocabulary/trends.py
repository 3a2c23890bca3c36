"""What is kept of the past, and what only the queue can see of the present."""

from __future__ import annotations

from dataclasses import dataclass

from wire.rollups import Rollup


@dataclass(frozen=True, slots=True)
class RecordRollups:
    """From ``DashboardState`` to ``TaskQueue``, the only writer, every ten seconds: ``(seconds of the bucket, bucket)`` each.

    A bucket that is there already is replaced. ``booted_at`` (Unix ms) and ``boot_id`` mark the start of this hub. No answer.
    """

    buckets: tuple[tuple[int, Rollup], ...]
    booted_at: int
    boot_id: str


@dataclass(frozen=True, slots=True)
class ReadRollups:
    """Answer: ``StoredRollups``, buckets of ``size`` seconds that begin at ``since`` (Unix ms) or later."""

    size: int
    since: int


@dataclass(frozen=True, slots=True)
class StoredRollups:
    """``packed`` as ``wire.rollups.pack`` made them, oldest first; ``starts`` of a hub since then as (Unix ms, boot id)."""

    packed: tuple[bytes, ...]
    starts: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class ReadTrends:
    """To ``DashboardState``: as ``ReadRollups``, with the bucket that is not over as the last one. Answer: ``StoredRollups``."""

    size: int
    since: int


@dataclass(frozen=True, slots=True)
class ReadVitals:
    """To ``TaskQueue``. Answer: ``Vitals``."""


@dataclass(frozen=True, slots=True)
class Vitals:
    """``oldest``: for each lane since when (Unix ms) its oldest task has waited for an agent, None where none does.

    ``disk_free`` and ``disk_size`` are bytes; ``no_space`` is why new tasks are refused for want of disk.
    ``disabled_webhooks``: (what people call it, Unix ms since when). ``mutes``: (shape of the error, at, until) of every group
    of dead letters that somebody looks after, or did.
    """

    oldest: tuple[int | None, ...]
    disk_free: int
    disk_size: int
    no_space: str | None = None
    disabled_webhooks: tuple[tuple[str, int], ...] = ()
    mutes: tuple[tuple[str, int, int], ...] = ()
