"""Differential conformance: the same random scripts on our supervisor and on Erlang's own, and the same observations.

The gate runs 5,000 scripts, ``--full`` 100,000. ``docs/supervision-conformance.md`` lists what deliberately differs.
"""

from __future__ import annotations

import shutil
import subprocess
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from supervision.core import SupervisorCore
from supervision.intensity import RestartWindow
from supervision.spec import Restart, SpecError, Strategy
from tests.conformance.deviations import KEPT
from tests.conformance.ours import OurRun
from tests.conformance.scripts import Script, random_script

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
GATE, FULL = 5_000, 100_000


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the compiled oracle."""
    if shutil.which("erlc") is None:
        subprocess.run([ROOT / "tools" / "ensure-erlang.sh"], check=False)
    if shutil.which("erlc") is None:
        reason = "CONFORMANCE WITH ERLANG WAS NOT CHECKED: there is no erlc (Debian: apt-get install erlang-base)"
        warnings.warn(reason, stacklevel=1)
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("oracle")
    subprocess.run(["erlc", "-o", folder, HERE / "oracle.erl"], check=True)
    return folder


def erlang(oracle: Path, scripts: list[Script]) -> list[list[str]]:
    """What OTP does with each of them."""
    source, seen = oracle / "scripts", oracle / "seen"
    source.write_text("\n".join(script.erlang() for script in scripts) + "\n")
    argv: list[str | Path] = ["erl", "-noshell", "-pa", oracle, "-s", "oracle", "main", "-extra", source, seen]
    subprocess.run(argv, check=True, timeout=600, cwd=oracle)
    return [line.split("|") for line in seen.read_text().splitlines()]


def shortest(oracle: Path, script: Script) -> Script:
    """The script without every step that the difference does not need."""
    for number in reversed(range(len(script.steps))):
        shorter = replace(script, steps=script.steps[:number] + script.steps[number + 1 :])
        if [OurRun(shorter).run()] != erlang(oracle, [shorter]):
            script = shorter
    return script


def test_random_scripts_go_the_same_way_as_on_erlang(oracle: Path, request: pytest.FixtureRequest) -> None:
    count = FULL if request.config.getoption("--full") else GATE
    scripts = [random_script(seed) for seed in range(count)]
    theirs = erlang(oracle, scripts)
    assert len(theirs) == count
    for seed, (script, expected) in enumerate(zip(scripts, theirs, strict=True)):
        if OurRun(script).run() != expected:
            short = shortest(oracle, script)
            ours, [wanted] = OurRun(short).run(), erlang(oracle, [short])
            pytest.fail(f"seed {seed}\n{short.erlang()}\nerlang: {wanted}\nours:   {ours}")


def one_pass_more(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(RestartWindow, "count", lambda window, now: RestartWindow.passes(window, now) <= window.max_restarts)


def rest_for_one_restarts_all(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("tests.conformance.ours.Strategy", lambda name: Strategy(name.replace("rest_for_one", "one_for_all")))


def significance_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SupervisorCore, "_triggers_auto_shutdown", lambda *_: False)


def transient_is_permanent(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("tests.conformance.ours.Restart", lambda name: Restart(name.replace("transient", "permanent")))


@pytest.mark.parametrize(
    "mutate", [one_pass_more, rest_for_one_restarts_all, significance_is_forgotten, transient_is_permanent]
)
def test_a_wrong_rule_shows(oracle: Path, mutate: Callable[[pytest.MonkeyPatch], None]) -> None:
    scripts = [script for seed in range(300) if not (script := random_script(seed)).dynamic]
    theirs = erlang(oracle, scripts)
    with pytest.MonkeyPatch.context() as patch:
        mutate(patch)
        both = [
            (OurRun(script).run(), wanted) for script, wanted in zip(scripts, theirs, strict=True) if _can_run(script)
        ]
    assert any(ours != wanted for ours, wanted in both)


def _can_run(script: Script) -> bool:
    """A mutated rule may refuse a spec. That must not be all that shows."""
    try:
        OurRun(script)
    except SpecError:
        return False
    return True


def test_the_scripts_reach_every_kind_of_end() -> None:
    """A generator that only makes dull scripts would prove nothing."""
    lines = [line for seed in range(GATE) for line in OurRun(random_script(seed)).run()]
    wanted = (
        *("not started", "up", "down shutdown", "ended shutdown", "fail a", "ignore a", "stop a", "= ok", "= ignored"),
        *("= not_found", "= running", "= already_present", "= already_started", "= start_failed"),
    )
    assert [line for line in wanted if line not in lines] == []


def test_the_page_lists_the_kept_deviations() -> None:
    page = (ROOT / "docs" / "supervision-conformance.md").read_text()
    section = page.partition("## Kept deviations")[2].partition("##")[0]
    assert [line for line in section.splitlines() if line.startswith("|")][2:] == [one.row() for one in KEPT]
