"""``agentcom completion``: the script that makes a shell complete our commands."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of SHELL.

    Example:  agentcom completion bash > ~/.local/share/bash-completion/completions/agentcom
    """
    from agentcom.cli.main import cli

    found = get_completion_class(shell)
    assert found is not None
    click.echo(found(cli, {}, "agentcom", "_AGENTCOM_COMPLETE").source())
