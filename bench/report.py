"""The figures of ``docs/bench.json`` as the tables of ``docs/performance.md`` and as charts: ``python -m bench.report``."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from bench.measure import number

DOCS = Path(__file__).parent.parent / "docs"
FIGURES = DOCS / "bench.json"
PAGE = DOCS / "performance.md"
BEGIN, END = "<!-- from bench.json -->", "<!-- end -->"

Figures = Mapping[str, Any]


@dataclass(frozen=True)
class Row:
    """``value`` reads the figures of ``section``; it is compared with ``bar`` by ``at_least`` or at most."""

    what: str
    section: str
    bar: float
    value: Callable[[Figures], float]
    at_least: bool = True

    def holds(self, value: float) -> bool:
        return value >= self.bar if self.at_least else value <= self.bar


def _against(test: str) -> Callable[[Figures], float]:
    return lambda figures: float(figures[test]["ours_against"]["pykka"]["median"])


def _median(*path: str) -> Callable[[Figures], float]:
    def read(figures: Figures) -> float:
        found: Any = figures
        for name in path:
            found = found[name]
        return float(found["median"] if isinstance(found, Mapping) else found)

    return read


def _beside(name: str, path: str) -> Callable[[Figures], float]:
    """The figure of so many queued as a share of that of none."""
    return lambda figures: _median(name, path)(figures) / _median("0 queued", path)(figures)


MILLION, IDLE = "1,000,000 queued", "idle hub"

ROWS = (
    Row("tell to one actor, times `pykka.ThreadingActor`", "actors", 5, _against("tell")),
    Row("fan-out over 1,000 actors, times Pykka", "actors", 20, _against("fan")),
    Row("ring of 100 actors, times Pykka", "actors", 8, _against("ring")),
    Row("spawn, times Pykka", "actors", 10, _against("spawn")),
    Row("memory of an idle actor, bytes", "actors", 2662, _median("memory", "by_library", "ours"), at_least=False),
    Row(
        "durable tasks/s end to end, 2 agents of 256 slots",
        "tasks",
        10_000,
        _median("end to end, 2 agents of 256 slots"),
    ),
    Row(
        "the same, times the best durable peer",
        "tasks",
        3,
        lambda figures: min(float(one["median"]) for one in figures["ours against"].values()),
    ),
    Row("the same, 100 agents of one slot", "tasks", 5_000, _median("end to end, 100 agents of one slot")),
    Row("durable accepts/s, 500 a request", "tasks", 25_000, _median("accepted, in requests of 500")),
    Row(
        "durable accepts/s, one a request, 64 connections",
        "tasks",
        4_000,
        _median("accepted, one a request, 64 connections"),
    ),
    Row(
        "submit → agent has it, 1 % load, p50 ms",
        "latency",
        1,
        _median("1% of capacity, ms", "agent has it p50"),
        at_least=False,
    ),
    Row(
        "submit → agent has it, 1 % load, p99 ms",
        "latency",
        3,
        _median("1% of capacity, ms", "agent has it p99"),
        at_least=False,
    ),
    Row(
        "task of a killed agent at another one, grace 0, s",
        "latency",
        1,
        _median("after its agent was killed, grace 0, s"),
        at_least=False,
    ),
    Row("throughput after 100,000 finished, share", "growth", 0.9, _median("finished", "share")),
    Row("throughput with 1,000,000 queued behind, share", "growth", 0.9, _beside(MILLION, "tasks a second")),
    Row(
        "`/api/dashboard/state` p99 with 1,000,000 queued, ms",
        "growth",
        2,
        _median(MILLION, "snapshot p99, ms"),
        at_least=False,
    ),
    Row("the same, times that with none", "growth", 1.2, _beside(MILLION, "snapshot p99, ms"), at_least=False),
    Row("start with 1,000,000 queued, s", "growth", 15, _median(MILLION, "start, s"), at_least=False),
    Row("hub with 1,000,000 queued, MiB", "growth", 1536, _median(MILLION, "hub, resident MiB"), at_least=False),
    Row(
        "10,000 agents: KiB each over all processes",
        "agents",
        60,
        _median("10,000 agents", "KiB an agent"),
        at_least=False,
    ),
    Row(
        "10,000 agents: idle, % of a core", "agents", 10, _median("10,000 agents", "idle, % of a core"), at_least=False
    ),
    Row(
        "10,000 agents: all back after a hub kill, s",
        "agents",
        30,
        _median("10,000 agents", "all back, s"),
        at_least=False,
    ),
    Row(
        "500 dashboards: most frames/s of one",
        "dashboards",
        10,
        _median("500 dashboards", "most frames/s"),
        at_least=False,
    ),
    Row(
        "500 dashboards: gaps that no snapshot closed",
        "dashboards",
        0,
        _median("500 dashboards", "gaps"),
        at_least=False,
    ),
    Row(
        "500 dashboards: task throughput, share of none",
        "dashboards",
        0.8,
        _median("throughput beside none", "500 dashboards"),
    ),
    Row(
        "page: first view of the overview, 100,000 tasks, ms",
        "page",
        1_500,
        _median("first view of overview, ms"),
        at_least=False,
    ),
    Row("page: first view of the tasks, ms", "page", 1_500, _median("first view of tasks, ms"), at_least=False),
    Row(
        "page: most frames in a second, 200 transitions/s for 20 s",
        "page",
        10,
        _median("storm: most frames in a second"),
        at_least=False,
    ),
    Row("page: long tasks, % of that time", "page", 10, _median("storm: long tasks, % of the time"), at_least=False),
    Row("idle hub, % of a core", "latency", 1, _median(IDLE, "% of a core"), at_least=False),
    Row("idle hub, all processes, MiB", "latency", 150, _median(IDLE, "all processes, MiB"), at_least=False),
)


def page(kept: Mapping[str, Any]) -> str:
    """What stands between the marks of ``docs/performance.md``. ``kept``: the content of ``docs/bench.json``."""
    parts = (_machine(kept), _bars(kept), _tasks(kept), _growth(kept), _stages(kept))
    return "\n".join(["", *chain.from_iterable((*part, "") for part in parts)])


def _machine(kept: Mapping[str, Any]) -> list[str]:
    machine = next(iter(kept.values()))["machine"]
    runs = {section: one["runs"] for section, one in kept.items()}
    system = f"{machine['system']}, Python {machine['python']}"
    return [
        f"{machine['cores']} cores ({machine['processor']}), {machine['memory_gib']} GiB, {system}.",
        "Rounds: " + ", ".join(f"{section} {count}" for section, count in runs.items()) + ". Medians.",
    ]


def _bars(kept: Mapping[str, Any]) -> list[str]:
    lines = ["| what | bar | measured | |", "|--|--:|--:|--|"]
    for row in ROWS:
        if row.section not in kept:
            continue
        try:
            value = row.value(kept[row.section]["figures"])
        except KeyError:
            continue
        sign = "≥" if row.at_least else "≤"
        held = "holds" if row.holds(value) else "**not reached**"
        lines.append(f"| {row.what} | {sign} {number(row.bar)} | {number(value)} | {held} |")
    return lines


def _tasks(kept: Mapping[str, Any]) -> list[str]:
    if "tasks" not in kept:
        return []
    figures = kept["tasks"]["figures"]
    lines = ["| durable tasks/s end to end | median (least … most) | ours, times |", "|--|--:|--:|"]
    lines.append(f"| AgentCom, 2 agents of 256 slots | {_spread(figures['end to end, 2 agents of 256 slots'])} | |")
    for name, found in figures["peers, durable"].items():
        lines.append(f"| {name} | {_spread(found)} | {_spread(figures['ours against'][name])} |")
    costs = figures["processor time of a task, µs"]
    return [
        *lines,
        "",
        "| processor time of a task, µs | " + " | ".join(costs) + " |",
        "|--" + "|--:" * len(costs) + "|",
        "| AgentCom | " + " | ".join(number(value) for value in costs.values()) + " |",
    ]


def _growth(kept: Mapping[str, Any]) -> list[str]:
    if "growth" not in kept:
        return []
    sizes = [(name, one) for name, one in kept["growth"]["figures"].items() if name.endswith("queued")]
    names = list(sizes[0][1])
    lines = ["| growth | " + " | ".join(names) + " |", "|--" + "|--:" * len(names) + "|"]
    lines += [f"| {size} | " + " | ".join(_spread(one[name]) for name in names) + " |" for size, one in sizes]
    return lines


def _stages(kept: Mapping[str, Any]) -> list[str]:
    if "stages" not in kept:
        return []
    figures = kept["stages"]["figures"]
    one, other = (name for name in figures if name.endswith("µs a task"))
    lines = [f"| processor time in the hub, µs | {_shape(one)} | {_shape(other)} |", "|--|--:|--:|"]
    for actor in dict.fromkeys((*figures[one], *figures[other])):
        cells = (_spread(figures[shape][actor]) if actor in figures[shape] else "" for shape in (one, other))
        lines.append(f"| {actor} | " + " | ".join(cells) + " |")
    for title in (name for name in figures if name not in (one, other)):
        lines += ["", f"| {title} | |", "|--|--:|"]
        lines += [f"| {step} | {_spread(found)} |" for step, found in figures[title].items()]
    return lines


def _shape(title: str) -> str:
    return title.partition(",")[0]


def _spread(found: Any) -> str:
    if not isinstance(found, Mapping):
        return number(found)
    return f"{number(found['median'])} ({number(found['low'])} … {number(found['high'])})"


def rewritten(text: str, kept: Mapping[str, Any]) -> str:
    """The page with its tables made anew."""
    before, rest = text.split(BEGIN, 1)
    return before + BEGIN + page(kept) + END + rest.split(END, 1)[1]


def main() -> None:
    from bench import charts

    kept = json.loads(FIGURES.read_text())
    PAGE.write_text(rewritten(PAGE.read_text(), kept))
    charts.draw(kept, DOCS / "images")


if __name__ == "__main__":
    main()
