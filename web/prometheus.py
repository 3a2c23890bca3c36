"""The text format of Prometheus, from the hub's figures: the same numbers and conditions as the page, under bounded labels.

No label holds a name that somebody chose (an agent, a task, a text), so the number of series never grows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from wire.conditions import CONDITIONS, CRITICAL, OK, WARNING
from wire.histogram import BUCKETS, lowest_ms, middle_ms

#: Upper bounds of the histograms in ms: every second doubling, from 4 ms to 12 days.
BOUNDS_MS = tuple(4**power for power in range(1, 16))

AGENT_STATES = ("idle", "assigned", "working", "blocked", "offline")
SEVERITIES = {OK: 0, WARNING: 1, CRITICAL: 2}

Labels = Mapping[str, str]
Sample = tuple[str, Labels, "float | int"]


def render(figures: Mapping[str, Any], now_ms: int) -> str:
    """``figures``: the answer of ``dashboard.figures``."""
    lines: list[str] = []
    for name, kind, about, samples in _families(figures, now_ms):
        lines += (f"# HELP {name} {about}", f"# TYPE {name} {kind}")
        lines += [f"{name}{suffix}{_labels(labels)} {value:.15g}" for suffix, labels, value in samples]
    return "\n".join(lines) + "\n"


Family = tuple[str, str, str, Iterable[Sample]]


def _families(figures: Mapping[str, Any], now_ms: int) -> Iterable[Family]:
    yield "agentcom_uptime_seconds", "gauge", "Since the hub was started.", _one(figures["uptime_ms"] / 1000)
    yield "agentcom_tasks", "gauge", "Tasks by status.", _by("status", figures["tasks"])
    yield "agentcom_agents", "gauge", "Agents by state.", _by("state", _states(figures["agents"]))
    yield from _lanes(figures["lanes"], now_ms)
    totals = figures["totals"]
    for name, about in _COUNTERS.items():
        yield (
            f"agentcom_{name}_total",
            "counter",
            f"{about} since the hub's observers were started.",
            _one(totals[name]),
        )
    for name, about in (("wait", "From submission to the first hand-out."), ("run", "From hand-out to completion.")):
        yield f"agentcom_{name}_seconds", "histogram", about, _histogram(totals[name])
        hour = figures[name]
        samples = [("", {"quantile": q}, hour[key] / 1000) for q, key in _QUANTILES.items() if hour[key] is not None]
        yield f"agentcom_{name}_last_hour_seconds", "gauge", f"{about} Percentiles of the last 60 minutes.", samples
    yield from _health(figures["health"])


_COUNTERS = {
    "submitted": "Tasks that were accepted",
    "completed": "Tasks that were completed",
    "failed": "Attempts that failed",
    "dead": "Tasks that became dead letters",
    "tokens": "Tokens that completed tasks used",
}
_QUANTILES = {"0.5": "p50_ms", "0.95": "p95_ms", "0.99": "p99_ms"}


def _lanes(lanes: Sequence[Mapping[str, Any]], now_ms: int) -> Iterable[Family]:
    ages = [
        ("", {"lane": lane["lane"]}, max(0, now_ms - lane["oldest_since"]) / 1000 if lane["oldest_since"] else 0)
        for lane in lanes
    ]
    queued = [("", {"lane": lane["lane"]}, lane["queued"]) for lane in lanes]
    drain = [("", {"lane": lane["lane"]}, lane["drain_s"]) for lane in lanes if lane["drain_s"] is not None]
    yield "agentcom_lane_queued", "gauge", "Queued tasks.", queued
    yield "agentcom_lane_oldest_wait_seconds", "gauge", "How long the oldest task has waited for an agent.", ages
    yield "agentcom_lane_drain_seconds", "gauge", "What the queued tasks take at the present pace.", drain


def _health(health: Mapping[str, Any]) -> Iterable[Family]:
    found = {one["id"]: one for one in health["details"]}
    present = [("", {"condition": id_, "severity": one}, int(id_ in found)) for id_, one in CONDITIONS.items()]
    counts = [("", {"condition": id_}, one["count"]) for id_, one in found.items()]
    known = [("", {"condition": id_}, int(one["acknowledged"] is not None)) for id_, one in found.items()]
    yield "agentcom_health_status", "gauge", "0 ok, 1 warning, 2 critical.", _one(SEVERITIES[health["status"]])
    attention = "The same over the conditions that nobody has acknowledged."
    yield "agentcom_health_attention", "gauge", attention, _one(SEVERITIES[health["attention"]])
    yield "agentcom_health_condition", "gauge", "1 while the condition is there.", present
    yield "agentcom_health_condition_count", "gauge", "How many things the condition is about.", counts
    yield "agentcom_health_condition_acknowledged", "gauge", "1 when somebody looks after the condition.", known


def _states(agents: Mapping[str, int]) -> dict[str, int]:
    known = {state: agents.get(state, 0) for state in AGENT_STATES}
    return {**known, "other": sum(agents.values()) - sum(known.values())}


def _one(value: float) -> list[Sample]:
    return [("", {}, value)]


def _by(label: str, numbers: Mapping[str, int]) -> list[Sample]:
    return [("", {label: name}, number) for name, number in numbers.items()]


def _histogram(pairs: Sequence[tuple[int, int]]) -> list[Sample]:
    counts = [(lowest_ms(bucket + 1) - 1, number) for bucket, number in pairs if 0 <= bucket < BUCKETS]
    samples: list[Sample] = []
    for bound_ms in BOUNDS_MS:
        below = sum(number for highest_ms, number in counts if highest_ms <= bound_ms)
        samples.append(("_bucket", {"le": f"{bound_ms / 1000:g}"}, below))
    total = sum(number for _, number in counts)
    seconds = sum(middle_ms(bucket) * number for bucket, number in pairs if 0 <= bucket < BUCKETS) / 1000
    return [*samples, ("_bucket", {"le": "+Inf"}, total), ("_sum", {}, seconds), ("_count", {}, total)]


def _labels(labels: Labels) -> str:
    """The values are words of ours, so nothing is to be escaped."""
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}" if labels else ""
