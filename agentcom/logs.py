"""Logging of the hub's processes: one line for each event on stderr, and nothing that a terminal would obey."""

from __future__ import annotations

import logging
import sys


class OneLine(logging.Formatter):
    """Escapes control characters, so that text of agents and clients cannot forge lines or move the cursor."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        message = record.getMessage()
        if record.exc_info:
            message = f"{message}\n{self.formatException(record.exc_info)}"
        escaped = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in message)
        source = f"{self._process} {record.name}"
        return f"{self.formatTime(record, '%H:%M:%S')} {record.levelname.lower():7} {source}: {escaped}"


def configure_logging(process: str, level: str) -> None:
    """``level``: debug, info, warning or error. ``process`` names this process in every line."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine(process))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.getLogger("pykka").setLevel(logging.WARNING)
