"""A systemd of one's own: a user manager in namespaces where it sees no process, no mount and no cgroup but those of the test.

Needs root and Debian's ``systemd`` package. Its cgroups are a hierarchy without controllers that exists only here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Self

from tests.harness.waiting import wait_for

MANAGER = Path("/lib/systemd/systemd")

_STAGE = """
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system /run/u
chmod 700 /run/u
mount -t tmpfs tmpfs /sys/fs/cgroup
mkdir /sys/fs/cgroup/systemd
mount -t cgroup -o none,name=agentcom-test cgroup /sys/fs/cgroup/systemd
trap : TERM
{manager} --user --unit=basic.target < /dev/null &
wait || true
kill -9 -1 2> /dev/null || true
sleep 0.2
echo $$ > /sys/fs/cgroup/systemd/cgroup.procs
find /sys/fs/cgroup/systemd -depth -mindepth 1 -type d -exec rmdir {{}} ';'
umount /sys/fs/cgroup/systemd
"""


def why_not() -> str | None:
    """What is missing, or None."""
    if not MANAGER.exists() or shutil.which("systemctl") is None:
        return "there is no systemd (Debian: apt-get install systemd)"
    if os.geteuid() != 0:
        return "only root may make the namespaces that keep it apart"
    probe = ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "sh", "-c", "mount --make-rprivate /"]
    probe[-1] += (
        " && mount -t tmpfs tmpfs /run && mount -t cgroup -o none,name=agentcom-test cgroup /run && umount /run"
    )
    done = subprocess.run(probe, capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else f"this system does not allow it: {done.stderr.strip()}"


class Systemd:
    """``units``: a folder with unit files; what else systemd needs is put there."""

    def __init__(self, units: Path) -> None:
        self._units = units
        for name in ("basic", "shutdown", "exit"):
            (units / f"{name}.target").write_text(f"[Unit]\nDescription={name}\n")
        self._environment = {
            "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "XDG_RUNTIME_DIR": "/run/u",
            "XDG_CONFIG_HOME": str(units.parent / "config"),
            "HOME": str(units.parent),
            "SYSTEMD_UNIT_PATH": str(units),
        }

    def __enter__(self) -> Self:
        script = _STAGE.format(manager=MANAGER)
        argv = ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child=KILL", "bash", "-c", script]
        self._stage = subprocess.Popen(argv, env=self._environment, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: self._first() and self.systemctl("is-active", "basic.target") == "active", 30, "systemd")
        return self

    def __exit__(self, *_: object) -> None:
        first = self._first()
        if first:
            subprocess.run(["nsenter", "-t", str(first), "-p", "-m", "pkill", "-KILL", "-x", "systemd"], check=False)
        try:
            self._stage.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._stage.kill()
            self._stage.wait(timeout=10)

    def _first(self) -> int | None:
        """The first process inside, as it is called outside."""
        children = Path(f"/proc/{self._stage.pid}/task/{self._stage.pid}/children").read_text().split()
        return int(children[0]) if children else None

    def systemctl(self, *arguments: str) -> str:
        argv = ["nsenter", "-t", str(self._first()), "-p", "-m", "systemctl", "--user", *arguments]
        done = subprocess.run(argv, env=self._environment, capture_output=True, text=True, timeout=60, check=False)
        return (done.stdout or done.stderr).strip()

    def show(self, unit: str, name: str) -> str:
        return self.systemctl("show", unit, "--value", "-p", name)

    def wait_for(self, unit: str, name: str, value: str, timeout_s: float = 60.0) -> None:
        deadline = time.monotonic() + timeout_s
        while (found := self.show(unit, name)) != value:
            assert time.monotonic() < deadline, f"{name} of {unit} is {found} and not {value}:\n{self.status(unit)}"
            time.sleep(0.05)

    def status(self, unit: str) -> str:
        return self.systemctl("status", "--no-pager", unit)
