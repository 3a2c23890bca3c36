"""``agentcom agent …``: start an agent on this machine, and list the agents of a hub."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from pathlib import Path

import click
import platformdirs

from agentcom.cli.main import NearestCommand
from agentcom.cli.output import age, state
from agentcom.cli.session import Session, admin_token, data_directory, find_token, find_url, hub_options
from agentcom.cli.task import parse_duration
from agentcom.client import HubClient, HubError
from agentcom.failures import ExitStatus, Failure

#: How long ``--local`` waits for the hub it belongs to.
HUB_WAIT_S = 60.0


@click.group(cls=NearestCommand)
def agent() -> None:
    """Start agents and list them."""


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
            ",".join(map(str, each.get("capabilities", []))),
            age(each.get("connected_at")),
        )
        for each in answer["agents"]
    ]
    session.out.table(("AGENT", "STATE", "CAPABILITIES", "CONNECTED"), rows)
    if not rows:
        session.out.hint("No agent is connected. Start one:  agentcom agent start -- COMMAND")


@agent.command()
@click.option("--hub", "hub_url", envvar="AGENTCOM_HUB", help="the hub's address [AGENTCOM_HUB]")
@click.option("--token-file", envvar="AGENTCOM_TOKEN_FILE", help="file with this agent's token [AGENTCOM_TOKEN_FILE]")
@click.option("--name", default=None, help="the agent's id [default: this machine's name]")
@click.option("--cap", "capabilities", multiple=True, help="what it can do (repeatable)")
@click.option("--state-dir", type=click.Path(path_type=Path), help="folder for its journal and its tasks' files")
@click.option(
    "--task-timeout", default="30m", show_default=True, callback=parse_duration, help="longest time for a task"
)
@click.option("--stop-grace", default="5s", show_default=True, callback=parse_duration, help="time to end at a stop")
@click.option("--env", "variables", multiple=True, help="variable that the command may see (repeatable)")
@click.option("--local", is_flag=True, help="make a token of its own with the admin token in the data directory")
@click.option("--data-dir", default=None, help="with --local: the data directory of the hub on this machine")
@click.option("--die-with-parent", is_flag=True, help="end when the process that started this one ends")
@click.argument("command", nargs=-1, required=True)
def start(
    hub_url: str | None,
    token_file: str | None,
    name: str | None,
    capabilities: tuple[str, ...],
    state_dir: Path | None,
    task_timeout: float,
    stop_grace: float,
    variables: tuple[str, ...],
    local: bool,
    data_dir: str | None,
    die_with_parent: bool,
    command: tuple[str, ...],
) -> int:
    """Run an agent: COMMAND is started once for each task, with the task as JSON on its stdin.

    Example:  agentcom agent start --name builder --cap linux -- ./build.sh
    """
    directory = data_directory(data_dir)
    agent_id = name or socket.gethostname().split(".")[0]
    if local:
        url, token = local_identity(agent_id, hub_url, directory)
    else:
        url = find_url(hub_url, directory)
        given = find_token(url, token_file, directory) if token_file or "AGENTCOM_TOKEN" in os.environ else None
        if given is None:
            hint = f"On the hub:  agentcom token create {agent_id} > agent.token\nHere:        --token-file agent.token"
            raise Failure("an agent needs a token of its own", hint, ExitStatus.NOT_ALLOWED, "no_token")
        token = given
    from sidecar.main import run
    from sidecar.options import OptionsError, SidecarOptions

    try:
        options = SidecarOptions(
            hub_url=url,
            name=agent_id,
            capabilities=capabilities,
            command=command,
            token=token,
            state_dir=state_dir or _default_state_dir(agent_id, directory if local else None),
            task_timeout_s=task_timeout,
            stop_grace_s=stop_grace,
            env_names=variables,
            die_with_parent=die_with_parent,
        )
    except OptionsError as error:
        raise Failure(str(error), "See:  agentcom agent start --help", ExitStatus.USAGE, "invalid_options") from error
    return asyncio.run(run(options))


def _default_state_dir(agent_id: str, data_dir: Path | None) -> Path:
    """Beside the hub's own files for a local agent, else in the user's state folder."""
    base = data_dir if data_dir is not None else platformdirs.user_state_path("agentcom")
    return base / "agents" / agent_id


def local_identity(agent_id: str, hub_url: str | None, directory: Path, role: str = "agent") -> tuple[str, str]:
    """(address of the hub, new token): waits for the hub, which may be starting, and for its admin token."""
    deadline = time.monotonic() + HUB_WAIT_S
    while True:
        url = find_url(hub_url, directory)
        token = admin_token(directory)
        if token is not None:
            try:
                made = HubClient(url, token, timeout_s=5.0).post("/admin/tokens", {"agent_id": agent_id, "role": role})
                return url, str(made["token"])
            except HubError as error:
                if error.exit_status != ExitStatus.UNREACHABLE or time.monotonic() >= deadline:
                    raise
        elif time.monotonic() >= deadline:
            hint = f"Start one:  agentcom serve --data-dir {directory}"
            raise Failure(f"no hub has started on {directory}", hint, ExitStatus.UNREACHABLE, "hub_unreachable")
        time.sleep(0.1)
