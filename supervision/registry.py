"""Registries: keys with values that belong to actors and disappear with them, before anybody can see that they died.

``unique``: one actor a key. ``duplicate``: many, for publishing to all of them. Names of a tree (``runtime.names``) are a unique
registry of their own, so that a restart never collides with its predecessor.

Keys are compared as Python does, so ``1``, ``1.0`` and ``True`` are one key (in Erlang they are not).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Literal

import pykka

from supervision import threads
from supervision.actor import Actor
from supervision.cell import Cell
from supervision.names import AlreadyRegistered


@dataclass(frozen=True, slots=True)
class Entry:
    key: Hashable
    owner: pykka.ActorRef[Any]
    value: object


@dataclass(frozen=True, slots=True)
class Change:
    """What a listener is told. ``is_registered`` False: unregistered, by hand or by the owner's end."""

    key: Hashable
    owner: pykka.ActorRef[Any]
    value: object
    is_registered: bool


class NotRegistered(KeyError):
    """The key is not this actor's."""


class Registry:
    """Every method may be called from any thread; those that change something take the owner as its actor."""

    def __init__(self, kind: Literal["unique", "duplicate"] = "unique") -> None:
        self._is_unique = kind == "unique"
        self._lock = threads.new_lock()
        self._entries: dict[Hashable, dict[Cell, object]] = {}
        self._keys: dict[Cell, set[Hashable]] = {}
        self._listeners: list[Callable[[Change], None]] = []

    # --- changing ---------------------------------------------------------------------------------------------------

    def register(self, key: Hashable, owner: Actor, value: object = None) -> None:
        """Raises ``AlreadyRegistered`` for a key of a unique registry that a living actor has, also when it is the same."""
        cell = owner.cell
        cell.check()
        with self._lock:
            holders = self._entries.setdefault(key, {})
            if self._is_unique:
                for holder in [holder for holder in holders if holder.is_over]:
                    self._drop(key, holder)
            if cell in holders or (self._is_unique and holders):
                raise AlreadyRegistered(str(key))
            self._entries.setdefault(key, {})[cell] = value
            is_first = cell not in self._keys
            self._keys.setdefault(cell, set()).add(key)
        if is_first:
            cell.on_release(lambda: self._forget(cell))
        self._tell(key, cell, value, is_registered=True)

    def update_value(self, key: Hashable, owner: Actor, change: Callable[[Any], object]) -> tuple[object, object]:
        """(new, old). Only the owner's own; raises ``NotRegistered``."""
        with self._lock:
            holders = self._entries.get(key, {})
            if owner.cell not in holders:
                raise NotRegistered(key)
            old = holders[owner.cell]
            new = holders[owner.cell] = change(old)
        return new, old

    def unregister(self, key: Hashable, owner: Actor) -> None:
        """Nothing happens when the key is not the owner's."""
        with self._lock:
            is_there = owner.cell in self._entries.get(key, {})
            value = self._drop(key, owner.cell) if is_there else None
        if is_there:
            self._tell(key, owner.cell, value, is_registered=False)

    def _forget(self, cell: Cell) -> None:
        """The owner ends."""
        with self._lock:
            gone = [(key, self._drop(key, cell)) for key in list(self._keys.get(cell, ()))]
        for key, value in gone:
            self._tell(key, cell, value, is_registered=False)

    def _drop(self, key: Hashable, cell: Cell) -> object:
        holders = self._entries[key]
        value = holders.pop(cell)
        if not holders:
            del self._entries[key]
        keys = self._keys[cell]
        keys.discard(key)
        if not keys:
            del self._keys[cell]
        return value

    # --- looking ----------------------------------------------------------------------------------------------------

    def lookup(self, key: Hashable) -> list[Entry]:
        """Of living actors."""
        with self._lock:
            holders = list(self._entries.get(key, {}).items())
        return [entry for cell, value in holders if (entry := _entry(key, cell, value)) is not None]

    def whereis(self, key: Hashable) -> pykka.ActorRef[Any] | None:
        """The one owner; raises ``TypeError`` for a registry with duplicate keys."""
        if not self._is_unique:
            raise TypeError("a key of a duplicate registry has no single owner")
        entries = self.lookup(key)
        return entries[0].owner if entries else None

    def keys(self, owner: Actor) -> list[Hashable]:
        with self._lock:
            return list(self._keys.get(owner.cell, ()))

    def count(self) -> int:
        """Registrations."""
        with self._lock:
            return sum(len(holders) for holders in self._entries.values())

    def select(self, wanted: Callable[[Entry], bool] = lambda entry: True) -> list[Entry]:
        with self._lock:
            pairs = [(key, cell, value) for key, holders in self._entries.items() for cell, value in holders.items()]
        entries = (entry for pair in pairs if (entry := _entry(*pair)) is not None)
        return [entry for entry in entries if wanted(entry)]

    def dispatch(self, key: Hashable, message: object) -> int:
        """Tell every owner of the key; how many got it."""
        told = 0
        for entry in self.lookup(key):
            try:
                entry.owner.tell(message)
                told += 1
            except pykka.ActorDeadError:
                continue
        return told

    # --- listening --------------------------------------------------------------------------------------

    def listen(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """``listener(Change)`` in the thread of the change; it must be short and must not raise. Returns the undo."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _tell(self, key: Hashable, cell: Cell, value: object, *, is_registered: bool) -> None:
        if cell.ref is not None:
            for listener in list(self._listeners):
                listener(Change(key, cell.ref, value, is_registered))


def _entry(key: Hashable, cell: Cell, value: object) -> Entry | None:
    return Entry(key, cell.ref, value) if cell.ref is not None and not cell.is_over else None
