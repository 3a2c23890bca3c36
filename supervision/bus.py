"""Topics: an event is numbered, then told to every subscriber, in the same order for all of them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, NamedTuple

import pykka

from supervision import threads
from supervision.ref import Ref

if TYPE_CHECKING:
    from collections.abc import Iterable

logger = logging.getLogger("supervision")


class Published(NamedTuple):
    """``seq`` counts every event of every topic of one bus, without a hole."""

    seq: int
    topic: str
    event: Any


class EventBus:
    """Delivery is at most once and to the living; whoever was away rebuilds itself and goes on from ``seq``."""

    def __init__(self) -> None:
        self.seq = 0
        self._lock = threads.new_lock()
        self._subscribers: dict[str, list[pykka.ActorRef[Any]]] = {}

    def subscribe(self, topic: str, ref: pykka.ActorRef[Any]) -> int:
        """From now on ``ref`` is told ``Published`` messages of ``topic``; returns the last number before that."""
        with self._lock:
            living = [other for other in self._subscribers.get(topic, []) if other.is_alive() and other != ref]
            self._subscribers[topic] = [*living, ref]
            return self.seq

    def publish(self, topic: str, event: Any) -> int:
        return self.publish_all([(topic, event)])

    def publish_all(self, events: Iterable[tuple[str, Any]]) -> int:
        """Publish several events with consecutive numbers; returns the last number."""
        with self._lock:
            by_topic: dict[str, list[Published]] = {}
            for topic, event in events:
                self.seq += 1
                by_topic.setdefault(topic, []).append(Published(self.seq, topic, event))
            for topic, those in by_topic.items():
                for ref in self._subscribers.get(topic, ()):
                    self._tell_all(ref, those)
            return self.seq

    @staticmethod
    def _tell_all(ref: pykka.ActorRef[Any], those: list[Published]) -> None:
        try:
            if isinstance(ref, Ref):
                ref.tell_all(those)
            else:
                for published in those:
                    ref.tell(published)
        except pykka.ActorDeadError:
            logger.debug("subscriber %s is gone", ref)
