"""What the command line prints: data on stdout, everything else on stderr.

On a terminal tables are drawn and coloured; anywhere else they are tab-separated lines with a header, never cut. ``--json``
prints the data itself, in the shapes of the API. Text from tasks and agents is escaped, so that it cannot steer a terminal.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Sequence

import click

from agentcom.failures import MEANING, RETRYABLE, Failure

MARKS = {
    "queued": "◌",
    "assigned": "▶",
    "completed": "✓",
    "dead_letter": "✗",
    "cancelled": "–",
    "idle": "○",
    "working": "●",
    "blocked": "■",
    "offline": "·",
}


class Output:
    """Where a command puts its answer. ``as_json``: the caller wants JSON and nothing else on stdout."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json

    def data(self, value: object) -> None:
        """One JSON document."""
        click.echo(json.dumps(value, indent=2 if sys.stdout.isatty() else None, ensure_ascii=False))

    def line(self, text: str) -> None:
        click.echo(safe(text))

    def drawing(self, line: str) -> None:
        """A line whose own parts are ``safe`` already, because it has colours between them."""
        click.echo(line)

    def fields(self, *cells: object) -> None:
        """One line of tab-separated cells, for scripts to cut."""
        click.echo("\t".join(safe(str(cell)) for cell in cells))

    def hint(self, text: str) -> None:
        """What to type next; on stderr, and not under ``--json``."""
        if not self.as_json:
            click.echo(text, err=True)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        cells = [[safe("-" if cell is None or cell == "" else str(cell)) for cell in row] for row in rows]
        if not sys.stdout.isatty():
            for row in [list(columns), *cells]:
                click.echo("\t".join(row))
            return
        from rich import box
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
        for column in columns:
            table.add_column(column, overflow="ellipsis", no_wrap=column != "TITLE")
        for row in cells:
            table.add_row(*(Text(cell) for cell in row))
        Console().print(table)


def safe(text: str) -> str:
    """One line without control characters: they are shown as escapes."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def state(word: str) -> str:
    """A state as symbol and word, so that neither colour nor the symbol alone carries it."""
    return f"{MARKS.get(word, ' ')} {word}" if sys.stdout.isatty() else word


def age(since_ms: object) -> str:
    """Time since a Unix time in milliseconds: ``12s``, ``2m04s``, ``3h12m``, ``5d``."""
    if not isinstance(since_ms, int | float) or isinstance(since_ms, bool):
        return "-"
    return duration(max(0.0, time.time() - since_ms / 1000))


def duration(seconds: float) -> str:
    whole = int(seconds)
    if seconds < 10:
        return f"{seconds:.1f}s"
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    if whole < 86_400:
        return f"{whole // 3600}h{whole % 3600 // 60:02}m"
    return f"{whole // 86_400}d"


def report(failure: Failure, *, as_json: bool) -> None:
    """Say on stderr what went wrong; under ``--json`` as one object {code, detail, hint, retryable}."""
    if as_json:
        retryable = failure.exit_status in RETRYABLE
        problem = {"code": failure.code, "detail": str(failure), "hint": failure.hint, "retryable": retryable}
        click.echo(json.dumps(problem), err=True)
        return
    click.echo(click.style("error: ", fg="red") + safe(str(failure)), err=True)
    if failure.hint:
        click.echo(failure.hint, err=True)


@click.command("exit-codes")
def exit_codes() -> None:
    """What the exit statuses mean."""
    for status, meaning in MEANING.items():
        click.echo(f"{status.value:>4}  {meaning}")
