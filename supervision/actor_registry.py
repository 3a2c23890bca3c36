"""Pykka's registry of all actors with a container that forgets in constant time.

Pykka keeps a list, so that the end of one of 100,000 actors costs a millisecond. ``ActorRegistry``'s own methods go on working:
they append, remove, look whether something is in it, iterate, and take a slice of everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pykka


class Refs:
    """In the order in which they came. Each method is one step of the interpreter, so no lock is needed."""

    def __init__(self, refs: Iterable[pykka.ActorRef[Any]] = ()) -> None:
        self._refs: dict[pykka.ActorRef[Any], None] = dict.fromkeys(refs)

    def append(self, ref: pykka.ActorRef[Any]) -> None:
        self._refs[ref] = None

    def remove(self, ref: pykka.ActorRef[Any]) -> None:
        """Nothing happens when it is gone already."""
        self._refs.pop(ref, None)

    def __contains__(self, ref: object) -> bool:
        return ref in self._refs

    def __iter__(self) -> Iterator[pykka.ActorRef[Any]]:
        return iter(list(self._refs))

    def __len__(self) -> int:
        return len(self._refs)

    def __getitem__(self, which: slice) -> list[pykka.ActorRef[Any]]:
        return list(self._refs)[which]


#: From the import of this module on, for all actors of the process.
refs = Refs(pykka.ActorRegistry.get_all())
pykka.ActorRegistry._actor_refs = refs  # type: ignore[assignment]
