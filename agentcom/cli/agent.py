"""``agentcom agent …``: start an agent on this machine, let it join a hub, list the agents of a hub, and order them about."""

from __future__ import annotations

import asyncio
import functools
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import click
import platformdirs

from agentcom import data_dir as layout
from agentcom.cli.agent_orders import ORDERS
from agentcom.cli.main import NearestCommand
from agentcom.cli.output import age, state
from agentcom.cli.session import Session, admin_token, data_directory, find_token, find_url, hub_options
from agentcom.cli.task import parse_duration
from agentcom.client import HubClient, HubError
from agentcom.failures import ExitStatus, Failure

#: How long ``--local`` waits for the hub it belongs to.
HUB_WAIT_S = 60.0

#: In the state folder of an agent that joined by a code.
TOKEN_FILE = "agent.token"  # noqa: S105  # a name

_Command = TypeVar("_Command", bound=Callable[..., object])


@click.group(cls=NearestCommand)
def agent() -> None:
    """Start agents, list them, and order them about."""


for order in ORDERS:
    agent.add_command(order)


@agent.command("list")
@hub_options
def list_(session: Session) -> None:
    """The agents that the hub knows."""
    answer = session.hub.get("/api/agents")
    if session.out.as_json:
        session.out.data(answer)
        return
    rows = [
        (
            each["agent_id"],
            state(str(each.get("fsm_state"))),
            each.get("mode"),
            ",".join(map(str, each.get("capabilities", []))),
            age(each.get("connected_at")),
        )
        for each in answer["agents"]
    ]
    session.out.table(("AGENT", "STATE", "MODE", "CAPABILITIES", "CONNECTED"), rows)
    if not rows:
        session.out.hint("No agent is connected. Start one:  agentcom agent start -- COMMAND")


@dataclass(frozen=True, slots=True)
class Choices:
    """What an agent is told on its command line, however it comes to its token."""

    agent_id: str
    capabilities: tuple[str, ...]
    state_dir: Path | None
    task_timeout_s: float
    stop_grace_s: float
    variables: tuple[str, ...]
    die_with_parent: bool
    command: tuple[str, ...]


def agent_options(command: _Command) -> Callable[..., object]:
    """Adds the options of an agent and its COMMAND; the command gets them as one ``choices``."""

    @click.option("--name", default=None, help="the agent's id [default: this machine's name]")
    @click.option("--cap", "capabilities", multiple=True, help="what it can do (repeatable)")
    @click.option("--state-dir", type=click.Path(path_type=Path), help="folder for its journal and its tasks' files")
    @click.option(
        "--task-timeout", default="30m", show_default=True, callback=parse_duration, help="longest time for a task"
    )
    @click.option(
        "--stop-grace", default="5s", show_default=True, callback=parse_duration, help="time to end at a stop"
    )
    @click.option("--env", "variables", multiple=True, help="variable that the command may see (repeatable)")
    @click.option("--die-with-parent", is_flag=True, help="end when the process that started this one ends")
    @click.argument("command", nargs=-1, required=True)
    @functools.wraps(command)
    def with_choices(
        *args: object,
        name: str | None,
        capabilities: tuple[str, ...],
        state_dir: Path | None,
        task_timeout: float,
        stop_grace: float,
        variables: tuple[str, ...],
        die_with_parent: bool,
        command: tuple[str, ...],
        **kwargs: object,
    ) -> object:
        agent_id = name or socket.gethostname().split(".")[0]
        choices = Choices(
            *(agent_id, capabilities, state_dir, task_timeout, stop_grace, variables, die_with_parent, command)
        )
        return wrapped(*args, choices=choices, **kwargs)

    wrapped = command
    return with_choices


@agent.command()
@click.option("--hub", "hub_url", envvar="AGENTCOM_HUB", help="the hub's address [AGENTCOM_HUB]")
@click.option("--token-file", envvar="AGENTCOM_TOKEN_FILE", help="file with this agent's token [AGENTCOM_TOKEN_FILE]")
@click.option("--local", is_flag=True, help="make a token of its own with the admin token in the data directory")
@click.option("--data-dir", default=None, help="with --local: the data directory of the hub on this machine")
@agent_options
def start(choices: Choices, hub_url: str | None, token_file: str | None, local: bool, data_dir: str | None) -> int:
    """Run an agent: COMMAND is started once for each task, with the task as JSON on its stdin.

    Example:  agentcom agent start --name builder --cap linux -- ./build.sh
    """
    directory = data_directory(data_dir)
    if local:
        url, token = _local_identity(choices.agent_id, hub_url, directory)
        return run_agent(choices, url, token, directory)
    url = find_url(hub_url, directory)
    given = find_token(url, token_file, directory) if token_file or "AGENTCOM_TOKEN" in os.environ else None
    if given is None:
        hint = f"On the hub:  agentcom token create {choices.agent_id} > agent.token\nHere:        --token-file agent.token"
        raise Failure("an agent needs a token of its own", hint, ExitStatus.NOT_ALLOWED, "no_token")
    return run_agent(choices, url, given)


@agent.command()
@click.argument("url")
@click.option("--code", help="from the page Agents, or from: agentcom token enrol. Needed once")
@agent_options
def join(choices: Choices, url: str, code: str | None) -> int:
    """Run an agent on a hub that it has never met: the code gets it a token of its own, once, which is kept for the next start.

    Example:  agentcom agent join http://HUB:4000 --code CODE --name builder -- ./build.sh
    """
    folder = choices.state_dir or _default_state_dir(choices.agent_id)
    token = _kept_token(folder) or _register(choices.agent_id, url.rstrip("/"), code, folder)
    return run_agent(choices, url.rstrip("/"), token)


def _kept_token(folder: Path) -> str | None:
    try:
        content = layout.read_private(folder / TOKEN_FILE)
    except layout.DataDirError as error:
        raise Failure(str(error), error.hint, ExitStatus.NOT_ALLOWED, "token_exposed") from error
    return content.decode(errors="replace").strip() if content else None


def _register(agent_id: str, url: str, code: str | None, folder: Path) -> str:
    """A new token, which is in ``folder`` when this returns."""
    if code is None:
        hint = "Get one on the hub:  agentcom token enrol\nIt is needed for the first start only."
        raise Failure(
            f"{agent_id} has no token for this hub yet, so it needs --code", hint, ExitStatus.USAGE, "no_code"
        )
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        layout.write_private(folder / TOKEN_FILE, b"")  # before the code is spent: it works only once
        made = HubClient(url).post("/api/onboard/register", {"agent_id": agent_id, "code": code})
        layout.write_private(folder / TOKEN_FILE, f"{made['token']}\n".encode())
    except OSError as error:
        hint = "Name another folder with --state-dir."
        raise Failure(f"cannot write {folder} ({error})", hint, ExitStatus.FAILED, "no_state") from error
    click.echo(f"{agent_id} has joined. Its token is in {folder / TOKEN_FILE}; the next start needs no code.", err=True)
    return str(made["token"])


def run_agent(choices: Choices, url: str, token: str, data_dir: Path | None = None) -> int:
    """Be the agent until it is stopped; the exit status."""
    from sidecar.main import run
    from sidecar.options import OptionsError, SidecarOptions

    try:
        options = SidecarOptions(
            hub_url=url,
            name=choices.agent_id,
            capabilities=choices.capabilities,
            command=choices.command,
            token=token,
            state_dir=choices.state_dir or _default_state_dir(choices.agent_id, data_dir),
            task_timeout_s=choices.task_timeout_s,
            stop_grace_s=choices.stop_grace_s,
            env_names=choices.variables,
            die_with_parent=choices.die_with_parent,
        )
    except OptionsError as error:
        raise Failure(str(error), "See:  agentcom agent start --help", ExitStatus.USAGE, "invalid_options") from error
    return asyncio.run(run(options))


def _default_state_dir(agent_id: str, data_dir: Path | None = None) -> Path:
    """Beside the hub's own files for a local agent, else in the user's state folder."""
    base = data_dir if data_dir is not None else platformdirs.user_state_path("agentcom")
    return base / "agents" / agent_id


def _local_identity(agent_id: str, hub_url: str | None, directory: Path) -> tuple[str, str]:
    """(address of the hub, new token): waits for the hub, which may be starting, and for its admin token."""
    deadline = time.monotonic() + HUB_WAIT_S
    while True:
        url = find_url(hub_url, directory)
        token = admin_token(directory)
        if token is not None:
            try:
                made = HubClient(url, token, timeout_s=5.0).post(
                    "/admin/tokens", {"agent_id": agent_id, "role": "agent"}
                )
                return url, str(made["token"])
            except HubError as error:
                if error.exit_status != ExitStatus.UNREACHABLE or time.monotonic() >= deadline:
                    raise
        elif time.monotonic() >= deadline:
            hint = f"Start one:  agentcom serve --data-dir {directory}"
            raise Failure(f"no hub has started on {directory}", hint, ExitStatus.UNREACHABLE, "hub_unreachable")
        time.sleep(0.1)
