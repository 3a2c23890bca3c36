"""Which sockets are still alive: asked for a sign of life after some silence, given up after more.

Only what comes *in* counts, a pong included: on a busy hub a dead peer must not live on what others say. One sweep serves all
sockets, because a timer for each of ten thousand costs more than a glance at them.
"""

from __future__ import annotations

import logging
from typing import Protocol

from web.options import WebLimits

logger = logging.getLogger("agentcom.web")


class Peer(Protocol):
    """A WebSocket. Times are seconds of the loop's clock."""

    heard_at: float
    asked_at: float
    """When it was last asked for a sign of life."""

    def ask_for_life(self) -> None: ...

    def give_up(self) -> None: ...


class Liveness:
    def __init__(self, limits: WebLimits) -> None:
        self._limits = limits
        self._peers: set[Peer] = set()

    def watch(self, peer: Peer) -> None:
        self._peers.add(peer)

    def forget(self, peer: Peer) -> None:
        self._peers.discard(peer)

    def sweep(self, now: float) -> None:
        for peer in list(self._peers):
            silence_s = now - peer.heard_at
            if silence_s >= self._limits.idle_s:
                self._peers.discard(peer)
                peer.give_up()
            elif silence_s >= self._limits.ping_after_s and now - peer.asked_at >= self._limits.ping_after_s:
                peer.asked_at = now
                peer.ask_for_life()
