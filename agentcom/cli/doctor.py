"""``agentcom doctor``: what is wrong with this machine or the hub, and what to do about it."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from agentcom import data_dir as layout
from agentcom import listening
from agentcom.cli.session import Session, data_directory, hub_options, is_local
from agentcom.client import HubError
from agentcom.config import DEFAULT_PORT
from agentcom.failures import ExitStatus, Failure

NEEDED = ("tornado", "pykka", "ujson", "msgspec", "click", "rich", "platformdirs")
FREE_BYTES = 200 * 1024 * 1024
#: STRICT tables and RETURNING.
SQLITE_VERSION = (3, 37, 0)

MARKS = {"ok": "✓", "warning": "!", "error": "✗"}


@dataclass(frozen=True, slots=True)
class Finding:
    """``level``: ok, warning or error. ``hint``: what to do, empty when nothing."""

    name: str
    level: str
    message: str
    hint: str = ""


@click.command()
@hub_options
def doctor(session: Session) -> int:
    """Check this machine and the hub; exit status 1 when something is an error."""
    findings = list(examine(session))
    if session.out.as_json:
        session.out.data({"findings": [asdict(finding) for finding in findings]})
    else:
        for finding in findings:
            session.out.line(f"{MARKS[finding.level]} {finding.name:<10} {finding.message}")
            if finding.hint:
                session.out.line(f"             {finding.hint}")
    return ExitStatus.FAILED if any(finding.level == "error" for finding in findings) else ExitStatus.OK


def examine(session: Session) -> Iterator[Finding]:
    """All findings, one after the other. A check that cannot be made is a finding too."""
    yield _python()
    yield from _packages()
    yield _sqlite()
    try:
        directory = data_directory(None)
    except Failure as failure:
        yield Finding("settings", "error", str(failure), failure.hint)
        return
    yield Finding("settings", "ok", "can be read")
    yield _directory(directory)
    yield _disk(directory)
    yield from _hub(session)


def _python() -> Finding:
    return Finding("python", "ok", ".".join(map(str, sys.version_info[:3])))


def _packages() -> Iterator[Finding]:
    for name in NEEDED:
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            yield Finding(name, "error", "is not installed", "Install AgentCom again:  pip install .")
        else:
            yield Finding(name, "ok", found)


def _sqlite() -> Finding:
    if sqlite3.sqlite_version_info < SQLITE_VERSION:
        return Finding("sqlite", "error", f"{sqlite3.sqlite_version} is too old", "Python has to bring 3.37 or newer.")
    return Finding("sqlite", "ok", sqlite3.sqlite_version)


def _directory(path: Path) -> Finding:
    if not path.exists():
        return Finding("data", "ok", f"{path} will be made by the first hub")
    checks: tuple[tuple[Callable[[], bool], str, str], ...] = (
        (path.is_symlink, "is a symbolic link", "Name the real directory with --data-dir."),
        (lambda: path.stat().st_uid != os.getuid(), "belongs to another user", "Name your own with --data-dir."),
        (lambda: not os.access(path, os.W_OK), "cannot be written", f"Allow it:  chmod u+w {path}"),
    )
    for is_wrong, message, hint in checks:
        if is_wrong():
            return Finding("data", "error", f"{path} {message}", hint)
    try:
        layout.read_private(path / layout.ADMIN_TOKEN_FILE)
    except layout.DataDirError as error:
        return Finding("data", "error", str(error), error.hint)
    return Finding("data", "ok", str(path))


def _disk(path: Path) -> Finding:
    existing = next(parent for parent in (path, *path.parents) if parent.exists())
    free = shutil.disk_usage(existing).free
    if free < FREE_BYTES:
        return Finding("disk", "warning", f"{free // 1024**2} MiB free at {existing}", "The hub stops when it is full.")
    return Finding("disk", "ok", f"{free // 1024**2} MiB free")


def _hub(session: Session) -> Iterator[Finding]:
    url = session.hub.url
    try:
        answer = session.hub.get("/health")
    except HubError as error:
        yield Finding("hub", "warning", str(error), "Start one:  agentcom up")
        if is_local(url):
            yield _port()
        return
    if not isinstance(answer, dict) or answer.get("service") != "agent_com":
        yield Finding("hub", "error", f"something else answers at {url}", "Name the hub with --hub URL.")
        return
    yield Finding("hub", "ok", f"{url}, {answer.get('agents_connected')} agents connected")
    try:
        session.hub.get("/api/tasks/stats")
    except HubError as error:
        yield Finding("token", "error", str(error), error.hint)
    else:
        yield Finding("token", "ok", "is accepted")


def _port() -> Finding:
    try:
        listening.bind("127.0.0.1", DEFAULT_PORT, strict=True).close()
    except (OSError, listening.PortTaken):
        return Finding(
            "port", "warning", f"{DEFAULT_PORT} is taken by another program", "A hub takes the next free one."
        )
    return Finding("port", "ok", f"{DEFAULT_PORT} is free")
