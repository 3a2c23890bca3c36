"""``agentcom demo``: a hub with a simulated fleet, to look at, to photograph and to test pages with."""

from __future__ import annotations

import dataclasses
import shutil
import sys
import tempfile
import time
from pathlib import Path

import click

from agentcom.cli.serve import hub_flags, load_config, run_root
from agentcom.config import Config

#: Apart from a real hub's, so that nobody mistakes one for the other.
DEMO_PORT = 4100

#: Of a frozen demo: Thursday, 12 March 2026, 14:02:41 UTC.
FROZEN_AT_MS = 1_773_324_161_000

ENVIRONMENT = "demo"

MAX_TASKS = 1_000_000


@click.command()
@click.option("--seed", default=7, show_default=True, help="the same seed makes the same fleet and the same work")
@click.option(
    "--tasks",
    type=click.IntRange(0, MAX_TASKS),
    default=2000,
    show_default=True,
    help="tasks that the fleet has had so far",
)
@click.option("--frozen", is_flag=True, help="hold still: nothing is submitted, nothing ends, and it is always 14:02")
@hub_flags
def demo(seed: int, tasks: int, frozen: bool, **flags: object) -> int:
    """Run a hub with a simulated fleet until Ctrl-C. Nothing in it is real, and nothing of it is kept.

    The hub, its protocol and the connections of the agents are real; the work is invented. The data go to a temporary directory,
    unless --data-dir names one; a directory with data that no demo has written is refused.

    Example:  agentcom demo --seed 7
    """
    config = _config(flags)
    directory = Path(config.data_dir)
    is_temporary = flags.get("data_dir") is None
    try:
        return _run(config, seed, tasks, frozen)
    finally:
        if is_temporary:
            shutil.rmtree(directory, ignore_errors=True)


def _run(config: Config, seed: int, tasks: int, frozen: bool) -> int:
    from agentcom import stopped_clock
    from agentcom.demo import fleet, seeding
    from agentcom.root import LocalAgent

    click.echo(f"DEMO: a simulated fleet, seed {seed}. Nothing you see here is real work.")
    started = time.monotonic()
    directory = Path(config.data_dir)
    now_ms = FROZEN_AT_MS if frozen else time.time_ns() // 1_000_000
    seeding.seed(directory, seed=seed, tasks=tasks, now_ms=now_ms, frozen=frozen)
    click.echo(f"  Past       {tasks} tasks written in {time.monotonic() - started:.1f} s", nl=True)
    sys.stdout.flush()
    clock_file = None
    if frozen:
        clock_file = directory / fleet.CLOCK_FILE
        stopped_clock.write(clock_file, now_ms)
    members = LocalAgent("demo-fleet", (sys.executable, "-m", "agentcom.demo.fleet", str(directory)))
    return run_root(config, (members,), clock_file)


def _config(flags: dict[str, object]) -> Config:
    """The usual settings, but never the data or the port of a real hub, whatever the user's settings say."""
    named = flags.get("data_dir")
    if named is None:
        flags = {**flags, "data_dir": tempfile.mkdtemp(prefix="agentcom-demo-")}
    config = load_config(flags)
    if flags.get("port") is None:
        config = dataclasses.replace(config, port=DEMO_PORT, port_explicit=False)
    return dataclasses.replace(config, environment=config.environment or ENVIRONMENT)
