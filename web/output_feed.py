"""Live output of tasks, for the pages of this process that show it, and for no others.

The hub is told which tasks those are, and sends their lines only. A page that is behind gets a word that it missed something
instead of a growing queue, and reads what is kept at ``GET /api/dashboard/tasks/:id/output``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from link.client import HubLink
from link.messages import TaskPrinted, WatchOutput


class OutputReader(Protocol):
    """One page, for one task."""

    def printed(self, printed: TaskPrinted) -> None: ...

    def missed(self) -> None:
        """Nobody knows what was printed meanwhile."""


class OutputFeed:
    """``soon`` calls something once this turn of the loop is over."""

    def __init__(self, link: HubLink, soon: Callable[[Callable[[], object]], object]) -> None:
        self._link = link
        self._soon = soon
        self._readers: dict[str, set[OutputReader]] = {}
        self._is_telling = False

    def watch(self, task_id: str, reader: OutputReader) -> None:
        readers = self._readers.setdefault(task_id, set())
        readers.add(reader)
        if len(readers) == 1:
            self._tell_soon()

    def unwatch(self, task_id: str, reader: OutputReader) -> None:
        readers = self._readers.get(task_id, set())
        readers.discard(reader)
        if not readers and self._readers.pop(task_id, None) is not None:
            self._tell_soon()

    def hub_is_back(self) -> None:
        if self._readers:
            self._tell()
        for readers in list(self._readers.values()):
            for reader in list(readers):
                reader.missed()

    def take(self, printed: TaskPrinted) -> None:
        for reader in list(self._readers.get(printed.task_id, ())):
            reader.printed(printed)

    def _tell_soon(self) -> None:
        """A page that goes from one task to the next tells one change, not two."""
        if not self._is_telling:
            self._is_telling = True
            self._soon(self._tell)

    def _tell(self) -> None:
        self._is_telling = False
        self._link.send(WatchOutput(sorted(self._readers)))
