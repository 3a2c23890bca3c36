"""``python -m bench [SECTION …]``: measures, prints tables, writes JSON and charts. ``make bench`` does all of it."""

from __future__ import annotations

import argparse
import importlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.measure import Spread, machine, number, plain, say

#: Section -> what it answers. Each is a module with ``measure(runs) -> dict``.
SECTIONS: Mapping[str, str] = {
    "actors": "tell, fan-out, ring, spawn and memory beside other actor libraries and Erlang",
    "tasks": "durable tasks a second end to end beside other task queues",
    "growth": "throughput, latency, memory and start at up to 1,000,000 queued tasks",
    "agents": "many connected agents: memory, idle cost, return after the hub died",
    "dashboards": "many dashboards that watch a busy hub",
    "latency": "submit -> assigned -> completed, open loop, at several loads",
    "page": "the first view of the dashboard with 100,000 tasks, and a page in a storm of events",
    "stages": "where the time of one task goes in the hub, by actor and step by step",
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("section", nargs="*", choices=[*SECTIONS, []], help=", ".join(SECTIONS))
    parser.add_argument("--runs", type=int, default=5, help="rounds of each comparison (default 5)")
    parser.add_argument("--json", type=Path, default=Path("docs/bench.json"), help="where the figures are kept")
    options = parser.parse_args()
    kept = json.loads(options.json.read_text()) if options.json.exists() else {}
    for section in options.section or SECTIONS:
        say(f"{section}: {SECTIONS[section]}")
        found = importlib.import_module(f"bench.{section}").measure(options.runs)
        show(section, found)
        kept[section] = {"machine": machine(), "runs": options.runs, "figures": plain(found)}
        options.json.write_text(json.dumps(kept, indent=1) + "\n")


def show(title: str, found: Any, depth: int = 0) -> None:
    """Nested names with their figures."""
    indent = "  " * depth
    if isinstance(found, Mapping):
        print(f"{indent}{title}")
        for name, value in found.items():
            show(str(name), value, depth + 1)
    elif isinstance(found, float):
        print(f"{indent}{title:<40} {number(found)}")
    else:
        print(f"{indent}{title:<40} {found if not isinstance(found, Spread) else str(found)}")


if __name__ == "__main__":
    main()
