"""What every command that talks to a hub shares: which hub, with which token, and how the answer is printed."""

from __future__ import annotations

import functools
import ipaddress
import json
import os
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import click

from agentcom import config as settings
from agentcom import data_dir as layout
from agentcom.cli.output import Output
from agentcom.client import HubClient
from agentcom.failures import ExitStatus, Failure

DEFAULT_URL = f"http://127.0.0.1:{settings.DEFAULT_PORT}"

_Command = TypeVar("_Command", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class Session:
    """One call of a command: its hub and its output."""

    hub: HubClient
    out: Output


def hub_options(command: _Command) -> Callable[..., object]:
    """Adds ``--hub``, ``--token-file``, ``--data-dir`` and ``--json``; the command gets them as one ``session``."""

    @click.option("--hub", "hub_url", envvar="AGENTCOM_HUB", help="the hub's address [AGENTCOM_HUB]")
    @click.option("--token-file", envvar="AGENTCOM_TOKEN_FILE", help="file that holds a token [AGENTCOM_TOKEN_FILE]")
    @click.option("--data-dir", default=None, help="data directory of a hub on this machine")
    @click.option("--json", "as_json", is_flag=True, help="print JSON")
    @functools.wraps(command)
    def with_session(
        *args: object,
        hub_url: str | None,
        token_file: str | None,
        data_dir: str | None,
        as_json: bool,
        **kwargs: object,
    ) -> object:
        url = find_url(hub_url, data_directory(data_dir))
        token = find_token(url, token_file, data_directory(data_dir))
        return command(*args, session=Session(HubClient(url, token), Output(as_json=as_json)), **kwargs)

    return with_session


def data_directory(flag: str | None) -> Path:
    """The data directory that the settings name."""
    try:
        return Path(settings.load({"data_dir": flag}, os.environ).data_dir)
    except settings.ConfigError as error:
        raise Failure(str(error), error.hint, ExitStatus.USAGE, "invalid_config") from error


def find_url(named: str | None, directory: Path) -> str:
    """The hub that was named, else the one that runs on ``directory``, else the default address."""
    if named:
        return named.rstrip("/")
    try:
        content = json.loads((directory / layout.HUB_FILE).read_bytes())
        return str(content["url"])
    except (OSError, ValueError, KeyError, TypeError):
        return DEFAULT_URL


def find_token(url: str, token_file: str | None, directory: Path) -> str | None:
    """The token of this call; the data directory's own is used for hubs on this machine only, since sending it gives it away."""
    if token_file:
        try:
            return Path(token_file).read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise Failure(
                f"cannot read the token file {token_file} ({error})",
                "Name another with --token-file.",
                ExitStatus.USAGE,
            ) from error
    if token := os.environ.get("AGENTCOM_TOKEN"):
        return token.strip()
    return admin_token(directory) if is_local(url) else None


def admin_token(directory: Path) -> str | None:
    """The admin token of the hub on ``directory``; None when there is none. Raises ``Failure`` when others can read it."""
    try:
        content = layout.read_private(directory / layout.ADMIN_TOKEN_FILE)
    except layout.DataDirError as error:
        raise Failure(str(error), error.hint, ExitStatus.NOT_ALLOWED, "token_exposed") from error
    except OSError:
        return None
    return content.decode(errors="replace").strip() if content else None


def is_local(url: str) -> bool:
    """Does this address lead to this machine's loopback?"""
    try:
        host = urllib.parse.urlsplit(url).hostname or ""
    except ValueError:
        return False
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
