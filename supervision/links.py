"""What one actor learns of the end of another: monitors (one way) and links (both ways), as in OTP.

A ``Down`` or an ``ExitSignal`` arrives through the ordinary mailbox, after everything that the dead one had sent before. When it
is seen everything else is true already: the ref is dead, the name is free or the successor's, the timers are silent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

import pykka

from supervision.exits import ExitReason, NoProc
from supervision.mailbox import Continuation

if TYPE_CHECKING:
    from supervision.cell import Cell

Target = pykka.ActorRef[Any] | str
"""A ref, or a name, which is looked up once, when the monitor is set."""


@dataclass(frozen=True, slots=True)
class Down:
    """``target`` ended: exactly once for each ``monitor``. ``NoProc`` when it was gone already."""

    token: int
    target: Target
    reason: ExitReason


@dataclass(frozen=True, slots=True)
class ExitSignal:
    """A linked actor ended, and this one traps exits."""

    target: Target
    reason: ExitReason


class Watches:
    """The monitors and links of one actor. Gone with it."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell
        self._tokens = count(1)
        self._undo: dict[int, Callable[[], None]] = {}

    def monitor(self, target: Target, deliver: Callable[[Any], None], message: object = None) -> int:
        """``deliver(Down)`` in the actor's own turn, or ``deliver(message)`` if there is one, unless ``demonitor`` came first."""
        token = next(self._tokens)

        def ended(reason: ExitReason) -> None:
            said = Down(token, target, reason) if message is None else message
            self._tell(lambda _: self._down(token, said, deliver))

        self._undo[token] = lambda: None
        cell = self._find(target)
        if cell is None:
            ended(NoProc())
        else:
            self._undo[token] = cell.monitor(ended)
        return token

    def _down(self, token: int, said: object, deliver: Callable[[Any], None]) -> None:
        if self._undo.pop(token, None) is not None:  # demonitored while it was on its way: never delivered
            deliver(said)

    def demonitor(self, token: int) -> None:
        """No ``Down`` for this token follows, also if it was queued already."""
        undo = self._undo.pop(token, None)
        if undo is not None:
            undo()

    def link(self, target: Target, ended: Callable[[Target, ExitReason], None]) -> None:
        """Each hears of the other's end. Linking to what is gone is hearing ``NoProc``."""
        other = self._find(target)
        if other is None:
            self._tell(lambda _: ended(target, NoProc()))
            return
        mine = self._cell.ref
        assert mine is not None
        other.monitor(lambda reason: self._tell(lambda _: ended(target, reason)))
        self._cell.monitor(lambda reason: other.signal_exit(mine, reason))

    def _find(self, target: Target) -> Cell | None:
        if isinstance(target, str):
            return self._cell.runtime.names.cell(target)
        return self._cell.runtime.cell_of(target)

    def _tell(self, run: Callable[[Any], None]) -> None:
        self._cell.mailbox.post(Continuation(run, None))

    def close(self) -> None:
        for undo in list(self._undo.values()):
            undo()
        self._undo.clear()
