"""Every process killed, paused and told to end, at random and at every named moment, under load; judged by the clients' logs."""

from __future__ import annotations

import itertools
import random
import subprocess
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.harness.moments import AGENT_MOMENTS, BOOT_MOMENTS, HUB_MOMENTS, ROOT_MOMENTS, WEB_MOMENTS
from tests.harness.storm import Report, Shot, Storm

#: Faults of the gate and of the full run, over all hubs together: 300 and 10,000 of them are SIGKILLs.
GATE, FULL = 340, 11_500

#: How many hubs are broken at the same time.
HUBS = 2

#: No run has so many; it keeps the hubs of two seeds apart.
MOST_HUBS = 1_000

#: A batch gets a new hub, so that histories stay short.
SHOTS_OF_A_HUB = 250


def every_moment() -> list[Shot]:
    kinds = (("hub", HUB_MOMENTS), ("hub", BOOT_MOMENTS), ("web", WEB_MOMENTS), ("agent", AGENT_MOMENTS))
    shots = [Shot(kind, moment) for kind, moments in kinds for moment in moments]
    shots += [Shot("root", moment) for moment in ROOT_MOMENTS]
    shots += [
        Shot("hub", moment, "stop") for moment in ("submit.in_transaction", "complete.committed", "claim.committed")
    ]
    shots += [
        Shot("hub", moment, "raise") for moment in ("submit.in_transaction", "complete.in_transaction", "claim.pushed")
    ]
    return shots


def anywhere(number: int) -> list[Shot]:
    """The ``number``th round of faults without a moment; the kinds as often as they matter, the polite ones in every third."""
    kills = [Shot(kind) for kind in ("hub",) * 8 + ("web",) * 6 + ("agent",) * 5 + ("root",)]
    pauses = [Shot(kind, action="stop") for kind in ("root", "hub", "web", "agent")]
    ends = [Shot(kind, action="term") for kind in ("hub", "web", "agent")]
    return kills + (pauses + ends if number % 3 == 0 else [])


def plan(size: int, seed: int, *, only_kills: bool = False) -> list[list[Shot]]:
    """Every moment at least twice, the rest at random moments, shuffled and dealt to hubs."""
    chance = random.Random(seed)

    def chosen(some: list[Shot]) -> list[Shot]:
        return [shot for shot in some if shot.action == "kill" or not only_kills]

    shots = chosen([*every_moment() * max(2, size // 250), Shot("root", action="term")])
    for number in itertools.count():
        if len(shots) >= size:
            break
        shots += chosen(anywhere(number))
    chance.shuffle(shots)
    hubs = max(HUBS, -(-len(shots) // SHOTS_OF_A_HUB))
    return [shots[number::hubs] for number in range(hubs)]


def run(folder: Path, seed: int, shots: list[Shot], patience: float) -> Report:
    """One hub's share. A hub or an agent that does not come back is a violation; the other hubs go on."""
    report = Report()
    try:
        with Storm(folder, seed, patience) as storm:
            report = storm.report
            try:
                storm.fire_all(shots)
            except (AssertionError, subprocess.TimeoutExpired) as error:
                report.faults.append(f"{folder.name}: {error}")
            storm.judge()
    except Exception as error:  # it did not even start, or there was nobody to be judged
        report.faults.append(f"{folder.name}: {''.join(traceback.format_exception(error))}")
    print(
        f"{folder.name}: {report.shots} faults ({report.kills} SIGKILLs), {len(report.faults)} violations",
        *report.faults,
        sep="\n  ",
        flush=True,
    )
    return report


@pytest.mark.timeout(24 * 3600)
def test_nothing_is_lost_doubled_or_reordered_whatever_is_killed_whenever(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    option = request.config.getoption
    size = option("--sweep-faults") or (FULL if option("--full") else GATE)
    seed = option("--sweep-seed")
    shares = plan(size, seed, only_kills=option("--sweep-only-kills"))
    total = Report()
    with ThreadPoolExecutor(HUBS) as pool:
        runs = [
            pool.submit(run, tmp_path / f"hub-{number}", seed * MOST_HUBS + number, shots, option("--sweep-patience"))
            for number, shots in enumerate(shares)
        ]
        for one in runs:
            total.add(one.result())
    print(total)
    assert total.faults == []
    assert total.shots >= size * 0.95, "too many moments were not reached"
    never = {*HUB_MOMENTS, *BOOT_MOMENTS, *WEB_MOMENTS, *AGENT_MOMENTS} - total.fired.keys()
    assert not never, f"nobody ever came to {sorted(never)}"
