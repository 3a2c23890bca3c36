"""Whose actor is being constructed in this thread: so that ``__init__`` finds its cell without being handed it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from supervision import threads

if TYPE_CHECKING:
    from supervision.cell import Cell

_birth = threads.new_local()


@contextmanager
def born_in(cell: Cell) -> Iterator[None]:
    _birth.cell = cell
    try:
        yield
    finally:
        _birth.cell = None


def cell_of_birth() -> Cell | None:
    """The cell whose actor is being constructed in this thread; taken once."""
    cell: Cell | None = getattr(_birth, "cell", None)
    _birth.cell = None
    return cell
