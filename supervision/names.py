"""Unique names for actors, and who wants to know when one of them ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from supervision import threads

if TYPE_CHECKING:
    import pykka

    from supervision.cell import Cell


class AlreadyRegistered(Exception):
    """The name belongs to a living actor."""


class Names:
    """Name -> the current incarnation. An entry disappears before anybody can observe its owner's death."""

    def __init__(self) -> None:
        self._lock = threads.new_lock()
        self._cells: dict[str, Cell] = {}
        self._listeners: list[Callable[[str, bool], None]] = []

    def register(self, name: str, cell: Cell) -> None:
        with self._lock:
            owner = self._cells.get(name)
            if owner is not None and not owner.is_over:
                raise AlreadyRegistered(name)
            self._cells[name] = cell
        self._tell(name, is_registered=True)

    def unregister(self, name: str, cell: Cell) -> None:
        """Compare and delete: a late clean-up never removes a successor."""
        with self._lock:
            if self._cells.get(name) is not cell:
                return
            del self._cells[name]
        self._tell(name, is_registered=False)

    def listen(self, listener: Callable[[str, bool], None]) -> None:
        """``listener(name, is_registered)`` in the thread of each change; it must be short and must not raise."""
        self._listeners.append(listener)

    def _tell(self, name: str, *, is_registered: bool) -> None:
        for listener in self._listeners:
            listener(name, is_registered)

    def whereis(self, name: str) -> pykka.ActorRef[Any] | None:
        cell = self._cells.get(name)
        return cell.ref if cell is not None and not cell.is_over else None

    def cell(self, name: str) -> Cell | None:
        return self._cells.get(name)

    def starting_with(self, prefix: str) -> Iterator[tuple[str, pykka.ActorRef[Any]]]:
        """Every living (name, ref) under a prefix, at this moment."""
        for name, cell in list(self._cells.items()):
            if name.startswith(prefix) and cell.ref is not None and not cell.is_over:
                yield name, cell.ref
