"""One line for each event on stderr: ``2025-01-31T12:00:00Z sidecar NAME event key=value``.

Whatever came from outside is escaped, so that nobody can forge a line or drive a terminal. Task texts and tokens are
never given to it.
"""

from __future__ import annotations

import contextlib
import sys
import time
from dataclasses import dataclass

VALUE_CHARS = 400
"""A longer value is cut: a line stays a line."""


def escaped(text: str) -> str:
    """``text`` with every character that is not printable written as an escape."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


@dataclass(frozen=True, slots=True)
class Log:
    """Writes the lines of the agent ``name``."""

    name: str

    def __call__(self, event: str, **fields: object) -> None:
        parts = [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "sidecar", self.name, event]
        parts += [f"{key}={_value(value)}" for key, value in fields.items()]
        with contextlib.suppress(OSError):  # whoever read our stderr is gone; the work goes on
            print(" ".join(parts), file=sys.stderr, flush=True)  # noqa: T201 - this is where the lines come from


def _value(value: object) -> str:
    text = escaped(str(value)[:VALUE_CHARS])
    return f'"{text}"' if " " in text else text
