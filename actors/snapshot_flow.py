"""What the snapshot and the metrics say of the flow: lanes, waiting and running times, and how it was an hour ago.

Everything is made once a second from kept state, so it costs the same with ten tasks and with a million.
"""

from __future__ import annotations

from dataclasses import dataclass

from actors.flow import Durations, Figures, Trends
from actors.snapshot import JsonObject, Picture, health_entry
from actors.vocabulary.dashboard import Health
from actors.vocabulary.tasks import Priority
from wire import histogram


@dataclass(frozen=True, slots=True)
class Seen:
    figures: Figures
    oldest: tuple[int | None, ...]
    """By lane: Unix ms since when its oldest task waits."""
    targets_s: tuple[float, ...]
    """By lane: how long it may."""


def flow_entries(picture: Picture, seen: Seen) -> JsonObject:
    """Further fields of the snapshot.

    ``lanes``: by priority; minutes oldest first, the newest one not over; ``drain_s`` is what the queued tasks take at the
    present pace, None when nothing leaves. ``wait`` and ``run``: over the rolling hour, from submission to first hand-out, and
    from hand-out to completion. ``hour_ago``: the same figures then, None where nothing is known of it.
    """
    figures = seen.figures
    lanes = [_lane_entry(picture, seen, lane) for lane in Priority]
    waiting = [since for since in (lane["oldest_since"] for lane in lanes) if isinstance(since, int)]
    ago = figures.hour_ago
    return {
        "lanes": lanes,
        "wait": {**_durations_entry(figures.wait), "oldest_since": min(waiting, default=None)},
        "run": _durations_entry(figures.run),
        "hour_ago": {
            "queued": ago.levels.queued if ago.levels is not None else None,
            "working": ago.levels.working if ago.levels is not None else None,
            "agents_online": ago.levels.online if ago.levels is not None else None,
            "dead_letter": ago.levels.buried if ago.levels is not None else None,
            "completed_last_hour": ago.completed,
            "wait_p95_ms": ago.wait_p95_ms,
        },
    }


def _lane_entry(picture: Picture, seen: Seen, lane: Priority) -> JsonObject:
    flow, queued = seen.figures.lanes[lane], picture.queued_by_priority[lane]
    drain_s: int | None = 0
    if queued:
        drain_s = round(queued * 60 / flow.out_per_minute) if flow.out_per_minute else None
    return {
        "lane": lane.name.lower(),
        "priority": int(lane),
        "queued": queued,
        "oldest_since": seen.oldest[lane] if queued else None,
        "target_s": seen.targets_s[lane],
        "drain_s": drain_s,
        "in_per_minute": flow.into,
        "out_per_minute": flow.out,
    }


def _durations_entry(found: Durations) -> JsonObject:
    return {"count": found.count, "p50_ms": found.p50_ms, "p95_ms": found.p95_ms, "p99_ms": found.p99_ms}


def figures_entry(picture: Picture, seen: Seen, trends: Trends, health: Health) -> JsonObject:
    """For ``GET /metrics``: the snapshot without its lists, and what was counted since the start.

    ``totals.wait`` and ``totals.run`` are (bucket, count) of ``wire.histogram``.
    """
    return {
        "tasks": dict(picture.by_status),
        "health": health_entry(health),
        **flow_entries(picture, seen),
        "totals": {
            **trends.totals,
            "wait": histogram.pairs_of(trends.total_wait),
            "run": histogram.pairs_of(trends.total_run),
        },
    }
