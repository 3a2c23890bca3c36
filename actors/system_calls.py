"""Questions of the page about the hub itself: its storage, its link to the other processes, and their sockets."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import structs

from actors.vocabulary import names
from actors.vocabulary.system import ReadStorage, StorageFigures
from link.messages import Call
from link.traffic import Traffic

if TYPE_CHECKING:
    from actors.agent_orders import Refuse, Reply
    from actors.gateway import Gateway, Peer

#: Below the caller's own limit; a queue that does not answer in time leaves the rest to be seen.
STORAGE_TIMEOUT_S = 2.0


class SystemCalls:
    """Part of ``Gateway``, which knows who is connected to it."""

    def __init__(self, gateway: Gateway, reply: Reply, refuse: Refuse) -> None:
        self._gateway = gateway
        self._reply = reply
        self._refuse = refuse
        self.operations: dict[str, Callable[[int, Call], None]] = {"hub.figures": self._figures}

    def _figures(self, peer: int, call: Call) -> None:
        """``storage`` is None while the queue is away."""

        def answered(storage: object) -> None:
            found = msgspec.to_builtins(storage) if isinstance(storage, StorageFigures) else None
            self._reply(peer, call, {"storage": found, "processes": self._processes()})

        self._gateway.request(names.TASK_QUEUE, ReadStorage(), answered, STORAGE_TIMEOUT_S)

    def _processes(self) -> list[dict[str, Any]]:
        """Those at the other ends of the link, by name."""
        traffic = self._gateway.traffic()
        peers = self._gateway.peers()
        found = [_process(peer, traffic[number]) for number, peer in peers.items() if number in traffic]
        return sorted(found, key=lambda one: str(one["id"]))


def _process(peer: Peer, traffic: Traffic) -> dict[str, Any]:
    sockets = peer.sockets
    return {
        "id": peer.web_id,
        "pid": peer.pid,
        "connected_at": peer.connected_at,
        "agents": len(peer.connections),
        "from_it": {"messages": traffic.messages_in, "bytes": traffic.bytes_in},
        "to_it": {"messages": traffic.messages_out, "bytes": traffic.bytes_out, "unsent_bytes": traffic.unsent_bytes},
        "sockets": structs.asdict(sockets) if sockets is not None else None,
    }
