"""What a sidecar is told at its start, checked once, so that the rest of the package can rely on it.

The hub can never change any of this: which program runs, with which variables and for how long, is the operator's word
alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from wire import limits

#: Not passed on to a task whatever the operator names.
TOKEN_VARIABLES = frozenset({"AGENTCOM_TOKEN", "AGENTCOM_TOKEN_FILE"})

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SCHEMES = {"ws": "ws", "http": "ws", "": "ws", "wss": "wss", "https": "wss"}


class OptionsError(ValueError):
    """An option that cannot work; the sentence says which one and why."""


@dataclass(frozen=True, slots=True)
class SidecarOptions:
    """One agent. Raises ``OptionsError`` for values that cannot work.

    ``command`` is an argument list and never passes through a shell. ``connect_timeout_s``: give up when the hub could
    not be reached for so long after the start; None tries for ever. ``die_with_parent``: stop when the process that
    started this one dies (Linux). ``env_names``: variables that a task sees besides the few that every program needs.
    """

    hub_url: str
    name: str
    capabilities: tuple[str, ...]
    command: tuple[str, ...]
    token: str = field(repr=False)
    state_dir: Path
    task_timeout_s: float = 1800.0
    stop_grace_s: float = 5.0
    max_output_bytes: int = 1024 * limits.KIB
    env_names: tuple[str, ...] = ()
    die_with_parent: bool = False
    connect_timeout_s: float | None = None

    def __post_init__(self) -> None:
        websocket_url(self.hub_url)
        if len(self.name) > limits.AGENT_ID_CHARS or not _NAME.fullmatch(self.name):
            raise OptionsError(
                "the name must consist of letters, digits, '.', '_' and '-', and begin with a letter, digit or '_'"
            )
        if not self.command or not self.command[0]:
            raise OptionsError("the command is missing: name the program that does a task after '--'")
        if not self.token or not self.token.isascii() or not self.token.isprintable():
            raise OptionsError("the token is missing or has characters that no token has")
        for variable in self.env_names:
            if variable in TOKEN_VARIABLES or not _VARIABLE.fullmatch(variable):
                raise OptionsError(f"{variable!r} cannot be passed on to tasks")
        for unit, number in (("seconds for a task", self.task_timeout_s), ("bytes of output", self.max_output_bytes)):
            if not number > 0:
                raise OptionsError(f"the {unit} must be more than 0")


def websocket_url(hub_url: str) -> str:
    """``ws://HOST/ws`` for the ways in which people write a hub's address (``host:4000``, ``http://…``,
    ``ws://…/ws``)."""
    parts = urlsplit(hub_url if "://" in hub_url else f"//{hub_url}")
    scheme = _SCHEMES.get(parts.scheme)
    if scheme is None or not parts.hostname or "@" in parts.netloc:
        raise OptionsError(f"{hub_url!r} is not the address of a hub: write for example http://127.0.0.1:4000")
    path = parts.path.rstrip("/")
    return f"{scheme}://{parts.netloc}{path if path.endswith('/ws') else path + '/ws'}"
