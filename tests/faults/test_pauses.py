"""Thirty seconds of SIGSTOP: a pause is not a death. Four hubs at the same time, each with another part of it paused."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.harness import agent_log
from tests.harness.fleet import Fleet
from tests.harness.load import Load, seen
from tests.harness.storm import verdict
from tests.harness.trapped import Sidecar, TrappedHub
from tests.harness.waiting import wait_for

PAUSE_S = 30.0

#: Every attempt outlives the pause, so that none of them can be finished before it.
WORK_MS = 40_000

#: The lease is longer than the 20 s between signs of life and shorter than the pause: a hub that counts its own absence as the
#: agents' silence takes everything back.
SHORT_LEASE = ("--lease", "28s", "--grace", "5s", "--acceptance-timeout", "20s")


class Paused:
    """A hub, three agents at work and a sidecar at work; ``run`` pauses one of its processes and judges what became of it."""

    def __init__(self, folder: Path, *flags: str) -> None:
        folder.mkdir()
        self._folder = folder
        self._flags = flags

    def run(self, kind: str) -> list[str]:
        """Every promise that was broken."""
        with (
            TrappedHub(self._folder / "data", *self._flags) as hub,
            Fleet(hub, self._folder / "fleet") as fleet,
            Sidecar(hub, self._folder / "sidecar", "real", work_s=WORK_MS / 1000) as sidecar,
        ):
            for number in range(3):
                fleet.add(f"agent-{number}", work_ms=WORK_MS)
            wait_for(lambda: fleet.online() == 3, 60, "the fleet")
            working = [hub.submit(f"long {number}") for number in range(4)]
            wait_for(lambda: all(hub.task(task)["accepted_at"] for task in working), 20, "everybody being at work")
            with Load(hub, self._folder / "history", seed=1, period_s=0.2) as load:
                assert hub.process is not None
                family = hub.where()
                root, agent = hub.process.pid, sidecar.process.pid
                self._pause({"root": root, "hub": hub.hub_pid, "web": hub.web_pids[0], "agent": agent}[kind])
                load.stop()
                if hub.where() != family:
                    return [f"processes were started again because of the pause of {kind}: {family} {hub.where()}"]
            wait_for(lambda: all(hub.task(task)["status"] == "completed" for task in working), 90, "the long tasks")
            for task in hub.all_tasks():
                load.read(task["id"])
            final = {task["id"]: seen(task) for task in hub.all_tasks()}
            operations = [*load.operations(), *agent_log.operations(fleet.history())]
            operations += agent_log.from_effects(sidecar.effects())
            mine = [o for o in operations if o.args.get("task") not in working]
            others = {task: state for task, state in final.items() if task not in working}
            return [*verdict(mine, others, load.snapshots, before=len(working)), *self._repeated(hub, working, kind)]

    @staticmethod
    def _pause(pid: int) -> None:
        os.kill(pid, signal.SIGSTOP)
        try:
            time.sleep(PAUSE_S)  # how long the pause is
        finally:
            os.kill(pid, signal.SIGCONT)

    @staticmethod
    def _repeated(hub: TrappedHub, working: list[str], kind: str) -> list[str]:
        """Attempts that were taken back. Only the paused sidecar itself was not healthy; its task may have been."""
        found = []
        for task in working:
            told: dict[str, Any] = hub.task(task)
            if told["generation"] != 1 and not (kind == "agent" and _first_owner(told) == "real"):
                found.append(
                    f"{task} of {_first_owner(told)} was taken back after the pause of {kind}: {told['history']}"
                )
        return found


def _first_owner(task: dict[str, Any]) -> str:
    assigned = [entry for entry in task["history"] if entry["event"] == "assigned"]
    return str(assigned[-1]["details"]["agent_id"])


@pytest.mark.timeout(240)
def test_after_thirty_seconds_of_standstill_no_healthy_agent_has_lost_its_task(tmp_path: Path) -> None:
    runs = {
        "root": Paused(tmp_path / "root", *SHORT_LEASE),
        "hub": Paused(tmp_path / "hub", *SHORT_LEASE),
        "web": Paused(tmp_path / "web"),
        "agent": Paused(tmp_path / "agent", *SHORT_LEASE),
    }
    with ThreadPoolExecutor(len(runs)) as pool:
        results = {kind: pool.submit(run.run, kind) for kind, run in runs.items()}
        assert {kind: result.result() for kind, result in results.items()} == {kind: [] for kind in runs}
