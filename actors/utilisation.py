"""How busy an agent's slots were, hour by hour over seven days. Pure.

A row is an hour (Unix ms of its beginning) with two sums in milliseconds: of slots at work, and of slots that were there. Every
five minutes something is added to them while the agent is there, so a kill costs at most that, and an hour's edges are as sharp.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

HOUR_MS = 3_600_000

#: Hours that are kept, the present one included.
KEPT_HOURS = 7 * 24
DAY_HOURS = 24

#: Agents of which one hour keeps a row, so there are at most 1.7 million rows (50 MiB).
AGENTS_KEPT = 10_000


def hour_of(unix_ms: int) -> int:
    return unix_ms // HOUR_MS * HOUR_MS


def kept_hours(now_ms: int) -> list[int]:
    """Oldest first."""
    last = hour_of(now_ms)
    return [last - back * HOUR_MS for back in reversed(range(KEPT_HOURS))]


def shown(rows: Iterable[tuple[int, int, int]], uncounted: tuple[int, int], now_ms: int) -> dict[str, Any]:
    """``uncounted``: (busy, there) of the present hour that no row has yet. Shares are None where the agent was not there."""
    hours = kept_hours(now_ms)
    sums = dict.fromkeys(hours, (0, 0))
    for start, busy, there in (*rows, (hours[-1], *uncounted)):
        if start in sums:
            before = sums[start]
            sums[start] = (before[0] + busy, before[1] + there)
    by_hour = [sums[hour] for hour in hours]
    return {
        "utilisation_day": _share(by_hour[-DAY_HOURS:]),
        "utilisation_week": _share(by_hour),
        "utilisation_hours": {"from": hours[0], "shares": [_share([one]) for one in by_hour]},
    }


def _share(sums: Iterable[tuple[int, int]]) -> float | None:
    busy, there = (sum(part) for part in zip(*sums, strict=True))
    return round(min(1.0, busy / there), 3) if there > 0 else None
