"""Charts of the figures as SVG, the same bytes for the same figures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot

OURS, OTHERS, INK, FAINT = "#2563eb", "#94a3b8", "#64748b", "#cbd5e1"

#: Legible on a light page and on a dark one: no background, ink of middle lightness, text as text.
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "agentcom",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
}

ACTOR_TESTS = {"tell": "tell to one", "fan": "fan-out to 1,000", "ring": "ring of 100", "spawn": "spawn"}


def draw(kept: Mapping[str, Any], folder: Path) -> None:
    """``kept``: the content of ``docs/bench.json``. Sections that are not there are not drawn."""
    with pyplot.rc_context(STYLE):
        if "tasks" in kept:
            _tasks(kept["tasks"]["figures"], folder / "bench-tasks.svg")
        if "actors" in kept:
            _actors(kept["actors"]["figures"], folder / "bench-actors.svg")
        if "growth" in kept:
            _growth(kept["growth"]["figures"], folder / "bench-growth.svg")


def _tasks(figures: Mapping[str, Any], path: Path) -> None:
    rates = {"AgentCom": figures["end to end, 2 agents of 256 slots"], **figures["peers, durable"]}
    names = sorted(rates, key=lambda name: float(rates[name]["median"]))
    figure, axes = pyplot.subplots(figsize=(7, 0.5 * len(names) + 0.9))
    bars = axes.barh(
        names,
        [rates[name]["median"] for name in names],
        color=[OURS if name == "AgentCom" else OTHERS for name in names],
        xerr=_errors([rates[name] for name in names]),
        error_kw={"ecolor": INK, "capsize": 2, "lw": 0.8},
    )
    axes.bar_label(bars, labels=[f"{rates[name]['median']:,.0f}" for name in names], padding=8)
    axes.set_xlabel("durable tasks a second, end to end, clients included; medians, least and most")
    axes.margins(x=0.12)
    _save(figure, path)


def _actors(figures: Mapping[str, Any], path: Path) -> None:
    libraries = sorted({name for test in ACTOR_TESTS for name in figures[test]["by_library"]} - {"ours"})
    figure, all_axes = pyplot.subplots(1, len(ACTOR_TESTS), figsize=(9, 2.6), sharey=True)
    for axes, (test, title) in zip(all_axes, ACTOR_TESTS.items(), strict=True):
        rates = figures[test]["by_library"]
        names = ["ours", *libraries]
        values = [float(rates[name]["median"]) if name in rates else 0.0 for name in names]
        bars = axes.barh(names[::-1], values[::-1], color=[OTHERS] * len(libraries) + [OURS])
        axes.bar_label(bars, labels=[_short(value) if value else "none" for value in values[::-1]], padding=3)
        axes.set_title(title, fontsize=10)
        axes.set_xscale("symlog", linthresh=1000)
        axes.set_xticks([])
        axes.margins(x=0.25)
    _save(figure, path)


def _growth(figures: Mapping[str, Any], path: Path) -> None:
    sizes = [name for name in figures if name.endswith("queued")]
    figure, all_axes = pyplot.subplots(1, 3, figsize=(9, 2.4))
    for axes, name in zip(all_axes, ("tasks a second", "snapshot p99, ms", "hub, resident MiB"), strict=True):
        found = [figures[size][name] for size in sizes]
        values = [float(one["median"] if isinstance(one, Mapping) else one) for one in found]
        axes.bar([_short(int(size.split()[0].replace(",", ""))) for size in sizes], values, color=OURS)
        axes.set_title(name, fontsize=10)
        axes.set_ylim(bottom=0)
    figure.supxlabel("tasks queued", fontsize=10)
    _save(figure, path)


def _errors(spreads: list[Mapping[str, float]]) -> list[list[float]]:
    return [[one["median"] - one["low"] for one in spreads], [one["high"] - one["median"] for one in spreads]]


def _short(value: float) -> str:
    for limit, unit in ((1_000_000, " M"), (1_000, " k")):
        if value >= limit:
            return f"{value / limit:.3g}{unit}"
    return f"{value:.3g}"


def _save(figure: Any, path: Path) -> None:
    figure.tight_layout()
    figure.savefig(path, transparent=True, metadata={"Date": None})
    pyplot.close(figure)
