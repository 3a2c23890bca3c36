"""An unmodified ``pykka.ThreadingActor`` as a supervised child.

Its class is not touched: it is started as a subclass of itself that lives in a cell of ours, on a thread of its own. So its
``__init__`` and ``on_start`` run in that thread, whatever it raises ends only itself, and its end is published once and last. As
its author expects, an exception in an ask only reaches the caller; one in a tell ends the actor.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import pykka

from supervision.actor import Actor
from supervision.cell import Cell
from supervision.threads import Dispatcher


class _OwnThread(Actor):
    ask_errors = "reply"

    @classmethod
    def make_dispatcher(cls, cell: Cell) -> Dispatcher:
        return cell.runtime.private_dispatcher(cell.name or cls.__name__)


#: What Pykka's threading would do, and ours does instead.
_OURS = ("_create_actor_inbox", "_create_future", "_start_actor_loop", "_stop")

#: Conveniences of our actors that a stranger may have as attributes of its own.
_THEIRS = ("name", "names")


@cache
def hosted(actor_class: type[pykka.Actor]) -> type[Actor]:
    """The class to start instead of ``actor_class``; instances of the one are instances of the other."""
    fields: dict[str, Any] = {name: Actor.__dict__[name] for name in _OURS}
    fields |= dict.fromkeys(_THEIRS)
    return type(actor_class.__name__, (actor_class, _OwnThread), fields)
