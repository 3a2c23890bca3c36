"""``agentcom serve`` and ``agentcom up``: a hub in the foreground, alone or with agents beside it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from agentcom import config as settings
from agentcom.config import Config, ConfigError
from agentcom.failures import Failure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentcom.root import LocalAgent

_Command = TypeVar("_Command", bound=Callable[..., Any])

REPEATABLE = frozenset({"allowed_hosts", "trusted_origins", "outgoing_networks"})
SWITCHES = frozenset({"insecure_lan"})

#: Run by its path: agents work in a folder of their own, where our packages need not be importable.
ECHO_AGENT = Path(__file__).with_name("echo_agent.py")


def hub_flags(command: _Command) -> _Command:
    """All settings of a hub as flags, made from ``config.SETTINGS``, so that no setting is forgotten."""
    for setting in reversed(settings.SETTINGS):
        name = setting.key
        if name in SWITCHES:
            option = click.option(setting.flag, name, is_flag=True, default=None, help=setting.about)
        elif name in REPEATABLE:
            option = click.option(setting.flag, name, multiple=True, help=f"{setting.about} (repeatable)")
        else:
            option = click.option(setting.flag, name, default=None, help=setting.about)
        command = option(command)
    return command


@click.command()
@hub_flags
def serve(**flags: object) -> int:
    """Run a hub in the foreground until Ctrl-C."""
    return run_root(load_config(flags))


@click.command()
@click.option("--agents", "count", type=click.IntRange(0, 256), default=2, show_default=True, help="agents to start")
@click.option("--cap", "capabilities", multiple=True, help="what every one of them can do (repeatable)")
@hub_flags
@click.argument("command", nargs=-1)
def up(count: int, capabilities: tuple[str, ...], command: tuple[str, ...], **flags: object) -> int:
    """Run a hub and agents beside it.

    Every agent runs COMMAND once for each task; without one, a small program that repeats the task's text.

    Example:  agentcom up --agents 4 -- ./my-agent.sh
    """
    from agentcom.root import LocalAgent

    config = load_config(flags)
    argv = command or (sys.executable, str(ECHO_AGENT))
    agents = []
    for number in range(1, count + 1):
        name = f"local-{number}"
        agents.append(LocalAgent(name, local_agent_argv(config.data_dir, name, capabilities, argv)))
    return run_root(config, agents)


def load_config(flags: dict[str, object]) -> Config:
    """The configuration of this call. Raises ``Failure`` with what to write instead."""
    try:
        return settings.load(flags, os.environ)
    except ConfigError as error:
        raise Failure(str(error), error.hint, 2, "invalid_config") from error


def local_agent_argv(
    data_dir: str, name: str, capabilities: Sequence[str], command: Sequence[str], *flags: str
) -> tuple[str, ...]:
    """The command line of an agent on the hub's own machine: it makes its own token with the admin token of ``data_dir``."""
    argv = [sys.executable, "-m", "agentcom", "agent", "start", "--local", "--die-with-parent"]
    argv += ["--data-dir", data_dir, "--name", name]
    for capability in capabilities:
        argv += ["--cap", capability]
    return (*argv, *flags, "--", *command)


def run_root(config: Config, agents: Sequence[LocalAgent] = (), clock_file: Path | None = None) -> int:
    """``root.serve`` with refusals as the command line reports them."""
    from agentcom import root

    try:
        return root.serve(config, agents, clock_file)
    except root.StartRefused as refused:
        raise Failure(str(refused), refused.hint, refused.exit_status, "start_refused") from refused
