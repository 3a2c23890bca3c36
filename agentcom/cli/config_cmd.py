"""``agentcom config …``: the settings that a hub started here would have."""

from __future__ import annotations

import os

import click

from agentcom import config as settings
from agentcom.cli.main import NearestCommand
from agentcom.cli.output import Output
from agentcom.failures import ExitStatus, Failure


@click.group(cls=NearestCommand)
def config() -> None:
    """Show settings and where they come from."""


@config.command()
@click.option("--origin", is_flag=True, help="say where each value comes from")
@click.option("--json", "as_json", is_flag=True, help="print JSON")
def show(origin: bool, as_json: bool) -> None:
    """Every setting with its value."""
    try:
        loaded = settings.load({}, os.environ)
    except settings.ConfigError as error:
        raise Failure(str(error), error.hint, ExitStatus.USAGE, "invalid_config") from error
    out = Output(as_json=as_json)
    values = {setting.key: settings.value_of(loaded, setting) for setting in settings.SETTINGS}
    if as_json:
        out.data({key: {"value": value, "origin": loaded.origins[key]} for key, value in values.items()})
        return
    columns = ("SETTING", "VALUE", "ORIGIN") if origin else ("SETTING", "VALUE")
    rows = [(key, _shown(value), loaded.origins[key])[: len(columns)] for key, value in values.items()]
    out.table(columns, rows)


@config.command()
def path() -> None:
    """The files that settings are read from, the stronger one first."""
    for file in settings.default_files():
        click.echo(f"{file.absolute()}\t{'exists' if file.exists() else 'missing'}")


def _shown(value: settings.Value) -> str:
    if isinstance(value, tuple):
        return ", ".join(value)
    return "" if value is None else str(value)
