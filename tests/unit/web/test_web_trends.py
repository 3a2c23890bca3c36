"""Series from buckets: bounded, aligned, empty where nothing is known; and the text format of Prometheus."""

from __future__ import annotations

import asyncio
import csv
import io
from typing import Any

import pytest

from web.options import WebLimits
from web.prometheus import render
from web.trends import CUTS, NAMES, TrendsReader, as_csv, series
from wire.bodies import TrendRange
from wire.conditions import CONDITIONS
from wire.histogram import bucket_of, middle_ms
from wire.rollups import KEPT_S, Rollup, pack

START_MS = 1_772_323_200_000  # a whole day


@pytest.mark.parametrize("range_", TrendRange)
def test_every_range_is_cut_into_at_most_720_steps_of_buckets_that_are_kept_for_so_long(range_: TrendRange) -> None:
    cut = CUTS[range_]
    assert cut.points <= 720 and cut.points * cut.step_ms == cut.seconds * 1000
    assert cut.seconds <= KEPT_S[cut.size]
    found = series(range_, [], [], START_MS + 12_345)
    assert all(len(values) == cut.points for values in (found["times"], *found["series"].values()))
    assert all(value is None for values in found["series"].values() for value in values)


def test_a_bucket_stands_at_its_time_and_nothing_where_there_is_none() -> None:
    now = START_MS + 30_000
    pairs = ((bucket_of(2_000), 9), (bucket_of(60_000), 1))
    full = Rollup(
        START_MS + 10_000, samples=10, submitted=5, completed=2, queued_sum=45, queued_max=9, online_sum=30, wait=pairs
    )
    found = series(TrendRange.QUARTER_HOUR, [full, Rollup(START_MS + 30_000)], [(START_MS, "b"), (1, "a")], now)
    place = found["times"].index(START_MS + 10_000)
    values = {name: column[place] for name, column in found["series"].items()}
    assert (values["submitted_per_min"], values["queued"], values["queued_max"], values["agents_online"]) == (
        30,
        4.5,
        9,
        3,
    )
    assert values["wait_p50_ms"] == middle_ms(bucket_of(2_000))
    assert values["wait_p99_ms"] == middle_ms(bucket_of(60_000))
    assert values["run_p50_ms"] is None
    assert [column[place - 1] for column in found["series"].values()] == [None] * len(NAMES)
    newest = {name: column[-1] for name, column in found["series"].items()}
    assert (newest["submitted_per_min"], newest["queued"]) == (0, None), (
        "just begun: counted nothing, seen no level yet"
    )
    assert found["partial_since"] == found["times"][-1] == START_MS + 30_000
    assert found["restarts"] == [{"at": START_MS, "boot_id": "b"}]


def test_merged_buckets_add_their_counts_average_their_levels_and_merge_their_histograms() -> None:
    first = Rollup(START_MS, samples=60, completed=3, queued_sum=60, queued_max=5, run=((bucket_of(100), 3),))
    second = Rollup(
        START_MS + 60_000, samples=20, completed=1, queued_sum=100, queued_max=7, run=((bucket_of(9_000), 1),)
    )
    found = series(TrendRange.DAY, [first, second], [], START_MS + 200_000)
    place = found["times"].index(START_MS)
    values = {name: column[place] for name, column in found["series"].items()}
    assert (values["completed_per_min"], values["queued"], values["queued_max"]) == (2, 2, 7)
    assert (values["run_p50_ms"], values["run_p99_ms"]) == (middle_ms(bucket_of(100)), middle_ms(bucket_of(9_000)))


def test_csv_has_a_line_for_each_step_and_empty_cells() -> None:
    found = series(TrendRange.QUARTER_HOUR, [Rollup(START_MS, samples=10, submitted=1)], [], START_MS)
    rows = list(csv.DictReader(io.StringIO(as_csv(found))))
    assert len(rows) == 90
    assert (rows[-1]["time"], rows[-1]["submitted_per_min"], rows[-1]["wait_p50_ms"]) == (
        "2026-03-01T00:00:00Z",
        "6",
        "",
    )
    assert rows[0]["time"] == "2026-02-28T23:45:10Z" and rows[0]["queued"] == ""


FIGURES: dict[str, Any] = {
    "uptime_ms": 1_500,
    "agents": {"idle": 2, "dreaming": 1},
    "tasks": {"queued": 3, "completed": 4},
    "lanes": [
        {"lane": "urgent", "queued": 1, "oldest_since": START_MS, "drain_s": None},
        {"lane": "low", "queued": 0, "oldest_since": None, "drain_s": 0},
    ],
    "wait": {"p50_ms": 20, "p95_ms": None, "p99_ms": None},
    "run": {"p50_ms": None, "p95_ms": None, "p99_ms": None},
    "totals": {
        "submitted": 7,
        "completed": 4,
        "failed": 0,
        "dead": 0,
        "tokens": 12,
        "wait": [[bucket_of(3), 2], [bucket_of(20), 1]],
        "run": [],
    },
    "health": {
        "status": "critical",
        "attention": "warning",
        "details": [
            {"id": "no_agents", "severity": "critical", "count": 1, "acknowledged": {"by": "ann"}},
            {"id": "oldest_wait", "severity": "warning", "count": 2, "acknowledged": None},
        ],
    },
}


def test_metrics_hold_every_condition_and_cumulative_histograms() -> None:
    lines = render(FIGURES, START_MS + 5_000).splitlines()
    for expected in (
        "agentcom_uptime_seconds 1.5",
        'agentcom_agents{state="idle"} 2',
        'agentcom_agents{state="other"} 1',
        'agentcom_lane_oldest_wait_seconds{lane="urgent"} 5',
        'agentcom_lane_drain_seconds{lane="low"} 0',
        "agentcom_submitted_total 7",
        'agentcom_wait_seconds_bucket{le="0.004"} 2',
        'agentcom_wait_seconds_bucket{le="0.064"} 3',
        'agentcom_wait_seconds_bucket{le="+Inf"} 3',
        "agentcom_wait_seconds_count 3",
        "agentcom_run_seconds_count 0",
        'agentcom_wait_last_hour_seconds{quantile="0.5"} 0.02',
        "agentcom_health_status 2",
        "agentcom_health_attention 1",
        'agentcom_health_condition{condition="no_agents",severity="critical"} 1',
        'agentcom_health_condition{condition="storage",severity="critical"} 0',
        'agentcom_health_condition_acknowledged{condition="no_agents"} 1',
        'agentcom_health_condition_acknowledged{condition="oldest_wait"} 0',
        'agentcom_health_condition_count{condition="oldest_wait"} 2',
    ):
        assert expected in lines, expected
    assert sum(line.startswith("agentcom_health_condition{") for line in lines) == len(CONDITIONS)
    assert 'agentcom_lane_drain_seconds{lane="urgent"}' not in "\n".join(lines), "unknown is not 0"


class OneLink:
    """Answers after one turn of the loop, and counts."""

    is_up = True

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    async def call(self, op: str, timeout_s: float, **args: Any) -> Any:
        self.asked.append({"op": op, **args})
        await asyncio.sleep(0)
        return {"packed": [pack(Rollup(START_MS, samples=10, submitted=1))], "starts": [(START_MS, "b")]}


class Clock:
    now = 0.0

    def time(self) -> float:
        return self.now


def test_many_who_ask_for_a_range_at_once_and_soon_after_cost_the_hub_one_question() -> None:
    link, clock = OneLink(), Clock()
    reader = TrendsReader(link, WebLimits(), clock, lambda: START_MS)  # type: ignore[arg-type]

    async def ask() -> None:
        first = await asyncio.gather(*(reader.read(TrendRange.HOUR) for _ in range(50)))
        assert all(one is first[0] for one in first)
        clock.now = 1.9
        assert await reader.read(TrendRange.HOUR) is first[0]
        assert len(link.asked) == 1
        assert (link.asked[0]["op"], link.asked[0]["size"]) == ("dashboard.trends", 60)
        clock.now = 2.0
        await reader.read(TrendRange.HOUR)
        await reader.read(TrendRange.WEEK)
        assert [one["size"] for one in link.asked] == [60, 60, 3600]
        link.is_up = False  # then the hub is asked, so that its absence is told
        await reader.read(TrendRange.HOUR)
        assert len(link.asked) == 4

    asyncio.run(ask())
