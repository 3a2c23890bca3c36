"""The program ``python -m sidecar``: one agent that takes tasks from a hub and runs a command for each.

Exit codes: 0 stopped, 2 wrong arguments, 3 no hub, 4 the hub does not accept the token, 5 another sidecar uses the
name, 130 ended by a second signal.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from sidecar.agent import Agent
from sidecar.journal import Journal, NameInUse
from sidecar.log import Log
from sidecar.options import OptionsError, SidecarOptions
from sidecar.posix import die_with_parent
from sidecar.session import EXIT_IN_USE

EXIT_USAGE = 2
DEFAULT_HUB = "http://127.0.0.1:4000"


async def run(options: SidecarOptions) -> int:
    """Be this agent until SIGTERM or SIGINT. Returns the exit code. Raises ``OSError`` when the state cannot be
    kept."""
    log = Log(options.name)
    if options.die_with_parent:
        die_with_parent(os.getppid())
    try:
        journal = Journal(options.state_dir, options.name)
    except NameInUse:
        log(
            "giving_up",
            reason=f"another sidecar named {options.name!r} runs on {options.state_dir}; choose another name",
        )
        return EXIT_IN_USE
    try:
        return await Agent(options, journal, log).run()
    finally:
        journal.close()


def main(argv: Sequence[str] | None = None) -> int:
    parser = _parser()
    arguments, command = _split(list(sys.argv[1:] if argv is None else argv))
    given = parser.parse_args(arguments)
    try:
        options = SidecarOptions(
            hub_url=given.hub,
            name=given.name,
            capabilities=tuple(given.cap),
            command=tuple(command),
            token=_token(given.token_file),
            state_dir=given.state_dir,
            task_timeout_s=given.task_timeout,
            env_names=tuple(given.env),
            die_with_parent=given.die_with_parent,
            connect_timeout_s=given.connect_timeout,
        )
        return asyncio.run(run(options))
    except (OptionsError, OSError) as error:
        parser.print_usage(sys.stderr)
        sys.stderr.write(f"{parser.prog}: {error}\n")
        return EXIT_USAGE


def _split(argv: list[str]) -> tuple[list[str], list[str]]:
    """What stands before and after the first ``--``."""
    if "--" not in argv:
        return argv, []
    at = argv.index("--")
    return argv[:at], argv[at + 1 :]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sidecar",
        usage="%(prog)s --name NAME [options] -- COMMAND [ARGUMENT ...]",
        description="Take tasks from a hub; run COMMAND for each, with the task as JSON on its stdin.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--hub", default=os.environ.get("AGENTCOM_HUB", DEFAULT_HUB), help="the hub's address (default: %(default)s)")
    add("--name", required=True, help="the agent's name, which its token was made for")
    add("--cap", action="append", default=[], metavar="WORD", help="something that this agent can do; repeatable")
    add("--token-file", type=Path, help="else AGENTCOM_TOKEN or AGENTCOM_TOKEN_FILE")
    add("--state-dir", type=Path, default=_default_state_dir(), help="where the task in hand is noted (%(default)s)")
    add("--task-timeout", type=float, default=1800.0, metavar="SECONDS", help="limit for a task (%(default)s)")
    add("--env", action="append", default=[], metavar="VARIABLE", help="pass it on to tasks; repeatable")
    add("--connect-timeout", type=float, metavar="SECONDS", help="end if there is no hub for so long after the start")
    add("--die-with-parent", action="store_true", help="stop when the process that started this one ends")
    return parser


def _default_state_dir() -> Path:
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "agentcom"


def _token(token_file: Path | None) -> str:
    if token_file is None and "AGENTCOM_TOKEN" in os.environ:
        return os.environ["AGENTCOM_TOKEN"].strip()
    if token_file is None and "AGENTCOM_TOKEN_FILE" in os.environ:
        token_file = Path(os.environ["AGENTCOM_TOKEN_FILE"])
    if token_file is None:
        raise OptionsError("a token is needed: --token-file FILE, or AGENTCOM_TOKEN or AGENTCOM_TOKEN_FILE")
    return token_file.read_text("utf-8").strip()
