"""The unit file that we ship, run by systemd itself: readiness, watchdog, restarts and an orderly stop."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness import systemd
from tests.harness.hub import REPOSITORY
from tests.harness.systemd import Systemd

UNIT = "agentcom.service"

#: What a test cannot have as it is: the installed command, the user, the folders that are hidden from it, what no nested
#: namespace may cover in /proc, and half a minute.
DROP_IN = """
[Service]
User=
ExecStart=
ExecStart={python} -m agentcom serve --data-dir {data} --port 0 --web-processes 1
Environment=PYTHONPATH={repository} PYTHONDONTWRITEBYTECODE=1
ProtectHome=no
PrivateTmp=no
ProtectKernelTunables=no
ProtectKernelLogs=no
ReadWritePaths={folder}
WatchdogSec=4
TimeoutAbortSec=1
StandardOutput=append:{folder}/service.log
"""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Systemd]:
    missing = systemd.why_not()
    if missing is not None:
        pytest.skip(f"the unit file was NOT run under systemd: {missing}")
    units = tmp_path / "units"
    (units / f"{UNIT}.d").mkdir(parents=True)
    shutil.copy(REPOSITORY / "deploy" / UNIT, units)
    values = {"python": sys.executable, "data": tmp_path / "data", "repository": REPOSITORY, "folder": tmp_path}
    (units / f"{UNIT}.d" / "test.conf").write_text(DROP_IN.format(**values))
    with Systemd(units) as manager:
        yield manager


def url(folder: Path) -> str:
    found: str = json.loads((folder / "data" / "hub.json").read_text())["url"]
    return found


@pytest.mark.timeout(300)
def test_the_unit_is_ready_when_it_serves_and_comes_back_whatever_happens(hub: Systemd, tmp_path: Path) -> None:
    assert hub.systemctl("start", UNIT) == "", hub.status(UNIT)  # with Type=notify it comes back when READY=1 was said
    assert (hub.show(UNIT, "ActiveState"), hub.show(UNIT, "SubState")) == ("active", "running")
    assert hub.show(UNIT, "StatusText") == f"serving on {url(tmp_path)}"
    with urllib.request.urlopen(f"{url(tmp_path)}/health", timeout=10) as answer:
        assert answer.status == 200

    def is_restarted(times: int, result: str) -> None:
        hub.wait_for(UNIT, "Result", result)  # until the next start
        hub.wait_for(UNIT, "NRestarts", str(times))
        hub.wait_for(UNIT, "SubState", "running")
        with urllib.request.urlopen(f"{url(tmp_path)}/health", timeout=10) as answer:
            assert answer.status == 200

    hub.systemctl("kill", "--kill-who=main", "--signal=KILL", UNIT)
    is_restarted(1, "signal")
    hub.systemctl("kill", "--kill-who=main", "--signal=STOP", UNIT)  # no sign of life any more
    is_restarted(2, "watchdog")
    assert hub.systemctl("stop", UNIT) == ""
    assert (hub.show(UNIT, "ActiveState"), hub.show(UNIT, "Result")) == ("inactive", "success"), hub.status(UNIT)


def test_systemd_understands_every_line_of_the_unit(tmp_path: Path) -> None:
    """Also where it cannot be run. What it says of a command that is not installed here does not count."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("the unit file was NOT checked: there is no systemd-analyze")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(REPOSITORY / "deploy" / UNIT)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = [line for line in done.stderr.splitlines() if UNIT in line and "is not executable" not in line]
    assert said == []
