"""The command line's entrance: which commands there are, and how a failure becomes an exit status.

Modules of commands are imported when they are called, so that ``agentcom --version`` and completion stay fast.
"""

from __future__ import annotations

import difflib
import importlib
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from agentcom import __version__
from agentcom.cli.output import report
from agentcom.failures import Failure

EXIT_INTERRUPTED = 130

#: Command -> (module, attribute, one line for ``--help``). The line stands here so that help needs no import.
COMMANDS: dict[str, tuple[str, str, str]] = {
    "run": ("agentcom.cli.run", "run", "Run a job file with real agents, show it, report, and end."),
    "demo": ("agentcom.cli.demo", "demo", "Run a hub with a simulated fleet, to look at."),
    "serve": ("agentcom.cli.serve", "serve", "Run a hub in the foreground."),
    "up": ("agentcom.cli.serve", "up", "Run a hub and agents on this machine."),
    "status": ("agentcom.cli.status", "status", "Is the hub there, and what is it doing?"),
    "top": ("agentcom.cli.top", "top", "The overview of the hub in the terminal, live."),
    "health": ("agentcom.cli.health", "health", "What is not well, since when, and who looks after it."),
    "task": ("agentcom.cli.task", "task", "Submit, list, show, wait for, cancel and retry tasks."),
    "dead": ("agentcom.cli.dead", "dead", "Tasks that were given up: list, group by cause, retry, discard."),
    "operation": ("agentcom.cli.bulk", "operation", "Bulk operations: list, show, and cancel."),
    "agent": ("agentcom.cli.agent", "agent", "Start agents, list them, and order them about."),
    "audit": ("agentcom.cli.audit", "audit", "Who changed what, when, how, and what came of it."),
    "token": ("agentcom.cli.token", "token", "Make, list and revoke tokens."),
    "webhook": ("agentcom.cli.webhook", "webhook", "Signed notices to a URL: add, list, test, log."),
    "tree": ("agentcom.cli.tree", "tree", "The supervision tree of the hub, as it is now."),
    "config": ("agentcom.cli.config_cmd", "config", "Show settings and where they come from."),
    "doctor": ("agentcom.cli.doctor", "doctor", "Check this machine and the hub."),
    "completion": ("agentcom.cli.completion", "completion", "Print the shell's completion script."),
    "exit-codes": ("agentcom.cli.output", "exit_codes", "What the exit statuses mean."),
}


def load_command(name: str) -> click.Command:
    """One of ``COMMANDS``, imported now."""
    module, attribute, _ = COMMANDS[name]
    command = getattr(importlib.import_module(module), attribute)
    assert isinstance(command, click.Command)
    return command


class NearestCommand(click.Group):
    """A group that answers a typing mistake with the nearest command, and accepts no abbreviations."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1, cutoff=0.5)
            if near:
                raise click.UsageError(f"{error.message} Did you mean {near[0]!r}?", ctx) from None
            raise


class LazyCommands(NearestCommand):
    """The top level: knows every command by name, and imports the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return load_command(cmd_name) if cmd_name in COMMANDS else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, _, about) in COMMANDS.items()])


@click.group(cls=LazyCommands, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="agentcom")
@click.pass_context
def cli(context: click.Context) -> object:
    """A hub that hands tasks to agents and shows what happens.

    Without a command: the state of the hub on this machine.

    Start with:  agentcom run examples/first-job.toml
    """
    if context.invoked_subcommand is not None:
        return None
    return load_command("status").main([], standalone_mode=False)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run a command line and exit with the status of ``agentcom exit-codes``."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in given[: given.index("--")] if "--" in given else "--json" in given
    try:
        status = cli.main(given, prog_name="agentcom", standalone_mode=False)
    except click.exceptions.Abort:
        status = EXIT_INTERRUPTED
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except Failure as failure:
        report(failure, as_json=as_json)
        status = failure.exit_status
    except BrokenPipeError:  # the reader, as in ``| head``, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    sys.exit(status if isinstance(status, int) else 0)
